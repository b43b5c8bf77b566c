//! Another server begins with the files that one has left: the production code reads them, on its own cores.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use net::Service;
use net::service::Actions;
use shard::aof::keep_waiting;
use shard::clock::Clock;
use shard::config::Config;
use shard::config::types::choices::AppendFsync;
use shard::core::Core;
use shard::exec::Ctx;
use shard::ids::{DbId, ShardId};
use shard::mesh::{Mesh, Rules, Wake};
use shard::replay::{self, Opened};
use shard::shared::{Shared, SharedParts};
use shard::snapshot::{Conflict, Loading};
use storage::types::hyperloglog;
use storage::types::list::{End, IntBuf};
use storage::{UnixMillis, Value};

use crate::program::{Bytes, START_MILLIS};

/// A sketch of a few letters is far from this.
const SPARSE_BYTES_MAX: usize = 3000;

/// More ticks than it takes to load what a program has written.
const TICKS_MAX: usize = 1000;

/// So many of them the first core is ahead of the others.
const TICKS_AHEAD: usize = 3;

struct NoBell;

impl Wake for NoBell {
    fn wake(&self) {}
}

/// The configuration of a server with its append-only files in `directory`.
pub fn logging(directory: &Path, fsync: AppendFsync) -> Config {
    let mut config = Config::default();
    config.databases = 1;
    config.appendonly = true;
    config.appendfsync = fsync;
    directory.to_str().expect("the simulation's directories have plain names").clone_into(&mut config.dir.0);
    config
}

/// What all cores of a server share.
pub fn share(config: Config, wakers: Vec<Arc<dyn Wake>>, rules: Rules) -> Shared {
    Shared::new(SharedParts {
        mesh: Mesh::new(wakers, rules),
        config,
        started_at: UnixMillis(START_MILLIS),
        run_id: "0".repeat(40),
        replication_id: "0".repeat(40),
        config_file: None,
        executable: String::new(),
    })
}

/// Finds the log and begins it, as a server does before its cores turn. An error is what the server would say.
pub fn open_log(shared: &Shared, now: UnixMillis) -> Result<(), String> {
    let config = shared.config();
    let Opened { loading, start } = replay::open(&config, shared.shards(), false, now)?;
    if let Some(loading) = loading {
        shared.snapshots.begin_loading(Arc::new(loading));
    }
    shared.log.start(&config, &start, shared.shards())
}

/// What a server on so many cores has at `keys` when it has loaded the files in `directory`.
pub fn recovered(directory: &Path, shards: usize, millis: i64, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, String> {
    let wakers = (0..shards).map(|_| Arc::new(NoBell) as Arc<dyn Wake>).collect();
    let shared = Arc::new(share(logging(directory, AppendFsync::Everysec), wakers, Rules::default()));
    open_log(&shared, UnixMillis(millis))?;
    load(&shared, millis, keys)
}

/// A server on so many cores begins to load the files in `directory`, and is killed after some ticks.
pub fn interrupted(directory: &Path, shards: usize, millis: i64, ticks: usize) -> Result<(), String> {
    let wakers = (0..shards).map(|_| Arc::new(NoBell) as Arc<dyn Wake>).collect();
    let shared = Arc::new(share(logging(directory, AppendFsync::Everysec), wakers, Rules::default()));
    open_log(&shared, UnixMillis(millis))?;
    let mut cores = cores_of(&shared, millis);
    for _ in 0..ticks {
        turn(&mut cores);
        keep_waiting(&shared);
    }
    Ok(())
}

/// The same of the snapshot there.
pub fn loaded(directory: &Path, shards: usize, millis: i64, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, String> {
    let wakers = (0..shards).map(|_| Arc::new(NoBell) as Arc<dyn Wake>).collect();
    let mut config = Config::default();
    config.databases = 1;
    let path = directory.join(&config.dbfilename);
    let shared = Arc::new(share(config, wakers, Rules::default()));
    let loading = Loading::open(&path, shards, true, Conflict::Fail, true, UnixMillis(millis))?;
    shared.snapshots.begin_loading(Arc::new(loading.ok_or("there is no snapshot")?));
    load(&shared, millis, keys)
}

fn cores_of(shared: &Arc<Shared>, millis: i64) -> Vec<Core> {
    let micros = Arc::new(AtomicI64::new(millis * 1000));
    let core = |id| Core::new(ShardId(id as u16), Arc::clone(shared), Clock::Manual(Arc::clone(&micros)), 1);
    (0..shared.shards()).map(core).collect()
}

/// One tick of each core. What they want written is not.
fn turn(cores: &mut [Core]) {
    let mut actions = Actions::default();
    for core in cores {
        core.begin();
        core.end(&mut actions);
        core.background(&mut || false);
    }
}

fn load(shared: &Arc<Shared>, millis: i64, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, String> {
    let mut cores = cores_of(shared, millis);
    let loading = shared.snapshots.loading();
    // On a busy machine one core may be far on when another begins.
    for _ in 0..TICKS_AHEAD {
        turn(&mut cores[..1]);
    }
    for _ in 0..TICKS_MAX {
        if !shared.snapshots.has_loading() {
            break;
        }
        turn(&mut cores);
    }
    if let Some(why) = loading.and_then(|loading| loading.failure()) {
        return Err(why);
    }
    if shared.snapshots.has_loading() {
        return Err(format!("no end of loading after {TICKS_MAX} ticks"));
    }
    let owner = |key: &Bytes| shared.slots.owner(key).index();
    Ok(keys.iter().map(|key| value_at(&mut cores[owner(key)], key, UnixMillis(millis))).collect())
}

/// The letters that a sketch has seen, if it is one: those that it does not take for new.
fn seen_by(bytes: &[u8]) -> Option<Bytes> {
    hyperloglog::encoding(bytes).ok()?;
    let is_new = |letter: &u8| {
        hyperloglog::add(&mut bytes.to_vec(), &[*letter], SPARSE_BYTES_MAX)
            .expect("what encodings know can be added to")
    };
    Some((b'a'..=b'z').filter(|letter| !is_new(letter)).collect())
}

/// What a core has at one of its keys.
pub fn value_at(core: &mut Core, key: &Bytes, now: UnixMillis) -> Option<Bytes> {
    let shard = &mut core.shard;
    shard.clock = shard.clock.max(now);
    let mut ctx = Ctx { shard, db: DbId(0), no_touch: true };
    match ctx.peek(key.as_slice())?.value() {
        Value::String(string) => Some(seen_by(&string.to_vec()).unwrap_or_else(|| string.to_vec())),
        // Elements of simulated lists are single letters.
        Value::List(list) => {
            let mut letters = Vec::new();
            let mut walk = list.walk(End::Head, 0);
            while let Some(item) = walk.next() {
                letters.extend_from_slice(item.as_bytes(&mut IntBuf::default()));
            }
            Some(letters)
        }
        Value::Set(set) => {
            let mut letters: Bytes =
                set.iter().flat_map(|member| member.as_bytes(&mut IntBuf::default()).to_vec()).collect();
            letters.sort_unstable();
            Some(letters)
        }
        other => panic!("a simulated key is a {}", other.value_type().name()),
    }
}
