//! The seam to the shards: how many there are, where they run, and how they begin and end.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use std::{fmt, io};

use net::Waker;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shard::acl::Users;
use shard::config::Config;
use shard::ids::ShardId;
use shard::mesh::{Mesh, Rules, Wake};
use shard::replay::{self, Opened};
use shard::runtime::{self, CoreSetup, LoopWaker};
use shard::shared::{Shared, SharedParts, Stop};
use shard::snapshot::{self, Conflict, Loading, Order};
use storage::UnixMillis;

use super::Refusal;
use super::apply::Process;
use crate::signal;
use crate::sys::Bell;

/// How many shards to run, and on which processors.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// For each shard the processor it stays on, if any.
    places: Vec<Option<usize>>,
    /// The processors that may be used.
    processors: Vec<usize>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |cores: &[usize]| cores.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let pinned: Vec<usize> = self.places.iter().copied().flatten().collect();
        let shards = self.shards();
        if pinned.is_empty() {
            write!(f, "Shards: {shards}, on any of the cores {}", list(&self.processors))
        } else {
            write!(f, "Shards: {shards}, each on its core: {}", list(&pinned))
        }
    }
}

impl Plan {
    /// What `shards`, `pin-shards` and `server_cpulist` come to on this machine.
    pub(super) fn new(config: &Config) -> Result<Self, Refusal> {
        let ids = core_affinity::get_core_ids().unwrap_or_default();
        let mut processors: Vec<usize> = ids.into_iter().map(|core| core.id).collect();
        if !config.server_cpulist.is_empty() {
            let listed = parse_cpu_list(&config.server_cpulist).ok_or_else(|| {
                format!("server_cpulist '{}' is not a list of processors. Exiting.", config.server_cpulist)
            })?;
            processors.retain(|processor| listed.contains(processor));
            if processors.is_empty() {
                return Err(format!(
                    "None of the processors of server_cpulist '{}' may be used. Exiting.",
                    config.server_cpulist
                ));
            }
        }
        let quota = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self::on(&processors, quota, config.shards as usize, config.pin_shards))
    }

    /// `wanted` shards (0: as many as can run at once) on these processors, of which `quota` may be used at a time.
    fn on(processors: &[usize], quota: usize, wanted: usize, pin: bool) -> Self {
        let usable = processors.len().min(quota).max(1);
        let shards = if wanted == 0 { usable } else { wanted };
        // Two shards on one processor would wait for each other while another processor may be idle.
        let pins = pin && shards <= processors.len();
        let place = |shard: usize| if pins { Some(processors[shard]) } else { None };
        Self { places: (0..shards).map(place).collect(), processors: processors.to_vec() }
    }

    /// Number of shards.
    pub(super) fn shards(&self) -> usize {
        self.places.len()
    }
}

/// Reads a list such as `0-3,8` or `0-6:2`.
fn parse_cpu_list(text: &str) -> Option<Vec<usize>> {
    let mut processors = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (range, step) =
            part.split_once(':').map_or(Some((part, 1)), |(range, step)| Some((range, step.parse().ok()?)))?;
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if step == 0 || last < first || last > 1 << 16 {
            return None;
        }
        processors.extend((first..=last).step_by(step));
    }
    Some(processors)
}

/// The running shards.
pub(super) struct Cores {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<io::Result<()>>>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
    progress: Arc<Progress>,
    bell: &'static Bell,
}

/// How many shards got how far.
#[derive(Default)]
struct Progress {
    ready: AtomicUsize,
    ended: AtomicUsize,
    failure: Mutex<Option<String>>,
}

/// Starts one thread per shard. The first shard accepts connections for all.
pub(super) fn start(
    plan: Plan,
    (config, users): (&Config, Users),
    process: Process,
    program: &OsStr,
    bell: &'static Bell,
) -> Result<Cores, Refusal> {
    let wakers: io::Result<Vec<Waker>> = plan.places.iter().map(|_| Waker::new()).collect();
    let wakers = wakers.map_err(|error| format!("Can't make an eventfd: {error}"))?;
    let shared = Arc::new(share(config, program, &wakers));
    shared.acl.replace(users);
    shared.snapshots.set_bell(Box::new(|| bell.ring()));
    // Before the cores turn: no client is to see an empty data set.
    begin_loading(&shared, config)?;
    let writer = {
        let shared = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("snapshots".to_owned());
        // Spawned from here, where no processor is pinned.
        thread.spawn(move || snapshot::run_writer(&shared))
    };
    let writer = writer.map_err(|error| format!("Can't start the thread that writes snapshots: {error}"))?;
    let keeper = {
        let shared = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log-keeper".to_owned());
        thread.spawn(move || shard::aof::run_keeper(&shared))
    };
    let keeper = keeper.map_err(|error| format!("Can't start the thread that looks after the log: {error}"))?;
    let progress = Arc::new(Progress::default());
    let mut listeners = Some(process.listeners.clone());
    let silenced = process.listeners.clone();
    shared.set_stop_listening(Box::new(move || silenced.silence()));
    shared.set_host(Box::new(move |effect, config| process.apply(effect, config)));
    let mut threads = Vec::new();
    let mut random = StdRng::from_os_rng();
    for (index, (cpu, waker)) in plan.places.into_iter().zip(wakers).enumerate() {
        let setup = CoreSetup {
            id: ShardId(index as u16),
            shared: Arc::clone(&shared),
            waker,
            listeners: listeners.take().unwrap_or_default(),
            cpu,
            seed: random.random(),
        };
        let thread = std::thread::Builder::new().name(format!("shard-{index}"));
        let progress = Arc::clone(&progress);
        let spawned = thread.spawn(move || run_shard(setup, &progress, bell));
        threads.push(spawned.map_err(|error| format!("Can't start the thread of shard {index}: {error}"))?);
    }
    let (threads, writer) = (Mutex::new(threads), Mutex::new(vec![writer, keeper]));
    Ok(Cores { shared, threads, writers: writer, progress, bell })
}

/// Has all cores load the data set, if there is one: the log, or the snapshot if no log is kept.
fn begin_loading(shared: &Shared, config: &Config) -> Result<(), Refusal> {
    if config.appendonly {
        let Opened { loading, start } = replay::open(config, shared.shards(), false, shared.started_at)?;
        if let Some(loading) = loading {
            shared.snapshots.begin_loading(Arc::new(loading));
        }
        shared.log.start(config, &start, shared.shards())?;
        assert!(shared.log_start.set(start).is_ok(), "a server starts once");
        return Ok(());
    }
    let path = config.dir.join(&config.dbfilename);
    let loading = Loading::open(&path, shared.shards(), config.rdbchecksum, Conflict::Fail, true, shared.started_at)?;
    if let Some(loading) = loading {
        shared.snapshots.begin_loading(Arc::new(loading));
    }
    Ok(())
}

/// The life of one shard's thread.
fn run_shard(setup: CoreSetup, progress: &Arc<Progress>, bell: &'static Bell) -> io::Result<()> {
    let starting = Arc::clone(progress);
    let result = runtime::run(setup, move || {
        starting.ready.fetch_add(1, Ordering::AcqRel);
        bell.ring();
    });
    if let Err(error) = &result {
        let mut failure = progress.failure.lock().expect("no thread panics while it holds the lock");
        failure.get_or_insert(error.to_string());
    }
    progress.ended.fetch_add(1, Ordering::AcqRel);
    bell.ring();
    result
}

/// What all shards share.
fn share(config: &Config, program: &OsStr, wakers: &[Waker]) -> Shared {
    let wakes = wakers.iter().map(|waker| Arc::new(LoopWaker(waker.clone())) as Arc<dyn Wake>).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let executable = std::env::current_exe().unwrap_or_else(|_| program.into());
    Shared::new(SharedParts {
        mesh: Mesh::new(wakes, Rules::default()),
        config: config.clone(),
        started_at: UnixMillis(now.as_millis() as i64),
        run_id: random_id(),
        replication_id: random_id(),
        config_file: config.file.clone(),
        executable: executable.to_string_lossy().into_owned(),
    })
}

/// 40 hexadecimal digits that nobody had before.
fn random_id() -> String {
    let mut random = StdRng::from_os_rng();
    (0..40).map(|_| char::from(b"0123456789abcdef"[random.random_range(0..16)])).collect()
}

impl Cores {
    /// Waits until every shard's loop runs.
    pub(super) fn wait_until_ready(&self) -> Result<(), Refusal> {
        let shards = self.shared.shards();
        while self.progress.ready.load(Ordering::Acquire) < shards {
            if self.progress.ended.load(Ordering::Acquire) > 0 {
                self.shared.request_stop(Stop::Orderly(1));
                let failure = self.progress.failure.lock().expect("no thread panics while it holds the lock").take();
                return Err(failure.unwrap_or_else(|| "A shard ended before it began. Exiting.".to_owned()));
            }
            self.bell.wait().map_err(|error| format!("Can't wait for the shards: {error}"))?;
        }
        Ok(())
    }

    /// Waits until the data set is loaded; false if somebody asks the server to end before.
    pub(super) fn wait_until_loaded(&self) -> Result<bool, Refusal> {
        let Some(loading) = self.shared.snapshots.loading() else { return Ok(true) };
        let began = Instant::now();
        while !loading.is_over() || (self.shared.snapshots.has_loading() && loading.failure().is_none()) {
            if self.shared.stop() != Stop::No {
                return Ok(false);
            }
            if let Some(request) = signal::take_request() {
                tracing::warn!("Received {} scheduling shutdown...", request.name());
                self.stop();
                return Ok(false);
            }
            self.bell.wait().map_err(|error| format!("Can't wait for the shards: {error}"))?;
        }
        if let Some(why) = loading.failure() {
            // What is wrong with a log is the last thing said, as in Redis.
            if loading.is_log() {
                return Err(why);
            }
            tracing::error!("{why}");
            return Err("Terminating server after rdb file reading failure.".to_owned());
        }
        let (from, seconds) =
            (if loading.is_log() { "append only file" } else { "disk" }, began.elapsed().as_secs_f64());
        tracing::info!("DB loaded from {from}: {seconds:.3} seconds");
        Ok(true)
    }

    /// Whether all shards ended.
    pub(super) fn have_ended(&self) -> bool {
        self.progress.ended.load(Ordering::Acquire) == self.shared.shards()
    }

    /// The configuration now.
    pub(super) fn config(&self) -> Arc<Config> {
        self.shared.config()
    }

    /// Asks the first shard to shut the server down, which a client may take back until it has begun.
    pub(super) fn order(&self, order: Order) {
        self.shared.snapshots.order(order);
        self.shared.wake_all();
    }

    /// How many shutdowns by signals have failed.
    pub(super) fn failed_shutdowns(&self) -> u64 {
        self.shared.snapshots.failed_shutdowns()
    }

    /// Asks the shards to end.
    pub(super) fn stop(&self) {
        self.shared.request_stop(Stop::Orderly(0));
    }

    /// Takes the threads in, and gives the exit status.
    pub(super) fn join(&self) -> u8 {
        let mut status = match self.shared.stop() {
            Stop::Orderly(status) => status as u8,
            Stop::No => 1,
        };
        let threads = std::mem::take(&mut *self.threads.lock().expect("no thread panics while it holds the lock"));
        for thread in threads {
            if let Ok(Err(error)) = thread.join() {
                tracing::warn!("A shard ended with an error: {error}");
                status = 1;
            }
        }
        self.shared.snapshots.close();
        self.shared.log.close();
        for writer in std::mem::take(&mut *self.writers.lock().expect("no thread panics while it holds the lock")) {
            // A panic there has ended the process.
            let _ = writer.join();
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::{Plan, parse_cpu_list};

    #[test]
    fn shards_are_as_many_as_can_run() {
        let places = |processors: &[usize], quota, wanted, pin| Plan::on(processors, quota, wanted, pin).places;
        assert_eq!(places(&[2, 5], 2, 0, true), [Some(2), Some(5)]);
        assert_eq!(places(&[0, 1, 2, 3], 1, 0, true), [Some(0)], "a container's share counts");
        assert_eq!(places(&[0, 1], 2, 1, true), [Some(0)]);
        assert_eq!(places(&[0, 1], 2, 3, true), [None, None, None], "more shards than processors are not pinned");
        assert_eq!(places(&[0, 1], 2, 0, false), [None, None]);
        assert_eq!(places(&[], 4, 0, true), [None], "an unknown machine");
    }

    #[test]
    fn lists_of_processors_are_read() {
        assert_eq!(parse_cpu_list("0-3,8"), Some(vec![0, 1, 2, 3, 8]));
        assert_eq!(parse_cpu_list("0-6:3, 9"), Some(vec![0, 3, 6, 9]));
        for wrong in ["", "a", "3-1", "0-4:0", "1,", "-1"] {
            assert_eq!(parse_cpu_list(wrong), None, "{wrong}");
        }
    }
}
