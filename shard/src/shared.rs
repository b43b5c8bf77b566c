//! What all cores of one server share: the configuration, the mesh, and a few numbers.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use storage::UnixMillis;

use crate::acl;
use crate::budget::Budget;
use crate::config::{Config, Effect};
use crate::exec::CommandError;
use crate::exec::error::MISCONF;
use crate::ids::{ClientId, ShardId};
use crate::limits::PACKED_THRESHOLD_DEFAULT;
use crate::mesh::Mesh;
use crate::monitor::Monitors;
use crate::pubsub::Registry;
use crate::session::places::Places;
use crate::slot::SlotMap;
use crate::snapshot::Hub;
use crate::tracking;

/// Which commands `CLIENT PAUSE` holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Until when.
    pub until: UnixMillis,
    /// All commands, or only those that may write.
    pub all: bool,
}

/// What the server was asked to end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It goes on.
    No,
    /// In order, with this exit status.
    Orderly(i32),
}

/// Puts an effect of a new configuration into force on the process, which belongs to whoever started the cores; or says
/// why it cannot be. The server's own configuration is locked meanwhile and must not be asked for.
pub type Host = Box<dyn Fn(Effect, &Config) -> Result<(), String> + Send + Sync>;

/// What all cores share.
pub struct Shared {
    /// Inboxes and answers.
    pub mesh: Mesh,
    /// Scripts and libraries of functions.
    pub scripts: Arc<crate::script::Registry>,
    /// Which shard owns which slot.
    pub slots: Arc<SlotMap>,
    /// Where each client is.
    pub places: Places,
    /// Who tracks keys.
    pub trackers: Arc<tracking::Registry>,
    /// Dialogues with other servers.
    pub dialogues: crate::migrate::Dialogues,
    /// Who may do what.
    pub acl: acl::Registry,
    /// Who monitors.
    pub monitors: Monitors,
    /// Which cores have subscribers of what.
    pub registry: Arc<Registry>,
    config: RwLock<Arc<Config>>,
    config_version: AtomicU64,
    next_client: AtomicU64,
    next_core: AtomicUsize,
    next_slow: AtomicU64,
    host: OnceLock<Host>,
    stop_listening: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// Open connections of all cores.
    pub clients: AtomicUsize,
    /// The most that were open at once, and those refused.
    pub refused_clients: AtomicU64,
    pause: Mutex<Option<Pause>>,
    paused: AtomicBool,
    /// Memory in use, and `maxmemory`.
    pub budget: Budget,
    /// Memory is over `maxmemory` and nothing may be evicted: judged before a command is pushed.
    pub over_memory: AtomicBool,
    stop: Mutex<Stop>,
    stopping: AtomicBool,
    /// When the server started.
    pub started_at: UnixMillis,
    /// 40 hexadecimal digits that name this run of the server.
    pub run_id: String,
    /// The replication ID (`DEBUG CHANGE-REPL-ID`).
    pub replication_id: Mutex<String>,
    /// Snapshots and loads.
    pub snapshots: Hub,
    /// The append-only files.
    pub log: crate::aof::Log,
    /// Where writing the append-only files begins: known when they are about to be loaded.
    pub log_start: OnceLock<crate::replay::LogStart>,
    /// When the data set was last saved, in seconds since 1970.
    pub last_save_seconds: AtomicI64,
    /// The most memory that was seen in use, in bytes.
    pub peak_memory: AtomicUsize,
    /// `DEBUG QUICKLIST-PACKED-THRESHOLD`: an element of a list of so many bytes stands alone.
    pub packed_threshold_bytes: AtomicU64,
    /// The memory that was in use when the server had started, in bytes.
    pub startup_memory: AtomicUsize,
    /// Where the configuration file is, for CONFIG REWRITE.
    pub config_file: Option<std::path::PathBuf>,
    /// The program, for INFO.
    pub executable: String,
}

/// What [`Shared::new`] needs.
pub struct SharedParts {
    /// The mesh.
    pub mesh: Mesh,
    /// The configuration to begin with.
    pub config: Config,
    /// The time.
    pub started_at: UnixMillis,
    /// 40 hexadecimal digits.
    pub run_id: String,
    /// 40 hexadecimal digits.
    pub replication_id: String,
    /// The configuration file.
    pub config_file: Option<std::path::PathBuf>,
    /// The program.
    pub executable: String,
}

impl Shared {
    /// What the cores of a new server share.
    pub fn new(parts: SharedParts) -> Shared {
        let budget = Budget::new(parts.mesh.len());
        budget.set_limit(parts.config.maxmemory_bytes());
        budget.set_eligible(parts.config.maxmemory_policy.into());
        Shared {
            slots: Arc::new(SlotMap::new(parts.mesh.len())),
            places: Places::default(),
            trackers: Arc::default(),
            dialogues: crate::migrate::Dialogues::default(),
            acl: acl::Registry::new(acl::Users::new(&parts.config.requirepass)),
            monitors: Monitors::new(parts.mesh.len()),
            snapshots: Hub::new(parts.mesh.len()),
            log: crate::aof::Log::new(parts.mesh.len()),
            mesh: parts.mesh,
            scripts: Arc::new(crate::script::Registry::new(parts.config.lua_enable_deprecated_api)),
            registry: Arc::default(),
            config: RwLock::new(Arc::new(parts.config)),
            config_version: AtomicU64::new(0),
            next_client: AtomicU64::new(1),
            next_core: AtomicUsize::new(0),
            next_slow: AtomicU64::new(0),
            host: OnceLock::new(),
            stop_listening: OnceLock::new(),
            clients: AtomicUsize::new(0),
            refused_clients: AtomicU64::new(0),
            pause: Mutex::new(None),
            paused: AtomicBool::new(false),
            budget,
            over_memory: AtomicBool::new(false),
            stop: Mutex::new(Stop::No),
            stopping: AtomicBool::new(false),
            started_at: parts.started_at,
            run_id: parts.run_id,
            replication_id: Mutex::new(parts.replication_id),
            log_start: OnceLock::new(),
            last_save_seconds: AtomicI64::new(parts.started_at.0 / 1000),
            peak_memory: AtomicUsize::new(0),
            startup_memory: AtomicUsize::new(0),
            packed_threshold_bytes: AtomicU64::new(PACKED_THRESHOLD_DEFAULT),
            config_file: parts.config_file,
            executable: parts.executable,
        }
    }

    /// Number of shards.
    pub fn shards(&self) -> usize {
        self.mesh.len()
    }

    /// The configuration now.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().expect("no one panics while replacing the configuration"))
    }

    /// Changes the configuration under its lock, so that two changes at once are one after the other. `change` gets a
    /// copy; an error leaves everything as it was.
    pub fn change_config<T, E>(&self, change: impl FnOnce(&mut Config) -> Result<T, E>) -> Result<T, E> {
        let mut current = self.config.write().expect("no one panics while replacing the configuration");
        let mut next = (**current).clone();
        let result = change(&mut next)?;
        *current = Arc::new(next);
        self.config_version.fetch_add(1, Ordering::Release);
        Ok(result)
    }

    /// Says who looks after the process. Once, before the cores run.
    pub fn set_host(&self, host: Host) {
        assert!(self.host.set(host).is_ok(), "a server has one host");
    }

    /// Has the host put `effect` of `config` into force. Without one (in tests) there is no process to change.
    pub fn tell_host(&self, effect: Effect, config: &Config) -> Result<(), String> {
        self.host.get().map_or(Ok(()), |host| host(effect, config))
    }

    /// Judges once for all cores whether commands that take memory are refused: what counts is over the limit,
    /// and no core has a key that may go. Returns the bytes that count.
    pub fn judge_memory(&self) -> i64 {
        let budget = &self.budget;
        loop {
            let (counted, eligible) = (budget.counted(), budget.eligible());
            let refuses = budget.is_over(counted) && budget.evictable(eligible) == 0;
            if self.over_memory.load(Ordering::Relaxed) != refuses {
                self.over_memory.store(refuses, Ordering::SeqCst);
            }
            // Whoever has judged by a policy of before does not have the last word.
            if budget.eligible() == eligible {
                return counted;
            }
        }
    }

    /// Why commands that write are refused, if the disk has refused what was to be saved.
    pub fn write_refusal(&self) -> Option<CommandError> {
        if !self.snapshots.restricts() {
            return None;
        }
        self.snapshots.refuses_writes(&self.config()).then_some(MISCONF).or_else(|| self.log.refusal())
    }

    /// Whether the append-only files are being made anew. One that is about to begin counts, unless it waits for a BGSAVE:
    /// what else it may wait for is over in Redis before whoever asked for it is answered.
    pub fn is_rewriting(&self) -> bool {
        self.log.is_rewriting() || (self.log.is_rewrite_wanted() && !self.snapshots.is_saving_in_background())
    }

    /// Changes with every change of the configuration.
    #[inline]
    pub fn config_version(&self) -> u64 {
        self.config_version.load(Ordering::Acquire)
    }

    /// The next client's number.
    pub fn next_client(&self) -> ClientId {
        ClientId(self.next_client.fetch_add(1, Ordering::Relaxed))
    }

    /// The next slow command's number: one count for all cores.
    pub fn next_slow(&self) -> u64 {
        self.next_slow.fetch_add(1, Ordering::Relaxed)
    }

    /// The core for the next connection: each in turn.
    pub fn next_core(&self) -> ShardId {
        ShardId((self.next_core.fetch_add(1, Ordering::Relaxed) % self.shards()) as u16)
    }

    /// Whether some commands are to be held back: the quick look.
    #[inline]
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// What is held back at `now`.
    pub fn pause(&self, now: UnixMillis) -> Option<Pause> {
        let mut pause = self.pause.lock().expect("no one panics while setting a pause");
        if pause.is_some_and(|pause| pause.until.0 <= now.0) {
            *pause = None;
            self.paused.store(false, Ordering::Relaxed);
        }
        *pause
    }

    /// Holds commands back, at least for as long and as many as they already are.
    pub fn extend_pause(&self, now: UnixMillis, pause: Pause) {
        let current = self.pause(now);
        let both = current
            .map_or(pause, |current| Pause { until: current.until.max(pause.until), all: current.all || pause.all });
        self.set_pause(Some(both));
    }

    /// Holds commands back, or lets them go.
    pub fn set_pause(&self, pause: Option<Pause>) {
        *self.pause.lock().expect("no one panics while setting a pause") = pause;
        self.paused.store(pause.is_some(), Ordering::Relaxed);
        self.wake_all();
    }

    /// Makes every core turn once.
    pub fn wake_all(&self) {
        for shard in 0..self.shards() {
            self.mesh.wake(ShardId(shard as u16));
        }
    }

    /// `stop_listening` is called when the cores are asked to end.
    pub fn set_stop_listening(&self, stop_listening: Box<dyn Fn() + Send + Sync>) {
        assert!(self.stop_listening.set(stop_listening).is_ok(), "a server stops listening in one way");
    }

    /// Asks all cores to end, and wakes them. Nobody can connect any more: whose connection ends by this finds no server.
    pub fn request_stop(&self, stop: Stop) {
        if let Some(stop_listening) = self.stop_listening.get().filter(|_| stop != Stop::No) {
            stop_listening();
        }
        *self.stop.lock().expect("no one panics while asking to stop") = stop;
        self.stopping.store(stop != Stop::No, Ordering::Release);
        self.wake_all();
    }

    /// What was asked for.
    pub fn stop(&self) -> Stop {
        if !self.stopping.load(Ordering::Acquire) {
            return Stop::No;
        }
        *self.stop.lock().expect("no one panics while asking to stop")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::mesh::Rules;

    /// What the one core of a server would share.
    pub(crate) fn shared() -> Shared {
        Shared::new(SharedParts {
            mesh: Mesh::new(vec![Arc::new(Asleep)], Rules::default()),
            config: Config::default(),
            started_at: UnixMillis(0),
            run_id: "0".repeat(40),
            replication_id: "0".repeat(40),
            config_file: None,
            executable: String::new(),
        })
    }

    struct Asleep;

    impl crate::mesh::Wake for Asleep {
        fn wake(&self) {}
    }

    #[test]
    fn what_may_go_is_judged_by_the_policy_that_counts_for_all_cores() {
        use crate::budget::{Eligible, Told};
        let shared = shared();
        shared.budget.set_limit(100);
        shared.budget.tell(crate::ids::ShardId(0), Told { bytes: 200, keys: 1, ..Told::default() });
        let refuses = |eligible| {
            shared.budget.set_eligible(eligible);
            assert_eq!(shared.judge_memory(), 200);
            shared.over_memory.load(Ordering::Relaxed)
        };
        assert_eq!([Eligible::Nothing, Eligible::All, Eligible::Volatile].map(refuses), [true, false, true]);
    }

    #[test]
    fn a_pause_is_only_ever_made_longer_and_wider() {
        let shared = shared();
        let pause = |until, all| Pause { until: UnixMillis(until), all };
        shared.extend_pause(UnixMillis(0), pause(100, false));
        shared.extend_pause(UnixMillis(10), pause(50, true));
        assert_eq!(shared.pause(UnixMillis(20)), Some(pause(100, true)));
        shared.extend_pause(UnixMillis(200), pause(300, false));
        assert_eq!(shared.pause(UnixMillis(201)), Some(pause(300, false)), "the first one was over");
        shared.set_pause(None);
        assert!(!shared.is_paused());
    }
}
