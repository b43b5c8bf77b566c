//! `tessera --check-aof [--fix] FILE`: whether append-only files are whole, and cutting off what is not.
//!
//! ```text
//!   a manifest ──► base: RDB file, commands ──► files of commands, one by one
//!                                           └─► generations of logs: whole up to the last complete epoch
//!   any other file ──► an RDB file, if it begins like one, and commands behind it
//! ```
//!
//! The verdicts are those of `redis-check-aof`, in its words: a file is valid, or can be shrunk to what is valid of it, or
//! has something invalid before what follows. With `--fix` it is shrunk, after a question. Of our own logs all that stands
//! behind the last complete epoch goes, in all of them.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;

use storage::io::{Disk, RealDisk, error_text};
use storage::log::{
    FileKind, LogPlace, Manifest, Part, Record, RecordErrorKind, RecordReader, examine, examine_damaged, last_part,
};

use crate::check_rdb::{self, NotSound};

/// Why the files are not valid; a line for the terminal.
type Invalid = String;

/// Checks the file at `path`, and fixes it if that is wanted and confirmed.
pub fn run(path: &Path, fix: bool) -> ExitCode {
    let mut check = Check { fix, out: io::stdout().lock() };
    let outcome = match is_manifest(path) {
        Ok(true) => check.multi_part(path),
        Ok(false) => check.single(path),
        Err(error) => Err(format!("Cannot open file {}: {}", path.display(), error_text(&error))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            check.say(&why);
            ExitCode::FAILURE
        }
    }
}

/// A manifest is known by its first line that is no comment.
fn is_manifest(path: &Path) -> io::Result<bool> {
    const LOOKED_AT_BYTES: u64 = 4096;
    let mut begin = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(File::open(path)?, LOOKED_AT_BYTES), &mut begin)?;
    let line = begin.split(|&byte| byte == b'\n').find(|line| line.first() != Some(&b'#'));
    Ok(line.is_some_and(|line| line.starts_with(b"file")))
}

struct Check<W> {
    fix: bool,
    out: W,
}

/// How far a file is valid.
struct Extent {
    size: u64,
    valid: u64,
    line: u64,
}

impl<W: Write> Check<W> {
    fn say(&mut self, line: &str) {
        // Whoever closed the pipe does not want to read on.
        let _ = writeln!(self.out, "{line}");
    }

    fn single(&mut self, path: &Path) -> Result<(), Invalid> {
        self.say("Start checking Old-Style AOF");
        self.file(path, true)?;
        self.say(&format!("AOF {} is valid", path.display()));
        Ok(())
    }

    fn multi_part(&mut self, path: &Path) -> Result<(), Invalid> {
        self.say("Start checking Multi Part AOF");
        let directory = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let text = std::fs::read(path).map_err(|error| format!("Cannot open file {}: {error}", path.display()))?;
        let manifest = Manifest::parse(&text).map_err(|error| error.to_string())?;
        if manifest.files.iter().all(|file| file.kind == FileKind::History) {
            return Err(format!("The AOF manifest {} names no file", path.display()));
        }
        let parts = manifest.parts();
        let last = last_part(&RealDisk, directory, &parts);
        let mut checks_incremental = false;
        for (place, part) in parts.iter().enumerate() {
            if !matches!(part, Part::Base(_)) && !std::mem::replace(&mut checks_incremental, true) {
                self.say("Start to check INCR files.");
            }
            match part {
                Part::Base(file) => {
                    let path = directory.join(&file.name);
                    let format = if file.name.ends_with("rdb") { "RDB" } else { "RESP" };
                    self.say(&format!("Start to check BASE AOF ({format} format)."));
                    self.file(&path, place >= last)?;
                    self.say(&format!("BASE AOF {} is valid", file.name));
                }
                Part::Plain(file) => {
                    self.file(&directory.join(&file.name), place >= last)?;
                    self.say(&format!("INCR AOF {} is valid", file.name));
                }
                // All of them at once, below.
                Part::Generation(_) => {}
            }
        }
        if parts.iter().any(|part| matches!(part, Part::Generation(_))) {
            self.generations(directory, &manifest)?;
        }
        self.say("All AOF files and manifest are valid");
        Ok(())
    }

    /// Logs of shards: what belongs to no complete epoch is cut off.
    fn generations(&mut self, directory: &Path, manifest: &Manifest) -> Result<(), Invalid> {
        let disk = RealDisk;
        let found = match examine(&disk, directory, manifest) {
            Ok(found) => found,
            Err(error) => {
                self.say(&error.to_string());
                examine_damaged(&disk, directory, manifest).map_err(|error| error.to_string())?
            }
        };
        self.say(&format!("The last epoch that all shards have is {}", found.last_epoch));
        for LogPlace { name, length } in &found.cuts {
            let path = directory.join(name);
            let size = disk.length(&path).map_err(|error| format!("Cannot obtain file length: {error}"))?;
            self.shrink(&path, &Extent { size, valid: *length, line: 0 }, true)?;
        }
        let logs = manifest.parts().into_iter().filter_map(|part| match part {
            Part::Generation(files) => Some(files),
            Part::Base(_) | Part::Plain(_) => None,
        });
        for file in logs.flatten() {
            self.file(&directory.join(&file.name), false)?;
            self.say(&format!("INCR AOF {} is valid", file.name));
        }
        Ok(())
    }

    /// Checks a file by itself.
    fn file(&mut self, path: &Path, is_last: bool) -> Result<(), Invalid> {
        let extent = self.extent(path)?;
        let Extent { size, valid, line } = extent;
        let name = path.display();
        self.say(&format!(
            "AOF analyzed: filename={name}, size={size}, ok_up_to={valid}, ok_up_to_line={line}, diff={}",
            size - valid
        ));
        if valid == size { Ok(()) } else { self.shrink(path, &extent, is_last) }
    }

    /// Cuts off what is not valid, if that is wanted.
    fn shrink(&mut self, path: &Path, extent: &Extent, is_last: bool) -> Result<(), Invalid> {
        let name = path.display();
        let Extent { size, valid, .. } = extent;
        if !self.fix {
            return Err(format!("AOF {name} is not valid. Use the --fix option to try fixing it."));
        }
        if !is_last {
            return Err(format!("Failed to truncate AOF {name} because it is not the last file"));
        }
        self.say(&format!(
            "This will shrink the AOF {name} from {size} bytes, with {} bytes, to {valid} bytes",
            size - valid
        ));
        let _ = write!(self.out, "Continue? [y/N]: ");
        let _ = self.out.flush();
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        if read.is_err() || !answer.to_ascii_lowercase().starts_with('y') {
            return Err("Aborting...".to_owned());
        }
        let cut = OpenOptions::new().write(true).open(path).and_then(|file| {
            file.set_len(*valid)?;
            file.sync_all()
        });
        cut.map_err(|error| format!("Failed to truncate AOF {name}: {}", error_text(&error)))?;
        self.say(&format!("Successfully truncated AOF {name}"));
        Ok(())
    }

    fn extent(&mut self, path: &Path) -> Result<Extent, Invalid> {
        let unreadable = |error: io::Error| format!("Cannot open file {}: {}", path.display(), error_text(&error));
        let mut file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut begin = [0; 5];
        let read = io::Read::read(&mut file, &mut begin).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        let mut valid = 0;
        if &begin[..read] == b"REDIS" {
            let checked = check_rdb::check(path, &mut self.out);
            valid = checked.map_err(|NotSound| "RDB preamble of AOF file is not sane, aborting.".to_owned())?;
            self.say("RDB preamble is OK, proceeding with AOF tail...");
            file.seek(SeekFrom::Start(valid)).map_err(unreadable)?;
        }
        let mut reader = RecordReader::new(file, valid);
        // A transaction is valid as a whole.
        let mut is_open = false;
        loop {
            match reader.next_record() {
                Ok(Record::End) => break,
                Ok(Record::Note(_)) => {}
                Ok(Record::Command) => {
                    let arguments = reader.arguments();
                    is_open = (is_open || arguments.is("multi")) && !arguments.is("exec") && !arguments.is("discard");
                }
                Err(error) => {
                    let at = match error.kind {
                        RecordErrorKind::Malformed { at, .. } => at,
                        RecordErrorKind::Truncated | RecordErrorKind::Io(_) => reader.position(),
                    };
                    self.say(&format!("0x{at:16x}: {error}"));
                    return Ok(Extent { size, valid, line: reader.lines() });
                }
            }
            if !is_open {
                valid = reader.position();
            }
        }
        if is_open {
            self.say("Reached EOF before reading EXEC for MULTI");
        }
        Ok(Extent { size, valid, line: reader.lines() })
    }
}
