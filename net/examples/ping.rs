//! A server of four commands on one loop, to measure what the network costs by itself.
//!
//! ```text
//! cargo run --release -p net --example ping 21000
//! redis-benchmark -p 21000 -t ping_mbulk,set,get -n 1000000 -P 16
//! ```

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use net::service::{Actions, Endpoint, InFlight, InputLimits, InputUsage, Park, ProtocolError, Socket};
use net::{Args, ConnId, Flow, Listener, Listeners, Loop, LoopConfig, Reply, Resp, Service, Waker};

/// The allocator of the server, so that the figures compare.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Multiply and fold, eight bytes at a time: good enough for the keys of a benchmark.
#[derive(Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let product = u128::from(self.0 ^ u64::from_le_bytes(word)) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
            self.0 = product as u64 ^ (product >> 64) as u64;
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Default)]
struct Ping {
    outputs: Vec<Vec<u8>>,
    data: HashMap<Box<[u8]>, Vec<u8>, BuildHasherDefault<Fold>>,
    actions: Actions,
    last: Option<ConnId>,
}

impl Service for Ping {
    fn opened(&mut self, conn: ConnId, _: &Endpoint, _: i32) -> Flow {
        let slots = self.outputs.len().max(conn.slot as usize + 1);
        self.outputs.resize_with(slots, Vec::new);
        Flow::Continue
    }

    fn accepted(&mut self, socket: Socket) {
        self.actions.adopt.push(socket);
    }

    fn closed(&mut self, conn: ConnId) {
        self.outputs[conn.slot as usize] = Vec::new();
    }

    fn begin(&mut self) {
        self.last = None;
    }

    fn command(&mut self, conn: ConnId, args: &Args<'_>) -> Flow {
        if self.last != Some(conn) {
            self.last = Some(conn);
            self.actions.write.push(conn);
        }
        let mut reply = Reply::new(&mut self.outputs[conn.slot as usize], Resp::V2);
        let name = args.at(0);
        match args.len() {
            1 if name.eq_ignore_ascii_case(b"ping") => reply.simple("PONG"),
            2 if name.eq_ignore_ascii_case(b"get") => match self.data.get(args.at(1)) {
                Some(value) => reply.bulk(value),
                None => reply.null(),
            },
            3 if name.eq_ignore_ascii_case(b"set") => {
                match self.data.get_mut(args.at(1)) {
                    Some(value) => args.at(2).clone_into(value),
                    None => drop(self.data.insert(args.at(1).into(), args.at(2).to_vec())),
                }
                reply.ok();
            }
            3 if name.eq_ignore_ascii_case(b"config") => reply.array(0),
            _ => reply.error(b"ERR unknown command"),
        }
        Flow::Continue
    }

    fn malformed(&mut self, conn: ConnId, error: &ProtocolError) {
        if let ProtocolError::Syntax(text) = error {
            let text = [b"ERR Protocol error: ", text.as_slice()].concat();
            Reply::new(&mut self.outputs[conn.slot as usize], Resp::V2).error(&text);
        }
    }

    fn input_limits(&self, _: ConnId) -> InputLimits {
        InputLimits { bulk_bytes_max: 512 << 20, query_buffer_bytes_max: 1 << 30, unauthenticated: false }
    }

    fn end(&mut self, actions: &mut Actions) {
        std::mem::swap(actions, &mut self.actions);
    }

    fn output(&mut self, conn: ConnId) -> Option<&mut Vec<u8>> {
        self.outputs.get_mut(conn.slot as usize)
    }

    fn output_progress(&mut self, _: ConnId, _: usize, _: InFlight) {}

    fn input_usage(&mut self, _: ConnId, _: InputUsage) {}

    fn park(&mut self) -> Park {
        Park::Sleep(None)
    }

    fn unpark(&mut self) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    net::probe()?;
    let port = std::env::args().nth(1).map_or(Ok(21000), |port| port.parse())?;
    let listeners = Listeners::new(Listener::tcp(&["127.0.0.1"], port, 511)?);
    let config = LoopConfig { listeners, waker: Waker::new()? };
    Loop::new(Ping::default(), config)?.run();
    Ok(())
}
