//! A core at work: its executor, its network loop, and the thread they live on.
//!
//! Each core has a glommio executor, which pins the thread and places tasks. One long-lived task drives the network loop
//! for ever; the loop sleeps in its own ring, so an idle core costs nothing and a busy one makes no system call but the
//! ring's own.

use std::io;
use std::sync::Arc;

use glommio::{LocalExecutorBuilder, Placement};
use net::{Listeners, Loop, LoopConfig, Sleep, Waker};

use crate::clock::Clock;
use crate::core::Core;
use crate::ids::ShardId;
use crate::memory;
use crate::mesh::Wake;
use crate::shared::Shared;

/// Bytes of buffers that the executor's own rings get. They carry no data, so the least will do (the default is 10 MiB
/// of resident memory a core).
const EXECUTOR_IO_BYTES: usize = 64 << 10;

/// What a core is started with.
pub struct CoreSetup {
    /// Which core.
    pub id: ShardId,
    /// What all cores share.
    pub shared: Arc<Shared>,
    /// What wakes it: the same as in the mesh.
    pub waker: Waker,
    /// The sockets it accepts from; one core accepts for all.
    pub listeners: Listeners,
    /// The processor to stay on, if any.
    pub cpu: Option<usize>,
    /// Makes its randomness.
    pub seed: u64,
}

/// Wakes a core's network loop.
pub struct LoopWaker(pub Waker);

impl Wake for LoopWaker {
    fn wake(&self) {
        self.0.wake();
    }
}

/// Runs a core on the calling thread until the server stops. `ready` is called when its loop is made.
pub fn run(setup: CoreSetup, ready: impl FnOnce() + 'static) -> io::Result<()> {
    let placement = setup.cpu.map_or(Placement::Unbound, Placement::Fixed);
    let executor = LocalExecutorBuilder::new(placement)
        .name(&format!("shard-{}", setup.id.0))
        .io_memory(EXECUTOR_IO_BYTES)
        .make()
        .map_err(|error| io::Error::other(format!("cannot make the executor of shard {}: {error}", setup.id.0)))?;
    executor.run(async move {
        if setup.id.index() == 0 {
            memory::prepare(setup.shared.config().jemalloc_bg_thread);
        }
        memory::prepare_core();
        let core = Core::new(setup.id, setup.shared, Clock::system(), setup.seed);
        let mut network = Loop::new(core, LoopConfig { listeners: setup.listeners, waker: setup.waker })?;
        ready();
        while !network.turn(Sleep::Allowed).stopped {}
        Ok(())
    })
}
