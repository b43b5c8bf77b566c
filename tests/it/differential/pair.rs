//! The two servers, and how a round is played on them.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::agree::{Agreement, agree};
use super::content;
use super::script::{self, Carried};
use super::steps::{Manner, Step, line};
use super::syntax::Command;
use super::{Arguments, syntax as docs};
use crate::support::client::encode_to;
use crate::support::{Client, Launch, Protocol, Server, Target, Value};

/// Steps that are sent before the replies of the first are read.
const BATCH: usize = 100;
/// Steps after which the content of both servers is compared.
const CONTENT_EVERY: usize = 500;

/// At which sizes encodings change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Where they do unless told otherwise.
    Default,
    /// So early that every collection gets there.
    Small,
}

/// Parameters, with their values by default and when small.
const THRESHOLDS: [(&str, &str, &str); 9] = [
    ("hash-max-listpack-entries", "128", "4"),
    ("hash-max-listpack-value", "64", "12"),
    ("set-max-intset-entries", "512", "6"),
    ("zset-max-listpack-entries", "128", "5"),
    ("zset-max-listpack-value", "64", "12"),
    ("list-max-listpack-size", "-2", "3"),
    ("stream-node-max-entries", "100", "4"),
    ("hll-sparse-max-bytes", "3000", "60"),
    ("set-max-listpack-entries", "128", "5"),
];

/// Tessera and its referee.
pub struct Pair {
    tessera: Server,
    referee: Server,
    /// The referee's version.
    pub version: (u32, u32),
}

/// A disagreement.
#[derive(Clone, Debug)]
pub struct Difference {
    /// At which step of the round it was seen.
    pub step: usize,
    /// What was asked.
    pub command: Arguments,
    /// Whether it is the content of a key, seen by a command that the round does not hold.
    pub in_content: bool,
    /// Tessera's reply.
    pub ours: Value,
    /// The referee's reply.
    pub theirs: Value,
}

impl Pair {
    /// Starts both servers.
    pub fn start(program: &Path) -> Self {
        let referee = Launch::new(Target::Referee).program(program).start();
        let tessera = Launch::new(Target::Tessera(3)).start();
        let version = docs::version(&referee.info("server", "redis_version"));
        Self { tessera, referee, version }
    }

    /// The commands that the referee documents.
    pub fn syntax(&self) -> Vec<Command> {
        docs::ask(&mut self.referee.client())
    }

    /// Plays a round from the beginning; tells the first difference.
    pub fn play(&mut self, protocol: Protocol, profile: Profile, steps: &[Step]) -> Option<Difference> {
        let mut round = self.begin(protocol, profile);
        for (batch, chunk) in steps.chunks(BATCH).enumerate() {
            let first = batch * BATCH;
            if let Some(difference) = round.batch(first, chunk) {
                return Some(difference);
            }
            let done = first + chunk.len();
            if (done.is_multiple_of(CONTENT_EVERY) || done == steps.len())
                && let Some(difference) = content::compare(&mut round, done - 1)
            {
                return Some(difference);
            }
        }
        None
    }

    fn begin(&self, protocol: Protocol, profile: Profile) -> Round {
        let mut round = Round {
            ours: self.tessera.client(),
            theirs: self.referee.client(),
            version: self.version,
            queued: Vec::new(),
        };
        for client in [&mut round.ours, &mut round.theirs] {
            client.must("FLUSHALL");
            for (name, normal, small) in THRESHOLDS {
                let value = if profile == Profile::Default { normal } else { small };
                // A parameter that one of them does not have changes nothing that is compared.
                client.line(&format!("CONFIG SET {name} {value}"));
            }
            client.hello(protocol);
        }
        round
    }
}

/// A connection to each server.
pub struct Round {
    ours: Client,
    theirs: Client,
    version: (u32, u32),
    /// What Tessera has queued since MULTI.
    queued: Vec<Arguments>,
}

impl Round {
    /// Sends a command to both; tells whether they agree, and Tessera's reply.
    pub fn ask(&mut self, step: usize, command: &Arguments) -> (Value, Option<Difference>) {
        self.ours.send(command);
        self.theirs.send(command);
        let ours = self.ours.read();
        let theirs = self.theirs.read();
        let difference = self.judge(step, command, &ours, &theirs);
        (ours, difference)
    }

    fn judge(&mut self, step: usize, command: &Arguments, ours: &Value, theirs: &Value) -> Option<Difference> {
        match ours {
            Value::Simple(text) if text == b"QUEUED" => self.queued.push(command.clone()),
            _ if command[0] == b"MULTI" => self.queued.clear(),
            _ => {}
        }
        let queued = if command[0] == b"EXEC" { std::mem::take(&mut self.queued) } else { Vec::new() };
        let context = Agreement { command, queued: &queued, version: self.version };
        (!agree(&context, ours, theirs)).then(|| Difference {
            step,
            command: command.clone(),
            in_content: false,
            ours: ours.clone(),
            theirs: theirs.clone(),
        })
    }

    /// Plays steps, those that can be in one piece.
    fn batch(&mut self, first: usize, steps: &[Step]) -> Option<Difference> {
        let mut at = 0;
        while at < steps.len() {
            let plain = steps[at..].iter().take_while(|step| step.manner == Manner::Plain).count();
            if let Some(difference) = self.pipeline(first + at, &steps[at..at + plain]) {
                return Some(difference);
            }
            at += plain;
            if let Some(step) = steps.get(at) {
                if let Some(difference) = self.special(first + at, step) {
                    return Some(difference);
                }
                at += 1;
            }
        }
        None
    }

    fn pipeline(&mut self, first: usize, steps: &[Step]) -> Option<Difference> {
        let mut request = Vec::new();
        steps.iter().flat_map(|step| &step.commands).for_each(|command| encode_to(&mut request, command));
        self.ours.raw(&request);
        self.theirs.raw(&request);
        let mut found = None;
        for (offset, step) in steps.iter().enumerate() {
            for command in &step.commands {
                let ours = self.read_ours(command);
                let theirs = self.theirs.read();
                let difference = self.judge(first + offset, command, &ours, &theirs);
                found = found.or(difference);
            }
        }
        found
    }

    fn read_ours(&mut self, command: &Arguments) -> Value {
        self.ours.try_read().unwrap_or_else(|error| panic!("no reply to {}: {error}", line(command)))
    }

    fn special(&mut self, at: usize, step: &Step) -> Option<Difference> {
        match &step.manner {
            Manner::Plain => None,
            Manner::Expiring => {
                let (_, difference) = self.ask(at, &step.commands[0]);
                std::thread::sleep(Duration::from_millis(20));
                difference.or_else(|| step.commands[1..].iter().find_map(|command| self.ask(at, command).1))
            }
            Manner::Scan { cursor } => self.scan(at, &step.commands[0], *cursor),
            Manner::Restore { from } => {
                let payload = self.theirs.call(&[b"DUMP", from.as_slice()]);
                let Value::Bulk(payload) = payload else { return None };
                let mut command = step.commands[0].clone();
                command[3] = payload;
                self.ask(at, &command).1
            }
        }
    }

    fn scan(&mut self, at: usize, command: &Arguments, cursor: usize) -> Option<Difference> {
        let ours = scan_all(&mut self.ours, command, cursor);
        let theirs = scan_all(&mut self.theirs, command, cursor);
        self.judge(at, command, &ours, &theirs)
    }
}

/// All that a walk finds, each once; or what it answered instead.
fn scan_all(client: &mut Client, command: &Arguments, cursor: usize) -> Value {
    let in_pairs = matches!(command[0].as_slice(), b"HSCAN" | b"ZSCAN");
    let mut command = command.clone();
    let mut found: Vec<Value> = Vec::new();
    loop {
        let reply = client.call(&command);
        let Value::Array(parts) = &reply else { return reply };
        let [Value::Bulk(next), Value::Array(items)] = parts.as_slice() else { return reply };
        let width = if in_pairs { 2 } else { 1 };
        found.extend(items.chunks(width).map(|item| Value::Array(item.to_vec())));
        if next.as_slice() == b"0" {
            break;
        }
        command[cursor].clone_from(next);
    }
    found.sort_by_cached_key(ToString::to_string);
    found.dedup();
    Value::Array(found)
}

impl Difference {
    /// What two reports of one fault have in common.
    pub fn kind(&self) -> String {
        let name = |words: &Arguments| String::from_utf8_lossy(&words[0]).to_ascii_uppercase();
        let name = match script::carried_by(&self.command) {
            Some(Carried::One(command)) => format!("script of {}", name(&command)),
            _ => name(&self.command),
        };
        let sort = |value: &Value| match value {
            Value::Error(text) => {
                String::from_utf8_lossy(text).chars().filter(|c| !c.is_ascii_digit()).take(40).collect()
            }
            Value::Integer(_) => "integer".to_owned(),
            Value::Null | Value::NullArray => "null".to_owned(),
            Value::Bulk(_) => "bulk".to_owned(),
            Value::Simple(_) => "simple".to_owned(),
            other => format!("{other}").chars().take(1).collect(),
        };
        let place = if self.in_content { "content" } else { "reply" };
        format!("{place} {name} {} {}", sort(&self.ours), sort(&self.theirs))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.in_content { "content: " } else { "" };
        writeln!(out, "{place}{}", line(&self.command))?;
        writeln!(out, "  Tessera: {}", self.ours)?;
        write!(out, "  Redis:   {}", self.theirs)
    }
}
