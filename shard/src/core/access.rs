//! What clients may do ([`crate::acl`]): taking changes of users, and refusing what is denied.
//!
//! Most clients may do everything, and no more is asked of them than whether they do.

use std::sync::Arc;

use net::{Args, ConnId, Flow};

use super::Core;
use crate::acl::{Access, Caller, Context, Denial, Denied, Reason, User, Users};
use crate::exec::CommandError;
use crate::exec::error::NO_AUTH;
use crate::session::Session;
use crate::spec::Flag;
use crate::spec::table::Row;
use crate::txn::queue::Queue;

impl Session {
    /// The client is this user from now on; whether it has shown that.
    pub fn become_user(&mut self, user: &Arc<User>, authenticated: bool, users: &Users) {
        self.user = Arc::clone(user);
        self.authenticated = authenticated;
        self.access = if !authenticated && !users.default_user().is_open() {
            Access::Nothing
        } else if user.is_unrestricted() {
            Access::Full
        } else {
            Access::Restricted
        };
    }

    /// Takes changed users. False if the client may not stay: its user is gone, or has lost channels that it hears.
    fn follow_users(&mut self, users: &Users) -> bool {
        let Some(user) = users.get(&self.user.name).filter(|user| user.id == self.user.id) else {
            self.become_user(users.default_user(), false, users);
            return false;
        };
        let is_cut = self.subscriptions.as_ref().is_some_and(|heard| user.revokes(&self.user, heard));
        self.become_user(user, self.authenticated, users);
        !is_cut
    }
}

impl Core {
    /// Takes the users as they are now, if they changed, and closes the clients that may not stay.
    #[inline]
    pub fn refresh_users(&mut self) {
        if self.users_version != self.shared.acl.version() {
            self.take_users(None);
        }
    }

    /// The client of `caller` has changed the users: takes them, and has the other cores look. Whether it may not stay itself.
    pub fn users_changed(&mut self, caller: ConnId) -> bool {
        self.shared.wake_all();
        self.take_users(Some(caller))
    }

    fn take_users(&mut self, caller: Option<ConnId>) -> bool {
        self.users_version = self.shared.acl.version();
        self.users = self.shared.acl.users();
        let users = &self.users;
        let sessions = self.sessions.iter_mut().flatten().filter(|session| !session.closing);
        let gone: Vec<ConnId> =
            sessions.filter_map(|session| (!session.follow_users(users)).then_some(session.conn)).collect();
        let mut is_caller_gone = false;
        for conn in gone {
            if caller == Some(conn) {
                is_caller_gone = true;
            } else {
                self.kill(conn);
            }
        }
        is_caller_gone
    }

    /// The users as this core knows them.
    pub fn users(&self) -> &Arc<Users> {
        &self.users
    }

    /// Why a client that may not do everything may not run this now.
    pub(super) fn refused_by_rules(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) -> Option<CommandError> {
        let flags = row.command.flags;
        let session = self.session(conn)?;
        if session.access == Access::Nothing {
            return (!flags.has(Flag::NoAuth)).then_some(NO_AUTH);
        }
        let in_transaction = session.in_transaction();
        if in_transaction && flags.has(Flag::NoMulti) {
            // It is refused for that.
            return None;
        }
        let denial = session.user.check(row, args).err()?;
        let context = if in_transaction { Context::Multi } else { Context::Toplevel };
        self.note_denial(conn, denial, context, row, args);
        Some(denial.error(row))
    }

    /// A command is about to run: answers an error if it would look at keys that its client may not look at.
    pub(super) fn fail_by_rules(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) -> Option<Flow> {
        let session = self.session(conn).filter(|session| session.access == Access::Restricted)?;
        let error = session.user.refuse_patterns(row, args)?;
        let began = self.last_micros;
        self.answer_now(conn, |_, reply| reply.error(error.as_bytes()));
        self.finished((conn, self.id), row, args, began, Some(&error));
        Some(Flow::Continue)
    }

    /// What is denied of the commands behind MULTI, by their numbers, to a client that may not do everything.
    pub fn denied_of(&mut self, conn: ConnId, queue: &Queue) -> Vec<(usize, CommandError)> {
        let Some(user) = self.restricted_user(conn) else { return Vec::new() };
        let all = (0..queue.len()).filter_map(|place| {
            let (row, args) = queue.at(place);
            Some((place, self.denied_in_exec(conn, &user, row, &args)?))
        });
        all.collect()
    }

    /// Why EXEC does not run a command for `user`.
    pub fn denied_in_exec(&mut self, conn: ConnId, user: &User, row: &Row, args: &Args<'_>) -> Option<CommandError> {
        let Err(denial) = user.check(row, args) else { return user.refuse_patterns(row, args) };
        self.note_denial(conn, denial, Context::Multi, row, args);
        Some(denial.error_in_exec())
    }

    /// The user of a client of this core, unless it may do everything.
    pub fn restricted_user(&mut self, conn: ConnId) -> Option<Arc<User>> {
        let session = self.session(conn).filter(|session| session.access != Access::Full)?;
        Some(Arc::clone(&session.user))
    }

    /// Who calls a script; nobody in particular if the client may do everything.
    pub fn caller_of_script(&mut self, conn: ConnId) -> Option<Arc<Caller>> {
        let user = self.restricted_user(conn)?;
        Some(Arc::new(Caller { user, client: self.client_line(conn, None) }))
    }

    fn note_denial(&mut self, conn: ConnId, denial: Denial, context: Context, row: &Row, args: &Args<'_>) {
        let client = self.client_line(conn, Some(args));
        let user = self.session(conn).map_or_else(Vec::new, |session| session.user.name.clone());
        self.note_denied(Denied { reason: denial.reason, context, object: denial.object(row, args), user, client });
    }

    /// A client of this core is not the user that it says it is; `command` is what it says so by.
    pub fn note_failed_authentication(&mut self, conn: ConnId, user: &[u8], args: &Args<'_>) {
        let Some(session) = self.session(conn) else { return };
        let in_transaction = session.in_transaction() || session.info.executes.is_some();
        let context = if in_transaction { Context::Multi } else { Context::Toplevel };
        let client = self.client_line(conn, Some(args));
        let object = args.at(0).to_vec();
        self.note_denied(Denied { reason: Reason::Auth, context, object, user: user.to_vec(), client });
    }

    /// Counts and logs what was denied.
    pub fn note_denied(&mut self, denied: Denied) {
        let kept = usize::try_from(self.shard.config.acllog_max_len).unwrap_or(usize::MAX);
        self.shared.acl.note(denied, self.clock.now(), kept);
    }
}
