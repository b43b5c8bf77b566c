//! Reading RDB files, one item after the other.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};

use super::super::crc64::crc64;
use super::super::{Malformed, Reader};
use super::{
    AUX, END, EXPIRE_MILLIS, EXPIRE_SECONDS, FILE_VERSION_MAX, FREQUENCY, FUNCTION, FUNCTION_PRE_GA, HEADER_BYTES,
    IDLE, MAGIC, MODULE_AUX, RESIZE_DB, SELECT_DB, SLOT_INFO, TYPES_OF_MODULES, VERSION_WITH_CHECKSUM,
};
use crate::keyspace::UnixMillis;
use crate::types::{Limits, OwnedValue};

/// The window is filled up to this, unless an entry needs more.
const WINDOW_BYTES: usize = 1 << 20;

/// The window is filled when it holds less than this.
const WINDOW_BYTES_LOW: usize = 64 << 10;

/// Something in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Something about the file.
    Aux {
        /// What.
        name: Vec<u8>,
        /// What of it.
        value: Vec<u8>,
    },
    /// A library of functions.
    Function(Vec<u8>),
    /// The keys that follow are of this database.
    Database(u64),
    /// Hints about the database: so many keys, so many that expire.
    Sizes(u64, u64),
    /// An entry: its key is [`FileReader::key`], its value is to be read or skipped next.
    Entry(EntryHead),
    /// The end; the checksum was right, if there was one.
    End,
}

/// What stands before a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryHead {
    /// When the key expires.
    pub expire_at: Option<UnixMillis>,
    /// For how long it was not used, in seconds.
    pub idle_seconds: Option<u64>,
    /// How often it was used.
    pub frequency: Option<u8>,
    type_byte: u8,
}

/// Why a file cannot be read on.
#[derive(Debug)]
pub struct FileError {
    /// How far it was read, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub kind: FileErrorKind,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum FileErrorKind {
    /// The system gives no more of it.
    Io(io::Error),
    /// It ends too early.
    Truncated,
    /// It does not begin as a file of this format does.
    Signature,
    /// It is of a version that is not known here.
    Version(u16),
    /// What stands there is no value, or no length, as this says.
    Malformed(&'static str),
    /// There is no such type.
    UnknownType(u8),
    /// Data of a module.
    Module,
    /// Functions of a release candidate.
    FunctionPreGa,
    /// The checksum is another one.
    Checksum {
        /// As the file says.
        expected: u64,
        /// As it is.
        found: u64,
    },
}

impl fmt::Display for FileErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Truncated => f.write_str("Unexpected EOF reading RDB file"),
            Self::Signature => f.write_str("Wrong signature trying to load DB from file"),
            Self::Version(version) => write!(f, "Can't handle RDB format version {version}"),
            Self::Malformed(fault) => f.write_str(fault),
            Self::UnknownType(number) => write!(f, "Unknown RDB encoding type {number}"),
            Self::Module => f.write_str(
                "The RDB file contains module data I can't load: this server has no modules, and would lose it",
            ),
            Self::FunctionPreGa => f.write_str("Pre-release function format not supported."),
            Self::Checksum { expected, found } => {
                write!(f, "Wrong RDB checksum expected: ({expected:x}) but got ({found:x}). RDB CRC error")
            }
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Internal error in RDB reading offset {} -> {}", self.offset, self.kind)
    }
}

/// Reads a file from its beginning.
#[derive(Debug)]
pub struct FileReader<R> {
    source: R,
    /// Bytes of the source, of which `at` were used.
    window: Vec<u8>,
    at: usize,
    /// Where in the file the window begins.
    window_offset: u64,
    has_ended: bool,
    /// Whether the checksum is looked at, and that of all bytes before the window.
    check: bool,
    crc: u64,
    version: u16,
    key: Vec<u8>,
    /// The type of the value that comes next.
    type_byte: u8,
}

impl<R: Read> FileReader<R> {
    /// Reads the header. The checksum is looked at if `check` says so.
    pub fn new(source: R, check: bool) -> Result<Self, FileError> {
        let mut reader = Self {
            source,
            window: Vec::new(),
            at: 0,
            window_offset: 0,
            has_ended: false,
            check,
            crc: 0,
            version: 0,
            key: Vec::new(),
            type_byte: 0,
        };
        let header: [u8; HEADER_BYTES] = reader.parse(array)?;
        let digits = header.strip_prefix(MAGIC).ok_or_else(|| reader.error(FileErrorKind::Signature))?;
        let version = std::str::from_utf8(digits).ok().and_then(|digits| digits.trim().parse().ok());
        reader.version = version.ok_or_else(|| reader.error(FileErrorKind::Signature))?;
        if !(1..=FILE_VERSION_MAX).contains(&reader.version) {
            return Err(reader.error(FileErrorKind::Version(reader.version)));
        }
        Ok(reader)
    }

    /// The version of the format.
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// Bytes that were read and used.
    pub const fn offset(&self) -> u64 {
        self.window_offset + self.at as u64
    }

    /// The key of the entry that was met last.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The number of the type of that entry's value.
    pub const fn type_byte(&self) -> u8 {
        self.type_byte
    }

    const fn error(&self, kind: FileErrorKind) -> FileError {
        FileError { offset: self.offset(), kind }
    }

    /// Reads something whole from the window, which grows until it holds that.
    fn parse<T>(&mut self, mut read: impl FnMut(&mut Reader<'_>) -> Result<T, Malformed>) -> Result<T, FileError> {
        loop {
            let mut reader = Reader::new(&self.window[self.at..]);
            let result = read(&mut reader);
            let used = self.window.len() - reader.rest().len();
            match (result, reader.missing_bytes()) {
                (Ok(value), _) => {
                    self.at = used;
                    return Ok(value);
                }
                (Err(Malformed), 0) => {
                    self.at = used;
                    let fault = reader.fault();
                    return Err(self.error(FileErrorKind::Malformed(fault)));
                }
                (Err(Malformed), missing) => {
                    if self.has_ended {
                        self.at = used;
                        return Err(self.error(FileErrorKind::Truncated));
                    }
                    let present = self.window.len() - self.at;
                    self.fill(present.saturating_add(missing).max(present * 2).max(WINDOW_BYTES))?;
                }
            }
        }
    }

    /// Fills the window up to so many bytes that were not used yet. What is allocated follows what the source gives.
    fn fill(&mut self, wanted: usize) -> Result<(), FileError> {
        if self.check {
            self.crc = crc64(self.crc, &self.window[..self.at]);
        }
        self.window_offset += self.at as u64;
        self.window.drain(..self.at);
        self.at = 0;
        let room = wanted.saturating_sub(self.window.len()) as u64;
        let got = self.source.by_ref().take(room).read_to_end(&mut self.window);
        match got {
            Ok(got) => self.has_ended = (got as u64) < room,
            Err(error) => return Err(self.error(FileErrorKind::Io(error))),
        }
        Ok(())
    }

    /// The next item. Behind an [`Item::Entry`], its value is read or skipped before.
    pub fn next_item(&mut self) -> Result<Item, FileError> {
        if self.window.len() - self.at < WINDOW_BYTES_LOW && !self.has_ended {
            self.window.shrink_to(2 * WINDOW_BYTES);
            self.fill(WINDOW_BYTES)?;
        }
        let mut head = EntryHead::default();
        loop {
            match self.parse(byte)? {
                AUX => {
                    let (name, value) = self.parse(|reader| Ok((text(reader)?, text(reader)?)))?;
                    return Ok(Item::Aux { name, value });
                }
                FUNCTION => return self.parse(text).map(Item::Function),
                SELECT_DB => return self.parse(length).map(Item::Database),
                RESIZE_DB => {
                    return self.parse(|reader| Ok(Item::Sizes(reader.length()?, reader.length()?)));
                }
                SLOT_INFO => self.parse(|reader| (0..3).try_for_each(|_| reader.length().map(drop)))?,
                EXPIRE_SECONDS => {
                    let seconds = i32::from_le_bytes(self.parse(array)?);
                    head.expire_at = Some(UnixMillis(i64::from(seconds) * 1000));
                }
                EXPIRE_MILLIS => {
                    head.expire_at = Some(UnixMillis(i64::from_le_bytes(self.parse(array)?)));
                }
                IDLE => head.idle_seconds = Some(self.parse(length)?),
                FREQUENCY => head.frequency = Some(self.parse(byte)?),
                MODULE_AUX => return Err(self.error(FileErrorKind::Module)),
                FUNCTION_PRE_GA => return Err(self.error(FileErrorKind::FunctionPreGa)),
                END => return self.end(),
                type_byte => {
                    self.begin_entry(type_byte)?;
                    return Ok(Item::Entry(EntryHead { type_byte, ..head }));
                }
            }
        }
    }

    fn begin_entry(&mut self, type_byte: u8) -> Result<(), FileError> {
        if TYPES_OF_MODULES.contains(&type_byte) {
            return Err(self.error(FileErrorKind::Module));
        }
        if !super::super::is_type(type_byte) {
            return Err(self.error(FileErrorKind::UnknownType(type_byte)));
        }
        self.type_byte = type_byte;
        let mut key = std::mem::take(&mut self.key);
        let read = self.parse(|reader| {
            key.clear();
            reader.text().map(|text| key.extend_from_slice(&text))
        });
        self.key = key;
        read
    }

    /// The value of the entry that was met last; `None` if it is a collection without items, as some old servers wrote.
    pub fn value(&mut self, limits: &Limits) -> Result<Option<OwnedValue>, FileError> {
        let type_byte = self.type_byte;
        let value = self.parse(|reader| reader.value_or_empty(type_byte, limits))?;
        Ok(Some(value).filter(|value| !value.as_value().is_empty_collection()))
    }

    /// Passes over the value of the entry that was met last.
    pub fn skip_value(&mut self) -> Result<(), FileError> {
        let type_byte = self.type_byte;
        self.parse(|reader| reader.skip_value(type_byte))
    }

    fn end(&mut self) -> Result<Item, FileError> {
        if self.version < VERSION_WITH_CHECKSUM {
            return Ok(Item::End);
        }
        let found = crc64(self.crc, &self.window[..self.at]);
        let expected = u64::from_le_bytes(self.parse(array)?);
        if self.check && expected != 0 && expected != found {
            return Err(self.error(FileErrorKind::Checksum { expected, found }));
        }
        Ok(Item::End)
    }
}

// As functions, since the window that they read is another one each time that they are tried.

fn array<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N], Malformed> {
    reader.array()
}

fn byte(reader: &mut Reader<'_>) -> Result<u8, Malformed> {
    reader.byte()
}

fn length(reader: &mut Reader<'_>) -> Result<u64, Malformed> {
    reader.length()
}

fn text(reader: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    reader.text().map(Cow::into_owned)
}
