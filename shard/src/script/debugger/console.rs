//! What a session knows, and what it has to say.
//!
//! One reply of the debugger is an array of lines, each a status. It is sent whenever the script listens, and at the end.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use net::{Args, OwnedArgs};

use super::listing::{Listing, Set};
use super::reply::write_reply;

/// A text is cut to so many bytes, until the client says otherwise, and to no fewer than these.
const BYTES_MAX: usize = 256;
const BYTES_MAX_MIN: usize = 60;

/// So many arguments of a command are shown.
const ARGUMENTS_MAX: usize = 10;

/// Says that the session is over.
pub const END: &[u8] = b"*1\r\n+<endsession>\r\n";

const HINT: &[u8] = b"<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.";

/// Why the script stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Step,
    Breakpoint,
    Called,
    Timeout,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Reason::Step => "step over",
            Reason::Breakpoint => "break point",
            Reason::Called => "redis.breakpoint() called",
            Reason::Timeout => "timeout reached, infinite loop?",
        }
    }
}

/// One session.
pub struct Console {
    state: RefCell<State>,
}

struct State {
    listing: Listing,
    /// The line that the script stands before.
    line: usize,
    /// It stops before the next line.
    steps: bool,
    /// It has called `redis.breakpoint`.
    breakpoint_called: bool,
    /// Its client is gone: it runs on without a stop.
    is_alone: bool,
    /// A command is run that the client has ordered.
    runs_order: bool,
    /// Since when it runs without a stop.
    since: Instant,
    /// For how long it may.
    patience: Duration,
    /// The lines of the next reply, if there is to be one.
    said: Vec<Vec<u8>>,
    is_answer: bool,
    order: Option<OwnedArgs>,
    bytes_max: usize,
    has_hinted: bool,
}

impl Console {
    /// A session of a script of this source, which may run for so long without a stop.
    pub fn new(source: &[u8], patience: Duration) -> Console {
        let state = State {
            listing: Listing::new(source),
            line: 0,
            steps: true,
            breakpoint_called: false,
            is_alone: false,
            runs_order: false,
            since: Instant::now(),
            patience,
            said: Vec::new(),
            is_answer: false,
            order: None,
            bytes_max: BYTES_MAX,
            has_hinted: false,
        };
        Console { state: RefCell::new(state) }
    }

    /// The script is about to run `line`, or has run for a while in it: why it stops, if it does.
    pub(super) fn arrive(&self, line: usize, is_new: bool) -> Option<Reason> {
        let mut state = self.state.borrow_mut();
        state.line = line;
        let reason = match (state.breakpoint_called, state.listing.has_breakpoint(line)) {
            _ if state.is_alone => return None,
            (true, _) => Reason::Called,
            (false, true) => Reason::Breakpoint,
            (false, false) if state.steps => Reason::Step,
            (false, false) => {
                let is_late = !is_new && state.since.elapsed() >= state.patience;
                return is_late.then_some(Reason::Timeout);
            }
        };
        is_new.then_some(reason)
    }

    /// The script stops.
    pub(super) fn stop(&self, reason: Reason) {
        let mut state = self.state.borrow_mut();
        (state.steps, state.breakpoint_called, state.is_answer) = (false, false, true);
        let line = state.line;
        let text = format!("* Stopped at {line}, stop reason = {}", reason.text());
        state.said.push(text.into_bytes());
        let listed = state.listing.line(line, line);
        state.said.push(listed);
    }

    /// It goes on.
    pub(super) fn go_on(&self, steps: bool) {
        let mut state = self.state.borrow_mut();
        state.steps = steps;
        state.since = Instant::now();
    }

    /// It goes on without its client.
    pub(super) fn be_alone(&self) {
        self.state.borrow_mut().is_alone = true;
    }

    /// `redis.breakpoint`.
    pub fn call_breakpoint(&self) {
        self.state.borrow_mut().breakpoint_called = true;
    }

    /// `redis.debug`, with the texts of its arguments.
    pub fn debug(&self, texts: &[Vec<u8>]) {
        let line = self.state.borrow().line;
        self.say([format!("<debug> line {line}: ").into_bytes(), texts.join(&b", "[..])].concat());
    }

    /// Adds a line to the next reply.
    pub(super) fn say(&self, line: impl Into<Vec<u8>>) {
        self.state.borrow_mut().said.push(line.into());
    }

    /// Adds a line, cut if it is long.
    pub(super) fn say_cut(&self, mut line: Vec<u8>) {
        let mut state = self.state.borrow_mut();
        let is_cut = line.len() > state.bytes_max;
        if is_cut {
            line.truncate(state.bytes_max);
            line.extend_from_slice(b" ...");
        }
        state.said.push(line);
        if is_cut && !std::mem::replace(&mut state.has_hinted, true) {
            state.said.push(HINT.to_vec());
        }
    }

    /// To how many bytes lines are cut.
    pub(super) fn bytes_max(&self) -> usize {
        self.state.borrow().bytes_max
    }

    /// The lines up to `context` before and behind `around`, which is the current one if it is none.
    pub(super) fn list(&self, around: i64, context: i64) {
        let mut state = self.state.borrow_mut();
        let around = usize::try_from(around).ok().filter(|line| *line > 0).unwrap_or(state.line);
        for number in state.listing.range(around, context) {
            let line = state.listing.line(number, state.line);
            state.said.push(line);
        }
    }

    /// One line of the source.
    pub(super) fn show_line(&self, number: usize) {
        let mut state = self.state.borrow_mut();
        let line = state.listing.line(number, state.line);
        state.said.push(line);
    }

    pub(super) fn show_breakpoints(&self) {
        let breakpoints = self.state.borrow().listing.breakpoints().to_vec();
        if breakpoints.is_empty() {
            return self.say("No breakpoints set. Use 'b <line>' to add one.");
        }
        self.say(format!("{} breakpoints set:", breakpoints.len()));
        for line in breakpoints {
            self.show_line(line);
        }
    }

    pub(super) fn set_breakpoint(&self, line: i64) {
        let set = self.state.borrow_mut().listing.set_breakpoint(usize::try_from(line).unwrap_or(0));
        match set {
            Set::Done => self.list(line, 1),
            Set::WrongLine => self.say("Wrong line number."),
            Set::TooMany => self.say("Too many breakpoints set."),
        }
    }

    pub(super) fn remove_breakpoint(&self, line: u64) {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        let was_there = self.state.borrow_mut().listing.remove_breakpoint(line);
        self.say(if was_there { "Breakpoint removed." } else { "No breakpoint in the specified line." });
    }

    pub(super) fn remove_breakpoints(&self) {
        self.state.borrow_mut().listing.remove_breakpoints();
        self.say("All breakpoints removed.");
    }

    /// Cuts lines to so many bytes from now on, or to none if that is zero; shows to how many.
    pub(super) fn limit(&self, bytes: Option<i64>) {
        let mut state = self.state.borrow_mut();
        if let Some(bytes) = bytes {
            let at_least = |bytes: i64| usize::try_from(bytes).unwrap_or(0).max(BYTES_MAX_MIN);
            state.bytes_max = if bytes == 0 { usize::MAX } else { at_least(bytes) };
            // Who sets it knows that it can be set.
            state.has_hinted = true;
        }
        let text = match state.bytes_max {
            usize::MAX => "<value> replies are unlimited.".to_owned(),
            bytes => format!("<value> replies are truncated at {bytes} bytes."),
        };
        state.said.push(text.into_bytes());
    }

    /// A command is run that the client has ordered, or was.
    pub(super) fn runs_order(&self, runs: bool) {
        self.state.borrow_mut().runs_order = runs;
    }

    /// Shows a command that has run, and its reply, if commands are shown now.
    pub fn show(&self, args: &Args<'_>, reply: &[u8]) {
        if self.shows_commands() {
            self.show_command(args);
            self.show_reply(reply);
        }
    }

    /// Whether commands are shown that run now.
    pub(super) fn shows_commands(&self) -> bool {
        let state = self.state.borrow();
        state.steps || state.runs_order
    }

    /// Shows a command.
    pub(super) fn show_command(&self, args: &Args<'_>) {
        let mut line = b"<redis>".to_vec();
        for arg in args.from(0).take(ARGUMENTS_MAX) {
            line.push(b' ');
            line.extend_from_slice(arg);
        }
        if args.len() > ARGUMENTS_MAX {
            // As Redis counts them: the first of those left out is not among them.
            line.extend_from_slice(format!(" ... ({} more)", args.len() - ARGUMENTS_MAX - 1).as_bytes());
        }
        self.say(line);
    }

    /// Shows a command's reply.
    fn show_reply(&self, reply: &[u8]) {
        if let Some(b'-') = reply.first() {
            let end = reply.iter().position(|&byte| byte == b'\r').unwrap_or(reply.len());
            self.show_error(&reply[..end]);
        }
        let mut line = b"<reply> ".to_vec();
        write_reply(reply, &mut line, self.bytes_max());
        self.say_cut(line);
    }

    /// Shows an error of a function that the script has called, if such are shown now.
    pub fn show_problem(&self, text: &[u8]) {
        if self.shows_commands() {
            self.show_error(text);
        }
    }

    /// Shows an error.
    pub(super) fn show_error(&self, text: &[u8]) {
        self.say([b"<error> ", text].concat());
    }

    /// An order has come.
    pub fn order(&self, order: OwnedArgs) {
        let mut state = self.state.borrow_mut();
        state.order = Some(order);
    }

    /// The order that has come; what is said from now on answers it. Nothing if the client is gone.
    pub(super) fn take_order(&self) -> Option<OwnedArgs> {
        let mut state = self.state.borrow_mut();
        let order = state.order.take()?;
        state.is_answer = true;
        Some(order)
    }

    /// The reply that is to be sent while the script listens, if there is one.
    pub fn take_answer(&self) -> Option<Vec<u8>> {
        let mut state = self.state.borrow_mut();
        std::mem::take(&mut state.is_answer).then(|| encoded(&std::mem::take(&mut state.said)))
    }

    /// The last reply of all.
    pub fn end(&self) -> Vec<u8> {
        self.say("<endsession>");
        encoded(&std::mem::take(&mut self.state.borrow_mut().said))
    }
}

/// Lines as an array of statuses, which have no ends of lines in them.
fn encoded(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", lines.len()).into_bytes();
    for line in lines {
        out.push(b'+');
        out.extend(line.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
        out.extend_from_slice(b"\r\n");
    }
    out
}
