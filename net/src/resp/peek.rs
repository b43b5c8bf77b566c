//! A look ahead at the commands of a piece of input, for prefetching.
//!
//! Looking up a key costs two cache misses, which are most of the time of a short command. The commands of a pipeline, and
//! of the connections that are ready in one tick, do not depend on each other's lookups, so the misses can overlap: before
//! commands run, this scan finds the names and first arguments of the next few, and the service asks for the memory that
//! they will need. It checks nothing: whatever is not a plain array of bulk strings ends it.

/// A command that is about to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upcoming<'a> {
    /// Its name, as it was sent.
    pub name: &'a [u8],
    /// The first arguments behind it; those that it does not have are empty.
    pub args: [&'a [u8]; 3],
}

/// Arguments of a command beyond which the scan gives up: it would cost more than the misses it saves.
const ARGS_MAX: usize = 16;

/// Calls `visit` for at most `max` complete commands at the front of `input`. Returns how many it saw.
pub fn look_ahead(input: &[u8], max: usize, mut visit: impl FnMut(Upcoming<'_>)) -> usize {
    let mut rest = input;
    let mut seen = 0;
    while seen < max {
        let Some((count, after)) = number(rest, b'*') else { break };
        if !(2..=ARGS_MAX).contains(&count) {
            break;
        }
        let Some((name, mut after)) = bulk(after) else { break };
        let mut upcoming = Upcoming { name, args: [&[]; 3] };
        for index in 0..count - 1 {
            let Some((arg, next)) = bulk(after) else { return seen };
            if let Some(place) = upcoming.args.get_mut(index) {
                *place = arg;
            }
            after = next;
        }
        visit(upcoming);
        seen += 1;
        rest = after;
    }
    seen
}

/// A short number behind `kind`, and what follows its line break.
#[inline]
fn number(input: &[u8], kind: u8) -> Option<(usize, &[u8])> {
    if *input.first()? != kind {
        return None;
    }
    let mut value = 0;
    for (i, &byte) in input.iter().enumerate().skip(1).take(8) {
        match byte {
            b'0'..=b'9' => value = value * 10 + usize::from(byte - b'0'),
            b'\r' => return Some((value, input.get(i + 2..)?)),
            _ => return None,
        }
    }
    None
}

#[inline]
fn bulk(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = number(input, b'$')?;
    Some((rest.get(..len)?, rest.get(len + 2..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(input: &[u8], max: usize) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        look_ahead(input, max, |Upcoming { name, args }| all.push([name, args[0], args[1], args[2]].join(&b' ')));
        all
    }

    #[test]
    fn names_and_arguments_of_whole_commands() {
        let input =
            b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*3\r\n$3\r\nSET\r\n$2\r\nbb\r\n$4\r\nx\r\ny\r\n*2\r\n$3\r\nGET\r\n$5\r\nab";
        assert_eq!(seen(input, 16), [&b"GET a  "[..], b"SET bb x\r\ny "]);
        assert_eq!(seen(input, 1).len(), 1);
        let longer = b"*5\r\n$4\r\nZADD\r\n$1\r\nz\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n2\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n";
        assert_eq!(seen(longer, 16), [&b"ZADD z 1 a"[..], b"GET b  "]);
    }

    #[test]
    fn anything_else_ends_it() {
        for input in
            [&b"PING\r\n"[..], b"*1\r\n$4\r\nPING\r\n", b"*-1\r\n", b"*2\r\n$x\r\n", b"", b"*2\r\n$99999999999\r\n"]
        {
            assert!(seen(input, 16).is_empty());
        }
        // Cut anywhere, it neither fails nor invents a key.
        let whole = b"*3\r\n$3\r\nSET\r\n$2\r\nbb\r\n$4\r\nx\r\ny\r\n";
        for end in 0..whole.len() {
            assert!(seen(&whole[..end], 16).is_empty());
        }
    }
}
