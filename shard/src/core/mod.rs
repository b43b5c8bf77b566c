//! One core, without its I/O.
//!
//! | file | what it does |
//! |---|---|
//! | `tick.rs` | the order of a tick; the [`net::Service`] that the loop drives |
//! | `access.rs` | what clients may do, by their users' rules |
//! | `route.rs` | from a client's command to where it runs: checks, in place, batches |
//! | `run.rs` | running commands on this core's shard, waiting for locks |
//! | `deliver.rs` | from answers to the client's output |
//! | `grounds.rs` | where commands of a transaction or a script run |
//! | `scratch.rs` | where they run if nobody is to see their changes |
//! | `transactions.rs` | what a client keeps for EXEC, and what it watches |
//! | `work.rs` | placing several commands that run as one |
//! | `logging.rs` | the append-only files: groups, and output that waits for them |
//! | `long.rs` | scripts that run for long, in slices |
//! | `debugging.rs` | clients that debug a script |
//! | `outside.rs` | dialogues with other servers |
//! | `busy.rs` | refusing those who would have to wait for such a script |
//! | `hops.rs` | plans: coordinating them, and holding parts of them |
//! | `prefetch.rs` | overlapping the cache misses of commands to come |
//! | `wait.rs` | clients that wait for keys |
//! | `publish.rs` | what is published, to subscribers on all cores |
//! | `subscribe.rs` | changes of subscriptions, and their point |
//! | `events.rs` | keyspace events |
//! | `tell.rs` | messages that no command asked for |
//! | `replaying.rs` | running the commands of an append-only file |
//! | `saving.rs` | snapshots and loads: the cut, slices of saving and loading, what follows |
//! | `evict.rs`, `evict_clients.rs` | `maxmemory` and `maxmemory-clients` |
//! | `cron.rs` | housekeeping: sweep, freeing, timeouts, limits |
//! | `track.rs` | telling clients that keys which they have read changed |
//! | `monitor.rs` | showing commands to clients that monitor |
//! | `simulation.rs` | finer steps and broken rules, for the simulation alone |

mod access;
mod busy;
mod cron;
mod debugging;
mod deliver;
mod events;
mod evict;
mod evict_clients;
mod grounds;
mod hops;
mod loading;
mod logging;
mod long;
mod monitor;
mod outside;
mod prefetch;
mod publish;
mod replaying;
mod route;
mod run;
mod saving;
mod scratch;
#[cfg(feature = "simulation")]
mod simulation;
mod subscribe;
mod tell;
mod tick;
mod track;
mod transactions;
mod underway;
mod wait;
mod work;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;
use net::service::Socket;
use net::{Args, ConnId, Flow};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use storage::UnixMillis;

use crate::acl::Users;
use crate::clock::Clock;
use crate::commands::connection::client::line_of;
use crate::config::Config;
use crate::exec::ShardState;
use crate::ids::{ClientId, ShardId};
use crate::limits::WITHHELD_MICROS_MAX;
use crate::mesh::{Batch, HopMessage, Locks, PlanId, ReplyBatch, Spare, Taken};
use crate::pubsub::{Change, SubscriberTable};
use crate::session::{Hold, Session};
use crate::shared::Shared;
use crate::spec::table::RecentCommands;
use crate::stats::{CoreStats, LatencyLog};
use crate::tracking::KeyTracking;
use crate::txn::queue::Queue;

use hops::{Held, PlanState};
use logging::Logging;
use long::LongRuns;
use outside::Dialogues;
use prefetch::Announced;
use publish::Publisher;
use run::{Deferred, Job};
use saving::Saves;

pub use busy::busy_error;
pub use cron::Rates;
pub use grounds::{Actor, Asked, Grounds, Ran};
pub use logging::NO_LOG;
pub use scratch::Scratch;
pub use subscribe::Settling;
pub use wait::{Blocked, Tries, Waits};
pub use work::Errand;

/// One core: a shard, the sessions whose home it is, and its ends of the mesh.
pub struct Core {
    /// Which one.
    pub id: ShardId,
    /// What all cores share.
    pub shared: Arc<Shared>,
    /// The keys.
    pub shard: ShardState,
    /// The clients, by the slot of their connection.
    sessions: Vec<Option<Session>>,
    /// Counts.
    pub stats: CoreStats,
    /// Operations and traffic per second, sampled.
    pub rates: Rates,
    /// Slow commands of this core's clients, newest first.
    pub slowlog: VecDeque<SlowEntry>,
    /// What held this core up, for LATENCY.
    pub latency: LatencyLog,
    /// `DEBUG PAUSE-CRON`: no housekeeping.
    pub cron_paused: bool,
    /// Places of secrets among the arguments of the command that runs, which the slow log does not show.
    redacted: Vec<usize>,
    clock: Clock,
    config_version: u64,
    /// Who may do what.
    users: Arc<Users>,
    users_version: u64,
    locks: Locks<Job>,
    held: HashMap<PlanId, Held>,
    plans: HashMap<u64, PlanState>,
    next_plan: u64,
    /// Hop messages of this core to itself.
    own_hops: VecDeque<HopMessage>,
    /// What this tick routed, per shard.
    batches: Vec<Batch>,
    /// Which push the batches belong to; sessions remember it.
    push_number: u64,
    /// What was routed and put off once already.
    put_off: bool,
    /// What commands to come will look for.
    announced: Announced,
    spare: Spare,
    taken: Taken,
    /// Answers to other cores' clients, per home core.
    answers: Vec<ReplyBatch>,
    spare_answers: Vec<ReplyBatch>,
    dirty: Vec<ConnId>,
    /// Connections that have nothing to be written but what was published: they are written behind all others.
    audience: Vec<ConnId>,
    /// When waits of this core's clients end: time, connection, reply.
    deadlines: BTreeSet<(UnixMillis, u32, u32, u32)>,
    /// Connections with output that is not written yet, for more of it is on its way, and since when, in the clock's
    /// microseconds: see [`Core::write_or_withhold`]. Those whose output has left since are passed over.
    withheld: VecDeque<(ConnId, u64)>,
    /// For how long at most, in microseconds.
    withheld_micros_max: u64,
    /// Who hears what is published, of this core's clients.
    pub subscribers: SubscriberTable,
    /// How the command that runs has changed its client's subscriptions.
    pub changes: Vec<Change>,
    publisher: Publisher,
    /// The client that runs the commands of a log, and whether the file of its commands is over.
    replay: Option<Box<Session>>,
    replay_ends: bool,
    /// Its part in the append-only files.
    log: Logging,
    /// Its part in snapshots and loads.
    saves: Saves,
    /// Rows of the commands that came last.
    recent: RecentCommands,
    /// The reply of a command that came through the own inbox.
    own_reply: Vec<u8>,
    /// The reply of work that runs here.
    work_reply: Vec<u8>,
    /// The error that the next command to be counted replies was counted already: that of a script's command.
    pub error_is_counted: bool,
    /// Room for the commands of a transaction, from one that is over.
    spare_queue: Queue,
    /// Work that has given way.
    long: LongRuns,
    /// Dialogues with other servers.
    dialogues: Dialogues,
    /// Commands for every core that look at keys, while the keys are away.
    deferred: Vec<Deferred>,
    /// Commands for every core that look at clients, until this tick's input was looked at.
    last_of_tick: Vec<Deferred>,
    resume: Vec<ConnId>,
    paused: Vec<ConnId>,
    /// Clients whose output is over the soft limit of their class.
    over_soft_limit: Vec<ConnId>,
    /// Candidates for eviction.
    evicting: evict::Evicting,
    /// Output on its way.
    underway: underway::Underway,
    /// `maxmemory-clients` is set, so clients are counted.
    counts_clients: bool,
    /// Clients that may take more or less than when they were counted.
    uncounted: Vec<ConnId>,
    /// Bytes of this core's clients that may be evicted, and of the largest of them.
    clients_bytes: usize,
    largest_client: usize,
    /// Clients of this core that monitor.
    monitoring: Vec<ConnId>,
    /// Some of the answers tell clients of changed keys.
    has_notices: bool,
    close_after_write: Vec<ConnId>,
    close_now: Vec<ConnId>,
    adopt: Vec<Socket>,
    /// The numbers of clients whose sockets are being adopted, by descriptor.
    adopted: HashMap<i32, ClientId>,
    /// The end of the last command, for the duration of the next.
    last_micros: u64,
    tick_began: u64,
    /// The time at which this tick's sockets had been collected.
    tick_time: UnixMillis,
    next_cron: UnixMillis,
    /// How many times in a row housekeeping found that nothing had been asked of this core.
    rests: u32,
    worked: bool,
    stopped: bool,
}

/// A command in the slow log.
#[derive(Clone, Debug)]
pub struct SlowEntry {
    /// Its number, higher than those of the commands logged before.
    pub id: u64,
    /// What ran, when, how long.
    pub at: UnixMillis,
    /// Microseconds.
    pub micros: u64,
    /// The arguments, shortened as Redis does.
    pub args: Vec<Vec<u8>>,
    /// The client's address.
    pub address: String,
    /// The client's name.
    pub name: Vec<u8>,
}

/// What a session's handler works with: the core, and the client's session on it.
pub struct SessionCtx<'a> {
    /// The core.
    pub core: &'a mut Core,
    /// The client's connection.
    pub conn: ConnId,
    /// What becomes of the connection.
    pub flow: Flow,
}

impl SessionCtx<'_> {
    /// The client's session.
    pub fn session(&mut self) -> &mut Session {
        let conn = self.conn;
        self.core.session(conn).expect("a handler runs while its client is there")
    }

    /// The configuration now, other cores' changes included.
    pub fn config(&self) -> Arc<Config> {
        self.core.shared.config()
    }

    /// The time.
    pub fn now(&self) -> UnixMillis {
        self.core.clock.now()
    }

    /// Argument `place` is a secret: the slow log does not show it.
    pub fn redact(&mut self, place: usize) {
        self.core.redacted.push(place);
    }
}

impl Core {
    /// Core `id` of the server that `shared` describes, with an empty keyspace. `seed` makes its randomness.
    pub fn new(id: ShardId, shared: Arc<Shared>, clock: Clock, seed: u64) -> Core {
        let shards = shared.shards();
        let now = clock.now();
        let mut core = Core {
            id,
            shard: empty_shard(id, &shared, now, seed),
            sessions: Vec::new(),
            stats: CoreStats::default(),
            rates: Rates::default(),
            slowlog: VecDeque::new(),
            latency: LatencyLog::default(),
            cron_paused: false,
            redacted: Vec::new(),
            config_version: shared.config_version(),
            users_version: shared.acl.version(),
            users: shared.acl.users(),
            locks: Locks::default(),
            held: HashMap::new(),
            plans: HashMap::new(),
            next_plan: 0,
            own_hops: VecDeque::new(),
            batches: Vec::new(),
            push_number: 1,
            put_off: false,
            announced: Announced::default(),
            spare: Spare::default(),
            taken: Taken::default(),
            answers: Vec::new(),
            spare_answers: Vec::new(),
            dirty: Vec::new(),
            audience: Vec::new(),
            deadlines: BTreeSet::new(),
            withheld: VecDeque::new(),
            withheld_micros_max: WITHHELD_MICROS_MAX,
            subscribers: SubscriberTable::new(id, Arc::clone(&shared.registry)),
            changes: Vec::new(),
            publisher: Publisher::default(),
            replay: None,
            replay_ends: false,
            log: Logging::default(),
            saves: Saves::default(),
            recent: RecentCommands::default(),
            own_reply: Vec::new(),
            work_reply: Vec::new(),
            error_is_counted: false,
            spare_queue: Queue::default(),
            long: LongRuns::default(),
            dialogues: Dialogues::default(),
            deferred: Vec::new(),
            last_of_tick: Vec::new(),
            resume: Vec::new(),
            paused: Vec::new(),
            over_soft_limit: Vec::new(),
            evicting: evict::Evicting::default(),
            underway: underway::Underway::default(),
            counts_clients: false,
            uncounted: Vec::new(),
            clients_bytes: 0,
            largest_client: 0,
            monitoring: Vec::new(),
            has_notices: false,
            close_after_write: Vec::new(),
            close_now: Vec::new(),
            adopt: Vec::new(),
            adopted: HashMap::new(),
            last_micros: clock.micros(),
            tick_began: 0,
            tick_time: now,
            next_cron: now,
            rests: 0,
            worked: false,
            stopped: false,
            shared,
            clock,
        };
        core.batches.resize_with(shards, || Batch::new(id));
        core.answers.resize_with(shards, ReplyBatch::default);
        if !core.shared.snapshots.has_loading() {
            core.begin_log();
        }
        core
    }

    /// The session of `conn`, unless it is gone.
    #[inline]
    pub fn session(&mut self, conn: ConnId) -> Option<&mut Session> {
        match self.sessions.get_mut(conn.slot as usize) {
            Some(session) => session.as_mut().filter(|session| session.conn == conn),
            None => self.replay.as_deref_mut().filter(|session| session.conn == conn),
        }
    }

    /// All sessions of this core.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().flatten()
    }

    /// A client as logs name it, by its line of CLIENT LIST; `args` is what it runs now. Empty if it is not there any more.
    pub(super) fn client_line(&mut self, conn: ConnId, args: Option<&Args<'_>>) -> String {
        let now = self.clock.now();
        self.session(conn).map_or_else(String::new, |session| line_of(session, now, args))
    }

    /// The connection of client `id`, if it lives here.
    pub fn connection_of(&self, id: ClientId) -> Option<ConnId> {
        self.sessions().find(|session| session.id == id).map(|session| session.conn)
    }

    /// The time of day.
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// Microseconds that only ever grow.
    pub fn micros(&self) -> u64 {
        self.clock.micros()
    }

    /// Closes the connection of another client of this core at once, its output discarded.
    pub fn kill(&mut self, conn: ConnId) {
        if let Some(session) = self.session(conn) {
            session.held = Some(Hold::Closing);
            self.withdraw(conn);
            self.close_now.push(conn);
        }
    }

    fn mark_dirty(&mut self, conn: ConnId) {
        if let Some(session) = self.session(conn)
            && !std::mem::replace(&mut session.dirty, true)
        {
            self.dirty.push(conn);
        }
    }
}

/// The data of shard `id`, without any keys.
fn empty_shard(id: ShardId, shared: &Shared, now: UnixMillis, seed: u64) -> ShardState {
    let rng = SmallRng::seed_from_u64(seed ^ (u64::from(id.0) << 32));
    let tracking = KeyTracking::new(Arc::clone(&shared.trackers));
    let (slots, registry) = (Arc::clone(&shared.slots), Arc::clone(&shared.registry));
    ShardState { tracking, ..ShardState::empty(id, now, rng, shared.config(), slots, registry) }
}
