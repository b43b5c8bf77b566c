//! Configuration while the server runs, and what CONFIG REWRITE leaves behind.

use crate::support::{Launch, Value, each_target, targets};

#[test]
fn what_is_set_is_what_is_got() {
    each_target(|server| {
        let mut client = server.client();
        let all = client.must("CONFIG GET *");
        let pairs: Vec<(String, String)> =
            all.elements().chunks(2).map(|pair| (pair[0].text(), pair[1].text())).collect();
        assert!(pairs.len() > 100, "CONFIG GET * gave {} parameters", pairs.len());
        for (name, value) in &pairs {
            let reply = client.call(&["CONFIG", "SET", name, value]);
            if reply.is_error() {
                let text = reply.error();
                let refused = ["can't set immutable config", "can't set protected config"];
                let harmless = ["rdb-", "daemonize", "bind", "port", "tls-", "oom-score-adj", "logfile", "always-"];
                assert!(
                    refused.iter().any(|part| text.contains(part)) || harmless.iter().any(|part| name.contains(part)),
                    "CONFIG SET {name} {value:?}: {text}"
                );
            } else {
                assert_eq!(client.call(&["CONFIG", "GET", name]).field(name).map(Value::text).as_ref(), Some(value));
            }
        }
    });
}

#[test]
fn settings_reach_every_connection() {
    each_target(|server| {
        let mut setter = server.client();
        for limit in ["1mb", "2mb", "3mb"] {
            setter.call(&["CONFIG", "SET", "proto-max-bulk-len", limit]);
            for _ in 0..8 {
                let mut client = server.client();
                let bytes = client.must("CONFIG GET proto-max-bulk-len").elements()[1].text().parse::<usize>().unwrap();
                let mut request = b"*2\r\n$4\r\nECHO\r\n$".to_vec();
                request.extend_from_slice(format!("{}\r\n", bytes + 1).as_bytes());
                client.raw(&request);
                assert_eq!(client.read().error(), "ERR Protocol error: invalid bulk length");
            }
        }
    });
}

#[test]
fn a_rewritten_file_starts_the_same_server() {
    for target in targets() {
        let text = "# written by a person\n\nmaxmemory 100mb\ntimeout 500 \nhz 20\nsave 900 1\n";
        let server = Launch::new(target).config(text).start();
        let path = server.dir().join("server.conf");
        let mut client = server.client();
        assert_eq!(client.must("CONFIG GET maxmemory").elements()[1].text(), "104857600");
        client.must("CONFIG SET maxmemory 200mb maxmemory-policy allkeys-lfu slowlog-max-len 77");
        client.call(&["CONFIG", "SET", "notify-keyspace-events", "KEA"]);
        client.call(&["CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 512kb 60"]);
        client.call(&["CONFIG", "SET", "requirepass", "with \"quotes\" and spaces"]);
        client.must("CONFIG REWRITE");
        client.must("CONFIG REWRITE");
        let parameters =
            ["maxmemory", "maxmemory-policy", "slowlog-max-len", "notify-keyspace-events", "timeout", "hz"];
        let more = ["client-output-buffer-limit", "requirepass", "save"];
        let wanted: Vec<&str> = parameters.into_iter().chain(more).collect();
        let get = |client: &mut crate::support::Client| -> Vec<String> {
            let value = |name: &&str| client.call(&["CONFIG", "GET", name]).elements()[1].text();
            wanted.iter().map(value).collect()
        };
        let before = get(&mut client);
        let rewritten = std::fs::read_to_string(&path).unwrap();
        assert!(rewritten.contains("# written by a person"), "{rewritten}");
        assert_eq!(rewritten.matches("\nmaxmemory ").count(), 1, "{rewritten}");
        drop(client);
        let again = Launch::new(target).config(text).after(server).start();
        let mut client = again.client();
        assert!(client.line("PING").is_error());
        assert_eq!(client.call(&["AUTH", "with \"quotes\" and spaces"]), Value::ok());
        assert_eq!(get(&mut client), before);
    }
}

#[test]
fn without_a_file_there_is_nothing_to_rewrite() {
    each_target(|server| {
        let reply = server.client().line("CONFIG REWRITE");
        assert_eq!(reply.error(), "ERR The server is running without a config file");
    });
}

#[test]
fn the_command_line_overrides_the_file() {
    for target in targets() {
        let server = Launch::new(target).config("maxmemory 100mb\nhz 33\n").args(&["--maxmemory", "50mb"]).start();
        let mut client = server.client();
        assert_eq!(client.must("CONFIG GET maxmemory").elements()[1].text(), "52428800");
        assert_eq!(client.must("CONFIG GET hz").elements()[1].text(), "33");
        assert_eq!(server.info("server", "config_file"), server.dir().join("server.conf").to_str().unwrap());
    }
}
