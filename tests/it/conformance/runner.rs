//! Runs the sections of a file against a server.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use super::command::Variables;
use super::script::{Exchange, Reading, Script, Section, Send, Step};
use crate::support::{Client, Launch, Protocol, Server, Target, Value};

/// What running a file gave.
#[derive(Default)]
pub struct Report {
    /// Replies compared.
    pub replies: usize,
    /// One text per reply that was not as expected.
    pub failures: Vec<String>,
}

/// Keeps a server at hand from file to file, as long as they ask for the same command line.
pub struct Host {
    target: Target,
    server: Option<(Vec<String>, Server)>,
}

impl Host {
    /// A host for servers of kind `target`.
    pub fn new(target: Target) -> Self {
        Self { target, server: None }
    }

    /// Runs all sections of a file.
    pub fn run(&mut self, script: &Script, protocol: Protocol) -> Report {
        let mut report = Report::default();
        for section in &script.sections {
            let server = self.server(&script.server_args);
            if section.protocol.is_some_and(|only| only != protocol) || !knows(server, section) {
                continue;
            }
            let mut run = Run::new(script, section, protocol, server, &mut report);
            let finished = run.all();
            // A server that closed a connection in the middle may be gone: the next section gets a new one.
            if !finished {
                self.server = None;
            }
        }
        report
    }

    /// The running server, or a new one if this command line is another.
    pub fn server(&mut self, args: &[String]) -> &mut Server {
        let fits = self.server.as_mut().is_some_and(|(running, server)| running == args && server.is_running());
        if !fits {
            self.server = None;
            let words: Vec<&str> = args.iter().map(String::as_str).collect();
            let server = Launch::new(self.target).args(&words).start();
            self.server = Some((args.to_vec(), server));
        }
        &mut self.server.as_mut().expect("it was just started").1
    }
}

/// Whether the server is new enough for a section. Tessera is always asked.
fn knows(server: &Server, section: &Section) -> bool {
    let Some(since) = section.since else { return true };
    if server.is_tessera() {
        return true;
    }
    let version = server.info("server", "redis_version");
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().expect("a version is numbers"));
    (numbers.next().expect("major"), numbers.next().expect("minor")) >= since
}

/// One section under way.
pub struct Run<'a> {
    script: &'a Script,
    section: &'a Section,
    protocol: Protocol,
    server: &'a Server,
    report: &'a mut Report,
    control: Client,
    clients: HashMap<String, Client>,
    variables: Variables,
    changed: Vec<(String, String)>,
}

impl<'a> Run<'a> {
    /// Empties the server for a section.
    pub fn new(
        script: &'a Script,
        section: &'a Section,
        protocol: Protocol,
        server: &'a Server,
        report: &'a mut Report,
    ) -> Self {
        let mut control = server.client();
        control.must("FLUSHALL");
        control.must("FUNCTION FLUSH");
        let (clients, variables) = (HashMap::new(), Variables::new());
        Self { script, section, protocol, server, report, control, clients, variables, changed: Vec::new() }
    }

    /// Runs every step; false if a connection was lost on the way.
    fn all(&mut self) -> bool {
        let mut patience = None;
        for (line, step) in &self.section.steps {
            let alive = match step {
                Step::Exchange(exchange) => self.check(*line, exchange, patience.take()),
                Step::Eventually(limit) => {
                    patience = Some(*limit);
                    true
                }
                other => self.act(*line, other),
            };
            if !alive {
                return false;
            }
        }
        self.restore();
        true
    }

    /// Does what is not an exchange.
    pub fn act(&mut self, line: usize, step: &Step) -> bool {
        match step {
            Step::Sleep(time) => thread::sleep(*time),
            Step::Config(name, value) => self.configure(line, name, value),
            Step::Close(name) => drop(self.clients.remove(name)),
            Step::Closed(name) => {
                if !self.clients.remove(name).is_some_and(|mut client| client.is_closed()) {
                    self.fail(line, &format!("connection {name:?} is still open"));
                }
            }
            Step::Exchange(_) | Step::Eventually(_) => unreachable!("the callers do these"),
        }
        true
    }

    fn configure(&mut self, line: usize, name: &str, value: &str) {
        let before = self.control.call(&["CONFIG", "GET", name]);
        let Some(before) = before.field(name).map(Value::text) else {
            self.fail(line, &format!("there is no parameter {name}"));
            return;
        };
        self.changed.push((name.to_owned(), before));
        let reply = self.control.call(&["CONFIG", "SET", name, value.trim_matches('"')]);
        if reply != Value::ok() {
            self.fail(line, &format!("CONFIG SET {name}: {reply}"));
        }
    }

    /// Puts parameters back, last change first.
    pub fn restore(&mut self) {
        while let Some((name, value)) = self.changed.pop() {
            let reply = self.control.call(&["CONFIG", "SET", &name, &value]);
            assert_eq!(reply, Value::ok(), "CONFIG SET {name} {value:?}");
        }
    }

    fn check(&mut self, line: usize, exchange: &Exchange, patience: Option<Duration>) -> bool {
        let expected = match &exchange.expected {
            Reading::Nothing => {
                self.send(exchange);
                return true;
            }
            Reading::Unwritten => {
                self.fail(line, "the file gives no reply (record it: TESSERA_CONFORMANCE_RECORD=1)");
                return true;
            }
            Reading::Written(expected) => expected,
        };
        self.report.replies += 1;
        let deadline = patience.map(|limit| Instant::now() + limit);
        loop {
            let value = match self.exchange(exchange) {
                Ok(value) => value,
                Err(error) => {
                    self.fail(line, &format!("no reply: {error}"));
                    return false;
                }
            };
            if expected.matches(&value, self.protocol, &mut self.variables) {
                return true;
            }
            if deadline.is_none_or(|deadline| Instant::now() > deadline) {
                self.fail(line, &format!("got {value}"));
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends what an exchange sends and reads one reply.
    pub fn exchange(&mut self, exchange: &Exchange) -> std::io::Result<Value> {
        self.send(exchange);
        self.client(&exchange.connection).try_read()
    }

    /// Sends what an exchange sends.
    pub fn send(&mut self, exchange: &Exchange) {
        match &exchange.send {
            Send::Nothing => {}
            Send::Raw(bytes) => self.client(&exchange.connection).raw(bytes),
            Send::Command(words) => {
                let args: Vec<Vec<u8>> = words.iter().map(|word| word.expand(&self.variables)).collect();
                self.client(&exchange.connection).send(&args);
            }
        }
    }

    /// What a section remembers.
    pub fn variables(&mut self) -> &mut Variables {
        &mut self.variables
    }

    fn client(&mut self, name: &str) -> &mut Client {
        let (server, protocol) = (self.server, self.protocol);
        self.clients.entry(name.to_owned()).or_insert_with(|| {
            let mut client = server.client();
            client.set_patience(Duration::from_secs(10));
            client.hello(protocol);
            client
        })
    }

    fn fail(&mut self, line: usize, what: &str) {
        let (file, title, protocol) = (self.script.path.display(), &self.section.title, self.protocol);
        let source = std::fs::read_to_string(&self.script.path).unwrap_or_default();
        let lines: Vec<&str> = source.lines().collect();
        let reply = lines[line..].iter().take_while(|line| super::script::is_continuation(line));
        let wanted: Vec<&str> = reply.map(|line| line.trim()).collect();
        let (asked, wanted) = (lines[line - 1], wanted.join("\n      "));
        let failure = format!("{file}:{line} ({title}, {protocol:?})\n  {asked}\n  want: {wanted}\n  {what}");
        self.report.failures.push(failure);
    }
}
