//! Running a script: what it may do, the commands that it calls, and how it ends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use net::{Args, OwnedArgs, Reply, Resp};

use super::debugger::{Console, Heard, Shown};
use super::drive::{Fibre, Lane, Pause, Resume};
use super::engine;
use super::functions::Library;
use super::registry::{Registry, Script};
use super::running::Running;
use super::state::State;
use super::vm::{Call, Failure, Kind};
use super::{Called, Host};
use crate::acl::{Caller, Context, Denied};
use crate::commands::stream::asks_to_wait;
use crate::exec::error::OUT_OF_MEMORY;
use crate::exec::work::Asks;
use crate::exec::{CommandError, Outcome, Run};
use crate::ids::ShardId;
use crate::migrate::ExchangeId;
use crate::spec::table::Row;
use crate::spec::{CommandTable, Flag};

const UNKNOWN_COMMAND: CommandError = CommandError::new("ERR Unknown Redis command called from script");
const WRONG_ARITY: CommandError = CommandError::new("ERR Wrong number of args calling Redis command from script");
const NOT_ALLOWED: CommandError = CommandError::new("ERR This Redis command is not allowed from script");
const READ_ONLY: CommandError = CommandError::new("ERR Write commands are not allowed from read-only scripts.");

/// Of functions, too.
const KILLED: &str = "Script killed by user with SCRIPT KILL...";

/// A script that is to run.
pub struct Job {
    /// What runs.
    pub target: Target,
    /// The command: name, script, number of keys, keys, arguments.
    pub args: OwnedArgs,
    /// How many of the arguments are keys.
    pub keys: usize,
    /// It must not write.
    pub read_only: bool,
    /// It may not call what takes memory, unless it has begun to write.
    pub short_of_memory: bool,
    /// Nor what writes, since the last snapshot failed.
    pub write_refusal: Option<CommandError>,
    /// Its client debugs it.
    pub debugged: Option<Session>,
    /// Who calls it, if that may not do everything.
    pub caller: Option<Arc<Caller>>,
}

/// How a script is debugged.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// The client's core.
    pub home: ShardId,
    /// For so long the script may run without a stop.
    pub patience: Duration,
    /// Nobody is to see what it changes.
    pub discards: bool,
}

impl Job {
    /// The SHA-1 of the script, or the function's name.
    fn name(&self) -> &[u8] {
        match &self.target {
            Target::Script(script) => script.sha.as_bytes(),
            Target::Function(library, place) => &library.functions[*place].name,
        }
    }
}

/// What runs.
#[derive(Clone)]
pub enum Target {
    /// A script.
    Script(Arc<Script>),
    /// The function at this place of a library.
    Function(Arc<Library>, usize),
}

/// A script under way.
pub(super) struct Course {
    /// What stands on its state's stack, until it is over.
    fibre: Fibre,
    state: State,
    /// Others see it: it has given way once.
    running: Option<Arc<Running>>,
    wrote: bool,
    how: Resume,
    /// It waits for what it stopped for, which is to be looked at again: a command that asks every core, or its client.
    again: Option<Pause>,
    /// What it waits for is a dialogue with another server.
    is_outside: bool,
    /// Its client debugs it.
    console: Option<Rc<Console>>,
}

/// Why a script is not driven on for now.
pub(super) enum Halt {
    /// It is over.
    Over,
    /// Its time is.
    TimeUp(Arc<Running>),
    /// It calls a command that asks every core.
    Asks(Asks),
    /// It waits for its client, who debugs it.
    Listens(Arc<Running>),
    /// It calls a command that waits for another server.
    Outside(ExchangeId, Arc<Running>),
}

thread_local! {
    /// Scripts that have given way, by number. Whoever drives them may be sent to another core before they begin, and they
    /// cannot.
    static STOPPED: RefCell<HashMap<u64, Course>> = RefCell::default();
    static NEXT_NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// Begins to run a script, whose reply is to be of version `resp`. Nothing if too many are under way on this core.
pub(super) fn begin(registry: &Arc<Registry>, job: &Job, resp: Resp) -> Result<Option<Course>, CommandError> {
    let Some(lane) = Lane::take() else { return Ok(None) };
    let kind = match job.target {
        Target::Script(_) => Kind::Script,
        Target::Function(..) => Kind::Function,
    };
    let mut state = engine::with(registry, |engine| engine.take(kind));
    if let Err(error) = prepare(&mut state, job) {
        lane.leave();
        engine::with(registry, |engine| engine.give_back(state));
        return Err(error);
    }
    let vm = Rc::clone(&state.vm);
    vm.exchange().caller.replace(job.caller.clone());
    vm.begin(Some(lane));
    let console = job.debugged.map(|session| Rc::new(Console::new(job.args.as_args().at(1), session.patience)));
    if let Some(console) = &console {
        vm.debug(console);
    }
    let call = if kind == Kind::Script { Call::Eval } else { Call::Fcall };
    let fibre = Fibre::new(lane, move || vm.run_to_end(call, resp));
    Ok(Some(Course {
        fibre,
        state,
        running: None,
        wrote: false,
        how: Resume::Go,
        again: None,
        is_outside: false,
        console,
    }))
}

/// Compiles what is to run, if this state has not, and has it ready there with its keys and arguments.
fn prepare(state: &mut State, job: &Job) -> Result<(), CommandError> {
    let function = match &job.target {
        Target::Script(script) => state.script(script)?,
        Target::Function(library, place) => state.function(library, &library.functions[*place].name)?,
    };
    let is_ready = state.vm.prepare(function, &job.args.as_args(), job.keys);
    is_ready.then_some(()).ok_or(CommandError::new("OOM script arguments take more memory than there is"))
}

/// A script that has given way: it is to be driven on by the number that this returns.
pub(super) fn put_aside(course: Course) -> u64 {
    let number = NEXT_NUMBER.get();
    NEXT_NUMBER.set(number + 1);
    STOPPED.with(|stopped| stopped.borrow_mut().insert(number, course));
    number
}

/// The script that was put aside.
pub(super) fn take_up(number: u64) -> Course {
    STOPPED.with(|stopped| stopped.borrow_mut().remove(&number)).expect("what was put aside is taken up once, here")
}

impl Course {
    /// Drives the script on, until it is over or gives way.
    pub(super) fn drive(&mut self, registry: &Registry, job: &Job, host: &mut dyn Host) -> Halt {
        match self.console.clone() {
            None => self.drive_on(registry, job, host),
            Some(console) => {
                let halt = self.drive_on(registry, job, &mut Shown { host, console: Rc::clone(&console) });
                if matches!(halt, Halt::Over) {
                    host.say(&console.end());
                }
                halt
            }
        }
    }

    fn drive_on(&mut self, registry: &Registry, job: &Job, host: &mut dyn Host) -> Halt {
        let mut stopped_at = self.again.take();
        // What another server has taken is deleted first.
        let ends_dialogue = std::mem::take(&mut self.is_outside);
        if self.running.as_ref().is_some_and(|running| running.is_killed()) && !ends_dialogue {
            self.how = Resume::Kill(KILLED);
            stopped_at = None;
        }
        loop {
            let how = std::mem::replace(&mut self.how, Resume::Go);
            let Some(pause) = stopped_at.take().or_else(|| self.fibre.resume(how)) else { return Halt::Over };
            let is_time_up = match pause {
                Pause::Call => {
                    match self.call(registry, job, host) {
                        Ok(how) => self.how = how,
                        Err(asks) => return self.ask(asks, registry, job, host),
                    }
                    host.is_time_up()
                }
                Pause::Slice => host.look_at_time(),
                Pause::Listen => {
                    if !self.listen(host) {
                        return Halt::Listens(self.give_way(registry, job, host));
                    }
                    host.look_at_time()
                }
            };
            if is_time_up && self.how == Resume::Go {
                return Halt::TimeUp(self.give_way(registry, job, host));
            }
        }
    }

    /// Sends what the debugger has to say, and takes what its client has ordered. False if that has yet to come.
    fn listen(&mut self, host: &mut dyn Host) -> bool {
        let console = self.console.as_ref().expect("who has no session never listens");
        if let Some(answer) = console.take_answer() {
            host.say(&answer);
        }
        match host.hear() {
            Heard::Nothing => self.again = Some(Pause::Listen),
            Heard::Order(order) => console.order(order),
            Heard::Gone => {}
        }
        self.again.is_none()
    }

    /// The script stops until those have answered whom the command asks that it calls.
    fn ask(&mut self, asks: Called, registry: &Registry, job: &Job, host: &dyn Host) -> Halt {
        self.again = Some(Pause::Call);
        if let Called::AsksOutside(exchange) = asks {
            self.is_outside = true;
            return Halt::Outside(exchange, self.give_way(registry, job, host));
        }
        let args = self.state.vm.exchange().args.borrow().as_args().to_owned();
        let running = Some(self.give_way(registry, job, host));
        Halt::Asks(Asks { args, running })
    }

    /// From the first time on others see the script, and may have it end.
    fn give_way(&mut self, registry: &Registry, job: &Job, host: &dyn Host) -> Arc<Running> {
        let kind = self.state.vm.kind();
        let (wrote, home) = (self.wrote, job.debugged.map(|session| session.home));
        let running = self.running.get_or_insert_with(|| {
            let now = Instant::now();
            let since = now.checked_sub(Duration::from_micros(host.driven_micros())).unwrap_or(now);
            let running = Arc::new(Running::new(kind, job.name(), job.args.clone(), since, wrote).debugged_on(home));
            registry.add_running(&running);
            running
        });
        Arc::clone(running)
    }

    /// Whether what a script that is over has replied is an error of a command that it called, which counted then.
    pub(super) fn error_is_counted(&self) -> bool {
        self.state.vm.exchange().end_is_counted.get()
    }

    /// What a script that is over has replied.
    pub(super) fn end(self, registry: &Arc<Registry>, job: &Job, reply: &mut Reply<'_>) -> Outcome {
        let Course { state, running, console, .. } = self;
        if console.is_some() {
            state.vm.end_debugging();
        }
        if let Some(running) = running {
            registry.remove_running(&running);
        }
        state.vm.exchange().lane.set(None);
        state.vm.exchange().caller.replace(None);
        let ended = state.vm.take_end();
        let outcome = match ended {
            Ok(()) => {
                reply.raw(&state.vm.exchange().reply.borrow());
                Ok(())
            }
            Err(failure) => Err(error_of(&failure, job.name())),
        };
        engine::with(registry, |engine| engine.give_back(state));
        outcome
    }

    /// Runs the command that the script has asked for; or says whom it asks first.
    fn call(&mut self, registry: &Registry, job: &Job, host: &mut dyn Host) -> Result<Resume, Called> {
        let vm = Rc::clone(&self.state.vm);
        let exchange = vm.exchange();
        let args = exchange.args.borrow();
        let args = args.as_args();
        let mut out = exchange.reply.borrow_mut();
        let resp = exchange.resp.get();
        match self.judge(registry, job, &args, host) {
            Err((row, error)) => {
                host.refused(row, &args, &error);
                Reply::new(&mut out, resp).error(error.as_bytes());
            }
            Ok(row) => {
                if row.is_write() && !self.wrote {
                    self.wrote = true;
                    if self.running.as_ref().is_some_and(|running| !running.write()) {
                        return Ok(Resume::Kill(KILLED));
                    }
                }
                match refused_to_block(row, &args) {
                    Some(text) => {
                        Reply::new(&mut out, resp).error(&text);
                        if let Some(console) = &self.console {
                            console.show(&args, &out);
                        }
                    }
                    None => match host.call(row, &args, resp, &mut out) {
                        Called::Replied => {}
                        asks => return Err(asks),
                    },
                }
            }
        }
        Ok(Resume::Go)
    }

    /// Whether the script may call this. If not, the command comes with the error, unless there is none of that name.
    fn judge(
        &self,
        registry: &Registry,
        job: &Job,
        args: &Args<'_>,
        host: &mut dyn Host,
    ) -> Result<&'static Row, Refusal> {
        let known = self.state.vm.exchange().recent.borrow_mut().find(args.at(0));
        let found = known.map(|row| CommandTable::global().resolve_in(row, args));
        let Some(Ok(Some(row))) = found else { return Err((None, UNKNOWN_COMMAND)) };
        if !row.is_callable {
            return Err((None, UNKNOWN_COMMAND));
        }
        let objection = forbidden(registry, row, args)
            .or_else(|| denial(job, row, args, host))
            .or_else(|| self.restriction(job, row));
        objection.map_or(Ok(row), |error| Err((Some(row), error)))
    }

    /// Why this script may not call `row`, or not any more, or not now.
    fn restriction(&self, job: &Job, row: &Row) -> Option<CommandError> {
        let flags = row.command.flags;
        let writes = flags.has(Flag::Write);
        if job.read_only && (writes || flags.has(Flag::MayReplicate) || flags.has(Flag::HeldWithWrites)) {
            return Some(READ_ONLY);
        }
        if writes && !self.wrote && job.write_refusal.is_some() {
            return job.write_refusal.clone();
        }
        // A script that has begun to write is let finish.
        let takes_memory = flags.has(Flag::Denyoom) && job.short_of_memory && !self.wrote;
        takes_memory.then_some(OUT_OF_MEMORY)
    }
}

/// Why no script may call `row` with these arguments.
fn forbidden(registry: &Registry, row: &Row, args: &Args<'_>) -> Option<CommandError> {
    if !row.command.arity.admits(args.len()) || matches!(row.command.run, Run::Container) {
        return Some(WRONG_ARITY);
    }
    let is_denied = row.command.flags.has(Flag::Noscript) && !registry.denies_nothing();
    (is_denied || matches!(row.command.run, Run::Placed(_))).then_some(NOT_ALLOWED)
}

/// Why the user that calls the script may not call `row` with these arguments.
fn denial(job: &Job, row: &Row, args: &Args<'_>, host: &mut dyn Host) -> Option<CommandError> {
    let Caller { user, client } = job.caller.as_deref()?;
    let Err(denial) = user.check(row, args) else { return user.refuse_patterns(row, args) };
    host.denied(Denied {
        reason: denial.reason,
        context: Context::Lua,
        object: denial.object(row, args),
        user: user.name.clone(),
        client: client.clone(),
    });
    Some(denial.error_in_script())
}

/// A command that is refused, if it is one, and why.
type Refusal = (Option<&'static Row>, CommandError);

/// The commands that a script may call but for their option to wait say so.
fn refused_to_block(row: &Row, args: &Args<'_>) -> Option<Vec<u8>> {
    if !matches!(row.command.name, "xread" | "xreadgroup") {
        return None;
    }
    asks_to_wait(args).then(|| {
        let name = args.at(0);
        [b"ERR ", name, b" command is not allowed with BLOCK option from scripts"].concat()
    })
}

fn error_of(failure: &Failure, name: &[u8]) -> CommandError {
    let mut text = Vec::new();
    let message = failure.message.strip_prefix(b"-").unwrap_or(&failure.message);
    text.extend_from_slice(message);
    if let Some((source, line)) = &failure.place {
        text.extend_from_slice(b" script: ");
        text.extend_from_slice(name);
        text.extend_from_slice(b", on ");
        text.extend_from_slice(source);
        text.extend_from_slice(format!(":{line}.").as_bytes());
    }
    CommandError::bytes(text)
}
