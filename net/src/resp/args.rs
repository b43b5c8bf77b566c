//! The arguments of one command: slices of a buffer that holds them all.
//!
//! A request is parsed where it was received, so its arguments are positions in that buffer ([`Span`]) rather than
//! pointers: the positions live in a scratch vector that is reused from command to command, and a command that must
//! wait or travel is copied with one `memcpy` of the bytes and one of the spans ([`OwnedArgs`]).

use std::ops::Index;

/// Where one argument stands in its buffer, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
}

/// The arguments of one command, its name first.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// Arguments at `spans` of `bytes`.
    pub fn new(bytes: &'a [u8], spans: &'a [Span]) -> Self {
        debug_assert!(spans.iter().all(|s| s.start as usize + s.len as usize <= bytes.len()));
        Self { bytes, spans }
    }

    /// Number of arguments, the command's name included.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no argument at all, not even a name.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `index`; the name is 0. Panics when there is none, as a slice does: arity was checked before.
    pub fn at(&self, index: usize) -> &'a [u8] {
        let Span { start, len } = self.spans[index];
        &self.bytes[start as usize..start as usize + len as usize]
    }

    /// Argument `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        (index < self.spans.len()).then(|| self.at(index))
    }

    /// All arguments from `from` on.
    pub fn from(&self, from: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let args = *self;
        (from.min(args.len())..args.len()).map(move |i| args.at(i))
    }

    /// The same arguments without the first `count`.
    #[must_use]
    pub fn skip(&self, count: usize) -> Args<'a> {
        Args { bytes: self.bytes, spans: &self.spans[count..] }
    }

    /// The first `count` of the arguments.
    #[must_use]
    pub fn first(&self, count: usize) -> Args<'a> {
        Args { bytes: self.bytes, spans: &self.spans[..count] }
    }

    /// The buffer that the spans point into.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The positions of the arguments.
    pub fn spans(&self) -> &'a [Span] {
        self.spans
    }

    /// Sum of the arguments' lengths in bytes.
    pub fn total_bytes(&self) -> usize {
        self.spans.iter().map(|s| s.len as usize).sum()
    }

    /// A copy that lives by itself and holds just these arguments.
    pub fn to_owned(&self) -> OwnedArgs {
        let mut owned =
            OwnedArgs { bytes: Vec::with_capacity(self.total_bytes()), spans: Vec::with_capacity(self.len()) };
        for arg in self.from(0) {
            owned.push(arg);
        }
        owned
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    fn index(&self, index: usize) -> &[u8] {
        self.at(index)
    }
}

/// Arguments with a buffer of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedArgs {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl OwnedArgs {
    /// Appends an argument.
    pub fn push(&mut self, arg: &[u8]) {
        let start = u32::try_from(self.bytes.len()).expect("a command is shorter than 4 GiB: the parser refuses more");
        self.bytes.extend_from_slice(arg);
        self.spans.push(Span { start, len: arg.len() as u32 });
    }

    /// Appends what `write` appends to these bytes as one argument.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let end = u32::try_from(self.bytes.len()).expect("a command is shorter than 4 GiB: the parser refuses more");
        self.spans.push(Span { start: start as u32, len: end - start as u32 });
    }

    /// Takes all arguments out; the room for them stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    /// Borrows the arguments.
    pub fn as_args(&self) -> Args<'_> {
        Args { bytes: &self.bytes, spans: &self.spans }
    }

    /// Bytes of heap this holds.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>()
    }
}

impl<'b> FromIterator<&'b [u8]> for OwnedArgs {
    fn from_iter<I: IntoIterator<Item = &'b [u8]>>(args: I) -> Self {
        let mut owned = Self::default();
        for arg in args {
            owned.push(arg);
        }
        owned
    }
}
