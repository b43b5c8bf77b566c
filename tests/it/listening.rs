//! What of the process follows the configuration while the server runs: where it listens, and how expendable it is.

use std::net::{Ipv4Addr, TcpListener};

use crate::support::{Client, Port, Server, Value, each_target, eventually, process, targets};

const NO_PORT: &str = "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. \
                       Check server logs.";
const NO_BIND: &str =
    "ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.";

fn set(client: &mut Client, words: &[&str]) -> Value {
    client.call(&[&["CONFIG", "SET"], words].concat())
}

fn get(client: &mut Client, name: &str) -> String {
    client.call(&["CONFIG", "GET", name]).field(name).expect("the directive is known").text()
}

/// New clients are served on `port`, on whatever shard they come to live.
fn check_serves(port: u16) {
    for _ in 0..8 {
        assert_eq!(Client::connect(port).line("PING"), Value::Simple(b"PONG".to_vec()));
    }
}

fn check_silent(port: u16) {
    eventually("the port to be closed", || Client::try_connect(port).is_err());
}

#[test]
fn another_port_is_listened_on_and_clients_stay() {
    each_target(|server| {
        let mut clients: Vec<Client> = (0..4).map(|_| server.client()).collect();
        let (first, next) = (server.port(), Port::free());
        clients[0].must("SET key value");
        assert_eq!(set(&mut clients[0], &["port", &next.number.to_string()]), Value::ok());
        check_serves(next.number);
        check_silent(first);
        for client in &mut clients {
            assert_eq!(client.line("GET key").text(), "value");
        }
        assert_eq!(get(&mut clients[1], "port"), next.number.to_string());
        assert!(clients[1].must("INFO server").text().contains(&format!("tcp_port:{}\r\n", next.number)));
        assert_eq!(set(&mut clients[2], &["port", "0"]), Value::ok());
        check_silent(next.number);
        assert_eq!(set(&mut clients[3], &["port", &first.to_string()]), Value::ok());
        check_serves(first);
    });
}

#[test]
fn a_port_in_use_changes_nothing() {
    each_target(|server| {
        let mut client = server.client();
        let taken = Port::free();
        let _other = TcpListener::bind((Ipv4Addr::LOCALHOST, taken.number)).expect("the port is free");
        let taken = taken.number.to_string();
        let before = get(&mut client, "maxmemory");
        for words in [&["port", taken.as_str()][..], &["maxmemory", "77mb", "port", &taken, "loglevel", "debug"]] {
            assert_eq!(set(&mut client, words).error(), NO_PORT);
            assert_eq!(get(&mut client, "port"), server.port().to_string());
            assert_eq!(get(&mut client, "maxmemory"), before);
            check_serves(server.port());
        }
        assert!(server.log().contains("Could not create server TCP listening socket 127.0.0.1"), "{}", server.log());
    });
}

#[test]
fn addresses_come_and_go() {
    each_target(|server| {
        let mut client = server.client();
        let reaches = |host: &str| std::net::TcpStream::connect((host, server.port())).is_ok();
        for (bind, local, other) in [
            ("127.0.0.1 127.0.0.2", true, true),
            ("127.0.0.2", false, true),
            ("*", true, true),
            ("127.0.0.1 -192.0.2.1", true, false),
            ("", false, false),
            ("-192.0.2.1", false, false),
            ("127.0.0.1", true, false),
        ] {
            assert_eq!(set(&mut client, &["bind", bind]), Value::ok(), "{bind}");
            assert_eq!(get(&mut client, "bind"), bind);
            assert_eq!((reaches("127.0.0.1"), reaches("127.0.0.2")), (local, other), "{bind}");
        }
        check_serves(server.port());
    });
}

#[test]
fn addresses_that_are_not_there_change_nothing() {
    each_target(|server| {
        let mut client = server.client();
        let somebody = TcpListener::bind(("127.0.0.2", server.port())).expect("another address");
        for bind in ["999.999.999.999", "127.0.0.1 192.0.2.1", "*"] {
            assert_eq!(set(&mut client, &["bind", bind]).error(), NO_BIND, "{bind}");
            assert_eq!(get(&mut client, "bind"), "127.0.0.1");
            check_serves(server.port());
        }
        let next = Port::free();
        let words = ["port", &next.number.to_string(), "bind", "192.0.2.1"];
        assert_eq!(set(&mut client, &words).error(), NO_PORT, "the first of them is named");
        assert_eq!(get(&mut client, "port"), server.port().to_string());
        check_serves(server.port());
        check_silent(next.number);
        drop(somebody);
    });
}

/// Whoever is cut off by SHUTDOWN and connects again at once finds no server, and not one that is about to end.
#[test]
fn nobody_can_connect_once_a_shutdown_has_ended_a_connection() {
    for target in targets() {
        for _ in 0..4 {
            let server = Server::start(target);
            let mut others: Vec<Client> = (0..4).map(|_| server.client()).collect();
            for other in &mut others {
                other.must("PING");
            }
            let mut client = server.client();
            client.send(&["SHUTDOWN", "NOSAVE"]);
            assert!(client.is_closed());
            assert!(Client::try_connect(server.port()).is_err(), "it listens still");
            assert!(others.iter_mut().all(Client::is_closed));
        }
    }
}

#[test]
fn a_new_keepalive_counts_for_the_next_client() {
    each_target(|server| {
        let probed_after = |client: &Client| {
            let peer = client.address().rsplit_once(':').expect("an address has a port").1.parse();
            process::keepalive_seconds(server.port(), peer.expect("a port is a number"))
        };
        let mut first = server.client();
        first.must("PING");
        assert!(probed_after(&first).is_some_and(|seconds| (290..=300).contains(&seconds)));
        for (value, expected) in [("5000", 4_990..=5_000), ("70", 60..=70)] {
            assert_eq!(set(&mut first, &["tcp-keepalive", value]), Value::ok());
            let mut next = server.client();
            next.must("PING");
            let seconds = probed_after(&next);
            assert!(seconds.is_some_and(|seconds| expected.contains(&seconds)), "{value}: {seconds:?}");
        }
        assert_eq!(set(&mut first, &["tcp-keepalive", "0"]), Value::ok());
        let mut last = server.client();
        last.must("PING");
        assert_eq!(probed_after(&last), None);
    });
}

fn oom_score(server: &Server) -> i32 {
    let text = std::fs::read_to_string(format!("/proc/{}/oom_score_adj", server.pid())).expect("the server runs");
    text.trim().parse().expect("a number")
}

/// As somebody else does who thinks the server more or less expendable.
fn set_oom_score(server: &Server, score: i32) {
    std::fs::write(format!("/proc/{}/oom_score_adj", server.pid()), score.to_string()).expect("it may be raised");
}

#[test]
fn the_oom_score_is_the_servers_only_while_it_is_told_so() {
    each_target(|server| {
        let mut client = server.client();
        let base = oom_score(server);
        assert_eq!(set(&mut client, &["oom-score-adj-values", "50 60 70"]), Value::ok());
        assert_eq!(oom_score(server), base, "it is switched off");
        set_oom_score(server, base + 20);
        assert_eq!(set(&mut client, &["oom-score-adj-values", "30 60 70", "oom-score-adj", "yes"]), Value::ok());
        assert_eq!(oom_score(server), base + 50);
        assert_eq!(set(&mut client, &["oom-score-adj-values", "40 60 70"]), Value::ok());
        assert_eq!(oom_score(server), base + 60);
        assert_eq!(set(&mut client, &["oom-score-adj", "absolute", "oom-score-adj-values", "950 60 70"]), Value::ok());
        assert_eq!(oom_score(server), 950);
        assert_eq!(set(&mut client, &["oom-score-adj", "no"]), Value::ok());
        assert_eq!(oom_score(server), base + 20);
        set_oom_score(server, base + 90);
        assert_eq!(set(&mut client, &["oom-score-adj-values", "1 2 3"]), Value::ok());
        assert_eq!(oom_score(server), base + 90, "the former base is forgotten");
    });
}
