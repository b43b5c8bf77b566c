//! EXEC: the commands behind MULTI as one piece of work.
//!
//! The claims of EXEC are those of its commands together, and the watched keys. Commands that are about no key, or about
//! all keys, or whose keys only the data tell, make it claim everything; so do those that ask every core, since a share is
//! given between two commands. On a server of one shard the latter are as good as any other.

use std::sync::Arc;

use net::{Args, ConnId, Reply};

use super::queue::{Queue, Watching};
use crate::acl::{Caller, User};
use crate::core::{Core, Grounds, Ran};
use crate::exec::work::{Needs, Outside, Progress, Work};
use crate::exec::{CommandError, Run};
use crate::migrate::Migration;
use crate::script::work::ScriptWork;
use crate::session::Executing;
use crate::spec::table::Row;
use crate::txn::Presence;

/// A transaction that runs.
pub struct Exec {
    queue: Queue,
    watching: Option<Watching>,
    /// The command that is next.
    next: usize,
    /// It has begun to run.
    has_begun: bool,
    /// The command that is next is this script, which has given way.
    script: Option<Box<ScriptWork>>,
    /// The command that is next has begun, and waits for another server.
    migration: Option<Box<Migration>>,
    needs: Needs,
    wants_home: bool,
    holds_client: bool,
    /// Whose commands they are, unless it may do everything.
    user: Option<Arc<User>>,
    /// What is denied to it, by the numbers of the commands, if that was judged beforehand.
    denied: Vec<(usize, CommandError)>,
    /// Something was denied: EXEC has failed, in part.
    was_denied: bool,
    /// A rule, which the simulation can break: watched keys are claimed.
    claims_watched: bool,
}

impl Exec {
    /// The work of these commands, unless one of these keys was changed. `user` is whose they are, unless it may do everything.
    pub fn new(queue: Queue, watching: Option<Watching>, claims_watched: bool, user: Option<Arc<User>>) -> Exec {
        let (mut needs, mut wants_home, mut holds_client) = (Needs::Keys, false, false);
        for (row, args) in queue.iter() {
            match row.run(&args) {
                // What its client publishes behind it comes behind what it publishes: the client is held.
                Run::Session(_) | Run::Subscribe(_) | Run::Publish(_) => wants_home = true,
                Run::Everywhere { .. } => (needs, wants_home) = (Needs::Everything, true),
                Run::AllShards { .. } | Run::Routed { .. } | Run::AllHops { .. } => needs = Needs::Everything,
                // Its arguments may name another database, but its key is claimed in all of them.
                Run::Shard(_) | Run::Split { .. } | Run::Keys(_) | Run::Hops { .. } => {}
                Run::Outside(_) => holds_client = true,
                // A script, whose text is looked at when it runs.
                Run::Placed(_) => needs = Needs::Everything,
                Run::Container | Run::Chosen(_) => {}
            }
        }
        let holds_client = holds_client || wants_home;
        Exec {
            queue,
            watching,
            next: 0,
            has_begun: false,
            script: None,
            migration: None,
            needs,
            wants_home,
            holds_client,
            user,
            denied: Vec::new(),
            was_denied: false,
            claims_watched,
        }
    }

    /// Judges at the client's core what its user may still do, since the work may run elsewhere. What works at that core is
    /// judged when it runs: commands there may change the user.
    pub fn judge(&mut self, core: &mut Core, conn: ConnId) {
        let is_spoilt = self.watching.as_ref().is_some_and(|watching| watching.watch.is_spoilt());
        if self.user.is_some() && !self.wants_home && !is_spoilt {
            self.denied = core.denied_of(conn, &self.queue);
        }
    }

    /// Why the next command is not run, if its user may not.
    fn denial(&self, grounds: &mut Grounds<'_>, row: &Row, args: &Args<'_>) -> Option<CommandError> {
        if !self.wants_home {
            return self.denied.iter().find(|(place, _)| *place == self.next).map(|(_, error)| error.clone());
        }
        let conn = grounds.actor.conn;
        let user = self.user_now(grounds)?;
        grounds.core().denied_in_exec(conn, &user, row, args)
    }

    /// Whose commands they are by now, unless it may do everything.
    fn user_now(&self, grounds: &mut Grounds<'_>) -> Option<Arc<User>> {
        let conn = grounds.actor.conn;
        if grounds.core().session(conn).is_some() { grounds.core().restricted_user(conn) } else { self.user.clone() }
    }

    /// Who calls the script that is the next command, if that may not do everything.
    fn caller(&self, grounds: &mut Grounds<'_>) -> Option<Arc<Caller>> {
        let conn = grounds.actor.conn;
        let user = self.user_now(grounds)?;
        let known = grounds.core().caller_of_script(conn);
        Some(known.unwrap_or_else(|| Arc::new(Caller { user, client: String::new() })))
    }

    /// Has its client show that the transaction runs, or does no longer, to the commands of it that ask.
    fn show(&self, grounds: &mut Grounds<'_>, runs: bool) {
        if !self.wants_home {
            return;
        }
        let (conn, commands) = (grounds.actor.conn, self.queue.len());
        let core = grounds.core();
        let executing = runs.then(|| Executing { commands, recorded: core.recorded_before_exec(conn) });
        if let Some(session) = core.session(conn) {
            session.info.executes = executing;
        }
    }

    /// Whether a watched key was changed, or its time is past by now. All of them are claimed, so this does not change any
    /// more. The client watches no longer.
    fn is_spoilt(&mut self, grounds: &mut Grounds<'_>) -> bool {
        let Some(Watching { watch, keys }) = self.watching.take() else { return false };
        let mut spoilt = watch.is_spoilt();
        for (db, key) in &keys {
            spoilt |= grounds.shard_of(key).presence(*db, key) == Presence::Past && !watch.was_past(*db, key);
        }
        grounds.core().unwatch(&Watching { watch, keys });
        spoilt
    }
}

impl Work for Exec {
    fn needs(&self) -> Needs {
        self.needs
    }

    fn visit_keys(&self, visit: &mut dyn FnMut(&[u8])) {
        for (row, args) in self.queue.iter() {
            row.command.visit_keys(&args, |place| visit(args.at(place)));
        }
        let watching = self.watching.iter().filter(|_| self.claims_watched);
        for (_, key) in watching.flat_map(|watching| &watching.keys) {
            visit(key);
        }
    }

    fn wants_home(&self) -> bool {
        self.wants_home
    }

    fn holds_client(&self) -> bool {
        self.holds_client
    }

    fn bytes(&self) -> usize {
        self.queue.heap_bytes().min(u32::MAX as usize)
    }

    fn run(&mut self, grounds: &mut Grounds<'_>, reply: &mut Vec<u8>) -> Progress {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.show(grounds, true);
            if self.is_spoilt(grounds) {
                Reply::new(reply, grounds.actor.resp).null_array();
                self.show(grounds, false);
                return Progress::Done;
            }
            Reply::new(reply, grounds.actor.resp).array(self.queue.len());
        }
        while self.next < self.queue.len() {
            let (row, args) = self.queue.at(self.next);
            let is_new = self.script.is_none() && self.migration.is_none() && !grounds.has_shares();
            if is_new && let Some(error) = self.denial(grounds, row, &args) {
                Reply::new(reply, grounds.actor.resp).error(error.as_bytes());
                grounds.core().stats.error(error.code());
                self.was_denied = true;
                self.next += 1;
                continue;
            }
            if is_new && matches!(row.command.run, Run::Placed(_)) {
                grounds.caller = self.caller(grounds);
            }
            (grounds.script, grounds.migration) = (self.script.take(), self.migration.take());
            match grounds.run(row, &args, reply) {
                Ran::Replied => {}
                Ran::WantsShares(asks) => {
                    self.script = grounds.script.take();
                    return Progress::Shares(asks);
                }
                Ran::Stopped(running) => {
                    self.script = grounds.script.take();
                    return Progress::Later(running);
                }
                Ran::Outside(outside) => {
                    (self.script, self.migration) = (grounds.script.take(), grounds.migration.take());
                    return Progress::Outside(Outside { rests_at_home: false, ..outside });
                }
            }
            self.next += 1;
        }
        self.show(grounds, false);
        if self.was_denied {
            grounds.core().count_failure("exec");
        }
        grounds.core().give_back_queue(std::mem::take(&mut self.queue));
        Progress::Done
    }
}
