//! Refusing commands while a script keeps others waiting: `busy-reply-threshold`.
//!
//! A script that has run for so long says what it holds ([`crate::script::registry`]). From then on a command that would
//! have to wait for that is answered `BUSY`, before it is pushed, and so is a command about no key, unless it is one of the
//! few that may be called all the same: those which end the script, and those about a transaction. Commands on other keys go
//! on, if the script holds only some. What was sent before waits for the script's end.

use net::{Args, ConnId};

use super::Core;
use crate::exec::error::{BUSY_FUNCTION, BUSY_SCRIPT};
use crate::exec::work::{Needs, Work};
use crate::exec::{CommandError, Run};
use crate::script::Kind;
use crate::script::running::Holds;
use crate::spec::Flag;
use crate::spec::table::Row;

impl Core {
    /// Why a command is refused while a script is busy, if it is.
    pub(super) fn refused_while_busy(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) -> Option<CommandError> {
        if row.command.flags.has(Flag::AllowBusy) {
            return None;
        }
        let mut wants = Wants::default();
        wants.add(row, args);
        if row.command.name == "exec" {
            let transaction = self.session(conn).and_then(|session| session.transaction.as_deref());
            if let Some(transaction) = transaction {
                for (row, args) in transaction.queue.iter() {
                    wants.add(row, &args);
                    // A script within a transaction claims everything.
                    wants.everything |= matches!(row.command.run, Run::Placed(_));
                }
                let watched = transaction.watching.iter().flat_map(|watching| &watching.keys);
                wants.keys.extend(watched.map(|(_, key)| storage::key_hash(key)));
            }
        }
        self.busy_with(wants)
    }

    /// Why a script is refused while another one is busy, if it is: what it wants is known from its text.
    pub fn check_not_busy(&self, work: &dyn Work) -> Result<(), CommandError> {
        if !self.shared.scripts.is_busy() {
            return Ok(());
        }
        let mut wants = Wants { everything: work.needs() == Needs::Everything, keys: Vec::new() };
        work.visit_keys(&mut |key| wants.keys.push(storage::key_hash(key)));
        self.busy_with(wants).map_or(Ok(()), Err)
    }

    fn busy_with(&self, wants: Wants) -> Option<CommandError> {
        let wants = if wants.everything { Holds::Everything } else { Holds::Keys(wants.keys) };
        self.shared.scripts.busy_with(&wants).map(busy_error)
    }
}

/// How a client is told what the server is busy with.
pub fn busy_error(kind: Kind) -> CommandError {
    match kind {
        Kind::Script => BUSY_SCRIPT,
        Kind::Function => BUSY_FUNCTION,
    }
}

/// What commands may have to wait for.
#[derive(Default)]
struct Wants {
    everything: bool,
    keys: Vec<u64>,
}

impl Wants {
    fn add(&mut self, row: &Row, args: &Args<'_>) {
        match row.run(args) {
            Run::AllShards { .. } | Run::Routed { .. } | Run::AllHops { .. } => self.everything = true,
            Run::Everywhere { .. } => self.everything |= row.command.flags.has(Flag::LooksAtKeys),
            _ => {
                row.command.visit_keys(args, |place| self.keys.push(storage::key_hash(args.at(place))));
            }
        }
    }
}
