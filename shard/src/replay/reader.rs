//! Reading the logs of one core, one after the other. The commands of a transaction come when its end was read, without MULTI
//! and EXEC.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::path::PathBuf;

use net::resp::args::Span;
use net::{Args, OwnedArgs};
use storage::io::error_text;
use storage::log::{Arguments, Record, RecordError, RecordErrorKind, RecordReader, unexpected_end};

use crate::snapshot::Loading;

/// A file of commands.
#[derive(Clone, Debug)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the manifest.
    pub name: String,
    /// Its length, in bytes.
    pub bytes: u64,
    /// It is the base of the log.
    pub is_base: bool,
    /// Its commands stand behind an RDB file, which was loaded before.
    pub is_behind_snapshot: bool,
    /// Nothing follows: it may end within a record.
    pub is_last: bool,
}

/// What a reader came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A command: [`LogReader::args`].
    Command,
    /// The end of a file: what comes next is of another, on database 0.
    FileEnd,
    /// The end of the last one.
    End,
}

/// Reads some files.
#[derive(Debug)]
pub struct LogReader {
    files: VecDeque<LogFile>,
    current: Option<Current>,
    /// Bytes of the files before.
    done_bytes: u64,
    /// Where the arguments of the command stand.
    spans: Vec<Span>,
    /// The commands of a transaction that is whole and was not run yet, the one to be run first.
    whole: VecDeque<OwnedArgs>,
}

/// The file that is read.
#[derive(Debug)]
struct Current {
    file: LogFile,
    reader: RecordReader<File>,
    /// Where its commands begin.
    begin: u64,
    /// The transaction whose end was not read.
    open: Option<Transaction>,
}

/// A transaction counts as a whole or not at all.
#[derive(Debug)]
struct Transaction {
    /// Where it begins.
    at: u64,
    commands: VecDeque<OwnedArgs>,
}

/// What is to be run when a command was read.
enum Due {
    Nothing,
    Command,
    /// The commands of a transaction, which ended.
    Whole(VecDeque<OwnedArgs>),
}

/// What a command is for the reader.
enum Word {
    Command,
    Multi,
    Exec,
    Discard,
}

impl LogReader {
    /// A reader of these files.
    pub fn new(files: Vec<LogFile>) -> LogReader {
        LogReader { files: files.into(), current: None, done_bytes: 0, spans: Vec::new(), whole: VecDeque::new() }
    }

    /// The name of the file that is read.
    pub fn name(&self) -> &str {
        self.current.as_ref().map_or("", |current| &current.file.name)
    }

    /// Bytes that were read.
    pub fn read_bytes(&self) -> u64 {
        self.done_bytes + self.current.as_ref().map_or(0, |current| current.reader.position() - current.begin)
    }

    /// The arguments of the command that was read last.
    pub fn args(&self) -> Args<'_> {
        if let Some(first) = self.whole.front() {
            return first.as_args();
        }
        let arguments = self.current.as_ref().expect("a command was read from it").reader.arguments();
        Args::new(arguments.bytes(), &self.spans)
    }

    /// Reads on to the next command that is to be run. An error is a text for the server's log.
    pub fn next(&mut self, loading: &Loading) -> Result<Next, String> {
        if self.whole.pop_front().is_some() && !self.whole.is_empty() {
            return Ok(Next::Command);
        }
        let Some(current) = &mut self.current else {
            let Some(file) = self.files.pop_front() else { return Ok(Next::End) };
            let begin = if file.is_behind_snapshot { loading.snapshot_end() } else { 0 };
            self.current = Some(Current::open(file, begin)?);
            return self.next(loading);
        };
        loop {
            match current.reader.next_record() {
                Ok(Record::Note(_)) => {}
                Ok(Record::Command) => match current.take_command(&mut self.spans) {
                    Due::Nothing => {}
                    Due::Command => return Ok(Next::Command),
                    Due::Whole(commands) => {
                        self.whole = commands;
                        return Ok(Next::Command);
                    }
                },
                Ok(Record::End) => {
                    if let Some(Transaction { at, .. }) = current.open {
                        tracing::warn!("Revert incomplete MULTI/EXEC transaction from AOF file {}", current.file.name);
                        current.cut(at, loading.may_truncate)?;
                    }
                    break;
                }
                Err(error) => {
                    current.end_short(&error, loading.may_truncate)?;
                    break;
                }
            }
        }
        self.done_bytes += current.reader.position() - current.begin;
        self.current = None;
        Ok(Next::FileEnd)
    }
}

impl Current {
    fn open(file: LogFile, begin: u64) -> Result<Current, String> {
        let opened = File::open(&file.path).and_then(|mut opened| {
            opened.seek(SeekFrom::Start(begin))?;
            Ok(opened)
        });
        let opened = opened.map_err(|error| {
            format!("Fatal error: can't open the append log file {} for reading: {}", file.name, error_text(&error))
        })?;
        if begin > 0 && begin < file.bytes {
            tracing::info!("Reading the remaining AOF tail...");
        }
        Ok(Current { file, reader: RecordReader::new(opened, begin), begin, open: None })
    }

    /// What is to be run now that a command was read; one by itself has its arguments at `spans`.
    fn take_command(&mut self, spans: &mut Vec<Span>) -> Due {
        let arguments = self.reader.arguments();
        match (Word::of(arguments), &mut self.open) {
            (Word::Command, None) => {
                spans.clear();
                spans.extend(arguments.spans().map(|(start, len)| Span { start: start as u32, len: len as u32 }));
                return Due::Command;
            }
            (Word::Command, Some(open)) => open.commands.push_back(arguments.iter().collect()),
            (Word::Multi, Some(_)) => {}
            (Word::Multi, open) => *open = Some(Transaction { at: self.reader.begin(), commands: VecDeque::new() }),
            (Word::Discard, open) => *open = None,
            (Word::Exec, open) => {
                let commands = open.take().map(|open| open.commands).unwrap_or_default();
                return if commands.is_empty() { Due::Nothing } else { Due::Whole(commands) };
            }
        }
        Due::Nothing
    }

    /// The file cannot be read on: a crash may have cut it off, anything else is an error.
    fn end_short(&self, error: &RecordError, may_truncate: bool) -> Result<(), String> {
        let name = &self.file.name;
        match &error.kind {
            RecordErrorKind::Truncated => {
                self.cut(self.open.as_ref().map_or(error.offset, |open| open.at), may_truncate)
            }
            RecordErrorKind::Io(error) => {
                Err(format!("Unrecoverable error reading the append only file {name}: {}", error_text(error)))
            }
            RecordErrorKind::Malformed { .. } => Err(format!(
                "Bad file format reading the append only file {name}: {error}: make a backup of your AOF file, then use \
                 tessera --check-aof --fix <filename.manifest>"
            )),
        }
    }

    /// Cuts off what is not whole, if that may be.
    fn cut(&self, length: u64, may_truncate: bool) -> Result<(), String> {
        let name = &self.file.name;
        if !may_truncate {
            return Err(unexpected_end(name, length));
        }
        if !self.file.is_last {
            return Err(format!("Fatal error: the truncated file {name} is not the last file"));
        }
        tracing::warn!("!!! Warning: short read while loading the AOF file {name}!!!");
        tracing::warn!("AOF {name} loaded anyway because aof-load-truncated is enabled");
        tracing::warn!("Truncating the AOF {name} at offset {length}");
        let cut = OpenOptions::new().write(true).open(&self.file.path).and_then(|file| {
            file.set_len(length)?;
            file.sync_all()
        });
        cut.map_err(|error| format!("Error truncating the AOF file {name}: {}", error_text(&error)))
    }
}

impl Word {
    fn of(arguments: &Arguments) -> Word {
        // Nearly all commands are none of these: their length tells.
        match arguments.at(0).len() {
            5 if arguments.is("multi") => Word::Multi,
            4 if arguments.is("exec") => Word::Exec,
            7 if arguments.is("discard") => Word::Discard,
            _ => Word::Command,
        }
    }
}
