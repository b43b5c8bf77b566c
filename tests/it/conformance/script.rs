//! A conformance file, read into sections and steps. The format is described in the parent module.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::Word;
use super::expect::Expected;
use crate::support::Protocol;

/// A file.
pub struct Script {
    /// Where it is.
    pub path: PathBuf,
    /// Words for the command line of the server.
    pub server_args: Vec<String>,
    /// Its sections in order.
    pub sections: Vec<Section>,
}

/// Steps that begin on an empty server.
pub struct Section {
    /// What the section shows.
    pub title: String,
    /// The oldest referee that knows what is asked here.
    pub since: Option<(u32, u32)>,
    /// The only version of the protocol it makes sense in.
    pub protocol: Option<Protocol>,
    /// What to do, each with its line number.
    pub steps: Vec<(usize, Step)>,
}

/// One thing to do.
pub enum Step {
    /// Sends something, reads something, or both.
    Exchange(Exchange),
    /// Sets a parameter until the section ends.
    Config(String, String),
    /// Lets time pass.
    Sleep(Duration),
    /// Repeats the next exchange until it is as expected.
    Eventually(Duration),
    /// Closes a connection.
    Close(String),
    /// Expects that the server has closed a connection.
    Closed(String),
}

/// What one connection sends and expects.
pub struct Exchange {
    /// The connection's name; empty for the default one.
    pub connection: String,
    /// What to send.
    pub send: Send,
    /// What to read: nothing, a reply not yet written down, or a reply.
    pub expected: Reading,
}

/// What an exchange sends.
pub enum Send {
    /// Nothing: it only reads.
    Nothing,
    /// A command.
    Command(Vec<Word>),
    /// Bytes.
    Raw(Vec<u8>),
}

/// What an exchange reads.
pub enum Reading {
    /// Nothing.
    Nothing,
    /// A reply that the file does not give: an error unless recording.
    Unwritten,
    /// A reply, in RESP2 and RESP3.
    Written(Box<Expected>),
}

/// How a line that sends or reads begins.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Command,
    CommandOnly,
    Raw,
    RawOnly,
    Read,
}

impl Script {
    /// Reads a file; panics with the line where it is not in the format.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut script = Self { path: path.to_owned(), server_args: Vec::new(), sections: Vec::new() };
        let lines: Vec<&str> = text.lines().collect();
        let mut at = 0;
        while at < lines.len() {
            let end = (at + 1..lines.len()).find(|&next| !is_continuation(lines[next])).unwrap_or(lines.len());
            if let Err(problem) = script.take(at + 1, lines[at], &lines[at + 1..end]) {
                panic!("{}:{}: {problem}", path.display(), at + 1);
            }
            at = end;
        }
        script
    }

    fn take(&mut self, number: usize, line: &str, reply: &[&str]) -> Result<(), String> {
        if line.trim().is_empty() || line.starts_with('#') {
            return if reply.is_empty() { Ok(()) } else { Err("a reply without a command".to_owned()) };
        }
        if let Some(title) = line.strip_prefix("== ") {
            self.sections.push(Section { title: title.to_owned(), since: None, protocol: None, steps: Vec::new() });
            return Ok(());
        }
        if let Some(directive) = line.strip_prefix('@') {
            return self.directive(number, directive);
        }
        let exchange = exchange(line, reply)?;
        self.section()?.steps.push((number, Step::Exchange(exchange)));
        Ok(())
    }

    fn section(&mut self) -> Result<&mut Section, String> {
        self.sections.last_mut().ok_or_else(|| "no section has begun (== title)".to_owned())
    }

    fn directive(&mut self, number: usize, directive: &str) -> Result<(), String> {
        let (name, rest) = directive.split_once(' ').unwrap_or((directive, ""));
        let step = match name {
            "server" => {
                self.server_args.extend(rest.split_ascii_whitespace().map(str::to_owned));
                return Ok(());
            }
            "since" => {
                let (major, minor) = rest.split_once('.').ok_or("a version is major.minor")?;
                self.section()?.since = Some((parsed(major)?, parsed(minor)?));
                return Ok(());
            }
            "resp" => {
                self.section()?.protocol = Some(if rest == "2" { Protocol::Resp2 } else { Protocol::Resp3 });
                return Ok(());
            }
            "config" => {
                let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                Step::Config(name.to_owned(), value.to_owned())
            }
            "sleep" => Step::Sleep(Duration::from_millis(parsed(rest)?)),
            "eventually" => Step::Eventually(Duration::from_millis(parsed(rest)?)),
            "close" => Step::Close(rest.to_owned()),
            "closed" => Step::Closed(rest.to_owned()),
            other => return Err(format!("no directive is called @{other}")),
        };
        self.section()?.steps.push((number, step));
        Ok(())
    }
}

/// Whether a line belongs to the reply above it.
pub fn is_continuation(line: &str) -> bool {
    line.starts_with(' ') && !line.trim().is_empty()
}

fn exchange(line: &str, reply: &[&str]) -> Result<Exchange, String> {
    let (connection, mark, rest) = split_mark(line).ok_or_else(|| format!("what is this: {line}"))?;
    let send = match mark {
        Mark::Command | Mark::CommandOnly => Send::Command(Word::split(rest)?),
        Mark::Raw | Mark::RawOnly => Send::Raw(Word::quoted(rest)?),
        Mark::Read => Send::Nothing,
    };
    let expected = match (mark, reply) {
        (Mark::CommandOnly | Mark::RawOnly, []) => Reading::Nothing,
        (Mark::CommandOnly | Mark::RawOnly, _) => return Err("`>>` reads no reply".to_owned()),
        (_, []) => Reading::Unwritten,
        (_, lines) => Reading::Written(Box::new(Expected::parse(lines)?)),
    };
    Ok(Exchange { connection: connection.to_owned(), send, expected })
}

/// Splits `name>`, `name>>`, `name~>`, `name~>>` or `name<` off a line.
fn split_mark(line: &str) -> Option<(&str, Mark, &str)> {
    let end = line.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit())?;
    let (connection, rest) = line.split_at(end);
    let marks = [
        ("~>> ", Mark::RawOnly),
        ("~> ", Mark::Raw),
        (">> ", Mark::CommandOnly),
        ("> ", Mark::Command),
        ("<", Mark::Read),
    ];
    marks.iter().find_map(|&(text, mark)| Some((connection, mark, rest.strip_prefix(text)?)))
}

fn parsed<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}
