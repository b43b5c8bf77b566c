//! Scripts that are debugged: what a session shows, what stays of it, and what it is to others.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{Client, Launch, Server, Target, Value, each_target, eventually, targets};

const END: &str = "<endsession>";

/// The lines that the debugger says.
fn lines(reply: &Value) -> Vec<String> {
    reply.elements().iter().map(Value::text).collect()
}

/// A client in a session: its script stands before its first line.
fn session(server: &Server, mode: &str, script: &str, rest: &[&str]) -> Client {
    let mut client = server.client();
    client.must(&format!("SCRIPT DEBUG {mode}"));
    let mut words = vec!["EVAL", script];
    words.extend(if rest.is_empty() { &["0"] } else { rest });
    let said = lines(&client.call(&words));
    assert!(said[0].starts_with("* Stopped at "), "{said:?}");
    client
}

fn order(client: &mut Client, words: &[&str]) -> Vec<String> {
    lines(&client.call(words))
}

/// Gives orders, each of which is answered by these lines.
fn talk(client: &mut Client, orders: &[(&str, &[&str])]) {
    for (words, expected) in orders {
        let said = lines(&client.line(words));
        assert_eq!(said, *expected, "{words}");
    }
}

/// The session is over: what the script has replied. The connection is closed.
fn ended(client: &mut Client) -> Value {
    let reply = client.read();
    assert!(client.is_closed(), "the end of a session is the end of its connection");
    reply
}

#[test]
fn a_script_is_stepped_through() {
    each_target(|server| {
        let script =
            "local x = 1\nx = x + tonumber(redis.call('incr', KEYS[1]))\nlocal e = redis.pcall('nosuch')\nreturn x";
        let mut client = session(server, "sync", script, &["1", "k", "arg"]);
        talk(
            &mut client,
            &[
                ("p", &["No local variables in the current context."]),
                (
                    "s",
                    &[
                        "* Stopped at 2, stop reason = step over",
                        "-> 2   x = x + tonumber(redis.call('incr', KEYS[1]))",
                    ],
                ),
                ("p x", &["<value> 1"]),
                ("p", &["<value> x = 1"]),
                ("p KEYS", &["<value> {\"k\"}"]),
                ("p ARGV", &["<value> {\"arg\"}"]),
                ("p y", &["No such variable."]),
                (
                    "n",
                    &[
                        "<redis> incr k",
                        "<reply> 1",
                        "* Stopped at 3, stop reason = step over",
                        "-> 3   local e = redis.pcall('nosuch')",
                    ],
                ),
                (
                    "step",
                    &[
                        "<redis> nosuch",
                        "<error> Unknown Redis command called from script",
                        "* Stopped at 4, stop reason = step over",
                        "-> 4   return x",
                    ],
                ),
                ("what", &["<error> Unknown Redis Lua debugger command or wrong number of arguments."]),
                ("continue", &[END]),
            ],
        );
        assert_eq!(ended(&mut client), Value::Integer(2));
        assert_eq!(server.client().must("GET k"), Value::bulk("1"));
    });
}

#[test]
fn a_script_stops_at_breakpoints() {
    each_target(|server| {
        let script = "local function f(q)\n  local inner = q + 1\n  return inner\nend\nlocal y = f(5)\n\
                      redis.debug('y', y, {1, a=2})\nlocal called = redis.breakpoint()\nreturn y";
        let mut client = session(server, "sync", script, &[]);
        talk(
            &mut client,
            &[
                ("b", &["No breakpoints set. Use 'b <line>' to add one."]),
                (
                    "b 2 99",
                    &[
                        "   1   local function f(q)",
                        "  #2     local inner = q + 1",
                        "   3     return inner",
                        "Wrong line number.",
                    ],
                ),
                ("b -7", &["No breakpoint in the specified line."]),
                ("b x", &["Invalid argument:'x'"]),
                ("c", &["* Stopped at 2, stop reason = break point", "->#2     local inner = q + 1"]),
                ("t", &["In f:", "->#2     local inner = q + 1", "From top level:", "   5   local y = f(5)"]),
                ("p q", &["<value> 5"]),
                ("b", &["1 breakpoints set:", "->#2     local inner = q + 1"]),
                ("b -2", &["Breakpoint removed."]),
                ("b 0", &["All breakpoints removed."]),
                ("l 3 1", &["-> 2     local inner = q + 1", "   3     return inner", "   4   end"]),
            ],
        );
        let said = order(&mut client, &["c"]);
        assert_eq!(said[0], "<debug> line 6: \"y\", 6, {[1]=1; [\"a\"]=2}");
        assert_eq!(said[1..], ["* Stopped at 8, stop reason = redis.breakpoint() called", "-> 8   return y"]);
        talk(
            &mut client,
            &[
                ("p called", &["<value> true"]),
                (
                    "w 1",
                    &[
                        "   1   local function f(q)",
                        "   2     local inner = q + 1",
                        "   3     return inner",
                        "   4   end",
                        "   5   local y = f(5)",
                        "   6   redis.debug('y', y, {1, a=2})",
                        "   7   local called = redis.breakpoint()",
                        "-> 8   return y",
                    ],
                ),
                ("c", &[END]),
            ],
        );
        assert_eq!(ended(&mut client), Value::Integer(6));
    });
}

#[test]
fn pieces_of_lua_and_commands_are_run() {
    each_target(|server| {
        let mut client = session(server, "sync", "local x = string.rep('x', 300)\nreturn #x", &["1", "k"]);
        order(&mut client, &["s"]);
        talk(
            &mut client,
            &[
                ("e 1+1", &["<retval> 2"]),
                ("e return KEYS", &["<retval> {\"k\"}"]),
                ("e x", &["<error> ldb_eval:1: Script attempted to access nonexistent global variable 'x'"]),
                ("e y = 1", &["<error> ldb_eval:1: Attempt to modify a readonly table"]),
                ("e {", &["<error> ldb_eval:1: unexpected symbol near '{'"]),
                ("e redis.call('set','k','1')", &["<retval> {[\"ok\"]=\"OK\"}"]),
                ("r incr k", &["<redis> incr k", "<reply> 2"]),
                ("r mget k none", &["<redis> mget k none", "<reply> [\"2\",NULL]"]),
                (
                    "r lpush k x",
                    &[
                        "<redis> lpush k x",
                        "<error> -WRONGTYPE Operation against a key holding the wrong kind of value",
                        "<reply> \"-WRONGTYPE Operation against a key holding the wrong kind of value\"",
                    ],
                ),
                ("r blpop l 0", &["<redis> blpop l 0", "<error> This Redis command is not allowed from script"]),
            ],
        );
        let said = order(&mut client, &["p", "x"]);
        assert_eq!(said[0], format!("<value> \"{} ...", "x".repeat(247)));
        assert_eq!(said[1], "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
        talk(&mut client, &[("maxlen 5", &["<value> replies are truncated at 60 bytes."])]);
        assert_eq!(order(&mut client, &["p", "x"]), [format!("<value> \"{} ...", "x".repeat(51))]);
        talk(&mut client, &[("maxlen 0", &["<value> replies are unlimited."])]);
        assert_eq!(order(&mut client, &["p", "x"]), [format!("<value> \"{}\"", "x".repeat(300))]);
        talk(&mut client, &[("c", &[END])]);
        assert_eq!(ended(&mut client), Value::Integer(300));
        assert_eq!(server.client().must("GET k"), Value::bulk("2"));
    });
}

#[test]
fn errors_end_a_session() {
    each_target(|server| {
        let mut client = session(server, "sync", "local x = 1\nerror('boom')", &[]);
        talk(&mut client, &[("c", &[END])]);
        let error = ended(&mut client).error();
        assert!(error.starts_with("ERR user_script:2: boom script: "), "{error}");
        for (script, keys, expected) in [
            ("return =", "0", "ERR Error compiling script (new function): user_script:1:"),
            ("return 1", "5", "ERR Number of keys can't be greater than number of args"),
        ] {
            let mut client = server.client();
            client.must("SCRIPT DEBUG sync");
            assert_eq!(lines(&client.call(&["EVAL", script, keys])), [END]);
            let error = ended(&mut client).error();
            assert!(error.starts_with(expected), "{error}");
        }
    });
}

#[test]
fn what_an_aborted_script_has_changed_stays_in_sync_mode_only() {
    each_target(|server| {
        for (mode, kept) in [("sync", "1"), ("yes", "0")] {
            let mut other = server.client();
            other.must("DEL k");
            let mut client = session(server, mode, "redis.call('set', KEYS[1], '1')\nreturn 1", &["1", "k"]);
            order(&mut client, &["s"]);
            talk(&mut client, &[("abort", &[END])]);
            let error = ended(&mut client).error();
            assert!(error.starts_with("ERR script aborted for user request script: "), "{error}");
            assert_eq!(other.must("EXISTS k").integer().to_string(), kept, "{mode}");
        }
    });
}

#[test]
fn nobody_sees_what_a_session_discards() {
    each_target(|server| {
        let mut other = server.client();
        let kinds = ["SET s a PX 100000", "RPUSH l a b", "HSET h f v", "SADD set m", "ZADD z 1 m", "XADD x 1-1 f v"];
        for command in kinds {
            other.must(command);
        }
        let keys = ["s", "l", "h", "set", "z", "x", "new"];
        let dumps = |client: &mut Client| keys.map(|key| client.must(&format!("DUMP {key}")));
        let before = dumps(&mut other);
        let script = "redis.call('set', 's', 'b')\nredis.call('lpush', 'l', 'c')\nredis.call('del', 'h')\n\
                      redis.call('rename', 'set', 'new')\nredis.call('zincrby', 'z', 5, 'm')\n\
                      redis.call('xadd', 'x', '2-1', 'f', 'v')\nredis.call('persist', 's')\n\
                      redis.call('publish', 'channel', 'message')\n\
                      return {redis.call('get', 's'), redis.call('ttl', 's'), redis.call('llen', 'l'),\n\
                      redis.call('exists', 'h', 'set', 'new'), redis.call('zscore', 'z', 'm'), redis.call('xlen', 'x')}";
        let mut watching = server.client();
        watching.must("WATCH s new");
        watching.must("MULTI");
        watching.must("PING");
        let mut client = session(server, "yes", script, &[]);
        talk(&mut client, &[("r get s", &["<redis> get s", "<reply> \"a\""]), ("c", &[END])]);
        let expected = [
            Value::bulk("b"),
            Value::Integer(-1),
            Value::Integer(3),
            Value::Integer(1),
            Value::bulk("6"),
            Value::Integer(2),
        ];
        assert_eq!(ended(&mut client).elements(), expected);
        assert_eq!(dumps(&mut other), before);
        assert!(other.must("PTTL s").integer() > 0);
        assert_eq!(watching.must("EXEC").elements(), [Value::Simple(b"PONG".to_vec())], "no watched key has changed");
    });
}

#[test]
fn who_listens_hears_nothing_of_what_is_discarded() {
    for target in targets() {
        let server = Launch::new(target).args(&["--notify-keyspace-events", "KEA"]).start();
        let mut subscriber = server.client();
        subscriber.must("PSUBSCRIBE *");
        let mut waiter = server.client();
        waiter.send(&["BLPOP", "l", "0"]);
        let mut other = server.client();
        eventually("the waiter to wait", || server.info("clients", "blocked_clients") == "1");
        let script =
            "redis.call('set', 'k', 'v')\nredis.call('lpush', 'l', 'a')\nredis.call('publish', 'c', 'm')\nreturn 1";
        let mut client = session(&server, "yes", script, &[]);
        talk(&mut client, &[("c", &[END])]);
        ended(&mut client);
        other.must("PUBLISH after it");
        let heard: Vec<String> = subscriber.read().elements().iter().map(Value::text).collect();
        assert_eq!(heard, ["pmessage", "*", "after", "it"]);
        other.must("LPUSH l b");
        assert_eq!(waiter.read().elements()[1], Value::bulk("b"));
    }
}

/// Redis lets them run in its copy of all data; here they would have to copy all keys.
#[test]
fn commands_about_all_keys_see_no_discarded_changes() {
    each_target(|server| {
        if !server.is_tessera() {
            return;
        }
        let refused = "<error> -ERR Commands about all keys cannot be run on changes that are discarded in the end: use \
                       SCRIPT DEBUG SYNC";
        server.client().must("SET k v");
        let mut client = session(server, "yes", "return 1", &[]);
        talk(&mut client, &[("r dbsize", &["<redis> dbsize", "<reply> 1"])]);
        for command in ["flushall", "flushdb", "swapdb 0 1"] {
            let said = lines(&client.line(&format!("r {command}")));
            assert_eq!(said[1], refused, "{command}");
        }
        talk(&mut client, &[("r set k w", &["<redis> set k w", "<reply> \"+OK\""])]);
        for command in ["dbsize", "keys *", "scan 0", "randomkey"] {
            let said = lines(&client.line(&format!("r {command}")));
            assert_eq!(said[1], refused, "{command}");
        }
        talk(&mut client, &[("c", &[END])]);
        assert_eq!(server.client().must("GET k"), Value::bulk("v"));
    });
}

#[test]
fn the_mode_is_for_eval_alone() {
    each_target(|server| {
        let mut client = server.client();
        let sha = client.call(&["SCRIPT", "LOAD", "return 1"]).text();
        client.call(&["FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 3 end)"]);
        assert_eq!(client.line("SCRIPT DEBUG maybe").error(), "ERR Use SCRIPT DEBUG YES/SYNC/NO");
        client.must("SCRIPT DEBUG yes");
        assert_eq!(
            client.line(&format!("EVALSHA {sha} 0")).error(),
            "ERR Please use EVAL instead of EVALSHA for debugging"
        );
        assert_eq!(client.must("FCALL f 0"), Value::Integer(3));
        client.must("SCRIPT DEBUG no");
        assert_eq!(client.call(&["EVAL", "return {redis.breakpoint(), 2}", "0"]).elements()[1], Value::Integer(2));
        client.raw(b"PING\r\nSCRIPT DEBUG yes\r\n");
        client.read();
        assert_eq!(client.read().error(), "ERR SCRIPT DEBUG must be called outside a pipeline");
        client.must("MULTI");
        client.must("SCRIPT DEBUG yes");
        assert!(client.must("EXEC").elements()[0].is_error());
    });
}

/// What the debugger says goes out at once, and replies before it may have to wait for the log, which waits for the session.
#[test]
fn a_session_is_not_opened_behind_other_replies() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let server = Launch::new(target).args(&["--appendonly", "yes"]).start();
        let mut client = server.client();
        client.must("SCRIPT DEBUG sync");
        client.raw(b"SET k v\r\nEVAL \"return 1\" 0\r\n");
        assert_eq!(client.read().text(), "OK");
        assert_eq!(client.read().error(), "ERR A script that is debugged must be called outside a pipeline");
        let said = lines(&client.call(&["EVAL", "return 1", "0"]));
        assert!(said[0].starts_with("* Stopped at 1"), "{said:?}");
    }
}

/// Redis begins a session in the middle of the reply of EXEC.
#[test]
fn no_script_of_a_transaction_is_debugged() {
    each_target(|server| {
        if !server.is_tessera() {
            return;
        }
        let mut client = server.client();
        client.must("SCRIPT DEBUG yes");
        client.must("MULTI");
        let error = client.call(&["EVAL", "return redis.call('set', 'k', 'v')", "0"]).error();
        assert!(error.starts_with("ERR A script of a transaction cannot be debugged"), "{error}");
        assert!(client.line("EXEC").error().starts_with("EXECABORT"));
    });
}

#[test]
fn a_script_whose_client_is_gone_runs_on() {
    each_target(|server| {
        let script = "for i = 1, 1000 do\n  redis.call('incr', KEYS[1])\nend\nreturn 1";
        let mut client = session(server, "sync", script, &["1", "k"]);
        order(&mut client, &["s"]);
        order(&mut client, &["b", "2"]);
        drop(client);
        let mut other = server.client();
        eventually("the script to end", || other.line("GET k") == Value::bulk("1000"));
    });
}

#[test]
fn a_loop_comes_back_to_its_client() {
    each_target(|server| {
        server.client().must("CONFIG SET busy-reply-threshold 50");
        let mut client = session(server, "sync", "local n = 0\nwhile true do\n  n = n + 1\nend", &[]);
        let said = order(&mut client, &["c"]);
        assert!(said[0].ends_with(", stop reason = timeout reached, infinite loop?"), "{said:?}");
        order(&mut client, &["s"]);
        let said = order(&mut client, &["c"]);
        assert!(said[0].ends_with(", stop reason = timeout reached, infinite loop?"), "{said:?}");
        drop(client);
        let mut other = server.client();
        eventually("the loop to be ended", || !other.line("PING").is_error());
    });
}

/// Redis takes no more than the first of orders that come at once.
#[test]
fn orders_may_come_at_once() {
    each_target(|server| {
        if !server.is_tessera() {
            return;
        }
        let mut client = server.client();
        client.must("SCRIPT DEBUG sync");
        client.send(&["EVAL", "local x = 1\nx = x + 1\nreturn x", "0"]);
        client.read();
        client.raw(b"*1\r\n$1\r\ns\r\n*1\r\n$1\r\ns\r\n*2\r\n$1\r\np\r\n$1\r\nx\r\n*1\r\n$1\r\nc\r\n");
        client.finish_writing();
        assert_eq!(lines(&client.read())[0], "* Stopped at 2, stop reason = step over");
        assert_eq!(lines(&client.read())[0], "* Stopped at 3, stop reason = step over");
        assert_eq!(lines(&client.read()), ["<value> 2"]);
        assert_eq!(lines(&client.read()), [END]);
        assert_eq!(ended(&mut client), Value::Integer(2));
    });
}

/// Redis serves nobody in a session that keeps its changes, and everybody in one that discards them.
#[test]
fn others_wait_for_a_session_and_may_end_it() {
    each_target(|server| {
        if !server.is_tessera() {
            return;
        }
        for mode in ["sync", "yes"] {
            server.client().must("CONFIG SET busy-reply-threshold 100");
            let mut waiting = server.client();
            let mut client = session(server, mode, "redis.call('set', 'k', '1')\nreturn 1", &[]);
            waiting.send(&["GET", "other"]);
            order(&mut client, &["s"]);
            let mut other = server.client();
            eventually("others to be told", || other.line("PING").is_error());
            assert_eq!(lines(&client.line("r get k")), ["<redis> get k", "<reply> \"1\""], "the session goes on");
            assert_eq!(other.line("SCRIPT KILL"), Value::ok(), "even if it has written");
            assert_eq!(lines(&client.read()), [END]);
            let error = ended(&mut client).error();
            assert!(error.contains("Script killed by user with SCRIPT KILL..."), "{error}");
            assert!(!waiting.read().is_error(), "who has waited is served");
            let kept = i64::from(mode == "sync");
            assert_eq!(other.must("EXISTS k").integer(), kept);
            other.must("DEL k");
        }
    });
}

#[test]
fn a_loop_that_is_ordered_can_be_killed() {
    each_target(|server| {
        if !server.is_tessera() {
            return;
        }
        let mut client = session(server, "sync", "return 1", &[]);
        client.send(&["e", "while true do end"]);
        let mut other = server.client();
        thread::sleep(Duration::from_millis(50));
        assert_eq!(other.line("SCRIPT KILL"), Value::ok());
        assert_eq!(lines(&client.read()), [END]);
        assert!(ended(&mut client).is_error());
        assert_eq!(other.must("PING"), Value::Simple(b"PONG".to_vec()));
    });
}

#[test]
fn a_client_that_is_killed_leaves_no_session() {
    each_target(|server| {
        if !server.is_tessera() {
            return;
        }
        let mut client = server.client();
        let id = client.must("CLIENT ID").integer();
        client.must("SCRIPT DEBUG sync");
        client.call(&["EVAL", "redis.call('set', 'k', '1')\nreturn 1", "0"]);
        let mut other = server.client();
        assert_eq!(other.must(&format!("CLIENT KILL ID {id}")), Value::Integer(1));
        assert_eq!(other.must("GET k"), Value::bulk("1"), "the script has run on");
    });
}

#[test]
fn a_server_with_a_session_ends() {
    for target in targets() {
        if target == Target::Referee {
            continue;
        }
        for log in ["no", "yes"] {
            let mut server = Launch::new(target).args(&["--appendonly", log]).start();
            let mut client = session(&server, "sync", "redis.call('set', 'k', '1')\nreturn 1", &[]);
            order(&mut client, &["s"]);
            server.client().send(&["SHUTDOWN", "NOSAVE"]);
            assert!(server.wait().success());
        }
    }
}

/// What a session shows does not wait for the log; what it has kept is in it.
#[test]
fn sessions_are_logged_as_other_scripts() {
    for target in targets() {
        let args = ["--appendonly", "yes", "--appendfsync", "always"];
        let mut server = Launch::new(target).args(&args).start();
        for mode in ["sync", "yes"] {
            let script = "redis.call('incr', KEYS[1])\nredis.call('incr', KEYS[2])\nreturn 1";
            let mut client = session(&server, mode, script, &["2", mode, "both"]);
            assert_eq!(order(&mut client, &["s"])[1], "<reply> 1");
            talk(&mut client, &[("c", &[END])]);
            ended(&mut client);
        }
        server.client().send(&["SHUTDOWN"]);
        server.wait();
        let server = Launch::new(target).args(&args).after(server).start();
        let mut client = server.client();
        assert_eq!(client.must("GET sync"), Value::bulk("1"));
        assert_eq!(client.must("EXISTS yes"), Value::Integer(0));
        assert_eq!(client.must("GET both"), Value::bulk("1"));
    }
}

/// As a person does it, without the person.
#[test]
fn redis_cli_debugs_scripts() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("redis-cli").is_file()) {
        return;
    }
    each_target(|server| {
        let file: PathBuf = server.dir().join("script.lua");
        std::fs::write(&file, "local x = redis.call('incr', KEYS[1])\nreturn x\n").expect("the script can be written");
        for mode in ["--ldb", "--ldb-sync-mode"] {
            let mut cli = Command::new("redis-cli")
                .args(["-p", &server.port().to_string(), mode, "--eval"])
                .arg(&file)
                .arg("k")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("redis-cli runs");
            let mut input = cli.stdin.take().expect("it was piped");
            std::io::Write::write_all(&mut input, b"s\np x\nc\nquit\n").expect("it takes orders");
            drop(input);
            let output = cli.wait_with_output().expect("it ends");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            for expected in ["* Stopped at 1", "<reply> 1", "<value> 1", "(integer) 1", "session ended"] {
                assert!(text.contains(expected), "{mode}: {expected} in {text}");
            }
        }
        assert_eq!(server.client().must("GET k"), Value::bulk("1"), "one of two sessions was kept");
    });
}
