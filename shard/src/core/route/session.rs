//! What a session decides about the command that is looked at: whether what it reads is remembered, and whether its reply is
//! sent.

use crate::session::{ReplyMode, Session};
use crate::spec::table::Row;
use crate::spec::{CommandId, CommandTable};

impl Session {
    /// A command is run: whether what it reads is remembered. `CLIENT CACHING` is about one command.
    #[inline]
    pub(super) fn choose_tracking(&mut self, row: &Row) {
        self.tracks = self.tracking.as_ref().is_some_and(|mode| mode.remembers());
        self.forget_caching(Some(row.id));
    }

    /// What `CLIENT CACHING` has said is over, unless `command` is CLIENT again, or a transaction goes on: it is about all
    /// of that.
    #[inline]
    pub(super) fn forget_caching(&mut self, command: Option<CommandId>) {
        let goes_on = self.in_transaction();
        let Some(mode) = self.tracking.as_mut().filter(|mode| mode.caching) else { return };
        let table = CommandTable::global();
        let top = command.map(|id| table.row(id)).map(|row| row.parent.map_or(row, |parent| table.row(parent)));
        mode.caching = match top.map(|row| row.command.name) {
            Some("client" | "multi") => true,
            Some("exec" | "discard") => false,
            _ => goes_on,
        };
    }

    /// The same in a transaction that runs: whether what it reads from now on is remembered.
    pub(in crate::core) fn rechoose_tracking(&mut self) -> bool {
        let Some(mode) = self.tracking.as_mut() else { return false };
        let remembers = mode.remembers();
        mode.caching = false;
        remembers
    }

    /// A command is looked at: `CLIENT REPLY SKIP` was about this one, if the one before was that.
    pub(super) fn begin_reply(&mut self) {
        self.reply_mode = match self.reply_mode {
            ReplyMode::SkipNext => ReplyMode::SkipThis,
            ReplyMode::SkipThis => ReplyMode::On,
            mode => mode,
        };
    }

    /// A command goes back to where it waited: it will be looked at once more.
    pub(super) fn put_back_reply(&mut self) {
        if self.reply_mode == ReplyMode::SkipThis {
            self.reply_mode = ReplyMode::SkipNext;
        }
    }

    /// Whether the reply of the command that is looked at now is not sent.
    pub(in crate::core) fn discards_reply(&self) -> bool {
        matches!(self.reply_mode, ReplyMode::Off | ReplyMode::SkipThis)
    }
}
