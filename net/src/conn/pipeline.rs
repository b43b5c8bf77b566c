//! From received bytes to commands.
//!
//! A piece is parsed in the buffer where it was received. Only what cannot be executed is copied to the connection's
//! query buffer: the beginning of a command whose end has not come, or commands that wait because the connection is held,
//! its turn is over, or its peer does not read. If the query buffer holds such a beginning and its length is known, just
//! the missing bytes are added to it, and the rest of the piece is parsed in place again.

use crate::buf::Filled;
use crate::conn::{Budget, Conn};
use crate::limits::{BACKLOG_BYTES_MAX, COMMANDS_ANNOUNCED, UNSENT_BYTES_MAX};
use crate::resp::peek::look_ahead;
use crate::resp::{Args, Parsed, Parser};
use crate::runtime::Loop;
use crate::service::{ConnId, Flow, ProtocolError, Service};

/// Why executing a connection's input stopped.
enum End {
    /// There is no complete command; nothing changes before the rest is this long.
    Starved(usize),
    /// The turn is over.
    Spent,
    /// The service keeps the rest.
    Held,
    /// The peer does not read.
    Stalled,
    /// The service wants the connection closed.
    Closing,
    /// This is not RESP.
    Broken(ProtocolError),
}

impl<S: Service> Loop<S> {
    /// Takes in a received piece and executes what is complete.
    pub(crate) fn feed(&mut self, id: ConnId, filled: &Filled) {
        let Self { service, conns, buffers, parser, spare, .. } = self;
        let Some(conn) = conns.open(id) else { return };
        let mut rest = buffers.bytes(filled);
        conn.received_bytes += rest.len() as u64;
        conn.begin_turn(self.tick);
        lend_output(service, id, spare);
        let mut broken = None;
        while !rest.is_empty() && !conn.draining && broken.is_none() {
            let (executed, taken) = if conn.may_run() && conn.query.is_empty() {
                let (executed, error) = run(service, parser, conn, id, rest);
                broken = error;
                // What is incomplete is kept; what may not run now is kept by the next round.
                let kept = if conn.may_run() { rest.len() - executed } else { 0 };
                (executed, kept)
            } else {
                (0, missing(conn, rest.len()))
            };
            rest = &rest[executed..];
            if taken > 0 && broken.is_none() {
                let expected = if conn.may_run() { conn.needed } else { 0 };
                if let Err(error) = conn.query.append(&rest[..taken], expected, spare) {
                    tracing::warn!(%error, expected, "no memory for a query buffer");
                    broken = Some(ProtocolError::QueryBufferLimit);
                }
                rest = &rest[taken..];
                if broken.is_none() && conn.may_run() && conn.has_commands() {
                    broken = run_query(service, parser, conn, id, spare);
                }
            }
        }
        reclaim_output(service, id, spare);
        self.after_input(id, broken);
    }

    /// Executes what a connection has in its query buffer.
    pub(crate) fn run_waiting(&mut self, id: ConnId) {
        let Self { service, conns, parser, spare, .. } = self;
        let Some(conn) = conns.open(id) else { return };
        conn.queued = false;
        conn.begin_turn(self.tick);
        let mut broken = None;
        if conn.may_run() && conn.has_commands() {
            lend_output(service, id, spare);
            broken = run_query(service, parser, conn, id, spare);
            reclaim_output(service, id, spare);
        }
        self.after_input(id, broken);
        if self.conns.open(id).is_some_and(|conn| conn.ended) {
            self.unsettled.push(id);
        }
    }

    /// Draws the conclusions when a connection's input was looked at.
    fn after_input(&mut self, id: ConnId, broken: Option<ProtocolError>) {
        let Self { service, conns, spare, .. } = self;
        let Some(conn) = conns.open(id) else { return };
        let broken = broken.or_else(|| over_limit(service, conn, id));
        if let Some(error) = broken {
            service.malformed(id, &error);
            conn.draining = true;
            if !matches!(error, ProtocolError::Syntax(_)) {
                return self.close(id);
            }
        }
        if conn.draining {
            discard_input(conn, spare);
            self.dirty.push(id);
        }
        self.settle(id);
    }

    /// Brings a connection's place in the loop in line with its state: whether it waits for its turn, whether it is read,
    /// whether it is over. To be called after every change of that state.
    pub(crate) fn settle(&mut self, id: ConnId) {
        let Self { service, conns, .. } = self;
        let Some(conn) = conns.open(id) else { return };
        let waits = conn.has_commands() && !conn.draining;
        if waits && !conn.held && !conn.stalled && !conn.queued {
            conn.queued = true;
            self.ready.push(id);
        }
        if !conn.filling {
            service.input_usage(id, conn.usage());
        }
        self.settle_receive(id);
    }

    /// Asks the service what becomes of a connection whose peer sends nothing more, once all of its input was looked at.
    /// Not to be called while pieces of this tick wait to be fed.
    pub(crate) fn settle_end(&mut self, id: ConnId) {
        let Self { service, conns, .. } = self;
        let Some(conn) = conns.open(id) else { return };
        let executed = conn.held || !conn.has_commands();
        if conn.ended && executed && !conn.draining && !conn.end_told {
            conn.end_told = true;
            if service.input_ended(id) == Flow::Close {
                self.drain(id);
            }
        }
    }
}

/// How many of the next `available` bytes to add to the query before it is looked at: what is missing of an argument whose
/// length is known, else all.
fn missing(conn: &Conn, available: usize) -> usize {
    let known = conn.needed.saturating_sub(conn.query.len());
    if conn.may_run() && known > 1 { available.min(known) } else { available }
}

/// Executes commands of the query buffer.
fn run_query<S: Service>(
    service: &mut S,
    scratch: &mut Parser,
    conn: &mut Conn,
    id: ConnId,
    spare: &mut super::spare::Spare,
) -> Option<ProtocolError> {
    let mut query = std::mem::take(&mut conn.query);
    let (executed, broken) = run(service, scratch, conn, id, query.unread());
    query.consume(executed, spare);
    query.fit(conn.needed, spare);
    conn.query = query;
    broken
}

/// Executes commands of `input`, which goes on where the connection's parser stands; returns how many bytes were executed.
fn run<S: Service>(
    service: &mut S,
    scratch: &mut Parser,
    conn: &mut Conn,
    id: ConnId,
    input: &[u8],
) -> (usize, Option<ProtocolError>) {
    let mut own = conn.parser.take();
    let parser = own.as_deref_mut().unwrap_or(scratch);
    let mut budget = conn.budget;
    let (executed, end) = execute(service, parser, &mut budget, conn.in_flight.unsent_bytes, id, input);
    conn.budget = budget;
    conn.needed = 0;
    match end {
        End::Starved(needed) => {
            conn.needed = needed;
            if !parser.is_fresh() {
                conn.parser = Some(own.unwrap_or_else(|| Box::new(std::mem::take(scratch))));
            }
        }
        End::Spent => {}
        End::Held => conn.held = true,
        End::Stalled => conn.stalled = true,
        End::Closing => conn.draining = true,
        End::Broken(error) => {
            scratch.reset();
            return (executed, Some(error));
        }
    }
    (executed, None)
}

/// The inner loop: parses and executes until something stops it.
fn execute<S: Service>(
    service: &mut S,
    parser: &mut Parser,
    budget: &mut Budget,
    in_flight_bytes: usize,
    id: ConnId,
    input: &[u8],
) -> (usize, End) {
    let mut executed = 0;
    // The first command was announced with those of other connections.
    let mut announced = 1;
    loop {
        let rest = &input[executed..];
        if announced == 0 && parser.is_fresh() {
            announced = look_ahead(rest, COMMANDS_ANNOUNCED, |upcoming| service.announce(id, upcoming)).max(1);
            service.announced();
        }
        announced = announced.saturating_sub(1);
        let flow = match parser.advance(rest, || service.input_limits(id)) {
            Ok(Parsed::Command(len)) => {
                let args = parser.args(rest);
                if is_attack(&args) {
                    return (executed, End::Broken(ProtocolError::SecurityAttack));
                }
                let flow = service.command(id, &args);
                executed += len;
                budget.spend(len);
                flow
            }
            Ok(Parsed::Nothing(len)) => {
                executed += len;
                budget.spend(len);
                Flow::Continue
            }
            Ok(Parsed::Incomplete(needed)) => return (executed, End::Starved(needed)),
            Err(error) => return (executed, End::Broken(error)),
        };
        parser.reset();
        match flow {
            Flow::Continue => {}
            Flow::Hold => return (executed, End::Held),
            Flow::Close => return (executed, End::Closing),
        }
        if service.output(id).map_or(0, |output| output.len()) + in_flight_bytes > UNSENT_BYTES_MAX {
            return (executed, End::Stalled);
        }
        if budget.is_spent() {
            return (executed, End::Spent);
        }
    }
}

/// Whether this is a line of HTTP: a browser was made to send a request here.
fn is_attack(args: &Args<'_>) -> bool {
    let name = args.at(0);
    match name.len() {
        4 => name.eq_ignore_ascii_case(b"post"),
        5 => name.eq_ignore_ascii_case(b"host:"),
        _ => false,
    }
}

/// Whether an unfinished command outgrew the query buffer's limit. Complete big arguments do not count, and commands that
/// merely wait are bounded by the pause in reading.
fn over_limit<S: Service>(service: &S, conn: &Conn, id: ConnId) -> Option<ProtocolError> {
    if conn.query.len() <= BACKLOG_BYTES_MAX {
        return None;
    }
    let (big, heap) = conn.parser.as_ref().map_or((0, 0), |parser| (parser.big_bytes(), parser.heap_bytes()));
    let counted = (conn.query.len() - big + heap) as u64;
    (counted > service.input_limits(id).query_buffer_bytes_max).then_some(ProtocolError::QueryBufferLimit)
}

/// Drops input that will not be executed.
fn discard_input(conn: &mut Conn, spare: &mut super::spare::Spare) {
    conn.query.clear(spare);
    conn.parser = None;
    conn.needed = 0;
}

/// Gives a connection whose output has no memory a used buffer.
fn lend_output<S: Service>(service: &mut S, id: ConnId, spare: &mut super::spare::Spare) {
    if let Some(output) = service.output(id)
        && output.capacity() == 0
    {
        *output = spare.take();
    }
}

/// Takes the buffer back if nothing was written to it.
fn reclaim_output<S: Service>(service: &mut S, id: ConnId, spare: &mut super::spare::Spare) {
    if let Some(output) = service.output(id)
        && output.is_empty()
        && output.capacity() > 0
    {
        spare.put(std::mem::take(output));
    }
}
