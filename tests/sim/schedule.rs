//! The world of one run: cores cut into stages, clients, the clock; and what can happen next.
//!
//! ```text
//!   core:  idle ─► collected ─► taken ─► draining… ─► running… ─► pushing ─► answering ─► ending ─► idle or asleep
//! ```
//!
//! Each arrow is a step, `…` several. Between any two steps anyone else may act. Within a core the order is that of the
//! production loop: it collects what clients sent, then reads clock and tail. A core that sleeps acts again only when
//! the mesh wakes it, a client sends, or its deadline comes, so a lost wake-up shows as a run that is stuck.

mod keeping;
mod network;
mod ticking;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use net::service::Endpoint;
use net::{ConnId, Flow, Resp, Service};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::clock::Clock;
use shard::config::Config;
use shard::config::types::choices::MaxmemoryPolicy;
use shard::config::types::events::Events;
use shard::core::Core;
use shard::exec::Ctx;
use shard::ids::{DbId, ShardId};
use shard::mesh::{Rules, Wake};
use shard::shared::Shared;
use storage::{Expiry, StringValue, UnixMillis};

use crate::choice::{Actor, Choice};
use crate::client::{Client, Link, Op};
use crate::disk::Disk;
use crate::plans::Heard;
use crate::program::{Bytes, Event, Program, START_MILLIS};
use crate::restart;

use network::Network;

/// More steps than any program needs: a run that gets here goes round in circles.
const STEPS_MAX: usize = 20_000;

/// One core in so many writes replies only when those behind them are there, in runs that have oddities.
const WITHHOLDING_ONE_IN: u32 = 4;

/// When nothing can happen but CLIENT PAUSE holds commands back, or clients wait, which is over in the millisecond behind a
/// second, the clock goes on by so many milliseconds.
const PATIENCE_MILLIS: i64 = 1001;

/// So many times.
const PATIENCE_MAX: u32 = 3;

/// With a log, one step in so many is looked at as the last one.
const CRASH_ONE_IN: u32 = 60;

/// And of those in which a client was sent something.
const CRASH_WHEN_SHOWN_ONE_IN: u32 = 3;

/// What ended a run before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Nothing can happen any more, or the same for ever, and somebody waits.
    Stuck(String),
    /// A client got bytes that answer nothing.
    Unasked(String),
    /// All are answered, but something is left over in a core.
    Unrest(String),
    /// After a crash something is gone that was shown, or there is what never was.
    Lost(String),
}

/// Where a core is in its tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Asleep,
    Collected,
    /// A broken rule: it has read the tail, and collects behind that.
    TakenFirst,
    Draining,
    Running,
    Pushing,
    Answering,
    Ending,
}

#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Place {
    core: Core,
    stage: Stage,
    bell: Arc<Bell>,
    deadline: i64,
    /// The locks that it will not get in this tick, one bit a shard.
    withheld: u64,
    put_offs: u32,
    idle_ticks: u32,
}

fn config_of(program: &Program, disk: Option<&Disk>) -> Config {
    let mut config = Config::default();
    config.databases = 1;
    if let (None, Some(disk)) = (program.log, disk) {
        disk.path().to_str().expect("the simulation's directories have plain names").clone_into(&mut config.dir.0);
    }
    // Else FLUSHALL asks for a snapshot, too.
    config.save.points.clear();
    config.maxmemory_policy = MaxmemoryPolicy::AllkeysRandom;
    if let (Some(fsync), Some(disk)) = (program.log, disk) {
        config = restart::logging(disk.path(), fsync);
        config.notify_keyspace_events = Events::KEYEVENT.with(Events::ALL);
    }
    config
}

/// One run of a program.
pub struct World<'a> {
    program: &'a Program,
    choice: &'a mut dyn Choice,
    shared: Arc<Shared>,
    rules: Rules,
    micros: Arc<AtomicI64>,
    places: Vec<Place>,
    clients: Vec<Client>,
    next_event: usize,
    step: usize,
    last: Option<Actor>,
    heard: Heard,
    disk: Option<Disk>,
    network: Network,
    /// Decides about crashes, so that they change nothing about the run.
    crashes: SmallRng,
    /// In this step a client was sent something.
    shows: bool,
    evicted: usize,
    patience: u32,
    times: Vec<i64>,
    /// What every request came to.
    pub history: Vec<Op>,
    /// What happened, if it is to be told.
    pub trace: Option<Vec<String>>,
}

impl<'a> World<'a> {
    /// The world at the beginning of `program`.
    pub fn new(program: &'a Program, rules: Rules, choice: &'a mut dyn Choice, trace: bool) -> World<'a> {
        let bells: Vec<Arc<Bell>> = (0..program.shards).map(|_| Arc::default()).collect();
        let wakers = bells.iter().map(|bell| Arc::clone(bell) as Arc<dyn Wake>).collect();
        let disk = (program.log.is_some() || program.saves).then(Disk::new);
        let shared = Arc::new(restart::share(config_of(program, disk.as_ref()), wakers, rules));
        if program.log.is_some() {
            restart::open_log(&shared, UnixMillis(START_MILLIS)).expect("a log begins in an empty directory");
        }
        let micros = Arc::new(AtomicI64::new(START_MILLIS * 1000));
        let place = |(id, bell): (usize, _)| {
            let clock = Clock::Manual(Arc::clone(&micros));
            let mut core = Core::new(ShardId(id as u16), Arc::clone(&shared), clock, 1);
            if program.gives_way {
                core.let_scripts_give_way();
            }
            // A client that is told late has fewer orders to be wrong about: mostly it is told at once.
            if !program.withholds && !choice.oddity(WITHHOLDING_ONE_IN) {
                core.write_at_once();
            }
            Place { core, stage: Stage::Idle, bell, deadline: 0, withheld: 0, put_offs: 0, idle_ticks: 0 }
        };
        let places: Vec<Place> = bells.into_iter().enumerate().map(place).collect();
        let crashes = if disk.is_some() { choice.pick(u32::MAX as usize) as u64 } else { 0 };
        let mut world = World {
            places,
            clients: program.clients.iter().cloned().map(Client::new).collect(),
            program,
            choice,
            shared,
            rules,
            micros,
            next_event: 0,
            step: 0,
            last: None,
            heard: Arc::new(Mutex::new(vec![Vec::new(); program.shards])),
            crashes: SmallRng::seed_from_u64(crashes),
            disk,
            network: Network::default(),
            shows: false,
            evicted: 0,
            patience: PATIENCE_MAX,
            times: vec![START_MILLIS],
            history: Vec::new(),
            trace: trace.then(Vec::new),
        };
        world.set_up();
        world
    }

    fn set_up(&mut self) {
        for first in &self.program.first {
            let owner = self.shared.slots.owner(&first.key);
            let shard = &mut self.places[owner.index()].core.shard;
            let expiry = first.expire_at.map_or(Expiry::Clear, |at| Expiry::At(UnixMillis(at)));
            let mut ctx = Ctx { shard, db: DbId(0), no_touch: true };
            ctx.set_string(first.key.as_slice(), StringValue::Bytes(&first.value), expiry);
        }
        let mut slots = vec![0; self.places.len()];
        for client in 0..self.clients.len() {
            let Client { script, .. } = &self.clients[client];
            if script.takes_slot_of.is_none() {
                let slot = slots[script.home];
                slots[script.home] += 1;
                self.open(client, ConnId { slot, generation: 1 });
            }
        }
    }

    fn open(&mut self, client: usize, conn: ConnId) {
        let home = self.clients[client].script.home;
        let flow = self.places[home].core.opened(conn, &Endpoint::Unix("simulated".to_string()), 0);
        assert_eq!(flow, Flow::Continue, "the simulation stays below maxclients");
        if self.clients[client].script.speaks_resp3() {
            self.places[home].core.session(conn).expect("it was opened just now").resp = Resp::V3;
        }
        self.clients[client].link = Link::Up(conn);
    }

    fn millis(&self) -> i64 {
        self.micros.load(Ordering::Relaxed) / 1000
    }

    fn now(&self) -> (usize, i64) {
        (self.step, self.millis())
    }

    fn tell(&mut self, text: impl FnOnce(&Self) -> String) {
        if let Some(mut trace) = self.trace.take() {
            trace.push(format!("{:4}  {}", self.step, text(self)));
            self.trace = Some(trace);
        }
    }

    /// Lets things happen until nothing can.
    pub fn run(&mut self) -> Result<(), Broken> {
        loop {
            let actors = self.actors();
            if actors.is_empty() {
                // Else time stands still: a wake-up that was lost must not be made good by a core's deadline.
                let holds_back = |place: &Place| place.core.holds_commands_back() || place.core.awaits_deadline();
                let paused = self.places.iter().any(holds_back) && !self.waiting().is_empty();
                if !paused || self.patience == 0 {
                    break;
                }
                self.patience -= 1;
                self.pass_time(PATIENCE_MILLIS);
                continue;
            }
            if self.step == STEPS_MAX {
                return Err(Broken::Stuck(format!("no end after {STEPS_MAX} steps")));
            }
            let running = self.last.and_then(|last| actors.iter().position(|actor| *actor == last));
            let actor = actors[self.choice.actor(&actors, running)];
            self.last = Some(actor);
            self.step += 1;
            self.shows = false;
            self.act(actor)?;
            let one_in = if self.shows { CRASH_WHEN_SHOWN_ONE_IN } else { CRASH_ONE_IN };
            if self.program.log.is_some() && self.crashes.random_ratio(1, one_in) {
                self.crash()?;
            }
        }
        self.check_rest()?;
        if self.program.saves {
            self.look_at_snapshot()?;
        }
        if self.program.log.is_some() { self.crash() } else { Ok(()) }
    }

    /// The clients that are not through.
    fn waiting(&self) -> Vec<usize> {
        (0..self.clients.len()).filter(|&client| !self.clients[client].is_done()).collect()
    }

    fn pass_time(&mut self, millis: i64) {
        self.micros.fetch_add(millis * 1000, Ordering::Relaxed);
        self.times.push(self.millis());
        self.tell(|_| format!("{millis} ms go by"));
    }

    fn actors(&self) -> Vec<Actor> {
        let cores = (0..self.places.len()).filter(|&core| self.can_act(core)).map(Actor::Core);
        let clients = self.clients.iter().enumerate();
        let clients = clients.filter(|(_, client)| self.can_send(client) || self.can_connect(client));
        let mut actors: Vec<Actor> = cores.chain(clients.map(|(client, _)| Actor::Client(client))).collect();
        if self.disk.as_ref().is_some_and(|disk| disk.pending() > 0) || self.keeper_has_work() {
            actors.push(Actor::Disk);
        }
        if self.network.pending() > 0 {
            actors.push(Actor::Network);
        }
        // Once there is something that may go, and while somebody is still to look.
        if self.evicted < self.program.evictions && !self.history.is_empty() && !actors.is_empty() {
            actors.extend((0..self.places.len()).map(Actor::Memory));
        }
        match self.program.events.get(self.next_event) {
            None => {}
            Some(Event::Close(client)) if !self.clients[*client].has_sent() => {}
            Some(_) => actors.push(Actor::Outside),
        }
        actors
    }

    fn can_send(&self, client: &Client) -> bool {
        let hears = |other: usize| client.next_group != client.script.hears_in || self.clients[other].is_done();
        client.can_send() && client.script.hears_from.is_none_or(hears)
    }

    fn can_connect(&self, client: &Client) -> bool {
        let gone = |other: usize| matches!(self.clients[other].link, Link::Gone(_));
        client.link == Link::Down && client.script.takes_slot_of.is_some_and(gone)
    }

    fn can_act(&self, core: usize) -> bool {
        let place = &self.places[core];
        let due = || place.bell.0.load(Ordering::Relaxed) || self.millis() >= place.deadline;
        place.stage != Stage::Asleep || due() || self.has_input(core)
    }

    fn has_input(&self, core: usize) -> bool {
        let at_home = self.clients.iter().filter(|client| client.script.home == core);
        let waits = |client: &Client| {
            let ready = !client.socket.is_empty() || (!client.input.is_empty() && !client.held);
            (matches!(client.link, Link::Up(_)) && ready) || matches!(client.link, Link::Closing(_))
        };
        at_home.into_iter().any(waits)
            || self.network.has_done(core)
            || self.disk.as_ref().is_some_and(|disk| disk.has_done(core))
    }

    fn act(&mut self, actor: Actor) -> Result<(), Broken> {
        match actor {
            Actor::Core(core) => return self.core_step(core),
            Actor::Client(client) => self.client_step(client),
            Actor::Disk => self.disk_step(),
            Actor::Network => self.network_step(),
            Actor::Memory(core) => self.evict(core),
            Actor::Outside => self.outside(),
        }
        Ok(())
    }

    fn client_step(&mut self, number: usize) {
        if let (Link::Down, Some(other)) = (self.clients[number].link, self.clients[number].script.takes_slot_of) {
            let Link::Gone(old) = self.clients[other].link else { unreachable!("it may connect now") };
            let conn = ConnId { slot: old.slot, generation: old.generation + 1 };
            self.open(number, conn);
            self.tell(|_| format!("client {number} connects, in slot {} again", conn.slot));
            return;
        }
        let now = self.now();
        let before = self.history.len();
        self.clients[number].send(number, now, &mut self.history);
        self.tell(|world| {
            let sent: Vec<String> = world.history[before..].iter().map(|op| op.request.to_string()).collect();
            format!("client {number} sends {}", sent.join("; "))
        });
    }

    fn outside(&mut self) {
        let event = self.program.events[self.next_event];
        self.next_event += 1;
        match event {
            Event::Advance(millis) => return self.pass_time(millis),
            Event::OverMemory(over) => self.shared.over_memory.store(over, Ordering::Relaxed),
            Event::Close(client) => {
                let Link::Up(conn) = self.clients[client].link else { unreachable!("it has sent something") };
                self.clients[client].link = Link::Closing(conn);
            }
        }
        self.tell(|_| format!("outside: {event:?}"));
    }

    /// Nothing can happen any more: everybody must be content, and nothing left over.
    fn check_rest(&self) -> Result<(), Broken> {
        let waiting = self.waiting();
        let left: Vec<String> = self.places.iter().flat_map(|place| place.core.leftovers()).collect();
        if !waiting.is_empty() {
            return Err(Broken::Stuck(format!("clients {waiting:?} wait for ever; {}", left.join("; "))));
        }
        if !left.is_empty() {
            return Err(Broken::Unrest(left.join("; ")));
        }
        Ok(())
    }

    /// What is at `keys` at the end.
    pub fn values(&mut self, keys: &[Bytes]) -> Vec<Option<Bytes>> {
        let now = UnixMillis(self.millis());
        let mut value = |key: &Bytes| {
            let owner = self.shared.slots.owner(key);
            restart::value_at(&mut self.places[owner.index()].core, key, now)
        };
        keys.iter().map(&mut value).collect()
    }

    /// What each core heard published, in order.
    pub fn heard(&self) -> Vec<Vec<u32>> {
        self.heard.lock().expect("one thread").clone()
    }

    /// What each client was told of channels, in order, but for what happened to keys.
    pub fn told(&self) -> Vec<Vec<crate::client::Heard>> {
        let published = |heard: &&crate::client::Heard| !heard.is_event();
        self.clients.iter().map(|client| client.heard.iter().filter(published).cloned().collect()).collect()
    }

    /// The frames that tell clients of changed keys.
    fn changes_told(&self) -> Vec<Bytes> {
        let heard = self.clients.iter().flat_map(|client| client.heard.iter().filter(|heard| heard.is_event()));
        let invalid = self.clients.iter().flat_map(|client| &client.invalid);
        heard.chain(invalid).map(|heard| heard.frame.clone()).collect()
    }

    /// What each client was told of keys that changed, in order.
    pub fn invalid(&self) -> Vec<Vec<crate::client::Heard>> {
        self.clients.iter().map(|client| client.invalid.clone()).collect()
    }

    /// Every time that the clock has shown.
    pub fn times(&self) -> Vec<i64> {
        self.times.clone()
    }
}
