//! Running the commands of a log, as those of a client that has no socket.
//!
//! The client has a session like others, at an address that no connection has ([`REPLAY`]). It may do everything, is
//! refused nothing, and is shown to nobody; what it is answered is looked at for errors and dropped.

use net::service::Endpoint;
use net::{Args, ConnId, OwnedArgs};

use super::Core;
use crate::acl::Access;
use crate::ids::ClientId;
use crate::replay::{LogReader, Next};
use crate::session::{Hold, Session};
use crate::snapshot::Loading;
use crate::spec::{CommandTable, Flag};

/// The address of the client that runs the commands of a log. Connections have the lowest places that are free.
pub(super) const REPLAY: ConnId = ConnId { slot: u32::MAX, generation: 0 };

/// Commands that are run between two looks at the clock.
const COMMANDS_PER_STEP: usize = 16;

/// A slice ends after so many microseconds.
const SLICE_MICROS: u64 = 1000;

/// How a slice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slice {
    /// There is more to do at once.
    More,
    /// There is more when other shards have answered, or time has passed.
    Waits,
    /// All is done.
    Done,
}

impl Core {
    /// Runs some of the commands of this core's logs.
    pub(super) fn replay_slice(&mut self, loading: &Loading, logs: &mut LogReader) -> Slice {
        self.resume.retain(|conn| *conn != REPLAY);
        let end = self.clock.micros() + SLICE_MICROS;
        while !self.is_early(loading) {
            for _ in 0..COMMANDS_PER_STEP {
                match self.replay_next(loading, logs) {
                    Ok(Slice::More) => {}
                    Ok(slice) => return slice,
                    Err(why) => {
                        loading.fail(why);
                        return Slice::More;
                    }
                }
            }
            loading.note_read(self.id.index(), logs.read_bytes());
            if self.clock.micros() >= end {
                break;
            }
        }
        Slice::More
    }

    fn replay_next(&mut self, loading: &Loading, logs: &mut LogReader) -> Result<Slice, String> {
        if self.replay.as_ref().is_some_and(|session| session.held == Some(Hold::InFlight)) {
            return Ok(Slice::Waits);
        }
        // A file is over when all of it took effect.
        if self.replay_ends && !self.end_replay() {
            return Ok(Slice::Waits);
        }
        match logs.next(loading)? {
            Next::Command => {
                self.replay_command(&logs.args(), logs.name())?;
                loading.note_command();
            }
            Next::FileEnd => self.replay_ends = true,
            Next::End => return Ok(Slice::Done),
        }
        Ok(Slice::More)
    }

    fn replay_command(&mut self, args: &Args<'_>, file: &str) -> Result<(), String> {
        let found = self.recent.find(args.at(0)).map(|row| CommandTable::global().resolve_in(row, args));
        let Some(Ok(Some(row))) = found else {
            let name = String::from_utf8_lossy(args.at(0));
            return Err(format!("Unknown command '{name}' reading the append only file {file}"));
        };
        self.begin_replay();
        // What this tick has pushed is not drained yet: nothing may run in place ahead of its own earlier parts.
        self.routed(REPLAY);
        if row.command.flags.has(Flag::Blocking) {
            // In a transaction nothing waits.
            let word = |word: &[u8]| -> OwnedArgs { std::iter::once(word).collect() };
            self.route(REPLAY, &word(b"MULTI").as_args());
            self.route(REPLAY, args);
            self.route(REPLAY, &word(b"EXEC").as_args());
        } else {
            self.route(REPLAY, args);
        }
        self.look_at_replies(args.at(0));
        Ok(())
    }

    fn begin_replay(&mut self) {
        if self.replay.is_some() {
            return;
        }
        let nowhere = Endpoint::Unix(String::new());
        let mut session = Session::new(REPLAY, ClientId(u64::MAX), nowhere, -1, self.clock.now(), &self.users);
        session.access = Access::Full;
        // So that it never joins those whose output is to be written.
        session.dirty = true;
        self.replay = Some(Box::new(session));
    }

    /// Errors are told in the log, and do not end the load, as in Redis.
    fn look_at_replies(&mut self, name: &[u8]) {
        let Some(session) = &mut self.replay else { return };
        for error in errors_of(&session.out) {
            tracing::warn!(
                "== CRITICAL == This AOF-loading-client is sending an error to its server: '{}' after processing the \
                 command '{}'",
                String::from_utf8_lossy(error),
                String::from_utf8_lossy(name)
            );
        }
        session.out.clear();
    }

    /// Forgets the client when it has been answered everything; whether it has.
    fn end_replay(&mut self) -> bool {
        self.look_at_replies(b"");
        if self.replay.as_ref().is_some_and(|session| !session.replies.is_empty()) {
            return false;
        }
        self.drop_replay();
        true
    }

    pub(super) fn drop_replay(&mut self) {
        self.drop_transaction(REPLAY);
        self.replay = None;
        self.replay_ends = false;
        self.resume.retain(|conn| *conn != REPLAY);
    }
}

/// The errors in some whole replies, at any depth.
fn errors_of(replies: &[u8]) -> Vec<&[u8]> {
    let mut errors = Vec::new();
    let mut rest = replies;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, behind) = (&rest[..end], &rest[end + 2..]);
        let length = match line.first() {
            Some(b'-') => {
                errors.push(&line[1..]);
                0
            }
            // Of bulk replies the bytes are passed over; items of arrays are looked at like replies.
            Some(b'$') => {
                std::str::from_utf8(&line[1..]).ok().and_then(|digits| digits.parse().ok()).map_or(0, |n: usize| n + 2)
            }
            _ => 0,
        };
        rest = behind.get(length..).unwrap_or_default();
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::errors_of;

    #[test]
    fn errors_are_found_at_any_depth() {
        let replies = b"+OK\r\n$6\r\n-no\r\n-\r\n*2\r\n:1\r\n-WRONGTYPE x\r\n$-1\r\n-ERR y\r\n";
        assert_eq!(errors_of(replies), [b"WRONGTYPE x".as_slice(), b"ERR y"]);
        assert!(errors_of(b"").is_empty());
    }
}
