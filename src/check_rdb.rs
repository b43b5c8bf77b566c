//! `tessera --check-rdb FILE`: whether an RDB file is whole.
//!
//! The file is read as a server does that loads it: every value is made, one at a time, and the checksum is looked at. What is
//! said, and the exit status, are those of `redis-check-rdb`.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use shard::config::error::system_text;
use storage::snapshot::file::{FileError, FileErrorKind, FileReader, Item};
use storage::{Limits, UnixMillis};

/// A file that cannot be loaded; what is wrong was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSound;

/// Checks the file at `path`.
pub fn run(path: &Path) -> ExitCode {
    match check(path, &mut io::stdout().lock()) {
        Ok(_) => ExitCode::SUCCESS,
        Err(NotSound) => ExitCode::FAILURE,
    }
}

/// Checks an RDB file, or the part of a file that is one, and says to `out` what is in it; where it ends.
pub fn check(path: &Path, out: &mut impl Write) -> Result<u64, NotSound> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = UnixMillis(now.as_millis() as i64);
    let mut report = Report { out, now, counts: Counts::default(), doing: Doing::Start };
    report.say(0, format_args!("Checking RDB file {}", path.display()));
    let file = File::open(path).map_err(|error| {
        report.line(format_args!("Cannot open file {}: {}", path.display(), system_text(&error)));
        NotSound
    })?;
    let found = FileReader::new(file, true).and_then(|mut reader| report.follow(&mut reader));
    let end = found.map_err(|error| report.tell_error(&error))?;
    report.say(end, format_args!("Checksum OK"));
    report.say(end, format_args!("\\o/ RDB looks OK! \\o/"));
    report.tell_counts();
    Ok(end)
}

#[derive(Default)]
struct Counts {
    keys: u64,
    expires: u64,
    expired: u64,
}

/// What is done when something is found to be wrong.
enum Doing {
    Start,
    Items,
    /// Reading the value of this key and type.
    Value {
        key: Vec<u8>,
        type_byte: u8,
    },
}

struct Report<'a, W> {
    out: &'a mut W,
    now: UnixMillis,
    counts: Counts,
    doing: Doing,
}

impl<W: Write> Report<'_, W> {
    fn line(&mut self, text: fmt::Arguments<'_>) {
        // Whoever closed the pipe does not want to read on.
        let _ = writeln!(self.out, "{text}");
    }

    fn say(&mut self, offset: u64, text: fmt::Arguments<'_>) {
        self.line(format_args!("[offset {offset}] {text}"));
    }

    /// Reads all of the file; where it ends.
    fn follow(&mut self, reader: &mut FileReader<impl Read>) -> Result<u64, FileError> {
        let limits = Limits::default();
        loop {
            self.doing = Doing::Items;
            match reader.next_item()? {
                Item::Entry(head) => {
                    self.doing = Doing::Value { key: reader.key().to_vec(), type_byte: reader.type_byte() };
                    reader.value(&limits)?;
                    self.counts.keys += 1;
                    self.counts.expires += u64::from(head.expire_at.is_some());
                    self.counts.expired += u64::from(head.expire_at.is_some_and(|at| at.is_past(self.now)));
                }
                Item::Aux { name, value } => {
                    let (name, value) = (String::from_utf8_lossy(&name), String::from_utf8_lossy(&value));
                    self.say(reader.offset(), format_args!("AUX FIELD {name} = '{value}'"));
                }
                Item::Database(db) => self.say(reader.offset(), format_args!("Selecting DB ID {db}")),
                Item::Function(_) | Item::Sizes(..) => {}
                Item::End => return Ok(reader.offset()),
            }
        }
    }

    fn tell_error(&mut self, error: &FileError) -> NotSound {
        self.line(format_args!("--- RDB ERROR DETECTED ---"));
        match &error.kind {
            FileErrorKind::Checksum { .. } => self.say(error.offset, format_args!("RDB CRC error")),
            FileErrorKind::UnknownType(number) => {
                self.say(error.offset, format_args!("Invalid object type: {number}"));
            }
            kind => self.say(error.offset, format_args!("{kind}")),
        }
        let doing = match (&self.doing, &error.kind) {
            (_, FileErrorKind::Checksum { .. }) => "check-sum",
            (Doing::Start, _) => "start",
            (Doing::Items, _) => "read-type",
            (Doing::Value { .. }, _) => "read-object-value",
        };
        self.line(format_args!("[additional info] While doing: {doing}"));
        if let Doing::Value { key, type_byte } = std::mem::replace(&mut self.doing, Doing::Items) {
            self.line(format_args!("[additional info] Reading key '{}'", String::from_utf8_lossy(&key)));
            self.line(format_args!("[additional info] Reading type {type_byte} ({})", type_name(type_byte)));
        }
        self.tell_counts();
        NotSound
    }

    fn tell_counts(&mut self) {
        let Counts { keys, expires, expired } = self.counts;
        self.line(format_args!("[info] {keys} keys read"));
        self.line(format_args!("[info] {expires} expires"));
        self.line(format_args!("[info] {expired} already expired"));
    }
}

/// What values of this type are.
fn type_name(type_byte: u8) -> &'static str {
    match type_byte {
        0 => "string",
        1 => "list-linked",
        2 => "set-hashtable",
        3 => "zset-v1",
        4 => "hash-hashtable",
        5 => "zset-v2",
        9 => "hash-zipmap",
        10 => "list-ziplist",
        11 => "set-intset",
        12 => "zset-ziplist",
        13 => "hash-ziplist",
        14 => "quicklist",
        15 => "stream",
        16 => "hash-listpack",
        17 => "zset-listpack",
        18 => "quicklist-v2",
        19 => "stream-v2",
        20 => "set-listpack",
        21 => "stream-v3",
        22 | 24 => "hash-with-expiries",
        23 | 25 => "hash-listpack-with-expiries",
        _ => "unknown",
    }
}
