//! Users: what one connection changes holds for all, on whatever core they are; files of users; and the start.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::support::client::encode_line;
use crate::support::{Client, Launch, Server, Target, Value, each_target, fresh_dir, soak, targets};

/// Clients that are this user, enough to be on every core.
fn clients_as(server: &Server, user: &str) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..8).map(|_| server.client()).collect();
    for client in &mut clients {
        assert_eq!(client.line(&format!("AUTH {user} x")), Value::ok());
    }
    clients
}

fn is_denied(reply: &Value) -> bool {
    reply.is_error() && reply.error().starts_with("NOPERM")
}

#[test]
fn who_was_answered_finds_all_cores_obey() {
    each_target(|server| {
        let mut admin = server.client();
        admin.must("ACL SETUSER bob on nopass +@all ~*");
        let mut clients = clients_as(server, "bob");
        for _ in 0..50 {
            admin.must("ACL SETUSER bob -get");
            assert!(clients.iter_mut().all(|client| is_denied(&client.line("GET key"))));
            admin.must("ACL SETUSER bob +get");
            assert!(clients.iter_mut().all(|client| client.line("GET key") == Value::Null));
        }
    });
}

#[test]
fn who_loses_its_user_or_its_channels_is_gone_for_whoever_was_answered() {
    each_target(|server| {
        let mut admin = server.client();
        for round in 0..10 {
            admin.must("ACL SETUSER bob on nopass +@all ~* &news");
            let mut clients = clients_as(server, "bob");
            let takes_user = round % 2 == 0;
            if !takes_user {
                for client in &mut clients {
                    assert!(!client.line("SUBSCRIBE news").is_error());
                }
                assert_eq!(admin.line("PUBLISH news x"), Value::Integer(8));
            }
            admin.must(if takes_user { "ACL DELUSER bob" } else { "ACL SETUSER bob resetchannels" });
            assert!(!admin.must("CLIENT LIST").text().contains("user=bob"));
            assert_eq!(admin.line("PUBLISH news x"), Value::Integer(0));
            assert!(clients.iter_mut().all(Client::is_closed));
        }
    });
}

/// A change of several rules is seen whole: at no time may bob have both keys.
#[test]
fn rules_change_all_at_once() {
    each_target(|server| {
        let mut admin = server.client();
        admin.must("MSET a 1 b 2");
        admin.must("ACL SETUSER bob on nopass +@all ~a");
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for mut client in clients_as(server, "bob").into_iter().take(4) {
                let stop = &stop;
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let mut request = Vec::new();
                        for words in [
                            "MGET a b",
                            "MULTI",
                            "GET a",
                            "GET b",
                            "EXEC",
                            "EVAL return{redis.acl_check_cmd('get','a'),redis.acl_check_cmd('get','b')} 0",
                        ] {
                            encode_line(&mut request, words);
                        }
                        client.raw(&request);
                        let replies = client.read_many(6);
                        assert!(is_denied(&replies[0]), "{replies:?}");
                        assert!(
                            replies[2].is_error() || replies[3].is_error() || one_is_denied(&replies[4]),
                            "{replies:?}"
                        );
                        let allowed = replies[5].elements().iter().filter(|reply| **reply == Value::Integer(1)).count();
                        assert_eq!(allowed, 1, "{replies:?}");
                    }
                });
            }
            let deadline = Instant::now() + soak();
            while Instant::now() < deadline {
                admin.must("ACL SETUSER bob resetkeys ~b");
                admin.must("ACL SETUSER bob resetkeys ~a");
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

fn one_is_denied(executed: &Value) -> bool {
    executed.elements().iter().any(is_denied)
}

#[test]
fn a_pipeline_sees_its_own_changes() {
    each_target(|server| {
        let mut admin = server.client();
        let mut request = Vec::new();
        for words in [
            "ACL SETUSER bob on nopass +@all ~k*",
            "AUTH bob x",
            "SET k1 1",
            "SET x 1",
            "ACL SETUSER bob -set",
            "SET k2 1",
            "EVAL return{redis.pcall('set',KEYS[1],1).err,redis.pcall('get','x').err} 1 k3",
            "ACL LOG 2",
            "ACL DELUSER bob",
            "SET k1 2",
        ] {
            encode_line(&mut request, words);
        }
        admin.raw(&request);
        let replies = admin.read_many(9);
        assert_eq!(replies[..3], [Value::ok(), Value::ok(), Value::ok()]);
        assert!(is_denied(&replies[3]) && is_denied(&replies[5]), "{replies:?}");
        assert_eq!(replies[6].elements().len(), 2, "{replies:?}");
        let objects: Vec<String> =
            replies[7].elements().iter().filter_map(|entry| entry.field("object").map(Value::text)).collect();
        assert_eq!(objects, ["x", "set"], "what the script was denied stands in the log behind it");
        assert_eq!(replies[8], Value::Integer(1));
        assert!(admin.is_closed(), "nothing is run of a client that is gone");
        assert_eq!(server.client().line("GET k1"), Value::bulk("1"));
    });
}

#[test]
fn what_is_denied_is_counted() {
    each_target(|server| {
        let mut admin = server.client();
        admin.must("ACL SETUSER bob on nopass +get +publish");
        let mut clients = clients_as(server, "bob");
        for client in &mut clients {
            for words in ["GET key", "SET key 1", "PUBLISH news x", "AUTH bob2 x"] {
                assert!(client.line(words).is_error());
            }
        }
        assert_eq!(server.info("errorstats", "errorstat_NOPERM"), "count=24");
        if server.is_tessera() {
            for kind in ["auth", "cmd", "key", "channel"] {
                assert_eq!(server.info("stats", &format!("acl_access_denied_{kind}")), "8");
            }
        }
        let log = admin.must("ACL LOG");
        let counts: Vec<_> = log.elements().iter().filter_map(|entry| entry.field("count")).collect();
        assert_eq!(counts, [&Value::Integer(8); 4]);
    });
}

const LINES: &str = "user alice on nopass ~* &* +@all\n\nuser bob on nopass ~b* +get (+set ~s)\n";

/// A directory with a file of users.
fn with_file(target: Target, text: &str) -> Launch {
    let dir = fresh_dir();
    fs::write(dir.join("users.acl"), text).expect("the directory is ours");
    Launch::new(target).dir(dir).config("aclfile users.acl\n")
}

#[test]
fn a_file_of_users_is_loaded_and_saved() {
    for target in targets() {
        let server = with_file(target, LINES).start();
        let path = server.dir().join("users.acl");
        let mut admin = server.client();
        let mut alice = clients_as(&server, "alice");
        let listed: Vec<String> = admin.must("ACL LIST").elements().iter().map(Value::text).collect();
        let bob = "user bob on nopass ~b* resetchannels -@all +get (~s resetchannels -@all +set)";
        let default = "user default on nopass ~* &* +@all";
        assert_eq!(listed, ["user alice on nopass ~* &* +@all", bob, default]);
        admin.must("ACL SETUSER carl on >secret +ping");
        admin.must("ACL SAVE");
        let carl =
            "user carl on #2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b resetchannels -@all +ping";
        let saved = format!("{}\n{bob}\n{carl}\n{default}\n", listed[0]);
        assert_eq!(fs::read_to_string(&path).expect("it was saved"), saved);

        // All or nothing.
        fs::write(&path, "user alice on\nuser alice off\nuser dora +nosuch foo\nfoo\n").expect("the directory is ours");
        let error = admin.line("ACL LOAD").error();
        for part in [
            "WARNING: Duplicate user 'alice' found on line 2. ",
            "users.acl:3: Error in applying operation '+nosuch': Unknown command or category name in ACL. ",
            "users.acl:3: Syntax error. ",
            "users.acl:4 should start with user keyword followed by the username. ",
            "WARNING: ACL errors detected, no change to the previously active ACL rules was performed",
        ] {
            assert!(error.contains(part), "{error}");
        }
        assert!(alice.iter_mut().all(|client| client.line("PING") == Value::Simple(b"PONG".to_vec())));
        assert_eq!(admin.must("ACL USERS").elements().len(), 4);

        // Loaded users are other users, even of the same name; the default user stays.
        fs::write(&path, "user alice on nopass +ping\nuser default on nopass ~* &* +@all -flushall\n").expect("ours");
        admin.must("ACL LOAD");
        assert!(alice.iter_mut().all(Client::is_closed));
        assert!(is_denied(&admin.line("FLUSHALL")));
        let mut alice = clients_as(&server, "alice");
        assert!(alice.iter_mut().all(|client| is_denied(&client.line("GET key"))));
        assert_eq!(admin.line("ACL DELUSER bob carl"), Value::Integer(0));

        fs::remove_file(&path).expect("it is there");
        let gone = "ERR Error loading ACLs, opening file 'users.acl': No such file or directory";
        assert_eq!(admin.line("ACL LOAD").error(), gone);
        admin.must("ACL SAVE");
        assert!(path.exists());
    }
}

#[test]
fn users_survive_a_rewrite_of_the_configuration() {
    for target in targets() {
        let text = "user bob on >secret ~b* +@all -flushall (+get ~s)\nuser default on >one ~* &* +@all\n";
        let server = Launch::new(target).config(text).start();
        let mut client = server.client();
        assert_eq!(client.line("PING").error(), "NOAUTH Authentication required.");
        assert_eq!(client.line("AUTH one"), Value::ok());
        client.must("ACL SETUSER carl on nopass +ping");
        let before = client.must("ACL LIST");
        client.must("CONFIG REWRITE");
        drop(client);
        let again = Launch::new(target).config(text).after(server).start();
        let mut client = again.client();
        assert_eq!(client.line("AUTH one"), Value::ok());
        let listed = client.must("ACL LIST");
        let is_same = |(before, after): (&Value, &Value)| {
            // Of the default user Redis reads back what it had not said before.
            before.text() == after.text().replace(" sanitize-payload", "") || before == after
        };
        assert!(before.elements().iter().zip(listed.elements()).all(is_same), "{before} {listed}");
        assert_eq!(client.line("AUTH bob secret"), Value::ok());
        assert!(
            is_denied(&client.line("FLUSHALL"))
                && !is_denied(&client.line("GET s"))
                && is_denied(&client.line("SET s 1"))
        );
    }
}

#[test]
fn a_server_does_not_start_with_users_that_cannot_be() {
    for target in targets() {
        for (text, problem) in [
            ("user bob foo\n", "Syntax error"),
            ("user bob on\nuser bob off\n", "Duplicate user found. A user can only be defined once in config files"),
            ("user bob +nosuch\n", "Unknown command or category name in ACL"),
            (
                "user bob on\naclfile users.acl\n",
                "Configuring Redis with users defined in redis.conf and at the same setting",
            ),
            ("aclfile none.acl\n", "Error loading ACLs, opening file 'none.acl': No such file or directory"),
            ("aclfile users.acl\n", "users.acl:1: Syntax error. "),
        ] {
            let launch = with_file(target, "user bob foo\n");
            let Err(failure) = launch.config(text).try_start() else { panic!("{target:?} started with {text:?}") };
            assert!(!failure.status.success());
            assert!(failure.output.contains(problem), "{text:?}: {}", failure.output);
        }
    }
}
