//! Writing RDB files: blocks of entries, and what stands before and behind them.

use super::super::crc64::{crc64, crc64_combine};
use super::super::dump::version_of;
use super::super::{VERSION_MIN, Writer};
use super::{AUX, END, EXPIRE_MILLIS, FREQUENCY, FUNCTION, IDLE, MAGIC, RESIZE_DB, SELECT_DB};
use crate::keyspace::{Entry, LfuSettings, UnixMillis};

/// Bytes of magic and version.
pub const HEADER_BYTES: usize = 9;

/// What of an entry's access bits a file tells, as `maxmemory-policy` has it.
#[derive(Clone, Copy, Debug)]
pub enum KeptAccess {
    /// Nothing: no policy looks at them.
    None,
    /// For how long the key was not used.
    Idle,
    /// How often it was used.
    Frequency(LfuSettings),
}

/// How entries are written.
#[derive(Clone, Copy, Debug)]
pub struct RecordOptions {
    /// Long strings are compressed (`rdbcompression`).
    pub compression: bool,
    /// What is told of their use.
    pub access: KeptAccess,
    /// The time of the cut, from which idle times count.
    pub now: UnixMillis,
}

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Whole entries, the SELECTDB before them.
    Entries,
    /// Some of an entry that is written in pieces; more is to come.
    Piece,
    /// The end of that entry.
    LastPiece,
}

/// Something of one database that stands together in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The database.
    pub db: u32,
    /// What it is.
    pub part: Part,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Number of entries that end in it.
    pub keys: u64,
    /// The version of RDB that they ask for.
    pub version: u16,
}

/// Collects entries of one database to blocks.
#[derive(Debug)]
pub struct Records {
    db: u32,
    options: RecordOptions,
    pub(super) writer: Writer,
    keys: u64,
    version: u16,
    /// Keys, and keys that expire: told once.
    sizes: Option<(u64, u64)>,
}

impl Records {
    /// No entries yet. The sizes are a hint to whoever loads them.
    pub fn new(db: u32, keys: usize, expires: usize, options: RecordOptions) -> Self {
        Self {
            db,
            options,
            writer: Writer::new(options.compression),
            keys: 0,
            version: VERSION_MIN,
            sizes: Some((keys as u64, expires as u64)),
        }
    }

    /// For an entry of the same database that is written in pieces.
    pub(crate) fn for_pieces(&self) -> Self {
        Self {
            db: self.db,
            options: self.options,
            writer: Writer::new(self.options.compression),
            keys: 0,
            version: VERSION_MIN,
            sizes: None,
        }
    }

    /// Adds an entry.
    pub fn put(&mut self, entry: &Entry<'_>) {
        self.put_head(entry);
        self.writer.put_value(entry.value());
    }

    /// What stands before an entry's value.
    pub(super) fn put_head(&mut self, entry: &Entry<'_>) {
        if self.keys == 0 {
            self.begin_block();
        }
        if let Some(at) = entry.expire_at() {
            self.writer.put(&[EXPIRE_MILLIS]);
            self.writer.put(&at.0.to_le_bytes());
        }
        match self.options.access {
            KeptAccess::None => {}
            KeptAccess::Idle => {
                self.writer.put(&[IDLE]);
                self.writer.put_length(entry.access().idle_millis(self.options.now) / 1000);
            }
            KeptAccess::Frequency(settings) => {
                let frequency = entry.access().frequency(self.options.now, settings);
                self.writer.put(&[FREQUENCY, frequency]);
            }
        }
        let type_byte = Writer::type_byte(entry.value());
        self.writer.put(&[type_byte]);
        self.writer.put_bytes(entry.key());
        self.version = self.version.max(version_of(type_byte));
        self.keys += 1;
    }

    fn begin_block(&mut self) {
        self.writer.put(&[SELECT_DB]);
        self.writer.put_length(u64::from(self.db));
        if let Some((keys, expires)) = self.sizes.take() {
            self.writer.put(&[RESIZE_DB]);
            self.writer.put_length(keys);
            self.writer.put_length(expires);
        }
    }

    pub(super) const fn db(&self) -> u32 {
        self.db
    }

    /// Bytes that were collected for the next block.
    pub fn len_bytes(&self) -> usize {
        self.writer.bytes().len()
    }

    /// What was collected; `None` if that is nothing. What comes next is collected in `spare`, an empty buffer.
    pub fn take_block(&mut self, spare: &mut Vec<u8>) -> Option<Block> {
        let keys = std::mem::take(&mut self.keys);
        (keys > 0).then(|| self.block(Part::Entries, keys, spare))
    }

    /// What was collected of the one entry that was begun.
    pub(super) fn take_piece(&mut self, is_last: bool, spare: &mut Vec<u8>) -> Block {
        let (part, keys) = if is_last { (Part::LastPiece, 1) } else { (Part::Piece, 0) };
        self.block(part, keys, spare)
    }

    fn block(&mut self, part: Part, keys: u64, spare: &mut Vec<u8>) -> Block {
        let bytes = self.writer.take_for(std::mem::take(spare));
        Block { db: self.db, part, bytes, keys, version: self.version }
    }
}

/// The first bytes of a file.
pub fn header(version: u16) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
    let mut rest = version;
    for digit in bytes[MAGIC.len()..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    bytes
}

/// Says something about the file.
pub fn put_aux(out: &mut Vec<u8>, name: &str, value: &str) {
    let mut writer = Writer::new(false);
    writer.put(&[AUX]);
    writer.put_bytes(name.as_bytes());
    writer.put_bytes(value.as_bytes());
    out.append(&mut writer.take());
}

/// A library of functions, as FUNCTION DUMP has it.
pub fn put_function(out: &mut Vec<u8>, payload: &[u8]) {
    let mut writer = Writer::new(true);
    writer.put(&[FUNCTION]);
    writer.put_bytes(payload);
    out.append(&mut writer.take());
}

/// The byte behind all entries; the checksum follows.
pub const fn end_mark() -> u8 {
    END
}

/// The checksum of a file that is written piece by piece, its header last.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSum {
    crc: u64,
    bytes: u64,
}

impl FileSum {
    /// A piece behind all others, of which the checksum is known.
    pub fn add(&mut self, crc: u64, bytes: u64) {
        self.crc = crc64_combine(self.crc, crc, bytes);
        self.bytes += bytes;
    }

    /// As [`Self::add`], of bytes.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.add(crc64(0, bytes), bytes.len() as u64);
    }

    /// The checksum of a header and all pieces.
    pub fn with_header(self, header: &[u8]) -> u64 {
        crc64_combine(crc64(0, header), self.crc, self.bytes)
    }

    /// Bytes of all pieces.
    pub const fn len_bytes(self) -> u64 {
        self.bytes
    }
}
