//! Starting and stopping: what the command line and files may say, and how a server goes.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::server::program;
use crate::support::{Client, Launch, Server, Target, Value, each_target, targets};

#[test]
fn signals_stop_the_server_cleanly() {
    for target in targets() {
        for signal in [libc::SIGTERM, libc::SIGINT] {
            let mut server = Server::start(target);
            let mut client = server.client();
            client.must("SET key value");
            let started = Instant::now();
            server.signal(signal);
            let status = server.wait();
            assert!(status.success(), "{target:?}: signal {signal} ended the server with {status}\n{}", server.log());
            assert!(started.elapsed().as_secs() < 5, "stopping took {:?}", started.elapsed());
            assert!(client.is_closed());
            assert!(server.log().contains("bye bye"), "{}", server.log());
        }
    }
}

#[test]
fn shutdown_stops_the_server() {
    for target in targets() {
        for words in ["SHUTDOWN", "SHUTDOWN NOSAVE", "shutdown now force nosave"] {
            let mut server = Server::start(target);
            let mut client = server.client();
            let mut bystander = server.client();
            bystander.must("PING");
            assert!(client.try_read_after(words).is_none(), "{words} replied");
            let status = server.wait();
            assert!(status.success(), "{words}: {status}");
            assert!(bystander.is_closed());
            assert!(Client::try_connect(server.port()).is_err());
        }
    }
}

#[test]
fn a_kill_is_a_kill() {
    for target in targets() {
        let mut server = Server::start(target);
        server.signal(libc::SIGKILL);
        assert_eq!(server.wait().signal(), Some(libc::SIGKILL));
    }
}

#[test]
fn a_port_in_use_is_reported() {
    for target in targets() {
        let server = Server::start(target);
        let Err(failure) = Launch::new(target).port(server.port()).try_start() else {
            panic!("{target:?}: two servers listen on port {}", server.port());
        };
        assert!(!failure.status.success());
        let (port, output) = (server.port(), &failure.output);
        assert!(output.contains("Failed listening on port"), "{output}");
        assert!(output.contains(&port.to_string()) && output.contains("in use"), "{output}");
        assert_eq!(server.client().line("PING"), Value::Simple(b"PONG".to_vec()));
    }
}

#[test]
fn a_bad_line_of_the_configuration_is_quoted_with_its_number() {
    let lines = [
        ("bogus-directive yes", "Bad directive or wrong number of arguments"),
        ("maxmemory", "wrong number of arguments"),
        ("maxmemory 10xb", "argument must be a memory value"),
        ("maxmemory-policy bogus", "argument(s) must be one of the following"),
        ("appendonly maybe", "argument must be 'yes' or 'no'"),
        ("timeout abc", "argument couldn't be parsed into an integer"),
        ("requirepass \"open", "Unbalanced quotes in configuration line"),
    ];
    for target in targets() {
        for (line, problem) in lines {
            let text = format!("# a comment\nhz 10\n\n{line}\nsave 900 1\n");
            let Err(failure) = Launch::new(target).config(&text).try_start() else {
                panic!("{target:?} started with {line:?}");
            };
            let output = &failure.output;
            assert!(!failure.status.success());
            assert!(output.contains("FATAL CONFIG FILE ERROR"), "{output}");
            assert!(output.contains("at line 4"), "{output}");
            assert!(output.contains(&format!(">>> '{line}'")), "{output}");
            assert!(output.contains(problem), "{line}: {output}");
        }
    }
}

#[test]
fn bad_words_of_the_command_line_are_refused() {
    for target in targets() {
        for args in [&["--bogus", "1"][..], &["--maxmemory"], &["--timeout", "abc"], &["--hz", "10", "20"]] {
            let Err(failure) = Launch::new(target).args(args).try_start() else {
                panic!("{target:?} started with {args:?}");
            };
            assert!(!failure.status.success(), "{args:?}");
            assert!(failure.output.contains("FATAL CONFIG FILE ERROR"), "{args:?}: {}", failure.output);
        }
    }
}

#[test]
fn the_command_line_is_that_of_redis() {
    for target in targets() {
        let server = Launch::new(target)
            .args(&["--maxmemory 50mb", "--loglevel", "verbose", "--save", "3600", "1", "60", "1000"])
            .args(&["--client-output-buffer-limit", "pubsub 64mb 16mb 120", "--databases", "4"])
            .start();
        let mut client = server.client();
        assert_eq!(client.must("CONFIG GET maxmemory").elements()[1].text(), "52428800");
        assert_eq!(client.must("CONFIG GET loglevel").elements()[1].text(), "verbose");
        assert_eq!(client.must("CONFIG GET save").elements()[1].text(), "3600 1 60 1000");
        assert_eq!(client.must("CONFIG GET databases").elements()[1].text(), "4");
        assert_eq!(client.line("SELECT 4").error(), "ERR DB index is out of range");
        let limits = client.must("CONFIG GET client-output-buffer-limit").elements()[1].text();
        assert!(limits.contains("pubsub 67108864 16777216 120"), "{limits}");
    }
}

#[test]
fn a_configuration_may_come_from_standard_input() {
    for target in targets() {
        let mut command = Command::new(program(target));
        let mut child =
            command.args(["-", "--port", "0"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"hz 10\nbogus 1\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success());
    }
}

#[test]
fn the_log_says_what_tools_wait_for() {
    each_target(|server| {
        let log = server.log();
        let pid = server.pid();
        assert!(log.contains(&format!("{pid}:M ")), "{log}");
        assert!(log.contains("Server initialized"), "{log}");
        assert_eq!(log.matches("Ready to accept connections").count(), 1, "{log}");
        if server.is_tessera() {
            let line = log.lines().position(|line| line.contains(&format!("PID: {pid}")));
            let initialized = log.lines().position(|line| line.contains("Server initialized"));
            assert!(line.is_some() && line <= initialized, "{log}");
        }
    });
}

#[test]
fn the_version_is_told_without_starting() {
    for target in targets() {
        for flag in ["--version", "-v"] {
            let output = Command::new(program(target)).arg(flag).stdin(Stdio::null()).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{flag}: {text}");
            match target {
                Target::Tessera(_) => assert!(text.contains(env!("CARGO_PKG_VERSION")), "{text}"),
                Target::Referee => assert!(text.contains("v="), "{text}"),
            }
        }
        for flag in ["--help", "-h"] {
            let output = Command::new(program(target)).arg(flag).stdin(Stdio::null()).output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            assert!(String::from_utf8_lossy(&text).contains("Usage:"), "{flag}");
        }
    }
}

#[test]
fn more_shards_than_cores_still_serve() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let Target::Tessera(shards) = target else { continue };
        let server = Server::start(Target::Tessera(shards * 4));
        let mut client = server.client();
        for n in 0..1000 {
            assert_eq!(client.line(&format!("SET key:{n} value")), Value::ok());
        }
        assert_eq!(client.line("DBSIZE"), Value::Integer(1000));
    }
}
