//! Placeholder for the start-up.
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use shard::{config::Config, ids::ShardId, mesh::{Mesh, Rules, Wake}, runtime::{CoreSetup, LoopWaker}, shared::{Shared, SharedParts}, clock::Clock};
#[global_allocator]
static ALLOC: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let opt = |name: &str, d: u32| args.iter().position(|a| a == name).map_or(d, |i| args[i + 1].parse().expect("number"));
    let (port, shards) = (opt("--port", 6379), opt("--shards", 2));
    let config = Config::default();
    let wakers: Vec<net::Waker> = (0..shards).map(|_| net::Waker::new().expect("eventfd")).collect();
    let mesh = Mesh::new(wakers.iter().map(|w| Arc::new(LoopWaker(w.clone())) as Arc<dyn Wake>).collect(), Rules::default());
    let shared = Arc::new(Shared::new(SharedParts { mesh, config, started_at: Clock::system().now(), run_id: "0".repeat(40), replication_id: "0".repeat(40), config_file: None, executable: String::new() }));
    let mut listeners = Some(net::Listener::tcp(&["127.0.0.1"], port as u16, 511).expect("listen"));
    let keepalive = Arc::new(AtomicU32::new(300));
    let threads: Vec<_> = wakers.into_iter().enumerate().map(|(i, waker)| {
        let setup = CoreSetup { id: ShardId(i as u16), shared: Arc::clone(&shared), waker, listeners: listeners.take().unwrap_or_default(), keepalive_seconds: Arc::clone(&keepalive), cpu: None, seed: 1 };
        std::thread::spawn(move || shard::runtime::run(setup, || {}).expect("runs"))
    }).collect();
    eprintln!("Ready to accept connections");
    for t in threads { t.join().expect("core"); }
}
