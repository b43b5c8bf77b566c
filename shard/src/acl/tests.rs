//! Users by their rules: what they may do, and as what they are written.

use net::OwnedArgs;

use super::{Denial, Reason, User, UserId, Users, join_selectors, load_file};
use crate::config::Config;
use crate::spec::CommandTable;

/// The user that these rules make, or what is wrong with them.
fn user(rules: &str) -> Result<User, &'static str> {
    let mut user = User::new(UserId(0), b"bob", false);
    let rules = join_selectors(rules.split(' ').map(str::as_bytes)).map_err(|_| "Unmatched parenthesis")?;
    rules.iter().try_for_each(|rule| user.follow(rule, false)).map_err(super::RuleError::text)?;
    Ok(user.settled())
}

fn shown(rules: &str) -> String {
    user(rules).map_or_else(str::to_owned, |user| String::from_utf8(user.rules()).expect("text"))
}

fn check(user: &User, command: &str) -> Result<(), Denial> {
    let args: OwnedArgs = command.split(' ').map(str::as_bytes).collect();
    let row = CommandTable::global().resolve(&args.as_args()).expect("it is there").expect("it is there");
    user.check(row, &args.as_args())
}

/// Each line is a command and what becomes of it: `+` or the reason and place of the denial.
fn judge(rules: &str, commands: &[(&str, &str)]) {
    let user = user(rules).expect("these are rules");
    for (command, expected) in commands {
        let told = match check(&user, command) {
            Ok(()) => "+".to_owned(),
            Err(Denial { reason, place }) => format!("{} {place}", reason.name()),
        };
        assert_eq!(told, *expected, "{command} with {rules}");
    }
}

#[test]
fn rules_are_written_as_redis_writes_them() {
    for (rules, expected) in [
        ("", "off resetchannels -@all"),
        ("on nopass allkeys allchannels allcommands", "on nopass ~* &* +@all"),
        ("ON NOPASS ~* &* +@ALL", "on nopass ~* &* +@all"),
        ("reset", "off sanitize-payload resetchannels -@all"),
        ("nopass skip-sanitize-payload", "off nopass skip-sanitize-payload resetchannels -@all"),
        ("-@all +get +set +del +@string -append", "off resetchannels -@all +@string +del -append"),
        ("+@all -@dangerous +config|get -get", "off resetchannels +@all -@dangerous +config|get -get"),
        ("+@read +@write", "off resetchannels -@all +@write +@read"),
        ("+select|1 +select|2 +SELECT|1 +SELECT|Foo", "off resetchannels -@all +select|1 +select|2 +select|Foo"),
        ("+select|1 +select", "off resetchannels -@all +select"),
        ("+select|1 +@connection -@connection", "off resetchannels -@all"),
        ("+acl -acl|setuser", "off resetchannels -@all +acl -acl|setuser"),
        ("+memory|doctor +memory", "off resetchannels -@all +memory"),
        ("+@all -client +client|id", "off resetchannels +@all -client +client|id"),
        ("~a ~b %R~a %W~b %R~c %W~c %RW~d %R~e %W~f", "off ~a ~b ~c ~d %R~e %W~f resetchannels -@all"),
        ("%R %r~x %w~x", "off %R~ ~x resetchannels -@all"),
        ("&a &b &a", "off resetchannels &a &b -@all"),
        ("&a allchannels", "off &* -@all"),
        ("+get ( ~a +set ) (+@all ~* &*)", "off resetchannels -@all +get (~a resetchannels -@all +set) (~* &* +@all)"),
        ("(+get) clearselectors", "off resetchannels -@all"),
        (
            "~a\"b ~c) (\"~a'b\" \"~c)\" +get)",
            "off ~a\"b ~c) resetchannels -@all (\"~a'b\" \"~c)\" resetchannels -@all +get)",
        ),
    ] {
        assert_eq!(shown(rules), expected, "{rules}");
        assert_eq!(shown(expected), expected, "what is written makes the same user");
    }
    let hash = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    assert_eq!(shown(&format!(">a #{hash}")), format!("off #{hash} resetchannels -@all"));
    assert_eq!(shown(&format!("nopass >b >a <b !{hash}")), "off resetchannels -@all");
}

#[test]
fn every_category_is_written_as_itself() {
    for (_, name) in crate::spec::flags::CATEGORIES {
        assert_eq!(shown(&format!("+@{name}")), format!("off resetchannels -@all +@{name}"));
        assert_eq!(shown(&format!("+@all -@{name}")), format!("off resetchannels +@all -@{name}"));
    }
}

#[test]
fn what_is_no_rule_is_told() {
    for (rules, expected) in [
        ("foo", "Syntax error"),
        ("+nosuch", "Unknown command or category name in ACL"),
        ("-nosuch", "Unknown command or category name in ACL"),
        ("+@nosuch", "Unknown command or category name in ACL"),
        ("-get|foo", "Unknown command or category name in ACL"),
        ("+config|nosuch", "Unknown command or category name in ACL"),
        ("+get|a|b", "Unknown command or category name in ACL"),
        ("+config|get|x", "Allowing first-arg of a subcommand is not supported"),
        ("+get|", "Syntax error"),
        ("+get|a\tb", "Syntax error"),
        ("%", "Syntax error"),
        ("%~", "Syntax error"),
        ("%X~a", "Syntax error"),
        ("%RR~a", "Syntax error"),
        ("~a\tb", "Syntax error"),
        ("#abc", "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"),
        ("<a", "The password you are trying to remove from the user does not exist"),
        ("(on)", "Syntax error"),
        ("(+get (~a))", "Syntax error"),
        (")", "Syntax error"),
        ("(+get", "Unmatched parenthesis"),
    ] {
        assert_eq!(shown(rules), expected, "{rules}");
    }
    assert!(shown("~* ~a").starts_with("Adding a pattern after the * pattern (or the 'allkeys' flag)"));
    assert!(shown("&* &a").starts_with("Adding a pattern after the * pattern (or the 'allchannels' flag)"));
    assert!(shown("(~* %R~a)").starts_with("Adding a pattern after the * pattern (or the 'allkeys' flag)"));
}

#[test]
fn commands_are_allowed_one_by_one() {
    judge(
        "+get +config|get +select|0 ~*",
        &[
            ("GET a", "+"),
            ("SET a 1", "command 0"),
            ("CONFIG GET a", "+"),
            ("CONFIG SET a b", "command 0"),
            ("SELECT 0", "+"),
            ("SELECT 1", "command 0"),
            ("AUTH a", "+"),
            ("PING", "command 0"),
        ],
    );
    judge("+@all -config|set ~*", &[("CONFIG GET a", "+"), ("CONFIG SET a b", "command 0"), ("SET a 1", "+")]);
}

#[test]
fn keys_are_allowed_by_what_is_done_with_them() {
    judge(
        "+@all %R~r* %W~w* ~b*",
        &[
            ("GET r", "+"),
            ("GET w", "key 1"),
            ("SET w 1", "+"),
            ("SET w 1 GET", "key 1"),
            ("SET b 1 GET", "+"),
            ("COPY r w", "+"),
            ("COPY w r", "key 1"),
            ("MGET r1 r2 x y", "key 3"),
            ("EXISTS r w b", "+"),
            ("EXISTS x", "key 1"),
            ("SORT r STORE w", "+"),
            ("SORT r STORE r", "key 3"),
            ("EVAL x 1 b", "+"),
            ("EVAL x 1 r", "key 3"),
            ("EVAL x -1 x", "+"),
            ("EVAL x 3 r x", "+"),
            ("GEORADIUS r 1 2 3 m STORE w", "+"),
            ("GEORADIUS r 1 2 3 m STORE r2", "key 7"),
            ("GEORADIUS r 1 2 3 m STORE w STORE r2", "key 9"),
            ("PING", "+"),
        ],
    );
}

#[test]
fn channels_are_allowed_by_name_or_by_the_pattern_itself() {
    judge(
        "+@all &a* &b",
        &[
            ("PUBLISH abc x", "+"),
            ("SPUBLISH c x", "channel 1"),
            ("SUBSCRIBE a b c", "channel 3"),
            ("PSUBSCRIBE a*", "+"),
            ("PSUBSCRIBE ab*", "channel 1"),
            ("UNSUBSCRIBE c", "+"),
            ("PUBSUB CHANNELS", "+"),
        ],
    );
}

#[test]
fn one_selector_must_allow_all_of_a_command() {
    judge(
        "+mget ~key (+mget ~key ~other) (+set %W~*)",
        &[
            ("MGET key other", "+"),
            ("MGET other some", "key 2"),
            ("MGET key other some", "key 3"),
            ("SET other 1", "+"),
            ("SET other 1 GET", "key 1"),
            ("GET key", "command 0"),
        ],
    );
    assert!(user("(+@all ~* &*)").expect("rules").is_unrestricted());
    assert!(!user("+@all -get ~* &*").expect("rules").is_unrestricted());
    assert!(user("+@all -get +get ~* &*").expect("rules").is_unrestricted());
}

#[test]
fn subscriptions_are_kept_that_are_still_allowed() {
    use crate::pubsub::{Kind, Subscriptions};
    let mut heard = Subscriptions::default();
    heard.add(Kind::Channel, &b"ab"[..].into());
    heard.add(Kind::Pattern, &b"a*"[..].into());
    let user = |rules: &str| user(rules).expect("rules");
    let before = user("&a* &b");
    for (after, is_cut) in [
        ("&a* &b &c", false),
        ("&a*", false),
        ("allchannels", false),
        ("(&a* &b)", false),
        ("&ab", true),
        ("&b &*a*", true),
        ("", true),
    ] {
        assert_eq!(user(after).revokes(&before, &heard), is_cut, "{after}");
    }
    assert!(user("&ab").revokes(&user("allchannels"), &heard));
    assert!(!user("&c").revokes(&user("&c"), &heard), "what was not allowed before is left alone");
}

#[test]
fn passwords_admit_whoever_has_one_of_them() {
    let bob = user("on >a >b").expect("rules");
    assert!(bob.admits(b"a") && bob.admits(b"b") && !bob.admits(b"c") && !bob.admits(b""));
    assert!(!user(">a").expect("rules").admits(b"a"), "who is off is nobody");
    assert!(user("on nopass").expect("rules").admits(b"anything"));
    assert!(!user("on nopass resetpass").expect("rules").admits(b"anything"));
}

#[test]
fn a_file_is_taken_as_a_whole_or_not_at_all() {
    let load = |text: &str| {
        let users = load_file("f", text.as_bytes(), false)?;
        Ok::<_, String>(String::from_utf8(users.file_text()).expect("text"))
    };
    let default = "user default on nopass ~* &* +@all\n";
    assert_eq!(load(""), Ok(default.to_owned()));
    assert_eq!(
        load("\r\n\n  user bob on   ( +get  ~a ) \r\n"),
        Ok(format!("user bob on resetchannels -@all (~a resetchannels -@all +get)\n{default}"))
    );
    assert_eq!(load("user  on"), Ok(format!("user  on resetchannels -@all\n{default}")), "a user without a name");
    let suffix = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
    for (text, errors) in [
        ("# x\nuser a", "f:1 should start with user keyword followed by the username. "),
        ("USER a", "f:1 should start with user keyword followed by the username. "),
        ("user a\tb on", "'f:1: username 'a\tb' contains invalid characters. "),
        ("user a\nuser a on", "WARNING: Duplicate user 'a' found on line 2. "),
        ("user a (+get", "f:1: Unmatched parenthesis in selector definition."),
        ("user a foo bar", "f:1: Syntax error. "),
        (
            "user a +x foo -y\nuser b #1",
            "f:1: Error in applying operation '+x': Unknown command or category name in ACL. f:1: Syntax error. f:1: Error \
             in applying operation '-y': Unknown command or category name in ACL. f:2: The password hash must be exactly \
             64 characters and contain only lowercase hexadecimal characters. ",
        ),
    ] {
        assert_eq!(load(text), Err(format!("{errors}{suffix}")), "{text:?}");
    }
}

fn described(text: &str) -> Result<String, String> {
    let config = Config::parse_text(text.as_bytes()).expect("the lines are well formed");
    let users = config.described_users().map_err(|error| error.to_string())?;
    Ok(String::from_utf8(users.file_text()).expect("text"))
}

#[test]
fn the_configuration_describes_users() {
    let hash = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    assert_eq!(described(""), Ok("user default on nopass ~* &* +@all\n".to_owned()));
    assert_eq!(described("requirepass a"), Ok(format!("user default on #{hash} ~* &* +@all\n")));
    assert_eq!(
        described("user default on nopass ~* +@all -flushall\nrequirepass a"),
        Ok("user default on nopass sanitize-payload ~* resetchannels +@all -flushall\n".to_owned()),
        "a line describes its user from nothing on"
    );
    assert_eq!(
        described("acl-pubsub-default allchannels\nuser bob on '>a' ( ~x +get )"),
        Ok(format!("user bob on #{hash} &* -@all (~x &* -@all +get)\nuser default on nopass ~* &* +@all\n"))
    );
    for (line, why) in [
        ("user bob foo", "Error in user declaration 'foo': Syntax error"),
        ("user bob +nosuch", "Error in user declaration '+nosuch': Unknown command or category name in ACL"),
        ("user bob (+get ~a", "Error in user declaration '(+get': Unmatched parenthesis in acl selector"),
        ("user 'a b' on", "Error in user declaration 'a b': Spaces not allowed in ACL usernames"),
    ] {
        let error = described(&format!("hz 10\n{line}")).expect_err("it cannot be followed");
        assert!(error.contains("option 2") && error.ends_with(why), "{error}");
    }
    assert!(!described("user bob #abcdef").expect_err("no digest").lines().any(|line| line.contains("'#abcdef'")));
}

#[test]
fn lines_of_the_configuration_are_quoted_where_they_need_it() {
    let mut users = Users::new(b"");
    let mut user = users.to_change(b"b\"b", false);
    for rule in [&b"on"[..], b"~a\"b'", b"(+get)"] {
        user.follow(rule, false).expect("a rule");
    }
    users.put(user);
    let lines = users.config_lines();
    assert_eq!(lines[0], br#""b\"b" on "~a\"b'" resetchannels -@all (resetchannels -@all +get)"#);
    let text = lines.iter().map(|line| [b"user ", line.as_slice(), b"\n"].concat()).collect::<Vec<_>>().concat();
    let again = Config::parse_text(&text).expect("lines").described_users().expect("users");
    assert_eq!(again.get(b"b\"b").map(|user| user.rules()), users.get(b"b\"b").map(|user| user.rules()));
}

#[test]
fn users_keep_their_numbers_through_changes() {
    let mut users = Users::new(b"");
    users.put(users.to_change(b"bob", false));
    let (first, default) = (users.get(b"bob").expect("bob").id, users.default_user().id);
    users.put(users.to_change(b"bob", false));
    assert_eq!(users.get(b"bob").expect("bob").id, first);
    let loaded = load_file("f", b"user bob on\nuser default off", false).expect("a file").replacing(&users);
    assert_ne!(loaded.get(b"bob").expect("bob").id, first, "another of the same name");
    assert_eq!(loaded.default_user().id, default);
    assert!(!loaded.default_user().is_on);
    assert!(users.remove(b"bob") && !users.remove(b"bob"));
    users.put(users.to_change(b"bob", false));
    assert_ne!(users.get(b"bob").expect("bob").id, first);
}

#[test]
fn denials_of_one_kind_are_one_entry() {
    use super::{Context, Denied, Log};
    use storage::UnixMillis;
    let denied = |object: &str| Denied {
        reason: Reason::Key,
        context: Context::Toplevel,
        object: object.into(),
        user: b"bob".to_vec(),
        client: String::new(),
    };
    let mut log = Log::default();
    let shown = |log: &Log| {
        let entries =
            log.entries().map(|entry| format!("{}x{}", String::from_utf8_lossy(&entry.denied.object), entry.count));
        entries.collect::<Vec<_>>().join(" ")
    };
    for (object, at) in [("a", 0), ("b", 1), ("a", 60_000), ("b", 60_002), ("b", 60_003)] {
        log.add(denied(object), UnixMillis(at), 10);
    }
    assert_eq!(shown(&log), "bx2 ax2 bx1");
    log.add(denied("c"), UnixMillis(60_004), 2);
    assert_eq!(shown(&log), "cx1 bx2");
    log.add(denied("c"), UnixMillis(60_005), 0);
    assert_eq!(shown(&log), "cx2 bx2", "what is there is counted, whatever is kept");
    log.clear();
    assert_eq!(shown(&log), "");
}
