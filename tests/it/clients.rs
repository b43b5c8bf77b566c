//! Connections as such: listing and killing them, their number, Unix sockets, passwords, readers that do not read.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_line;
use crate::support::process::{raise_file_limit, rss_bytes};
use crate::support::{Client, Launch, Protocol, Server, Value, each_target, eventually, targets};

#[test]
fn clients_are_listed_wherever_they_live() {
    each_target(|server| {
        let mut clients: Vec<Client> = (0..20).map(|_| server.client()).collect();
        for (n, client) in clients.iter_mut().enumerate() {
            client.must(&format!("CLIENT SETNAME client-{n}"));
            client.must(&format!("SELECT {}", n % 16));
        }
        let addresses: Vec<String> = clients.iter().map(Client::address).collect();
        let list = clients[0].must("CLIENT LIST").text();
        assert_eq!(list.lines().count(), 20, "{list}");
        let mut ids: Vec<u64> = Vec::new();
        for (n, address) in addresses.iter().enumerate() {
            let line = list.lines().find(|line| line.contains(&format!(" name=client-{n} "))).unwrap();
            assert!(line.contains(&format!(" addr={address} ")), "{line}");
            assert!(line.contains(&format!(" laddr=127.0.0.1:{} ", server.port())), "{line}");
            assert!(line.contains(&format!(" db={} ", n % 16)), "{line}");
            ids.push(line["id=".len()..line.find(' ').unwrap()].parse().unwrap());
        }
        let reported: Vec<u64> = clients.iter_mut().map(|c| c.must("CLIENT ID").integer() as u64).collect();
        assert_eq!(ids, reported);
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "ids grow with time: {ids:?}");
        assert_eq!(server.info("clients", "connected_clients"), "21");
    });
}

#[test]
fn the_fields_of_client_list_are_those_of_redis() {
    let fields = "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem rbs rbp \
                  obl oll omem tot-mem events cmd user redir resp";
    each_target(|server| {
        let line = server.client().must("CLIENT INFO").text();
        let names: Vec<&str> = line.trim_end().split(' ').map(|field| field.split('=').next().unwrap()).collect();
        let expected: Vec<&str> = fields.split_ascii_whitespace().collect();
        assert_eq!(names[..expected.len()], expected, "{line}");
        if server.is_tessera() {
            assert_eq!(names[expected.len()..], ["lib-name", "lib-ver"], "{line}");
        }
    });
}

#[test]
fn clients_are_killed_wherever_they_live() {
    each_target(|server| {
        let mut killer = server.client();
        let mut victims: Vec<Client> = (0..8).map(|_| server.client()).collect();
        for victim in &mut victims {
            let id = victim.must("CLIENT ID").integer();
            assert_eq!(killer.must(&format!("CLIENT KILL ID {id}")), Value::Integer(1));
            assert!(victim.is_closed());
        }
        let mut victims: Vec<Client> = (0..4).map(|_| server.client()).collect();
        for victim in &mut victims {
            victim.must("PING");
            assert_eq!(killer.must(&format!("CLIENT KILL {}", victim.address())), Value::ok());
            assert!(victim.is_closed());
        }
        let mut victims: Vec<Client> = (0..9).map(|_| server.client()).collect();
        for victim in &mut victims {
            victim.must("PING");
        }
        assert_eq!(killer.must("CLIENT KILL TYPE normal"), Value::Integer(9));
        assert!(victims.iter_mut().all(Client::is_closed));
        assert_eq!(killer.must("PING"), Value::Simple(b"PONG".to_vec()));
    });
}

#[test]
fn a_killed_client_leaves_its_slot_clean() {
    // A reply under way to a client that is gone must never reach the one that came after it.
    each_target(|server| {
        let mut control = server.client();
        control.must(&format!("SET secret {}", "s".repeat(1000)));
        for _ in 0..200 {
            let mut leaver = server.client();
            let mut request = Vec::new();
            for _ in 0..50 {
                encode_line(&mut request, "MGET secret other secret another");
            }
            leaver.raw(&request);
            drop(leaver);
            let mut comer = server.client();
            assert_eq!(comer.line("ECHO mine"), Value::bulk("mine"));
            assert_eq!(comer.line("GET nothing"), Value::Null);
        }
    });
}

#[test]
fn hello_and_reset_change_the_protocol() {
    each_target(|server| {
        let mut client = server.client();
        assert_eq!(client.line("GET missing"), Value::Null);
        client.hello(Protocol::Resp3);
        assert!(matches!(client.line("CONFIG GET maxmemory"), Value::Map(_)));
        // A pipeline switches in the middle: each reply has the version of its command.
        let mut request = Vec::new();
        for words in ["CONFIG GET port", "HELLO 2", "CONFIG GET port", "HELLO 3", "CONFIG GET port", "RESET"] {
            encode_line(&mut request, words);
        }
        encode_line(&mut request, "CONFIG GET port");
        client.raw(&request);
        let replies = client.read_many(7);
        let is_map = |reply: &Value| matches!(reply, Value::Map(_));
        assert_eq!(replies.iter().map(is_map).collect::<Vec<_>>(), [true, false, false, true, true, false, false]);
        assert_eq!(replies[5], Value::Simple(b"RESET".to_vec()));
    });
}

#[test]
fn a_password_is_asked_for() {
    for target in targets() {
        let server = Launch::new(target).args(&["--requirepass", "secret"]).start();
        let mut client = server.client();
        assert_eq!(client.line("GET key").error(), "NOAUTH Authentication required.");
        assert_eq!(client.line("PING").error(), "NOAUTH Authentication required.");
        assert_eq!(client.line("AUTH wrong").error(), "WRONGPASS invalid username-password pair or user is disabled.");
        // What a client may not do, it may not do in a pipeline behind AUTH's failure either.
        let mut request = Vec::new();
        for words in ["AUTH wrong", "SET key value", "AUTH secret", "SET key value", "GET key"] {
            encode_line(&mut request, words);
        }
        client.raw(&request);
        let replies = client.read_many(5);
        assert!(replies[0].is_error() && replies[1].is_error(), "{replies:?}");
        assert_eq!(replies[2..], [Value::ok(), Value::ok(), Value::bulk("value")]);
        assert_eq!(server.client().line("HELLO 3 AUTH default secret").field("proto"), Some(&Value::Integer(3)));
    }
}

#[test]
fn the_number_of_clients_is_limited() {
    for target in targets() {
        let server = Launch::new(target).args(&["--maxclients", "5"]).start();
        let mut clients: Vec<Client> = (0..5).map(|_| server.client()).collect();
        for client in &mut clients {
            client.must("PING");
        }
        let mut refused = server.client();
        assert_eq!(refused.read().error(), "ERR max number of clients reached");
        assert!(refused.is_closed());
        drop(clients.pop());
        eventually("room for one more", || {
            let mut client = server.client();
            matches!(client.try_read_after("PING"), Some(Value::Simple(_)))
        });
        assert_ne!(clients[0].must("INFO stats").text().find("rejected_connections:"), None);
        clients[0].must("CONFIG SET maxclients 8");
        let mut more: Vec<Client> = (0..3).map(|_| server.client()).collect();
        for client in &mut more {
            client.must("PING");
        }
    }
}

#[test]
fn a_unix_socket_serves_as_well() {
    for target in targets() {
        let dir = std::env::temp_dir().join(format!("tessera-it-unix-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("socket");
        let text = path.to_str().unwrap();
        let mut server = Launch::new(target).args(&["--unixsocket", text, "--unixsocketperm", "700"]).start();
        let mut local = Client::connect_unix(&path);
        local.must("SET key value");
        assert_eq!(server.client().line("GET key"), Value::bulk("value"));
        let info = local.must("CLIENT INFO").text();
        assert!(info.contains(&format!(" addr={text}:0 laddr={text}:0 ")), "{info}");
        assert!(info.contains(" flags=U "), "{info}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o700);
        let mut request = Vec::new();
        for n in 0..5000 {
            encode_line(&mut request, &format!("SET key:{n} {n}"));
        }
        local.raw(&request);
        assert!(local.read_many(5000).iter().all(|reply| *reply == Value::ok()));
        server.signal(libc::SIGTERM);
        server.wait();
        assert!(!path.exists(), "the socket file is left behind");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

/// Fills a connection's way out: asks for `mib` MiB of replies and reads none.
fn ask_and_do_not_read(server: &Server, mib: usize) -> Client {
    let mut control = server.client();
    control.call(&[b"SET".as_slice(), b"mebibyte", &vec![b'x'; 1024 * 1024]]);
    let mut client = server.client();
    // The server knows it from here on.
    client.must("PING");
    let mut writer = client.writer();
    thread::spawn(move || {
        let mut request = Vec::new();
        encode_line(&mut request, "GET mebibyte");
        for _ in 0..mib {
            // Fails once the server has cut the connection, or the test has ended.
            if std::io::Write::write_all(&mut writer, &request).is_err() {
                return;
            }
        }
    });
    client
}

#[test]
fn a_client_that_does_not_read_costs_bounded_memory() {
    each_target(|server| {
        if !server.is_tessera() {
            // Redis has no bound for normal clients unless it is configured.
            return;
        }
        let before = rss_bytes(server.pid());
        let mut lazy = ask_and_do_not_read(server, 1024);
        let mut other = server.client();
        let started = Instant::now();
        let mut worst = Duration::ZERO;
        while started.elapsed() < Duration::from_secs(2) {
            let sent = Instant::now();
            other.must("PING");
            worst = worst.max(sent.elapsed());
        }
        let grown = rss_bytes(server.pid()).saturating_sub(before);
        assert!(grown < 256 << 20, "{} MiB for one client that does not read", grown >> 20);
        assert!(worst < Duration::from_secs(1), "another client waited {worst:?}");
        // Once it reads, it gets everything.
        for n in 0..1024 {
            let reply = lazy.read();
            assert_eq!(reply.as_bytes().map(<[u8]>::len), Some(1024 * 1024), "reply {n}");
        }
    });
}

#[test]
fn an_output_limit_cuts_a_client_off() {
    each_target(|server| {
        let mut control = server.client();
        control.call(&["CONFIG", "SET", "client-output-buffer-limit", "normal 20mb 0 0"]);
        let mut lazy = ask_and_do_not_read(server, 256);
        let address = format!("addr={} ", lazy.address());
        eventually("the client to be cut off", || !control.must("CLIENT LIST").text().contains(&address));
        assert!(lazy.is_closed());
    });
}

#[test]
fn who_has_not_said_the_password_is_cut_off_when_it_does_not_read() {
    each_target(|server| {
        server.client().must("CONFIG SET requirepass secret");
        let mut request = Vec::new();
        encode_line(&mut request, "SET key value");
        // Command by command, so that what the socket does not take is now much and now little.
        for round in 0..5 {
            let mut writer = server.client().writer();
            let ended = (0..1_000_000).find_map(|_| std::io::Write::write_all(&mut writer, &request).err());
            assert!(ended.is_some(), "round {round}: a million refusals that nobody reads");
        }
    });
}

#[test]
fn many_clients_come_and_go() {
    raise_file_limit();
    each_target(|server| {
        for _ in 0..20 {
            let mut clients: Vec<Client> = (0..100).map(|_| server.client()).collect();
            for client in &mut clients {
                client.send(&["INCR", "count"]);
            }
            for client in &mut clients {
                assert!(matches!(client.read(), Value::Integer(_)));
            }
        }
        assert_eq!(server.client().line("GET count"), Value::bulk("2000"));
        let connected = || server.info("clients", "connected_clients").parse::<u64>().unwrap();
        eventually("all of them to be gone", || connected() == 1);
        assert!(server.info("stats", "total_connections_received").parse::<u64>().unwrap() >= 2000);
    });
}
