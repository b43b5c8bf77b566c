//! From a command line to a running server, and back.
//!
//! ```text
//! configuration ─► directory ─► log ─► background ─► limits ─► io_uring ─► listeners ─► shards ─► data set ─► ready
//!                                       (fork)                  (probe)                                        │
//!                   process ends ◄─ last words ◄─ shards end ◄─ data set saved ◄─ SIGTERM, SHUTDOWN ◄──────────┘
//! ```
//!
//! The order matters: the process forks before it has threads, listens before it promises to, and promises to be ready
//! only when every shard's loop runs. Whatever fails before that is one line in the log, with the remedy where there is
//! one, and exit status 1. The lines that say how far it got are those of Redis, for the tools that wait for them.

mod apply;
mod cores;
mod daemon;
mod limits;
mod listeners;
mod oom_score;
mod shutdown;
mod supervisor;
mod system;
mod title;

use std::ffi::OsStr;
use std::process::ExitCode;

use shard::acl::Users;
use shard::config::types::title::TitleVariable;
use shard::config::{Config, LoadError, Sources};
use shard::snapshot::Order;
use shard::spec::CommandTable;

use crate::args::REDIS_VERSION;
use crate::signal;
use crate::sys::{Bell, TitleMemory};
use crate::{log, sys};
use oom_score::OomScore;
use shutdown::Verdict;
use supervisor::Supervisor;

/// Why the server does not start: a line for the log.
pub type Refusal = String;

/// Runs the server until it is told to end.
pub fn run(program: &OsStr, sources: &Sources) -> ExitCode {
    // Before anything else: the memory can only be taken while there is one thread and nobody looks at it.
    let title_memory = TitleMemory::take();
    let loaded = load(sources).and_then(|config| Ok((CommandTable::renamed(&config.renamed_commands)?, config)));
    // What users may do is said by commands' names.
    let settled = loaded.and_then(|(commands, config)| {
        commands.install();
        Ok((config.described_users()?, config))
    });
    let (users, mut config) = match settled {
        Ok(settled) => settled,
        Err(error) => return refuse_configuration(&error.to_string()),
    };
    if let Err(refusal) = open_log(&config) {
        return refuse_configuration(&refusal);
    }
    announce(sources);
    match users_at_start(&config, users).and_then(|users| start(program, title_memory, &mut config, users)) {
        Ok(status) => status,
        Err(refusal) => {
            tracing::warn!("{refusal}");
            ExitCode::FAILURE
        }
    }
}

/// Says what this system lacks for the server to run well.
pub fn check_system() -> ExitCode {
    let text = system::report();
    // Whoever closed the pipe does not want to read on.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.lines.as_bytes());
    if text.usable { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn load(sources: &Sources) -> Result<Config, LoadError> {
    let mut sources = sources.clone();
    if sources.file.is_none() && sources.stdin {
        tracing::info!("Reading config from stdin");
    }
    // The path must keep its meaning when the process changes directory.
    sources.file = sources.file.map(|file| std::path::absolute(&file).unwrap_or(file));
    let config = Config::load(&sources)?;
    config.refuse_unavailable()?;
    Ok(config)
}

/// The users to begin with: those of the configuration, or of the file of users.
fn users_at_start(config: &Config, users: Users) -> Result<Users, Refusal> {
    if config.aclfile.is_empty() {
        return Ok(users);
    }
    if !config.users.is_empty() {
        return Err("Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is \
                    invalid. This setup is very likely to lead to configuration errors and security holes, please \
                    define either an ACL file or declare users directly in your redis.conf, but not both."
            .to_owned());
    }
    config.users_of_file().map_err(|errors| format!("Aborting Redis startup because of ACL errors: {errors}"))
}

/// There is no log yet, and whoever started the server looks at its standard error.
fn refuse_configuration(text: &str) -> ExitCode {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("\n{text}\n").as_bytes());
    ExitCode::FAILURE
}

/// Goes to the directory of the dataset, from where the log's name is taken, and opens the log.
fn open_log(config: &Config) -> Result<(), Refusal> {
    let directory = &config.dir.0;
    std::env::set_current_dir(directory).map_err(|error| format!("Can't chdir to '{directory}': {error}"))?;
    log::init(config).map_err(|error| {
        let why = shard::config::error::system_text(&error);
        format!(
            "*** FATAL CONFIG FILE ERROR (Tessera {}) ***\nCan't open the log file: {why}",
            env!("CARGO_PKG_VERSION")
        )
    })
}

fn announce(sources: &Sources) {
    let pid = std::process::id();
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!("Tessera is starting");
    tracing::info!(
        "Tessera version={version}, redis_version={REDIS_VERSION}, bits={}, pid={pid}, just started",
        usize::BITS
    );
    if *sources == Sources::default() {
        tracing::warn!("Warning: no config file specified, using the default config");
    } else {
        tracing::info!("Configuration loaded");
    }
}

/// Everything between a good configuration and the end of the process.
fn start(
    program: &OsStr,
    title_memory: Option<TitleMemory>,
    config: &mut Config,
    users: Users,
) -> Result<ExitCode, Refusal> {
    let supervisor = Supervisor::find(config.supervised);
    if config.daemonize && !supervisor.is_there() && daemon::go_to_background()? == sys::Forked::Parent {
        return Ok(ExitCode::SUCCESS);
    }
    log::set_role(if config.replicaof.is_some() { log::Role::Replica } else { log::Role::Master });
    let plan = cores::Plan::new(config)?;
    config.maxclients = limits::open_files_for(config.maxclients, plan.shards())?;
    limits::locked_memory()?;
    refuse_modules(config)?;
    system::prepare(config);
    net::probe()?;

    let bell: &'static Bell =
        Box::leak(Box::new(Bell::new().map_err(|error| format!("Can't make an eventfd: {error}"))?));
    signal::install(bell, log::file());
    signal::set_reports(config.crash_log_enabled);
    signal::set_exits_on_panic(config.use_exit_on_panic);
    let pid_file = daemon::PidFile::write(config);
    title::show(title_memory, program, config);
    let process = apply::Process { listeners: listeners::open(config)?, oom_score: OomScore::own() };
    if let Err(error) = process.oom_score.adjust(config) {
        tracing::warn!("Unable to write oom_score_adj: {error}");
    }
    // After the sockets are open: tools take the number in the banner for the sign that the ports were free.
    show_banner(config, plan.shards());
    tracing::info!("{plan}");
    let cores = cores::start(plan, (config, users), process, program, bell)?;
    tracing::info!("Server initialized");
    shard::memory::settle_thread();
    cores.wait_until_ready()?;
    if cores.wait_until_loaded()? {
        if !config.unixsocket.is_empty() {
            tracing::info!("The server is now ready to accept connections at {}", config.unixsocket);
        }
        tracing::info!("Ready to accept connections");
        supervisor.ready();
    }

    shard::memory::settle_thread();
    let status = serve(&cores, bell);
    supervisor.stopping();
    drop(pid_file);
    tracing::warn!("Tessera is now ready to exit, bye bye...");
    Ok(ExitCode::from(status))
}

/// Waits for the shards to end, and passes on the signals that ask them to.
fn serve(cores: &cores::Cores, bell: &Bell) -> u8 {
    let (mut failed, mut is_ending) = (0, false);
    while !cores.have_ended() {
        if let Err(error) = bell.wait() {
            tracing::warn!("Can't wait for signals: {error}");
        }
        if let Some(request) = signal::take_request() {
            tracing::warn!("Received {} scheduling shutdown...", request.name());
            // Whoever asks once more has nothing new to say while the first attempt is under way.
            if !std::mem::replace(&mut is_ending, true) {
                match shutdown::judge(&cores.config(), request) {
                    Verdict::Go => cores.order(Order::Stop),
                    Verdict::Save { force } => cores.order(Order::Shutdown { force }),
                }
            }
        }
        if cores.failed_shutdowns() != failed {
            failed = cores.failed_shutdowns();
            is_ending = false;
            signal::stay();
        }
    }
    cores.join()
}

/// Modules are shared libraries for Redis's own memory and event loop; a server that silently lacks their commands
/// would be worse than one that does not start.
fn refuse_modules(config: &Config) -> Result<(), Refusal> {
    match config.modules.first() {
        None => Ok(()),
        Some(module) => {
            let path = String::from_utf8_lossy(&module.words[0]);
            Err(format!("Can't load module from {path}: this server does not load modules; server aborting"))
        }
    }
}

fn show_banner(config: &Config, shards: usize) {
    let variable = |variable| title::value_of(variable, "", config);
    let (pid, version) = (std::process::id(), env!("CARGO_PKG_VERSION"));
    let mode = if config.cluster_enabled { "cluster" } else { "standalone" };
    let port = variable(TitleVariable::Port);
    let on_terminal = config.logfile.is_empty() && !config.syslog_enabled && is_terminal();
    if !config.always_show_logo && !on_terminal {
        tracing::info!("Running mode={mode}, port={port}, shards={shards}, PID: {pid}.");
        return;
    }
    log::raw(&format!(
        "\n   ┌──┬──┐\n   │▪ │ ▪│   Tessera {version} (speaks Redis {REDIS_VERSION})\n   \
         ├──┼──┤   Running in {mode} mode\n   \
         │ ▪│▪ │   Port: {port}   Shards: {shards}\n   └──┴──┘   PID: {pid}\n\n"
    ));
}

fn is_terminal() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stdout())
}
