//! What the parser accepts and refuses, and that it does not matter how the bytes arrive.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::resp::fuzz::{LIMITS, Meaning, check_splits, parse_in_pieces};

const REAL: InputLimits =
    InputLimits { bulk_bytes_max: 512 << 20, query_buffer_bytes_max: 1 << 30, unauthenticated: false };

fn whole(stream: &[u8], limits: InputLimits) -> Meaning {
    parse_in_pieces(stream, limits, || stream.len())
}

/// The meaning of `stream` as text: commands in brackets, then the error.
fn meaning(stream: &[u8], limits: InputLimits) -> String {
    let meaning = whole(stream, limits);
    assert_eq!(parse_in_pieces(stream, limits, || 1), meaning);
    let mut text = String::new();
    for command in &meaning.commands {
        let words: Vec<_> = command.iter().map(|w| w.escape_ascii().to_string()).collect();
        text.extend(["[", &words.join(" "), "]"]);
    }
    if let Some(ProtocolError::Syntax(error)) = meaning.error {
        text += &String::from_utf8_lossy(&error);
    } else if meaning.rest > 0 {
        text.extend(["+", &meaning.rest.to_string()]);
    }
    text
}

#[test]
fn an_error_quotes_the_byte_as_it_came() {
    let limits = InputLimits { bulk_bytes_max: 512 << 20, query_buffer_bytes_max: 1 << 30, unauthenticated: false };
    let error = whole(b"*1\r\n\xff3\r\n", limits).error;
    assert_eq!(error, Some(ProtocolError::Syntax(b"expected '$', got '\xff'".to_vec())));
}

#[test]
fn requests_mean_what_redis_takes_them_for() {
    let table: &[(&[u8], &str)] = &[
        (b"*0\r\nPING\r\n", "[PING]"),
        (b"*-1\r\nPING\r\n", "[PING]"),
        (b"*-9999999999\r\nPING\r\n", "[PING]"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*-0\r\n", "invalid multibulk length"),
        (b"* 1\r\n", "invalid multibulk length"),
        (b"*1\n$4\r\nPING\r\n", "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*2147483647\r\n", "+13"),
        (b"*1048577\r\n", "+10"),
        (b"*1\rX$4\rXPINGxxPING\r\n", "[PING][PING]"),
        (b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "[ECHO ]"),
        (b"*1\r\n$0\r\n\r\n", "[]"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$00\r\n", "invalid bulk length"),
        (b"*1\r\n$blabla\r\n", "invalid bulk length"),
        (b"*1\r\n$536870912\r\n", "+16"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\n$99999999999999999999\r\n", "invalid bulk length"),
        (b"*1\r\nfoo\r\n", "expected '$', got 'f'"),
        (b"*1\r\nfoo", "+7"),
        (b"*1\r\n\r\n", "expected '$', got '\r'"),
        (b"*1\r\n5\r\n", "expected '$', got '5'"),
        (b"*1\r\n\x00oo\r\n", "+9"),
        (b"\r\n\n   \r\nPING\r\n", "[PING]"),
        (b"PI\x00NG\r\n", "+7"),
        (b"SET \"a b\" 'c'\n", "[SET a b c]"),
        (b"SET \"a\r\nPING\r\n", "unbalanced quotes in request"),
        (b"PING\r\nPING\r\n*1\r\nx\r\n", "[PING][PING]expected '$', got 'x'"),
    ];
    for (stream, expected) in table {
        assert_eq!(meaning(stream, REAL), *expected, "{}", stream.escape_ascii());
    }
}

#[test]
fn clients_that_have_not_authenticated_are_held_short() {
    let limits = InputLimits { unauthenticated: true, ..REAL };
    let table: &[(&[u8], &str)] = &[
        (b"*10\r\n", "+5"),
        (b"*11\r\n", "unauthenticated multibulk length"),
        (b"*3000000000\r\n", "invalid multibulk length"),
        (b"*1\r\n$16384\r\n", "+12"),
        (b"*1\r\n$16385\r\n", "unauthenticated bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
    ];
    for (stream, expected) in table {
        assert_eq!(meaning(stream, limits), *expected, "{}", stream.escape_ascii());
    }
}

#[test]
fn endless_lines_are_refused_at_64_kib() {
    let line = |head: &str, fill: &str, len: usize| format!("{head}{}", fill.repeat(len)).into_bytes();
    let table = [
        ("", "A", "too big inline request"),
        ("\0", "A", "too big inline request"),
        ("*", "1", "too big mbulk count string"),
        ("*\0", "1", "too big mbulk count string"),
        ("*1\r\n$", "1", "too big bulk count string"),
        ("*1\r\n$\0", "1", "too big bulk count string"),
    ];
    for (head, fill, error) in table {
        let begun = head.rfind('\n').map_or(0, |at| at + 1);
        let longest = line(head, fill, LINE_BYTES_MAX - (head.len() - begun));
        assert_eq!(whole(&longest, REAL).error, None, "{head:?}");
        let longer = line(head, fill, LINE_BYTES_MAX - (head.len() - begun) + 1);
        assert_eq!(whole(&longer, REAL).error, Some(syntax(error)), "{head:?}");
        let ended = [longer, b"\r\n".to_vec()].concat();
        assert_eq!(whole(&ended, REAL).error, Some(syntax(error)), "{head:?}");
    }
    let longest = [b"ECHO ".to_vec(), vec![b'a'; LINE_BYTES_MAX - 6], b"\r\n".to_vec()].concat();
    assert_eq!(whole(&longest, REAL).commands.len(), 1);
}

#[test]
fn a_command_of_4_gib_is_refused() {
    let limits = InputLimits { bulk_bytes_max: u64::MAX, query_buffer_bytes_max: u64::MAX, unauthenticated: false };
    let refused = "too big command, the limit is 4 GiB";
    assert_eq!(meaning(b"*1\r\n$4294967295\r\n", limits), refused);
    assert_eq!(meaning(b"*2\r\n$4\r\nECHO\r\n$4294967270\r\n", limits), refused);
    assert_eq!(meaning(b"*2\r\n$4\r\nECHO\r\n$4294967200\r\n", limits), "+27");
    assert_eq!(meaning(b"*1\r\n$9223372036854775807\r\n", limits), "invalid bulk length");
}

#[test]
fn an_incomplete_argument_tells_how_long_the_command_will_be_at_least() {
    let mut parser = Parser::new();
    let head = b"*2\r\n$4\r\nECHO\r\n$1000000\r\n";
    assert_eq!(parser.advance(head, || REAL), Ok(Parsed::Incomplete(head.len() + 1_000_002)));
    assert_eq!(parser.big_bytes(), 0);
    let all = [head, &vec![b'x'; 1_000_000][..], b"\r\n"].concat();
    assert_eq!(parser.advance(&all, || REAL), Ok(Parsed::Command(all.len())));
    assert_eq!(parser.big_bytes(), 1_000_000);
    assert_eq!(parser.args(&all).at(1).len(), 1_000_000);
}

/// A million arguments in pieces of 4 KiB: with a second look at what came before, this test would run for an hour.
#[test]
fn a_million_arguments_in_pieces_take_linear_time() {
    let mut stream = b"*1000000\r\n".to_vec();
    for _ in 0..1_000_000 {
        stream.extend_from_slice(b"$3\r\nabc\r\n");
    }
    let meaning = parse_in_pieces(&stream, REAL, || 4096);
    assert_eq!(meaning.commands[0].len(), 1_000_000);
    let meaning = parse_in_pieces(&stream, REAL, || 1);
    assert_eq!(meaning.commands[0].len(), 1_000_000);
}

/// Part of a stream that is near to something meaningful.
fn fragment(random: &mut SmallRng, out: &mut Vec<u8>) {
    match random.random_range(0..12) {
        0..5 => {
            let count = random.random_range(1..6);
            out.extend_from_slice(format!("*{count}\r\n").as_bytes());
            for _ in 0..count {
                let len = if random.random_ratio(1, 50) {
                    random.random_range(0..40_000)
                } else {
                    random.random_range(0..12)
                };
                out.extend_from_slice(format!("${len}\r\n").as_bytes());
                out.extend((0..len).map(|_| random.random::<u8>()));
                out.extend_from_slice(b"\r\n");
            }
        }
        5..8 => {
            let alphabet = b"abc  \"'\\xn41\t\r";
            let len = random.random_range(0..20);
            out.extend((0..len).map(|_| alphabet[random.random_range(0..alphabet.len())]));
            out.extend_from_slice(b"\r\n");
        }
        8 => out.extend_from_slice(format!("*{}\r\n", random.random_range(-3..20)).as_bytes()),
        9 => out.extend_from_slice(format!("*2\r\n${}\r\n", random.random_range(-3..200_000)).as_bytes()),
        10 => out.push(random.random()),
        _ => out.extend_from_slice(b"*1\r\n$4\r\nPING\r\n"),
    }
}

#[test]
fn any_split_of_200_000_random_streams_means_the_same() {
    let mut random = SmallRng::seed_from_u64(7);
    let mut data = Vec::new();
    for _ in 0..200_000 {
        data.clear();
        data.extend_from_slice(&random.random::<[u8; 8]>());
        for _ in 0..random.random_range(1..6) {
            fragment(&mut random, &mut data);
        }
        for _ in 0..random.random_range(0..3) {
            let at = random.random_range(8..=data.len() - 1);
            match random.random_range(0..3) {
                0 => data[at] = random.random(),
                1 => drop(data.remove(at)),
                _ => data.insert(at, b"\r\n*$\0 \"'-09"[random.random_range(0..11)]),
            }
            if data.len() < 10 {
                break;
            }
        }
        check_splits(&data);
    }
}

#[test]
fn what_was_written_is_what_is_read() {
    let mut random = SmallRng::seed_from_u64(11);
    for _ in 0..2_000 {
        let commands: Vec<Vec<Vec<u8>>> = (0..random.random_range(1..8))
            .map(|_| {
                let args = random.random_range(1..20);
                (0..args).map(|_| (0..random.random_range(0..60)).map(|_| random.random()).collect()).collect()
            })
            .collect();
        let mut stream = Vec::new();
        for command in &commands {
            stream.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
            for arg in command {
                stream.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
                stream.extend_from_slice(arg);
                stream.extend_from_slice(b"\r\n");
            }
        }
        let meaning = parse_in_pieces(&stream, LIMITS, || random.random_range(1..100));
        assert_eq!(meaning, Meaning { commands, error: None, rest: 0 });
    }
}
