//! A small server on one loop: enough commands to exercise every action a service can ask for.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use net::service::{Actions, Endpoint, InFlight, InputLimits, InputUsage, Park, ProtocolError, Socket};
use net::{Args, ConnId, Flow, Listener, Listeners, Loop, LoopConfig, Reply, Resp, Service, Sleep, Turn, Waker};

/// What tests look at while the server runs.
#[derive(Debug, Default)]
pub struct Seen {
    pub opened: AtomicUsize,
    pub closed: AtomicUsize,
    pub commands: AtomicUsize,
    pub ticks: AtomicUsize,
    pub in_flight: AtomicUsize,
    pub query_capacity: AtomicUsize,
    pub largest_slot: AtomicUsize,
    pub most_commands_in_a_tick: AtomicUsize,
    pub unsent: AtomicUsize,
}

/// What tests tell the server from outside.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// Resume every held connection.
    ResumeAll,
    /// Close every connection at once.
    CloseAll,
    Stop,
}

#[derive(Debug, Default)]
struct Client {
    generation: u32,
    open: bool,
    output: Vec<u8>,
    held: bool,
    in_flight: usize,
    commands_this_tick: usize,
}

struct Small {
    clients: Vec<Client>,
    data: HashMap<Vec<u8>, Vec<u8>>,
    actions: Actions,
    orders: Arc<Mutex<Vec<Order>>>,
    seen: Arc<Seen>,
    end: Flow,
    limits: InputLimits,
}

impl Small {
    fn client(&mut self, conn: ConnId) -> &mut Client {
        let client = &mut self.clients[conn.slot as usize];
        assert!(client.open && client.generation == conn.generation, "a call for a connection that is not open");
        client
    }

    fn ids(&self) -> Vec<ConnId> {
        let clients = self.clients.iter().enumerate().filter(|(_, client)| client.open);
        clients.map(|(slot, client)| ConnId { slot: slot as u32, generation: client.generation }).collect()
    }

    fn take_orders(&mut self) {
        let orders = std::mem::take(&mut *self.orders.lock().expect("no panic in tests"));
        for order in orders {
            match order {
                Order::Stop => self.actions.stop = true,
                Order::CloseAll => self.actions.close_now.extend(self.ids()),
                Order::ResumeAll => {
                    for id in self.ids() {
                        let client = self.client(id);
                        if std::mem::take(&mut client.held) {
                            client.output.extend_from_slice(b"+RESUMED\r\n");
                            self.actions.resume.push(id);
                            self.actions.write.push(id);
                        }
                    }
                }
            }
        }
    }
}

impl Service for Small {
    fn opened(&mut self, conn: ConnId, endpoint: &Endpoint, fd: i32) -> Flow {
        assert!(fd >= 0);
        if let Endpoint::Tcp { peer, local } = endpoint {
            assert!(peer.ip().is_loopback() && local.ip().is_loopback());
        }
        let slot = conn.slot as usize;
        if self.clients.len() <= slot {
            self.clients.resize_with(slot + 1, Client::default);
        }
        assert!(!self.clients[slot].open, "the slot was closed before it was reused");
        self.clients[slot] = Client { generation: conn.generation, open: true, ..Client::default() };
        self.seen.opened.fetch_add(1, SeqCst);
        self.seen.largest_slot.fetch_max(slot, SeqCst);
        Flow::Continue
    }

    fn accepted(&mut self, socket: Socket) {
        self.actions.adopt.push(socket);
    }

    fn closed(&mut self, conn: ConnId) {
        let client = self.client(conn);
        client.open = false;
        client.output = Vec::new();
        self.seen.closed.fetch_add(1, SeqCst);
    }

    fn begin(&mut self) {
        self.seen.ticks.fetch_add(1, SeqCst);
        for client in &mut self.clients {
            client.commands_this_tick = 0;
        }
        self.take_orders();
    }

    fn command(&mut self, conn: ConnId, args: &Args<'_>) -> Flow {
        self.seen.commands.fetch_add(1, SeqCst);
        let client = self.client(conn);
        client.commands_this_tick += 1;
        let in_tick = client.commands_this_tick;
        let Self { clients, data, actions, seen, .. } = self;
        seen.most_commands_in_a_tick.fetch_max(in_tick, SeqCst);
        let client = &mut clients[conn.slot as usize];
        actions.write.push(conn);
        let mut reply = Reply::new(&mut client.output, Resp::V2);
        match args.at(0).to_ascii_uppercase().as_slice() {
            b"PING" => reply.simple("PONG"),
            b"ECHO" => reply.bulk(args.at(1)),
            b"COUNT" => reply.integer(args.len() as i64),
            b"SET" => {
                data.insert(args.at(1).to_vec(), args.at(2).to_vec());
                reply.ok();
            }
            b"GET" => match data.get(args.at(1)) {
                Some(value) => reply.bulk(value),
                None => reply.null(),
            },
            b"HOLD" => {
                client.held = true;
                return Flow::Hold;
            }
            b"QUIT" => {
                reply.ok();
                return Flow::Close;
            }
            b"LATE" => {
                reply.simple("LATE");
                actions.close_after_write.push(conn);
            }
            _ => reply.error(b"ERR unknown command"),
        }
        Flow::Continue
    }

    fn malformed(&mut self, conn: ConnId, error: &ProtocolError) {
        if let ProtocolError::Syntax(text) = error {
            let text = [b"ERR Protocol error: ", text.as_slice()].concat();
            Reply::new(&mut self.client(conn).output, Resp::V2).error(&text);
        }
    }

    fn input_limits(&self, _: ConnId) -> InputLimits {
        self.limits
    }

    fn input_ended(&mut self, conn: ConnId) -> Flow {
        if self.client(conn).held { self.end } else { Flow::Close }
    }

    fn end(&mut self, actions: &mut Actions) {
        std::mem::swap(actions, &mut self.actions);
        let unsent =
            self.clients.iter().filter(|client| client.open).map(|client| client.output.len() + client.in_flight);
        self.seen.unsent.store(unsent.sum(), SeqCst);
    }

    fn output(&mut self, conn: ConnId) -> Option<&mut Vec<u8>> {
        Some(&mut self.client(conn).output)
    }

    fn output_progress(&mut self, conn: ConnId, _sent: usize, in_flight: InFlight) {
        assert!(in_flight.unsent_bytes <= in_flight.buffer_bytes);
        self.client(conn).in_flight = in_flight.unsent_bytes;
        self.seen.in_flight.store(in_flight.unsent_bytes, SeqCst);
    }

    fn input_usage(&mut self, conn: ConnId, usage: InputUsage) {
        self.client(conn);
        self.seen.query_capacity.store(usage.query_capacity, SeqCst);
    }

    fn park(&mut self) -> Park {
        if self.orders.lock().expect("no panic in tests").is_empty() { Park::Sleep(None) } else { Park::Busy }
    }

    fn unpark(&mut self) {}
}

/// A server on a thread of its own; it stops when this is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub listeners: Listeners,
    pub seen: Arc<Seen>,
    orders: Arc<Mutex<Vec<Order>>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// How a test's server differs from the usual one.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The answer to the end of a held client's stream.
    pub end: Flow,
    pub limits: InputLimits,
    /// Whether the loop sleeps in `poll(2)` rather than in its ring.
    pub sleep_outside: bool,
}

/// A turn of a loop that never sleeps itself.
fn turn_outside(network: &mut Loop<Small>) -> Turn {
    let fd = network.outside_fd().expect("an eventfd");
    if let Some(limit) = network.park_outside() {
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let limit = limit.map_or(-1, |limit| limit.as_millis() as i32 + 1);
        // SAFETY: one structure, which lives through the call.
        unsafe { libc::poll(&raw mut poll, 1, limit) };
    }
    network.turn(Sleep::Poll)
}

impl Default for Options {
    fn default() -> Self {
        let limits = InputLimits { bulk_bytes_max: 512 << 20, query_buffer_bytes_max: 1 << 30, unauthenticated: false };
        Self { end: Flow::Close, limits, sleep_outside: false }
    }
}

impl Server {
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let listeners = (21010..21099)
            .find_map(|port| Listener::tcp(&["127.0.0.1"], port, 511).ok())
            .expect("a free port between 21010 and 21098");
        let address = listeners[0].address().expect("a TCP listener");
        Self::on(listeners, address, options)
    }

    pub fn on(listeners: Vec<Listener>, address: SocketAddr, options: Options) -> Self {
        let waker = Waker::new().expect("an eventfd");
        let (seen, orders) = (Arc::new(Seen::default()), Arc::new(Mutex::new(Vec::new())));
        let service = (Arc::clone(&seen), Arc::clone(&orders));
        let listeners = Listeners::new(listeners);
        let config = LoopConfig { listeners: listeners.clone(), waker: waker.clone() };
        let thread = std::thread::spawn(move || {
            let (seen, orders) = service;
            let service = Small {
                clients: Vec::new(),
                data: HashMap::new(),
                actions: Actions::default(),
                orders,
                seen,
                end: options.end,
                limits: options.limits,
            };
            let mut network = Loop::new(service, config).expect("io_uring");
            for turn in 1_u32.. {
                let came_to =
                    if options.sleep_outside { turn_outside(&mut network) } else { network.turn(Sleep::Allowed) };
                if turn % 64 == 0 || came_to.stopped {
                    network.check_invariants();
                }
                if came_to.stopped {
                    break;
                }
            }
        });
        Self { address, listeners, seen, orders, waker, thread: Some(thread) }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server accepts");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
        stream.set_write_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
        stream
    }

    pub fn order(&self, order: Order) {
        self.orders.lock().expect("no panic in tests").push(order);
        self.waker.wake();
    }

    /// Waits until `condition` holds.
    pub fn until(&self, what: &str, condition: impl Fn(&Seen) -> bool) {
        for _ in 0..2000 {
            if condition(&self.seen) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("waited in vain until {what}: {:?}", self.seen);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.order(Order::Stop);
        let result = self.thread.take().expect("dropped once").join();
        assert!(result.is_ok() || std::thread::panicking(), "the server panicked");
    }
}
