//! Tests of what is parsed and of what is shown; sessions are tested over sockets.

use std::time::Duration;

use mlua::{Lua, MultiValue};
use net::OwnedArgs;

use super::console::{Console, Reason};
use super::listing::{Listing, Set};
use super::order::Order;
use super::reply::write_reply;
use super::texts;

fn args(words: &[&str]) -> OwnedArgs {
    let mut args = OwnedArgs::default();
    for word in words {
        args.push(word.as_bytes());
    }
    args
}

fn order(line: &str) -> Order {
    Order::parse(&args(&line.split(' ').collect::<Vec<_>>()).as_args())
}

fn console(source: &str) -> Console {
    Console::new(source.as_bytes(), Duration::from_secs(5))
}

/// The lines that were said.
fn said(console: &Console) -> Vec<String> {
    let text = String::from_utf8(console.end()).expect("these tests are ASCII");
    let mut lines = text.split("\r\n").map(str::to_owned);
    let count = lines.next().expect("an array has a length");
    let lines: Vec<String> = lines.filter_map(|line| line.strip_prefix('+').map(str::to_owned)).collect();
    assert_eq!(count, format!("*{}", lines.len()));
    assert_eq!(lines.last().map(String::as_str), Some("<endsession>"));
    lines[..lines.len() - 1].to_vec()
}

/// The texts of what `code` returns, joined by commas.
fn shown(code: &str, bytes_max: usize) -> String {
    let lua = Lua::new();
    let values: MultiValue = lua.load(code).eval().expect("the code of tests runs");
    let texts = texts(&lua, values, bytes_max).expect("there is memory");
    texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect::<Vec<_>>().join(", ")
}

fn reply(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    write_reply(bytes, &mut out, usize::MAX);
    String::from_utf8(out).expect("what is shown is ASCII")
}

#[test]
fn orders_are_one_word_or_its_first_letter() {
    for (words, expected) in [
        ("s step n NEXT", Order::Step),
        ("c Continue", Order::Continue),
        ("a abort", Order::Abort),
        ("h help", Order::Help),
        ("t trace", Order::Trace),
        ("w whole", Order::Whole),
        ("p print", Order::PrintAll),
        ("b break", Order::Breakpoints),
        ("m maxlen", Order::Limit(None)),
        ("? st r redis", Order::Unknown),
    ] {
        for word in words.split(' ') {
            assert_eq!(order(word), expected, "{word}");
        }
    }
}

#[test]
fn orders_have_arguments() {
    assert_eq!(order("l"), Order::List { around: 0, context: 5 });
    assert_eq!(order("list 7"), Order::List { around: 7, context: 5 });
    assert_eq!(order("list 7x 2 3"), Order::List { around: 7, context: 2 });
    assert_eq!(order("list x -"), Order::List { around: 0, context: 0 });
    assert_eq!(order("p x"), Order::Print(b"x".to_vec()));
    assert_eq!(order("p x y"), Order::PrintAll);
    assert_eq!(order("b 1 -2"), Order::Break(vec![b"1".to_vec(), b"-2".to_vec()]));
    assert_eq!(order("e return  1"), Order::Evaluate(b"return  1".to_vec()));
    assert_eq!(order("r GET k"), Order::Command(args(&["GET", "k"])));
    assert_eq!(order("maxlen 70"), Order::Limit(Some(70)));
    assert_eq!(order("maxlen 70 80"), Order::Limit(None));
}

#[test]
fn lines_have_their_numbers_and_marks() {
    let mut listing = Listing::new(b"first\n\nthird\n\n");
    assert_eq!(listing.set_breakpoint(3), Set::Done);
    let line = |number, current| String::from_utf8(listing.line(number, current)).expect("the lines are ASCII");
    assert_eq!(line(1, 1), "-> 1   first");
    assert_eq!(line(2, 1), "   2   ");
    assert_eq!(line(3, 1), "  #3   third");
    assert_eq!(line(3, 3), "->#3   third");
    assert_eq!(line(4, 1), "   4   <out of range source code line>", "empty lines at the end are none");
    assert_eq!(line(1000, 1), "   1000 <out of range source code line>");
    let range = |around, context| listing.range(around, context).collect::<Vec<_>>();
    assert_eq!(range(1, 1), [1, 2]);
    assert_eq!(range(2, i64::MAX), [1, 2, 3]);
    assert_eq!(range(9, 5), Vec::<usize>::new());
    assert_eq!(range(2, -1), Vec::<usize>::new());
    assert_eq!(String::from_utf8_lossy(&Listing::new(b"").line(1, 1)), "-> 1   <out of range source code line>");
}

#[test]
fn breakpoints_are_set_and_removed() {
    let mut listing = Listing::new("line\n".repeat(70).as_bytes());
    assert_eq!(listing.set_breakpoint(0), Set::WrongLine);
    assert_eq!(listing.set_breakpoint(71), Set::WrongLine);
    for line in 1..=64 {
        assert_eq!(listing.set_breakpoint(line), Set::Done);
    }
    assert_eq!(listing.set_breakpoint(65), Set::TooMany);
    assert!(listing.remove_breakpoint(2));
    assert!(!listing.remove_breakpoint(2));
    assert_eq!(listing.set_breakpoint(1), Set::WrongLine, "it has one");
    assert_eq!(&listing.breakpoints()[..3], [1, 3, 4]);
    listing.remove_breakpoints();
    assert!(!listing.has_breakpoint(3));
}

#[test]
fn values_are_written_as_lua_has_them() {
    assert_eq!(shown("return nil, true, false, 1.5, -0.0, 1e100, 1234567, 3.14159265", 1000), {
        "nil, true, false, 1.5, -0, 1e+100, 1.23457e+06, 3.14159"
    });
    assert_eq!(shown(r#"return 'q"\\\n\r\t\a\b\0\255'"#, 1000), r#""q\"\\\n\r\t\a\b\x00\xff""#);
    assert_eq!(shown("return {}, {1, 'a', {2}}, {1, nil, 3}", 1000), r#"{}, {1; "a"; {2}}, {[1]=1; [3]=3}"#);
    assert_eq!(shown("return {[2]='x'}, {ok='OK'}, {[true]=1.5}", 1000), {
        r#"{[2]="x"}, {["ok"]="OK"}, {[true]=1.5}"#
    });
    let function = shown("return print", 1000);
    assert!(function.starts_with("\"function@0x") && function.ends_with('"'), "{function}");
    assert!(shown("return coroutine.create(function() end)", 1000).starts_with("\"thread@0x"));
}

#[test]
fn tables_that_hold_themselves_come_to_an_end() {
    let text = shown("local t = {} t.me = t return t", 1000);
    assert_eq!(text.matches("[\"me\"]=").count(), 9);
    assert_eq!(text.matches("<max recursion level reached! Nested table?>").count(), 2);
    assert!(text.ends_with("}}}}}}}}}}"), "{text}");
}

#[test]
fn no_more_of_a_value_is_written_than_is_shown() {
    let text = shown("local t = {} for i = 1, 100000 do t[i] = {i} end return t", 60);
    assert!((60..100).contains(&text.len()), "{}", text.len());
}

#[test]
fn replies_are_written_on_a_line() {
    assert_eq!(reply(b"+OK\r\n"), r#""+OK""#);
    assert_eq!(reply(b"-ERR no\r\n"), r#""-ERR no""#);
    assert_eq!(reply(b":-7\r\n"), "-7");
    assert_eq!(reply(b"$3\r\na\nb\r\n"), r#""a\nb""#);
    assert_eq!(reply(b"$-1\r\n"), "NULL");
    assert_eq!(reply(b"*-1\r\n"), "NULL");
    assert_eq!(reply(b"*0\r\n"), "[]");
    assert_eq!(reply(b"*2\r\n:1\r\n*1\r\n$1\r\na\r\n"), r#"[1,["a"]]"#);
    assert_eq!(reply(b"_\r\n"), "(null)");
    assert_eq!(reply(b",1.5\r\n"), "(double) 1.5");
    assert_eq!(reply(b"#t\r\n"), "#true");
    assert_eq!(reply(b"~2\r\n:1\r\n:2\r\n"), "~(1,2)");
    assert_eq!(reply(b"%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n"), r#"{"+a" => 1,"+b" => 2}"#);
    assert_eq!(reply(b"=7\r\ntxt:a\"b\r\n"), r#""a\"b""#);
}

#[test]
fn a_script_stops_where_it_was_told() {
    let console = console("one\ntwo\nthree\nfour");
    assert_eq!(console.arrive(1, true), Some(Reason::Step), "before its first line");
    console.stop(Reason::Step);
    console.set_breakpoint(3);
    console.go_on(false);
    assert_eq!(console.arrive(2, true), None);
    assert_eq!(console.arrive(2, false), None, "it has not run for long");
    assert_eq!(console.arrive(3, true), Some(Reason::Breakpoint));
    console.stop(Reason::Breakpoint);
    console.call_breakpoint();
    console.go_on(true);
    assert_eq!(console.arrive(4, true), Some(Reason::Called));
    console.be_alone();
    assert_eq!(console.arrive(3, true), None, "nobody is there any more");
    assert_eq!(
        said(&console),
        [
            "* Stopped at 1, stop reason = step over",
            "-> 1   one",
            "   2   two",
            "  #3   three",
            "   4   four",
            "* Stopped at 3, stop reason = break point",
            "->#3   three",
        ]
    );
}

#[test]
fn a_script_that_runs_for_long_stops() {
    let console = Console::new(b"one", Duration::ZERO);
    assert_eq!(console.arrive(1, true), Some(Reason::Step));
    console.stop(Reason::Step);
    console.go_on(false);
    assert_eq!(console.arrive(1, true), None, "between two lines nobody looks at the time");
    assert_eq!(console.arrive(1, false), Some(Reason::Timeout));
}

#[test]
fn long_lines_are_cut_with_one_hint() {
    let console = console("one");
    console.say_cut(vec![b'x'; 257]);
    console.say_cut(vec![b'x'; 257]);
    console.limit(Some(10));
    console.say_cut(vec![b'y'; 61]);
    console.limit(Some(0));
    console.say_cut(vec![b'z'; 300]);
    console.say("a\r\nb");
    let x = "x".repeat(256) + " ...";
    let y = "y".repeat(60) + " ...";
    let z = "z".repeat(300);
    assert_eq!(
        said(&console),
        [
            &x,
            "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.",
            &x,
            "<value> replies are truncated at 60 bytes.",
            &y,
            "<value> replies are unlimited.",
            &z,
            "a  b",
        ]
    );
}

#[test]
fn commands_are_shown_while_a_script_is_stepped_through() {
    let console = console("one");
    let set = args(&["SET", "k", "v"]);
    console.show(&set.as_args(), b"+OK\r\n");
    console.stop(Reason::Step);
    console.show(&set.as_args(), b"+OK\r\n");
    console.runs_order(true);
    console.show(&args(&["incr", "k"]).as_args(), b"-ERR no integer\r\n");
    let many: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    console.show_command(&args(&many.iter().map(String::as_str).collect::<Vec<_>>()).as_args());
    assert_eq!(
        said(&console),
        [
            "<redis> SET k v",
            "<reply> \"+OK\"",
            "* Stopped at 0, stop reason = step over",
            "-> 0   <out of range source code line>",
            "<redis> incr k",
            "<error> -ERR no integer",
            "<reply> \"-ERR no integer\"",
            "<redis> 0 1 2 3 4 5 6 7 8 9 ... (1 more)",
        ]
    );
}
