//! The types of values: how each is read, printed and written to a file.
//!
//! A directive does not know the type of its field; it holds a [`Value`], which reads words into the field and prints
//! the field again. The types of one word are here ([`Flag`], [`Integer`], [`Memory`], [`Limit`], [`Octal`], [`Text`],
//! [`Secret`], [`Choice`]); what takes several words implements [`Words`] beside its own type in `types/` and is
//! wrapped in [`Many`].
//!
//! [`Lens`] is how a value reaches its field: two function pointers, written by the `field!` macro.

use std::fmt::Display;

use super::error::Reason;
use super::grammar::quoted;
use super::number;
use super::settings::Settings;

/// The way to one field of [`Settings`].
pub struct Lens<T: 'static> {
    /// Reads the field.
    pub of: fn(&Settings) -> &T,
    /// Gives the field to be written.
    pub of_mut: fn(&mut Settings) -> &mut T,
}

/// The [`Lens`] of a field by its name.
macro_rules! field {
    ($($name:ident).+) => {
        $crate::config::value::Lens { of: |s| &s.$($name).+, of_mut: |s| &mut s.$($name).+ }
    };
}
pub(super) use field;

/// Who asks for a value to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The default of the directive, before anything else.
    Default,
    /// A line of a file or an option of the command line.
    Load,
    /// `CONFIG SET`.
    Set,
}

/// The type of a directive's value, tied to its field.
pub trait Value: Sync {
    /// Reads `words` into the field.
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], how: How) -> Result<(), Reason>;

    /// What `CONFIG GET` answers.
    fn print(&self, settings: &Settings) -> Vec<u8>;

    /// The values for a file, one per line of the directive; none if the file need not mention it.
    fn file_values(&self, settings: &Settings) -> Vec<Vec<u8>> {
        vec![self.print(settings)]
    }

    /// Whether the directive takes any number of words.
    fn takes_many(&self) -> bool {
        false
    }

    /// What may stand there, in words, for help.
    fn expects(&self) -> String;
}

/// The only word of `words`; a directive of one word was checked to have one.
fn only<'a>(words: &[&'a [u8]]) -> Result<&'a [u8], Reason> {
    match words {
        [word] => Ok(word),
        _ => Err(Reason::WrongNumberOfArguments),
    }
}

fn utf8(word: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(word).map_err(|_| Reason::NotText)
}

/// `yes` or `no`.
pub struct Flag(pub Lens<bool>);

impl Value for Flag {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], _: How) -> Result<(), Reason> {
        *(self.0.of_mut)(settings) = match only(words)? {
            word if word.eq_ignore_ascii_case(b"yes") => true,
            word if word.eq_ignore_ascii_case(b"no") => false,
            _ => return Err(Reason::NotBoolean),
        };
        Ok(())
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        if *(self.0.of)(settings) { b"yes".to_vec() } else { b"no".to_vec() }
    }

    fn expects(&self) -> String {
        "yes|no".to_owned()
    }
}

/// A number of `T` between two bounds.
pub struct Integer<T: 'static> {
    /// The field.
    pub at: Lens<T>,
    /// The least value.
    pub min: i128,
    /// The greatest value.
    pub max: i128,
}

impl<T: Copy + Display + TryFrom<i128> + 'static> Value for Integer<T> {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let number = number::integer(only(words)?).ok_or(Reason::NotInteger)?;
        *(self.at.of_mut)(settings) = bounded(i128::from(number), self.min, self.max)?;
        Ok(())
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        (self.at.of)(settings).to_string().into_bytes()
    }

    fn expects(&self) -> String {
        format!("integer {}..{}", self.min, self.max)
    }
}

/// `number` as a `T`, if it is between the bounds (which `T` can hold).
fn bounded<T: TryFrom<i128>>(number: i128, min: i128, max: i128) -> Result<T, Reason> {
    let outside = || Reason::NotBetween(min.to_string(), max.to_string());
    if !(min..=max).contains(&number) {
        return Err(outside());
    }
    T::try_from(number).map_err(|_| outside())
}

/// A number of bytes, read with units and printed without.
pub struct Memory {
    /// The field.
    pub at: Lens<u64>,
    /// The least value.
    pub min: u64,
    /// The greatest value.
    pub max: u64,
}

impl Value for Memory {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let bytes = number::memory(only(words)?).ok_or(Reason::NotMemory)?;
        *(self.at.of_mut)(settings) = bounded(i128::from(bytes), i128::from(self.min), i128::from(self.max))?;
        Ok(())
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        (self.at.of)(settings).to_string().into_bytes()
    }

    fn file_values(&self, settings: &Settings) -> Vec<Vec<u8>> {
        vec![number::memory_with_unit(*(self.at.of)(settings)).into_bytes()]
    }

    fn expects(&self) -> String {
        "size in bytes, or with a unit k, kb, m, mb, g, gb".to_owned()
    }
}

/// A limit on memory: so many bytes, or a share of a whole: of `maxmemory`, or of the machine's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryShare {
    /// So many bytes; 0 means no limit.
    Bytes(u64),
    /// So many hundredths of the whole, 1 to 100.
    Percent(u8),
}

impl Default for MemoryShare {
    fn default() -> Self {
        Self::Bytes(0)
    }
}

impl MemoryShare {
    /// The limit in bytes while the whole is what is given; 0 means no limit.
    pub fn bytes_of(self, whole: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => (u128::from(whole) * u128::from(percent) / 100) as u64,
        }
    }

    fn print(self) -> String {
        match self {
            Self::Bytes(bytes) => bytes.to_string(),
            Self::Percent(percent) => format!("{percent}%"),
        }
    }

    fn print_with_unit(self) -> String {
        match self {
            Self::Bytes(bytes) => number::memory_with_unit(bytes),
            Self::Percent(_) => self.print(),
        }
    }
}

/// A number of bytes or a percentage.
pub struct Limit(pub Lens<MemoryShare>);

impl Limit {
    fn read(word: &[u8]) -> Result<MemoryShare, Reason> {
        if let Some(bytes) = number::memory(word) {
            return bounded(i128::from(bytes), -100, i128::from(i64::MAX)).map(MemoryShare::Bytes);
        }
        let percent = word.strip_suffix(b"%").and_then(number::integer).filter(|&percent| percent >= 0);
        match percent {
            Some(0) => Ok(MemoryShare::Bytes(0)),
            Some(percent @ 1..=100) => Ok(MemoryShare::Percent(percent as u8)),
            Some(_) => Err(Reason::PercentAbove(100)),
            None => Err(Reason::NotMemoryOrPercent),
        }
    }
}

/// Bytes or a percentage, as they are shown and as they are written.
impl Lens<MemoryShare> {
    fn print(&self, settings: &Settings) -> Vec<u8> {
        (self.of)(settings).print().into_bytes()
    }

    fn file_values(&self, settings: &Settings) -> Vec<Vec<u8>> {
        vec![(self.of)(settings).print_with_unit().into_bytes()]
    }
}

impl Value for Limit {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], _: How) -> Result<(), Reason> {
        *(self.0.of_mut)(settings) = Self::read(only(words)?)?;
        Ok(())
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        self.0.print(settings)
    }

    fn file_values(&self, settings: &Settings) -> Vec<Vec<u8>> {
        self.0.file_values(settings)
    }

    fn expects(&self) -> String {
        "size, or percentage of maxmemory".to_owned()
    }
}

/// A number of bytes, or a percentage of the memory that the process may have.
pub struct MemoryOfMachine(pub Lens<MemoryShare>);

impl Value for MemoryOfMachine {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let word = only(words)?;
        *(self.0.of_mut)(settings) = match number::memory(word) {
            Some(bytes) => MemoryShare::Bytes(bytes),
            None if word.ends_with(b"%") => Limit::read(word)?,
            None => return Err(Reason::NotMemory),
        };
        Ok(())
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        self.0.print(settings)
    }

    fn file_values(&self, settings: &Settings) -> Vec<Vec<u8>> {
        self.0.file_values(settings)
    }

    fn expects(&self) -> String {
        "size, or percentage of the memory of the machine or cgroup".to_owned()
    }
}

/// Permission bits in base eight.
pub struct Octal {
    /// The field.
    pub at: Lens<u32>,
    /// The greatest value.
    pub max: u32,
}

impl Value for Octal {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let number = number::octal(only(words)?).ok_or(Reason::NotOctal)?;
        let outside = || Reason::NotBetween("0".to_owned(), format!("{:o}", self.max));
        let bits = u32::try_from(number).ok().filter(|&bits| bits <= self.max).ok_or_else(outside)?;
        *(self.at.of_mut)(settings) = bits;
        Ok(())
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        format!("{:o}", (self.at.of)(settings)).into_bytes()
    }

    fn expects(&self) -> String {
        format!("octal permissions up to {:o}", self.max)
    }
}

/// Text, checked by a function of the directive.
pub struct Text {
    /// The field.
    pub at: Lens<String>,
    /// Says what is wrong with a text, if anything is.
    pub check: fn(&str) -> Result<(), Reason>,
}

/// The check of a [`Text`] that may be anything.
pub fn anything(_: &str) -> Result<(), Reason> {
    Ok(())
}

impl Value for Text {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let text = utf8(only(words)?)?;
        (self.check)(text)?;
        text.clone_into((self.at.of_mut)(settings));
        Ok(())
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        (self.at.of)(settings).clone().into_bytes()
    }

    fn file_values(&self, settings: &Settings) -> Vec<Vec<u8>> {
        vec![quoted((self.at.of)(settings).as_bytes())]
    }

    fn expects(&self) -> String {
        "text".to_owned()
    }
}

/// Bytes that are not to be shown in logs; empty for none.
pub struct Secret(pub Lens<Vec<u8>>);

impl Value for Secret {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], _: How) -> Result<(), Reason> {
        *(self.0.of_mut)(settings) = only(words)?.to_vec();
        Ok(())
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        (self.0.of)(settings).clone()
    }

    fn file_values(&self, settings: &Settings) -> Vec<Vec<u8>> {
        vec![quoted((self.0.of)(settings))]
    }

    fn expects(&self) -> String {
        "text".to_owned()
    }
}

/// An enumeration whose values have names. The first name of a value is the one it is printed with.
pub trait Named: Copy + PartialEq + 'static {
    /// The names, in the order in which errors list them.
    const NAMES: &'static [(&'static str, Self)];

    /// The name of the value.
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, value)| *value == self).expect("every variant has a name").0
    }
}

/// One of the names of `T`, in any case.
pub struct Choice<T: Named>(pub Lens<T>);

/// The value of `T` that `word` names.
pub(super) fn choose<T: Named>(word: &[u8]) -> Result<T, Reason> {
    let found = T::NAMES.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word));
    found.map(|(_, value)| *value).ok_or_else(|| Reason::NotOneOf(names::<T>()))
}

fn names<T: Named>() -> Vec<&'static str> {
    T::NAMES.iter().map(|(name, _)| *name).collect()
}

impl<T: Named> Value for Choice<T> {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], _: How) -> Result<(), Reason> {
        *(self.0.of_mut)(settings) = choose(only(words)?)?;
        Ok(())
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        (self.0.of)(settings).name().as_bytes().to_vec()
    }

    fn expects(&self) -> String {
        names::<T>().join("|")
    }
}

/// A type that is read from any number of words.
pub trait Words: 'static {
    /// What may stand there, for help.
    const EXPECTS: &'static str;

    /// Replaces or extends the value by what `words` say.
    fn read(&mut self, words: &[&[u8]], how: How) -> Result<(), Reason>;

    /// What `CONFIG GET` answers.
    fn print(&self) -> String;

    /// The values for a file, one per line.
    fn file_values(&self) -> Vec<String> {
        vec![self.print()]
    }
}

/// A directive of any number of words.
pub struct Many<T: Words>(pub Lens<T>);

impl<T: Words> Value for Many<T> {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], how: How) -> Result<(), Reason> {
        (self.0.of_mut)(settings).read(words, how)
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        (self.0.of)(settings).print().into_bytes()
    }

    fn file_values(&self, settings: &Settings) -> Vec<Vec<u8>> {
        (self.0.of)(settings).file_values().into_iter().map(String::into_bytes).collect()
    }

    fn takes_many(&self) -> bool {
        true
    }

    fn expects(&self) -> String {
        T::EXPECTS.to_owned()
    }
}

/// A type with a notation of its own that is one word all the same.
pub struct One<T: Words>(pub Lens<T>);

impl<T: Words> Value for One<T> {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], how: How) -> Result<(), Reason> {
        only(words)?;
        (self.0.of_mut)(settings).read(words, how)
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        (self.0.of)(settings).print().into_bytes()
    }

    fn file_values(&self, settings: &Settings) -> Vec<Vec<u8>> {
        (self.0.of)(settings).file_values().into_iter().map(|value| quoted(value.as_bytes())).collect()
    }

    fn expects(&self) -> String {
        T::EXPECTS.to_owned()
    }
}
