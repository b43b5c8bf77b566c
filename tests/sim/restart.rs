//! Another server begins with the files that one has left: the production code reads them, on its own cores.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use net::Service;
use net::service::Actions;
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
use storage::types::list::{End, IntBuf};
use storage::{UnixMillis, Value};

use crate::program::{Bytes, START_MILLIS};

/// More ticks than it takes to load what a program has written.
const TICKS_MAX: usize = 1000;

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

fn load(shared: &Arc<Shared>, millis: i64, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, String> {
    let micros = Arc::new(AtomicI64::new(millis * 1000));
    let core = |id| Core::new(ShardId(id as u16), Arc::clone(shared), Clock::Manual(Arc::clone(&micros)), 1);
    let mut cores: Vec<Core> = (0..shared.shards()).map(core).collect();
    let mut actions = Actions::default();
    let loading = shared.snapshots.loading();
    for _ in 0..TICKS_MAX {
        if !shared.snapshots.has_loading() {
            break;
        }
        for core in &mut cores {
            core.begin();
            core.end(&mut actions);
        }
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

/// What a core has at one of its keys.
pub fn value_at(core: &mut Core, key: &Bytes, now: UnixMillis) -> Option<Bytes> {
    let shard = &mut core.shard;
    shard.clock = shard.clock.max(now);
    let mut ctx = Ctx { shard, db: DbId(0), no_touch: true };
    match ctx.peek(key.as_slice())?.value() {
        Value::String(string) => Some(string.to_vec()),
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
