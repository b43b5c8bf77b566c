//! A look ahead at the commands of a piece of input, for prefetching.
//!
//! Looking up a key costs two cache misses, which are most of the time of a short command. The commands of a pipeline, and
//! of the connections that are ready in one tick, do not depend on each other's lookups, so the misses can overlap: before
//! commands run, this scan finds the names and first arguments of the next few, and the service asks for the memory that
//! they will need. It checks nothing: whatever is not a plain array of bulk strings ends it.

/// Arguments of a command beyond which the scan gives up: it would cost more than the misses it saves.
const ARGS_MAX: usize = 16;

/// Calls `visit` with the name and the first argument of at most `max` complete commands at the front of `input`. Returns
/// how many it saw.
pub fn look_ahead(input: &[u8], max: usize, mut visit: impl FnMut(&[u8], &[u8])) -> usize {
    let mut rest = input;
    let mut seen = 0;
    while seen < max {
        let Some((args, after)) = number(rest, b'*') else { break };
        if !(2..=ARGS_MAX).contains(&args) {
            break;
        }
        let Some((name, after)) = bulk(after) else { break };
        let Some((first, mut after)) = bulk(after) else { break };
        visit(name, first);
        seen += 1;
        for _ in 2..args {
            match bulk(after) {
                Some((_, next)) => after = next,
                None => return seen,
            }
        }
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

    fn seen(input: &[u8], max: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all = Vec::new();
        look_ahead(input, max, |name, key| all.push((name.to_vec(), key.to_vec())));
        all
    }

    #[test]
    fn names_and_keys_of_whole_commands() {
        let input =
            b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*3\r\n$3\r\nSET\r\n$2\r\nbb\r\n$4\r\nx\r\ny\r\n*2\r\n$3\r\nGET\r\n$5\r\nab";
        assert_eq!(seen(input, 16), [(b"GET".to_vec(), b"a".to_vec()), (b"SET".to_vec(), b"bb".to_vec())]);
        assert_eq!(seen(input, 1).len(), 1);
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
            assert!(seen(&whole[..end], 16).iter().all(|(_, key)| key == b"bb"));
        }
    }
}
