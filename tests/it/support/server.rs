//! Servers that tests start: each in a directory of its own, on a port of its own, killed when the test ends.
//!
//! Tests run in parallel, in threads or in processes. A port belongs to a test while it holds the UDP socket of the same
//! number: the kernel thus keeps the book, and forgets whatever died. The ports lie below those the kernel gives to
//! outgoing connections, of which the tests have many.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use super::{Client, PATIENCE, process};

const PORTS: std::ops::Range<u16> = 21_300..21_500;
const READY: &str = "Ready to accept connections";

/// What a test runs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Tessera with so many shards.
    Tessera(u16),
    /// Redis, whose behaviour is the measure.
    Referee,
}

/// The servers that a test runs against, unless it names its own.
pub fn targets() -> Vec<Target> {
    match env::var("TESSERA_TEST_TARGET").as_deref() {
        Ok("referee") => vec![Target::Referee],
        Ok(other) => panic!("TESSERA_TEST_TARGET={other}: only `referee` is known"),
        Err(_) => vec![Target::Tessera(1), Target::Tessera(2), Target::Tessera(4)],
    }
}

/// Runs `test` against a fresh server of each target.
pub fn each_target(test: impl Fn(&Server)) {
    for target in targets() {
        test(&Server::start(target));
    }
}

/// The referee's program: `TESSERA_REFEREE`, or the `redis-server` of `PATH`, if there is one.
pub fn referee() -> Option<PathBuf> {
    if let Some(path) = env::var_os("TESSERA_REFEREE") {
        return Some(path.into());
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join("redis-server")).find(|path| path.is_file())
}

/// A command line in the making.
pub struct Launch {
    target: Target,
    args: Vec<String>,
    config: Option<String>,
    dir: Option<PathBuf>,
    port: Option<u16>,
    program: Option<PathBuf>,
}

impl Launch {
    /// A server of kind `target` with nothing but what a test needs.
    pub fn new(target: Target) -> Self {
        Self { target, args: Vec::new(), config: None, dir: None, port: None, program: None }
    }

    /// Adds `--name value ...`, as words of the command line.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(ToString::to_string));
        self
    }

    /// Starts with this text as its configuration file, `server.conf` in the server's directory.
    pub fn config(mut self, text: &str) -> Self {
        self.config = Some(text.to_owned());
        self
    }

    /// Starts in the directory and on the port of a server that has ended.
    pub fn after(mut self, ended: Server) -> Self {
        self.port = Some(ended.port());
        self.dir = Some(ended.into_dir());
        self
    }

    /// Starts in the directory of a server that has ended, on another port: the kernel takes its time to free the sockets
    /// of a ring.
    pub fn dir_of(self, ended: Server) -> Self {
        self.dir(ended.into_dir())
    }

    /// Starts in this directory, which goes when the server does.
    pub fn dir(mut self, dir: PathBuf) -> Self {
        self.dir = Some(dir);
        self
    }

    /// Starts this program instead of the target's own.
    pub fn program(mut self, program: &Path) -> Self {
        self.program = Some(program.to_owned());
        self
    }

    /// Starts on this port, although somebody has it.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Starts the server and waits until it serves.
    pub fn start(self) -> Server {
        let target = self.target;
        self.try_start().unwrap_or_else(|failure| {
            panic!("{target:?} did not start ({}):\n{}", failure.status, failure.output);
        })
    }

    /// Starts the server; a server that ends at once instead says why.
    pub fn try_start(self) -> Result<Server, Failure> {
        let (mut server, printed_before) = self.run();
        match server.wait_until_ready(printed_before) {
            Ok(()) => Ok(server),
            Err(status) => Err(Failure { status, output: server.log() }),
        }
    }

    /// Starts the server and waits for nothing.
    pub fn spawn(self) -> Server {
        self.run().0
    }

    /// Starts the server; and how much had been printed before.
    fn run(self) -> (Server, u64) {
        let port = self.port.map_or_else(Port::free, Port::given);
        let dir = self.dir.unwrap_or_else(fresh_dir);
        let log = dir.join("server.log");
        let file = fs::OpenOptions::new().create(true).append(true).open(&log).expect("the directory is ours");
        let printed_before = file.metadata().expect("it is open").len();
        let mut command = Command::new(self.program.clone().unwrap_or_else(|| program(self.target)));
        if let Some(text) = &self.config {
            let path = dir.join("server.conf");
            if !path.exists() {
                fs::write(&path, text).expect("the directory is ours");
            }
            command.arg(path);
        }
        command.args(["--port", &port.number.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(&dir);
        if let Target::Tessera(shards) = self.target {
            command.args(["--shards", &shards.to_string()]);
        }
        command.args(["--enable-debug-command", "yes"]).args(&self.args);
        // Redis sorts texts by the locale of its environment.
        command.env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a file to spare")).stderr(file);
        let child = command.spawn().expect("the program runs");
        (Server { target: self.target, child, port, dir, keep_dir: false }, printed_before)
    }
}

/// A server that ended instead of serving.
pub struct Failure {
    /// How it ended.
    pub status: ExitStatus,
    /// What it had printed.
    pub output: String,
}

/// A running server; dropping it kills it.
pub struct Server {
    target: Target,
    child: Child,
    port: Port,
    dir: PathBuf,
    keep_dir: bool,
}

impl Server {
    /// A server of kind `target` with nothing but what a test needs.
    pub fn start(target: Target) -> Self {
        Launch::new(target).start()
    }

    fn wait_until_ready(&mut self, printed_before: u64) -> Result<(), ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let printed = fs::read(self.log_path()).expect("the directory is ours");
            let printed = String::from_utf8_lossy(&printed[printed_before as usize..]).into_owned();
            if printed.contains(READY) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return Err(status);
            }
            assert!(Instant::now() < deadline, "{:?} is not ready after {PATIENCE:?}:\n{printed}", self.target);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What kind of server this is.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Whether this is Tessera.
    pub fn is_tessera(&self) -> bool {
        self.target != Target::Referee
    }

    /// The number of shards; Redis counts as one.
    pub fn shards(&self) -> u16 {
        match self.target {
            Target::Tessera(shards) => shards,
            Target::Referee => 1,
        }
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The directory it runs in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    fn log_path(&self) -> PathBuf {
        self.dir.join("server.log")
    }

    /// A new connection.
    pub fn client(&self) -> Client {
        Client::connect(self.port())
    }

    /// A field of `INFO`, as text.
    pub fn info(&self, section: &str, field: &str) -> String {
        let text = self.client().call(&["INFO", section]).text();
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("INFO {section} has no {field}:\n{text}")).to_owned()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: i32) {
        process::signal(self.pid(), signal);
    }

    /// Whether the process has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// Waits until the process has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(Instant::now() < deadline, "{:?} has not ended after {PATIENCE:?}:\n{}", self.target, self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn into_dir(mut self) -> PathBuf {
        self.keep_dir = true;
        self.dir.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killing fails only if it has ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- {:?} on port {} printed:\n{}---", self.target, self.port(), self.log());
        }
        if !self.keep_dir {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// The program of a target.
pub fn program(target: Target) -> PathBuf {
    match target {
        Target::Tessera(_) => env::var_os("TESSERA_BIN").unwrap_or(env!("CARGO_BIN_EXE_tessera").into()).into(),
        Target::Referee => referee().expect("redis-server is installed"),
    }
}

/// An empty directory that nobody else has.
pub fn fresh_dir() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("tessera-it-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let dir = env::temp_dir().join(name);
    fs::create_dir_all(&dir).expect("the directory for temporary files is writable");
    dir
}

/// A TCP port, and what keeps other tests away from it.
pub struct Port {
    /// Its number.
    pub number: u16,
    _claim: Option<UdpSocket>,
}

impl Port {
    /// A port that nobody listens on.
    pub fn free() -> Self {
        let span = u32::from(PORTS.end - PORTS.start);
        let first = std::process::id().wrapping_mul(7) % span;
        for step in 0..span {
            let number = PORTS.start + ((first + step) % span) as u16;
            let Ok(claim) = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)) else { continue };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Self { number, _claim: Some(claim) };
            }
        }
        panic!("no port of {PORTS:?} is free");
    }

    fn given(number: u16) -> Self {
        Self { number, _claim: UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok() }
    }
}
