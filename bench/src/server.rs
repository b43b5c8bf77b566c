//! The servers under measurement.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::cpu;

/// How long a server may take to load its files and answer its first PING.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long the port of a killed server may stay taken.
const PORT_LIMIT: Duration = Duration::from_secs(5);

/// A program that can be measured.
#[derive(Clone)]
pub struct Candidate {
    /// Its name in the tables.
    pub name: String,
    program: PathBuf,
    args: Vec<String>,
}

impl Candidate {
    /// Tessera.
    pub fn tessera(program: PathBuf) -> Self {
        Self { name: "Tessera".to_owned(), program, args: Vec::new() }
    }

    /// Redis, or what takes its command line.
    pub fn redis(program: PathBuf) -> Self {
        let name = version_of(&program).unwrap_or_else(|| program.display().to_string());
        Self { name, program, args: Vec::new() }
    }

    /// Tessera with so many shards.
    pub fn with_shards(&self, shards: usize) -> Self {
        let mut candidate = self.clone();
        candidate.args = vec!["--shards".to_owned(), shards.to_string()];
        if shards > 1 {
            candidate.name = format!("{} ({shards} shards)", self.name);
        }
        candidate
    }

    /// The same with more words on its command line.
    pub fn with_args(&self, args: &[&str]) -> Self {
        let mut candidate = self.clone();
        candidate.args.extend(args.iter().map(ToString::to_string));
        candidate
    }

    /// Starts it on `port`, confined to `cores`.
    pub fn start(&self, port: u16, cores: &[usize]) -> io::Result<Server> {
        let dir = std::env::temp_dir().join(format!("tessera-bench-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        let child = self.spawn(port, cores, &dir)?;
        let mut server = Server { candidate: self.clone(), child, port, dir };
        server.await_answer()?;
        Ok(server)
    }

    fn spawn(&self, port: u16, cores: &[usize], dir: &Path) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--maxclients", "12000", "--tcp-backlog", "4096", "--dir"]).arg(dir).args(&self.args);
        command.stdin(Stdio::null()).stdout(std::fs::File::create(dir.join("log"))?).stderr(Stdio::inherit());
        cpu::on_cores(cores, || command.spawn())
    }
}

/// A running server; dropping it kills it.
pub struct Server {
    candidate: Candidate,
    child: Child,
    /// Its TCP port.
    pub port: u16,
    dir: PathBuf,
}

impl Server {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it and starts it again on the files that it has left; how long that takes until it has loaded them.
    pub fn restart(&mut self, cores: &[usize]) -> io::Result<Duration> {
        self.kill();
        let began = Instant::now();
        self.child = self.candidate.spawn(self.port, cores, &self.dir)?;
        self.await_answer()?;
        Ok(began.elapsed())
    }

    /// While it loads it answers with an error.
    fn await_answer(&mut self) -> io::Result<()> {
        let name = &self.candidate.name;
        let deadline = Instant::now() + START_LIMIT;
        loop {
            // The kernel closes the rings of a process, and what they hold, some time after its end: a connection that is
            // reset was one to the server before this one.
            if Client::connect(self.port).and_then(|mut client| client.call(&["PING"])).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("{name} ended with {status}:\n{log}")));
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{name} does not answer on port {}", self.port)));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(&mut self) {
        // Killing fails only if it has ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The kernel closes the listener of a killed server's ring a little later.
        let deadline = Instant::now() + PORT_LIMIT;
        while TcpListener::bind(("127.0.0.1", self.port)).is_err() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The `redis-server` of `PATH`.
pub fn redis_in_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("redis-server")).find(|program| program.is_file())
}

/// Builds Tessera as users run it and says where the program is.
pub fn build_tessera() -> io::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let status = Command::new(cargo)
        .args(["build", "--release", "--bin", "tessera", "--manifest-path"])
        .arg(manifest)
        .status()?;
    let here = std::env::current_exe()?;
    let target = here.parent().and_then(Path::parent).map(|folder| folder.join("release/tessera"));
    match target {
        Some(program) if status.success() && program.is_file() => Ok(program),
        _ => Err(io::Error::other("cargo did not build target/release/tessera; name the program with --server")),
    }
}

/// `Redis 7.0.15`, from what the program says of itself.
fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_ascii_whitespace().find_map(|word| word.strip_prefix("v="))?;
    let name = text.split_ascii_whitespace().next()?;
    Some(format!("{name} {version}"))
}
