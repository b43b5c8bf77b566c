//! The parser's promise, as a function of arbitrary bytes: however a stream is cut into pieces, the same commands come
//! out, and the same error ends it.
//!
//! The fuzz target and the seeded tests both call [`check_splits`].

use crate::resp::parse::{Parsed, Parser};
use crate::service::{InputLimits, ProtocolError};

/// What a stream of bytes meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// The commands in order, each with its arguments.
    pub commands: Vec<Vec<Vec<u8>>>,
    /// What ended the stream, if it is malformed.
    pub error: Option<ProtocolError>,
    /// Bytes behind the last complete command.
    pub rest: usize,
}

/// Limits small enough for a fuzzer to reach.
pub const LIMITS: InputLimits =
    InputLimits { bulk_bytes_max: 100_000, query_buffer_bytes_max: u64::MAX, unauthenticated: false };

/// Parses `stream` as it would be received in pieces whose lengths `next` tells (at least 1 is taken).
pub fn parse_in_pieces(stream: &[u8], limits: InputLimits, mut next: impl FnMut() -> usize) -> Meaning {
    let mut meaning = Meaning::default();
    let mut parser = Parser::new();
    let (mut start, mut received, mut needed) = (0, 0, 1);
    loop {
        while received - start < needed {
            if received == stream.len() {
                meaning.rest = received - start;
                return meaning;
            }
            received = (received + next().max(1)).min(stream.len());
        }
        let input = &stream[start..received];
        match parser.advance(input, || limits) {
            Ok(Parsed::Command(len)) => {
                meaning.commands.push(parser.args(input).from(0).map(<[u8]>::to_vec).collect());
                start += len;
            }
            Ok(Parsed::Nothing(len)) => start += len,
            Ok(Parsed::Incomplete(more)) => {
                assert!(more > input.len(), "an incomplete command asks for more than there is");
                needed = more;
                continue;
            }
            Err(error) => {
                meaning.error = Some(error);
                return meaning;
            }
        }
        parser.reset();
        needed = 1;
    }
}

/// Takes the first eight bytes of `data` for a seed and the rest for a stream: parsed whole, byte by byte and in random
/// pieces it must mean the same. Panics where it does not.
pub fn check_splits(data: &[u8]) {
    let (seed, stream) = data.split_at(data.len().min(8));
    let mut random =
        seed.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut short = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % 23) as usize
    };
    for unauthenticated in [false, true] {
        let limits = InputLimits { unauthenticated, ..LIMITS };
        let whole = parse_in_pieces(stream, limits, || stream.len());
        assert_eq!(parse_in_pieces(stream, limits, || 1), whole, "byte by byte");
        assert_eq!(parse_in_pieces(stream, limits, &mut short), whole, "in random pieces");
    }
}
