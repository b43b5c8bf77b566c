use std::collections::HashSet;

use super::{ANYTHING, set, value_of};
use crate::config::types::choices::{LogLevel, MaxmemoryPolicy};
use crate::config::types::events::Events;
use crate::config::types::output_limits::ClientClass;
use crate::config::{Change, Config, Effect, MemoryShare, SetContext, directives};

#[test]
fn names_are_unique_and_defaults_are_readable() {
    let mut names = HashSet::new();
    for directive in directives::all() {
        for name in std::iter::once(directive.name()).chain(directive.alias_name()) {
            assert!(names.insert(name), "{name} stands for two directives");
            assert_eq!(name, name.to_ascii_lowercase());
        }
        assert!(directive.doc().ends_with('.'), "{}", directive.name());
    }
    assert!(names.len() > 200);
    let config = Config::default();
    assert_eq!(config.maxmemory_policy, MaxmemoryPolicy::Noeviction);
    assert_eq!(config.client_query_buffer_limit, 1 << 30);
    assert_eq!(config.client_output_buffer_limit.of(ClientClass::Pubsub).soft_seconds, 60);
}

#[test]
fn every_value_can_be_set_to_itself() {
    let mut config = Config::default();
    for (name, value) in config.get(&["*"]) {
        let directive = directives::lookup(name.as_bytes()).unwrap();
        if !directive.is_immutable() {
            let changes = config.set(&[(name.as_bytes(), value)], ANYTHING).unwrap();
            assert!(changes.is_empty(), "{name} changed");
        }
    }
}

#[test]
fn get_matches_patterns_and_aliases_without_duplicates() {
    let config = Config::default();
    let names = |patterns: &[&str]| config.get(patterns).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(&["maxmemory-policy", "MAXMEMORY-POL*"]), ["maxmemory-policy"]);
    assert_eq!(names(&["Port"]), ["Port"], "a full name is answered as it was asked");
    assert_eq!(names(&["*of"]), ["replicaof", "slaveof"]);
    assert_eq!(names(&["hash-max-*-entries"]), ["hash-max-listpack-entries", "hash-max-ziplist-entries"]);
    assert_eq!(names(&["key-load-*"]), [""; 0], "hidden from patterns");
    assert_eq!(names(&["key-load-delay"]), ["key-load-delay"]);
    assert_eq!(names(&["no-such-thing"]), [""; 0]);
    assert_eq!(value_of(&config, "save"), "3600 1 300 100 60 10000");
    assert_eq!(value_of(&config, "client-query-buffer-limit"), "1073741824");
    assert_eq!(value_of(&config, "bind"), "* -::*");
    assert_eq!(value_of(&config, "unixsocketperm"), "0");
    assert_eq!(value_of(&config, "shutdown-on-sigterm"), "default");
}

#[test]
fn set_is_all_or_nothing() {
    let mut config = Config::default();
    let error = config
        .set(&[("maxmemory", "10000001"), ("maxmemory-clients", "200%"), ("client-query-buffer-limit", "x")], ANYTHING)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage argument must be less \
         or equal to 100"
    );
    assert_eq!(config.maxmemory_bytes(), 0);
    let changes = config.set(&[("maxmemory", "1mb"), ("port", "7000"), ("timeout", "0")], ANYTHING).unwrap();
    let expected =
        [Change { name: "maxmemory", effect: Effect::MaxMemory }, Change { name: "port", effect: Effect::Listeners }];
    assert_eq!(changes, expected, "what did not change is not a change");
    assert_eq!((config.maxmemory_bytes(), config.port), (1 << 20, 7000));
}

#[test]
fn the_first_unacceptable_name_decides() {
    let config = Config::default();
    let plain = SetContext { allow_protected: false, loading: false };
    let loading = SetContext { allow_protected: true, loading: true };
    let refused =
        |name: &str, text: &str| format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {text}");
    let unknown = |name: &str| format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'");
    let cases = [
        (&[("foo", "1"), ("bar", "2")][..], plain, unknown("foo")),
        (&[("maxmemory", "x"), ("foo", "1")], plain, unknown("foo")),
        (&[("daemonize", "yes"), ("foo", "2")], plain, refused("daemonize", "can't set immutable config")),
        (&[("dir", "/")], plain, refused("dir", "can't set protected config")),
        (&[("maxmemory", "1"), ("maxmemory", "2")], plain, refused("maxmemory", "duplicate parameter")),
        (&[("MAXMEMORY", "x")], plain, refused("maxmemory", "argument must be a memory value")),
        (&[("dir", "/")], loading, "LOADING Redis is loading the dataset in memory".to_owned()),
    ];
    for (pairs, context, text) in cases {
        assert_eq!(config.stage(pairs, context).unwrap_err().to_string(), text);
    }
    assert!(
        config.stage(&[("slave-priority", "1"), ("replica-priority", "2")], plain).is_ok(),
        "two names, two values"
    );
}

#[test]
fn what_is_fixed_only_here_may_be_set_to_what_it_is() {
    let mut config = Config::default();
    assert_eq!(set(&mut config, "shards", "0"), Ok(0));
    assert!(set(&mut config, "shards", "2").unwrap_err().ends_with("can't set immutable config"));
    assert_eq!(set(&mut config, "server-cpulist", ""), Ok(0));
    assert!(set(&mut config, "daemonize", "no").is_err(), "as in Redis");
}

#[test]
fn typed_fields_follow_the_words() {
    let mut config = Config::default();
    set(&mut config, "notify-keyspace-events", "KExn").unwrap();
    assert!(config.notify_keyspace_events.publishes(Events::EXPIRED));
    assert!(!config.notify_keyspace_events.publishes(Events::STRING));
    for (given, printed) in
        [("KEA", "AKE"), ("Kg$", "g$K"), ("g$lshzxetdKE", "AKE"), ("Elshzxetmdn", "lshzxetdnEm"), ("", "")]
    {
        set(&mut config, "notify-keyspace-events", given).unwrap();
        assert_eq!(value_of(&config, "notify-keyspace-events"), printed);
    }
    set(&mut config, "loglevel", "WARNING").unwrap();
    assert_eq!(config.loglevel, LogLevel::Warning);
    set(&mut config, "maxmemory", "50%").unwrap();
    assert_eq!(config.maxmemory, MemoryShare::Percent(50));
    assert!(config.maxmemory_bytes() > 1 << 20 && config.maxmemory_bytes() <= crate::os::memory_bytes() / 2);
    assert_eq!(
        set(&mut config, "maxmemory", "101%"),
        Err("ERR CONFIG SET failed (possibly related to argument 'maxmemory') - \
             percentage argument must be less or equal to 100"
            .to_owned())
    );
    set(&mut config, "maxmemory-clients", "10%").unwrap();
    assert_eq!(config.maxmemory_clients, MemoryShare::Percent(10));
    assert_eq!(config.maxmemory_clients.bytes_of(1000), 100);
    set(&mut config, "client-output-buffer-limit", "replica 1mb 2mb 3").unwrap();
    assert_eq!(config.client_output_buffer_limit.of(ClientClass::Replica).soft_bytes, 2 << 20);
    assert_eq!(config.client_output_buffer_limit.of(ClientClass::Pubsub).hard_bytes, 32 << 20, "others stay");
    set(&mut config, "save", "5 6").unwrap();
    assert_eq!(value_of(&config, "save"), "5 6");
    set(&mut config, "save", "").unwrap();
    assert_eq!(value_of(&config, "save"), "");
    set(&mut config, "hz", "1000").unwrap();
    assert_eq!(config.hz, 500);
    set(&mut config, "bind", "10.0.0.1 -::1").unwrap();
    let optional: Vec<_> = config.bind.addresses().map(|address| (address.host, address.optional)).collect();
    assert_eq!(optional, [("10.0.0.1", false), ("::1", true)]);
    set(&mut config, "latency-tracking-info-percentiles", "50.0 99.999").unwrap();
    assert_eq!(value_of(&config, "latency-tracking-info-percentiles"), "50 99.999");
    set(&mut config, "shutdown-on-sigterm", "nosave force").unwrap();
    assert!(config.shutdown_on_sigterm.nosave && config.shutdown_on_sigterm.force && !config.shutdown_on_sigterm.now);
    assert!(set(&mut config, "shutdown-on-sigterm", "save nosave").is_err());
    config.set(&[("requirepass", &b"\xff\x00"[..])], ANYTHING).unwrap();
    assert_eq!(config.requirepass, b"\xff\x00");
}
