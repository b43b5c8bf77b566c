//! Starting and stopping: what the command line and files may say, and how a server goes.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::client::encode;
use crate::support::server::{fresh_dir, program};
use crate::support::{Client, Launch, Server, Target, Value, each_target, eventually, targets};

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
fn the_log_says_where_the_shards_run_and_who_the_clients_are() {
    let socket = fresh_dir().join("socket");
    let server = Launch::new(Target::Tessera(2))
        .args(&["--loglevel", "verbose", "--pin-shards", "no", "--unixsocket", socket.to_str().unwrap()])
        .start();
    let has = |text: &str| eventually(text, || server.log().contains(text));
    has("Shards: 2, on any of the cores ");
    has(&format!("ready to accept connections at {}", socket.display()));
    let mut client = server.client();
    client.must("CLIENT SETNAME guest");
    let id = client.must("CLIENT ID").integer();
    has(&format!("Accepted {}", client.address()));
    client.raw(b"*x\r\n");
    has("Protocol error (invalid multibulk length) from client: id=");
    let mut other = server.client();
    other.must("CLIENT SETNAME visitor");
    let (other_id, address) = (other.must("CLIENT ID").integer(), other.address());
    drop(other);
    has(&format!("Client closed connection id={other_id} addr={address} "));
    assert!(server.log().contains("name=visitor "), "{}", server.log());

    let mut control = server.client();
    control.must("CONFIG SET client-query-buffer-limit 1048576");
    let mut large = server.client();
    let id_of_large = large.must("CLIENT ID").integer();
    assert_ne!(id, id_of_large);
    let _ = large.try_raw(&encode(&["ECHO", &"x".repeat(3 << 20)]));
    has(&format!("Closing client that reached max query buffer length: id={id_of_large} "));
    control.must("SET value x");
    control.call(&["SETRANGE", "value", "1000000", "x"]);
    control.call(&["CONFIG", "SET", "client-output-buffer-limit", "normal 2mb 0 0"]);
    let mut slow = server.client();
    let id_of_slow = slow.must("CLIENT ID").integer();
    slow.raw(&b"GET value\r\n".repeat(40));
    has(&format!("Client id={id_of_slow} "));
    has("closed for overcoming of output buffer limits.");
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

#[test]
fn renamed_commands_go_by_their_new_names() {
    let secret = "b840fc02d524045429941cc15f59e41cb7be6c52";
    let text = format!("rename-command CONFIG {secret}\nrename-command FLUSHALL \"\"\nrename-command get Fetch\n");
    for target in targets() {
        let server = Launch::new(target).config(&text).start();
        let mut client = server.client();
        client.must("SET key value");
        for gone in ["CONFIG GET port", "FLUSHALL", "GET key", "config HELP"] {
            assert!(client.line(gone).error().starts_with("ERR unknown command '"), "{gone}");
        }
        assert_eq!(client.line("FETCH key").text(), "value");
        assert_eq!(client.line("fetch").error(), "ERR wrong number of arguments for 'get' command");
        let port = client.must(&format!("{secret} GET port"));
        assert_eq!(port.field("port").map(Value::text), Some(server.port().to_string()));
        let error = client.line(&format!("{secret} BOGUS")).error();
        assert_eq!(error, format!("ERR unknown subcommand 'BOGUS'. Try {} HELP.", secret.to_uppercase()));
        let listed = client.must("COMMAND LIST");
        let is_listed = |name: &str| listed.elements().iter().any(|listed| listed.text() == name);
        assert!(is_listed("config") && is_listed("get") && !is_listed("flushall"));
        assert_eq!(client.must("COMMAND INFO fetch").elements()[0].elements()[0].text(), "get");
        client.must(&format!("{secret} REWRITE"));
        let rewritten = std::fs::read_to_string(server.dir().join("server.conf")).unwrap();
        assert!(rewritten.starts_with(&text), "{rewritten}");
        drop(client);
        let again = Launch::new(target).config(&text).after(server).start();
        assert!(again.client().line("GET key").is_error());
    }
}

#[test]
fn a_renaming_that_cannot_be_is_quoted_with_its_line() {
    for (line, problem) in [
        ("rename-command nosuch x", "No such command in rename-command"),
        ("rename-command get set", "Target command name already exists"),
        ("rename-command get", "Bad directive or wrong number of arguments"),
    ] {
        for target in targets() {
            let Err(failure) = Launch::new(target).config(&format!("hz 10\n{line}\n")).try_start() else {
                panic!("{target:?} started with {line:?}");
            };
            let output = &failure.output;
            assert!(output.contains("at line 2") && output.contains(problem), "{output}");
            assert!(output.contains(&format!(">>> '{line}'")), "{output}");
        }
    }
}

#[test]
fn the_default_users_line_sets_its_password() {
    for target in targets() {
        let text = "user default on >one ~* &* +@all\n";
        let server = Launch::new(target).config(text).start();
        let mut client = server.client();
        assert_eq!(client.line("PING").error(), "NOAUTH Authentication required.");
        assert!(client.line("AUTH two").error().starts_with("WRONGPASS"));
        assert_eq!(client.line("AUTH default one"), Value::ok());
        client.must("CONFIG SET requirepass two");
        client.must("CONFIG REWRITE");
        drop(client);
        let again = Launch::new(target).config(text).after(server).start();
        let mut client = again.client();
        assert!(client.line("AUTH one").error().starts_with("WRONGPASS"));
        assert_eq!(client.line("AUTH two"), Value::ok());
    }
}

/// Directives that a server of this version must not seem to follow.
#[test]
fn what_cannot_be_kept_is_not_promised() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        for (line, problem) in [("replicaof 127.0.0.1 1", "no replication"), ("slaveof 127.0.0.1 1", "no replication")]
        {
            let Err(failure) = Launch::new(target).config(&format!("hz 10\n{line}\n")).try_start() else {
                panic!("{target:?} started with {line:?}");
            };
            let output = &failure.output;
            assert!(!failure.status.success());
            assert!(output.contains("at line 2") && output.contains(&format!(">>> '{line}'")), "{output}");
            assert!(output.lines().last().is_some_and(|last| last.contains(problem)), "{output}");
        }
        let server = Launch::new(target).config("appendonly no\nreplicaof no one\n").start();
        let mut client = server.client();
        assert_eq!(client.must("CONFIG GET appendonly").field("appendonly").map(Value::text).as_deref(), Some("no"));
    }
}

#[test]
fn a_signal_does_not_end_a_server_that_is_to_save_and_cannot() {
    for target in targets() {
        let mut server =
            Launch::new(target).args(&["--shutdown-on-sigterm", "save", "--shutdown-on-sigint", "save now"]).start();
        // The file cannot take its name.
        fs::create_dir_all(server.dir().join("dump.rdb/taken")).expect("the directory is ours");
        let mut client = server.client();
        client.must("SET key value");
        for (signal, name) in [(libc::SIGTERM, "SIGTERM"), (libc::SIGINT, "SIGINT"), (libc::SIGINT, "SIGINT")] {
            let before = server.log().matches("Errors trying to shut down the server").count();
            server.signal(signal);
            let refusals = || server.log().matches("Errors trying to shut down the server").count();
            eventually("the signal to be refused", || refusals() > before);
            assert!(server.log().contains(&format!("Received {name} scheduling shutdown...")));
            assert_eq!(client.line("GET key").text(), "value");
            assert_eq!(client.line("SET key value").text(), "OK");
        }
        client.call(&["CONFIG", "SET", "shutdown-on-sigint", "save force"]);
        server.signal(libc::SIGINT);
        assert!(server.wait().success());
        assert!(server.log().contains("bye bye"), "{}", server.log());
    }
}

/// Redis does not wait for clients to take their output.
#[test]
fn whoever_insists_ends_the_server_at_once() {
    let signals = [(libc::SIGINT, libc::SIGINT), (libc::SIGTERM, libc::SIGTERM), (libc::SIGINT, libc::SIGTERM)];
    let targets = targets().into_iter().filter(|target| *target != Target::Referee);
    for (target, (first, second)) in targets.zip(signals.into_iter().cycle()) {
        let mut server = Server::start(target);
        let mut client = server.client();
        assert_eq!(client.call(&["SET", "key", &"x".repeat(16 << 20)]), Value::ok());
        client.raw(&b"GET key\r\n".repeat(3));
        // Its output waits for it; the server gives it some time to take it.
        eventually("the output to wait", || server.client().must("CLIENT LIST").text().contains("cmd=get"));
        server.signal(first);
        eventually("the signal to be seen", || server.log().contains("Received SIG"));
        server.signal(second);
        let status = server.wait();
        assert_eq!(status.code(), Some(1), "{}", server.log());
        assert!(server.log().contains("You insist"), "{}", server.log());
    }
}
