//! A call of a script as a piece of work: what it claims, and on what its commands run.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use net::{Args, Reply, Resp};

use super::analysis::Touches;
use super::debugger::{END, Heard};
use super::engine::{NO_FUNCTION, script_named, script_of};
use super::flags::{self, ScriptFlags};
use super::registry::Registry;
use super::run::{self, Halt, Job, Session, Target};
use super::{Called, Host};
use crate::acl::{Caller, Denied};
use crate::commands::parse::parse_i64;
use crate::core::{Actor, Grounds, Ran, Scratch};
use crate::exec::work::{Needs, Outside, Progress, Work};
use crate::exec::{CommandError, Run};
use crate::migrate::Migration;
use crate::shared::Shared;
use crate::spec::table::Row;

const KEYS_NEGATIVE: CommandError = CommandError::new("ERR Number of keys can't be negative");
const KEYS_TOO_MANY: CommandError = CommandError::new("ERR Number of keys can't be greater than number of args");
const KEYS_BAD: CommandError = CommandError::new("ERR Bad number of keys provided");
const WRITES_BY_RO: CommandError =
    CommandError::new("ERR Can not execute a script with write flag using *_ro command.");
const SHORT_OF_MEMORY: CommandError =
    CommandError::new("OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'");
/// The analysis was wrong: the script is stopped from reading what others may be changing.
const UNDECLARED: &[u8] = b"ERR Internal error: the script touched a key that it was proven not to touch";

/// What a script is called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledBy {
    /// Its source.
    Source,
    /// Its SHA-1.
    Sha,
    /// The function's name.
    Function,
}

impl CalledBy {
    /// What the script that is called by `what` says of itself, if there is one.
    pub fn flags_of(self, registry: &Arc<Registry>, what: &[u8]) -> Option<ScriptFlags> {
        match self {
            CalledBy::Source => flags::of_script(what).ok().map(|(flags, _)| flags),
            CalledBy::Sha => script_named(registry, what).ok().map(|script| script.flags),
            CalledBy::Function => {
                let libraries = registry.libraries();
                let functions = &libraries.with_function(what)?.functions;
                functions.iter().find(|function| function.name == what).map(|function| function.flags)
            }
        }
    }
}

/// A call of a script.
pub struct ScriptWork {
    job: Job,
    needs: Needs,
    /// It has given way: its number, and in whose name its commands run.
    stopped: Option<(u64, Actor)>,
    /// For how long it ran before that, in microseconds.
    ran_micros: u64,
    /// The command that it has called and that waits for another server.
    migration: Option<Box<Migration>>,
    /// On what its commands run whose changes nobody is to see.
    scratch: Option<Box<Scratch>>,
}

impl ScriptWork {
    /// What `args` call; an error is the reply.
    pub fn new(shared: &Shared, args: &Args<'_>, by: CalledBy, read_only: bool) -> Result<ScriptWork, CommandError> {
        let registry = &shared.scripts;
        let what = args.at(1);
        let (target, flags, touches, keys) = match by {
            CalledBy::Function => {
                let libraries = registry.libraries();
                let library = libraries.with_function(what).ok_or(NO_FUNCTION)?;
                let place = library.place_of(what).ok_or(NO_FUNCTION)?;
                let flags = library.functions[place].flags;
                let keys = number_of_keys(args, Some(KEYS_BAD))?;
                (Target::Function(Arc::clone(library), place), flags, library.touches, keys)
            }
            CalledBy::Source => {
                let keys = number_of_keys(args, None)?;
                let script = script_of(registry, what)?;
                (Target::Script(Arc::clone(&script)), script.flags, script.touches, keys)
            }
            CalledBy::Sha => {
                let script = script_named(registry, what)?;
                let keys = number_of_keys(args, None)?;
                (Target::Script(Arc::clone(&script)), script.flags, script.touches, keys)
            }
        };
        let write_refusal = shared.write_refusal();
        let over_memory = shared.over_memory.load(Ordering::Relaxed);
        let writes_nothing = flags.has(ScriptFlags::NO_WRITES);
        let any_memory = writes_nothing || flags.has(ScriptFlags::ALLOW_OOM);
        if !flags.has(ScriptFlags::UNDECLARED) {
            if read_only && !writes_nothing {
                return Err(WRITES_BY_RO);
            }
            if over_memory && !any_memory {
                return Err(SHORT_OF_MEMORY);
            }
        }
        let needs = match touches {
            Touches::Declared => Needs::Keys,
            Touches::Anything => Needs::Everything,
        };
        let job = Job {
            target,
            args: args.to_owned(),
            keys,
            read_only: read_only || writes_nothing,
            short_of_memory: over_memory && !any_memory,
            write_refusal,
            debugged: None,
            caller: None,
        };
        Ok(ScriptWork { job, needs, stopped: None, ran_micros: 0, migration: None, scratch: None })
    }

    /// The same where everything is claimed.
    #[must_use]
    pub fn with_everything(self) -> ScriptWork {
        ScriptWork { needs: Needs::Everything, ..self }
    }

    /// The same for a client that may not do everything.
    #[must_use]
    pub fn called_by(mut self, caller: Option<Arc<Caller>>) -> ScriptWork {
        self.job.caller = caller;
        self
    }

    /// The same for a client that debugs the script: it keeps all others out, whatever its keys are.
    #[must_use]
    pub fn debugged(mut self, session: Session) -> ScriptWork {
        self.job.debugged = Some(session);
        self.with_everything()
    }

    /// For how long it has run before it gave way, in microseconds.
    pub fn ran_micros(&self) -> u64 {
        self.ran_micros
    }

    /// Runs the script where all it needs is claimed already, for a slice of time, and writes its reply behind what is in
    /// `reply` when it is over.
    pub fn run_on(&mut self, grounds: &mut Grounds<'_>, reply: &mut Vec<u8>) -> Progress {
        let caller = grounds.actor;
        let registry = Arc::clone(&grounds.core().shared.scripts);
        let begun = if let Some((number, actor)) = self.stopped.take() {
            grounds.actor = actor;
            grounds.migration = self.migration.take();
            Ok(Some(run::take_up(number)))
        } else {
            grounds.actor.is_script = true;
            if self.job.debugged.is_some_and(|session| session.discards) {
                self.scratch = Some(Box::new(Scratch::new(grounds)));
            }
            run::begin(&registry, &self.job, caller.resp)
        };
        let outcome = match begun {
            Ok(None) => {
                grounds.actor = caller;
                return Progress::Later(None);
            }
            Ok(Some(mut course)) => {
                let is_checked = self.needs == Needs::Keys && grounds.core().shared.shards() > 1;
                let mut host = OnGrounds { grounds, job: &self.job, is_checked, scratch: self.scratch.as_deref_mut() };
                let halt = course.drive(&registry, &self.job, &mut host);
                self.ran_micros += host.driven_micros();
                grounds.drop_shares();
                let progress = match halt {
                    Halt::Over => Progress::Done,
                    Halt::TimeUp(running) => Progress::Later(Some(running)),
                    Halt::Asks(asks) => Progress::Shares(asks),
                    Halt::Listens(running) => Progress::Listens(running),
                    Halt::Outside(exchange, running) => {
                        Progress::Outside(Outside { exchange, running: Some(running), rests_at_home: false })
                    }
                };
                if !matches!(progress, Progress::Done) {
                    self.migration = grounds.migration.take();
                    self.stopped = Some((run::put_aside(course), grounds.actor));
                    grounds.actor = caller;
                    return progress;
                }
                grounds.core().error_is_counted = course.error_is_counted();
                let start = reply.len();
                let outcome = course.end(&registry, &self.job, &mut Reply::new(reply, caller.resp));
                if outcome.is_err() {
                    reply.truncate(start);
                }
                outcome
            }
            Err(error) => {
                if self.job.debugged.is_some() {
                    grounds.say(END);
                }
                Err(error)
            }
        };
        grounds.actor = caller;
        if let Some(mut scratch) = self.scratch.take() {
            grounds.drop_scratch(&mut scratch);
        }
        if self.job.debugged.is_some() {
            // Its end is how the client knows that the session is over.
            grounds.close();
        }
        if let Err(error) = outcome {
            Reply::new(reply, caller.resp).error(error.as_bytes());
        }
        Progress::Done
    }
}

fn number_of_keys(args: &Args<'_>, no_number: Option<CommandError>) -> Result<usize, CommandError> {
    let keys = parse_i64(args.at(2)).map_err(|error| no_number.unwrap_or(error))?;
    if keys > (args.len() - 3) as i64 {
        return Err(KEYS_TOO_MANY);
    }
    usize::try_from(keys).map_err(|_| KEYS_NEGATIVE)
}

impl Work for ScriptWork {
    fn needs(&self) -> Needs {
        self.needs
    }

    fn visit_keys(&self, visit: &mut dyn FnMut(&[u8])) {
        self.job.args.as_args().from(3).take(self.job.keys).for_each(visit);
    }

    fn wants_home(&self) -> bool {
        false
    }

    fn talks(&self) -> bool {
        self.job.debugged.is_some()
    }

    fn bytes(&self) -> usize {
        size_of::<ScriptWork>() + self.job.args.heap_bytes()
    }

    fn run(&mut self, grounds: &mut Grounds<'_>, reply: &mut Vec<u8>) -> Progress {
        self.run_on(grounds, reply)
    }
}

/// A script's commands on the grounds of its call.
struct OnGrounds<'a, 'g> {
    grounds: &'a mut Grounds<'g>,
    job: &'a Job,
    /// Only the declared keys are claimed, and others may be in others' hands.
    is_checked: bool,
    /// Nobody is to see what the commands change.
    scratch: Option<&'a mut Scratch>,
}

impl OnGrounds<'_, '_> {
    /// Whether the command needs no more than what is claimed.
    fn is_within_claims(&self, row: &Row, args: &Args<'_>) -> bool {
        let run = row.run(args);
        if matches!(run, Run::AllShards { .. } | Run::Routed { .. } | Run::AllHops { .. } | Run::Everywhere { .. }) {
            return false;
        }
        let own = self.job.args.as_args();
        let mut all = true;
        row.command.visit_keys(args, |place| {
            all &= own.from(3).take(self.job.keys).any(|key| key == args.at(place));
        });
        all
    }
}

impl Host for OnGrounds<'_, '_> {
    fn call(&mut self, row: &'static Row, args: &Args<'_>, resp: Resp, out: &mut Vec<u8>) -> Called {
        if self.is_checked && !self.is_within_claims(row, args) {
            tracing::error!("a script called {} on a key that it was proven not to touch", row.full_name);
            debug_assert!(false, "the analysis of scripts is sound");
            Reply::new(out, resp).error(UNDECLARED);
            return Called::Replied;
        }
        self.grounds.actor.resp = resp;
        let ran = match &mut self.scratch {
            None => self.grounds.run(row, args, out),
            Some(scratch) => self.grounds.run_aside(scratch, row, args, out),
        };
        match ran {
            Ran::Replied => {
                self.grounds.show_of_script(row, args);
                Called::Replied
            }
            Ran::WantsShares(_) => Called::AsksCores,
            Ran::Outside(outside) => Called::AsksOutside(outside.exchange),
            Ran::Stopped(_) => unreachable!("a script calls no script"),
        }
    }

    fn refused(&mut self, row: Option<&'static Row>, _: &Args<'_>, error: &CommandError) {
        self.grounds.core().count_refusal(row.map(|row| row.id), error);
    }

    fn denied(&mut self, denied: Denied) {
        self.grounds.core().note_denied(denied);
    }

    fn is_time_up(&self) -> bool {
        self.grounds.is_time_up()
    }

    fn look_at_time(&mut self) -> bool {
        self.grounds.look_at_time()
    }

    fn driven_micros(&self) -> u64 {
        self.grounds.driven_micros()
    }

    fn say(&mut self, reply: &[u8]) {
        self.grounds.say(reply);
    }

    fn hear(&mut self) -> Heard {
        self.grounds.hear()
    }
}
