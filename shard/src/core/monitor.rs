//! Showing commands to clients that monitor: see [`crate::monitor`].

use net::{Args, ConnId};

use super::Core;
use crate::ids::DbId;
use crate::monitor::{Runner, line};
use crate::spec::Flag;
use crate::spec::table::Row;

impl Core {
    /// The client of `conn` monitors from now on, or no longer. False if that is as it was.
    pub fn monitor(&mut self, conn: ConnId, begins: bool) -> bool {
        let Some(session) = self.session(conn) else { return false };
        if session.monitors == begins {
            return false;
        }
        session.monitors = begins;
        if begins {
            self.monitoring.push(conn);
            self.shared.monitors.begin(self.id);
        } else {
            self.monitoring.retain(|other| *other != conn);
            self.shared.monitors.end(self.id);
        }
        true
    }

    /// Shows a command of `conn` that is run now.
    #[inline]
    pub(super) fn show_to_monitors(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) {
        if self.shared.monitors.any() {
            let Some(session) = self.sessions.get(conn.slot as usize).and_then(Option::as_ref) else { return };
            let (db, endpoint) = (session.db, session.info.endpoint.clone());
            self.show(row, db, Runner::Client(&endpoint), args);
        }
    }

    /// Shows the commands of a transaction, if `row` is EXEC: they are seen before it.
    #[inline]
    pub(super) fn show_kept(&mut self, conn: ConnId, row: &Row) {
        if self.shared.monitors.any() && row.command.name == "exec" {
            self.show_transaction(conn);
        }
    }

    fn show_transaction(&mut self, conn: ConnId) {
        let Some(transaction) = self.session(conn).and_then(|session| session.transaction.take()) else { return };
        if !transaction.is_spoilt() {
            for (kept, args) in transaction.queue.iter() {
                self.redacted = secrets(kept, &args);
                self.show_to_monitors(conn, kept, &args);
                self.redacted.clear();
            }
        }
        self.session(conn).expect("it was there just now").transaction = Some(transaction);
    }

    /// Shows a command that `runner` runs on database `db`. Those of administrators are not for everybody to see.
    pub(super) fn show(&mut self, row: &Row, db: DbId, runner: Runner<'_>, args: &Args<'_>) {
        if row.command.flags.has(Flag::Admin) {
            return;
        }
        let line = line(self.clock.unix_micros(), db, runner, args, &self.redacted);
        for core in self.shared.monitors.cores() {
            if core != self.id {
                self.answers[core.index()].monitored.extend_from_slice(&line);
            }
        }
        self.feed_monitors(&line);
    }

    /// Sends lines to the clients of this core that monitor.
    pub(super) fn feed_monitors(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        for index in 0..self.monitoring.len() {
            self.tell(self.monitoring[index], lines);
        }
    }
}

/// Where the secrets of a command stand that is shown before it runs; of others it says so itself.
pub(super) fn secrets(row: &Row, args: &Args<'_>) -> Vec<usize> {
    match row.command.name {
        "migrate" => crate::migrate::secrets(args),
        "auth" => (1..args.len()).collect(),
        "hello" => {
            let auth = args.from(0).position(|word| word.eq_ignore_ascii_case(b"auth"));
            auth.map_or_else(Vec::new, |place| vec![place + 1, place + 2])
        }
        _ => Vec::new(),
    }
}
