//! What another server answers to AUTH, SELECT and RESTORE: one line each.
//!
//! ```text
//!   +OK\r\n           it is done
//!   -CODE text\r\n    it is not
//! ```
//!
//! Anything else is no answer to these commands.

/// A line is no longer than this, in bytes.
const LINE_BYTES_MAX: usize = 16 << 10;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// It is not: the error, without the leading `-`.
    Refused(Vec<u8>),
}

/// What came is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbage;

/// The bytes that have come, as far as they were not read yet.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// What of them was read.
    read: usize,
    /// What of the rest has no end of a line.
    searched: usize,
}

impl Lines {
    /// More bytes have come.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next answer, if all of it has come.
    pub fn next_answer(&mut self) -> Result<Option<Answer>, Garbage> {
        let rest = &self.bytes[self.read..];
        if rest.first().is_some_and(|byte| !matches!(byte, b'+' | b'-')) {
            return Err(Garbage);
        }
        let Some(end) = rest[self.searched..].iter().position(|&byte| byte == b'\n') else {
            self.searched = rest.len();
            return if rest.len() > LINE_BYTES_MAX { Err(Garbage) } else { Ok(None) };
        };
        let end = self.searched + end;
        if end > LINE_BYTES_MAX {
            return Err(Garbage);
        }
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        let answer = match line.split_first() {
            Some((b'+', _)) => Answer::Done,
            Some((_, text)) => Answer::Refused(text.to_vec()),
            None => unreachable!("it begins with a sign"),
        };
        self.read += end + 1;
        self.searched = 0;
        Ok(Some(answer))
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.read == self.bytes.len()
    }
}

/// The answers in a stream that comes in pieces of these lengths (at least 1 is taken), and whether they end with garbage.
fn answers(stream: &[u8], mut next: impl FnMut() -> usize) -> (Vec<Answer>, bool) {
    let (mut lines, mut answers, mut rest) = (Lines::default(), Vec::new(), stream);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(next().clamp(1, rest.len()));
        rest = behind;
        lines.feed(piece);
        loop {
            match lines.next_answer() {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => break,
                Err(Garbage) => return (answers, true),
            }
        }
    }
    (answers, false)
}

/// The parser's promise: however a stream is cut into pieces, it has the same answers. The first byte of `data` tells the
/// pieces, the rest is the stream. Panics if the promise is broken; for the fuzz target and the tests.
pub fn check_splits(data: &[u8]) {
    let Some((&seed, stream)) = data.split_first() else { return };
    let whole = answers(stream, || stream.len());
    let mut random = u32::from(seed) + 1;
    let short = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 28) as usize
    };
    assert_eq!(answers(stream, short), whole, "in pieces");
    assert_eq!(answers(stream, || 1), whole, "byte by byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_answers() {
        let stream = b"+OK\r\n-BUSYKEY Target key name already exists.\r\n+\n-\r\n+O";
        check_splits(stream);
        let refused = |text: &[u8]| Answer::Refused(text.to_vec());
        let expected = [Answer::Done, refused(b"BUSYKEY Target key name already exists."), Answer::Done, refused(b"")];
        assert_eq!(answers(stream, || stream.len()), (expected.to_vec(), false));
    }

    #[test]
    fn anything_else_is_garbage() {
        for text in ["HTTP/1.1 400 Bad Request\r\n", "$2\r\nOK\r\n", ":1\r\n", "\r\n", "OK"] {
            let stream = format!("+OK\r\n{text}");
            check_splits(stream.as_bytes());
            assert_eq!(answers(stream.as_bytes(), || 3), (vec![Answer::Done], true), "{text}");
        }
    }

    #[test]
    fn a_line_without_end_is_garbage() {
        let long = [&b"x-"[..], &vec![b'x'; LINE_BYTES_MAX + 10]].concat();
        check_splits(&long);
        assert_eq!(answers(&long[1..], || 1000), (Vec::new(), true));
        let ended = [&long[..], b"\r\n"].concat();
        check_splits(&ended);
    }

    #[test]
    fn seeded_streams_mean_the_same_in_pieces() {
        let mut random = 1_u64;
        for _ in 0..2000 {
            let mut data = Vec::new();
            for _ in 0..40 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                data.extend_from_slice(
                    [&b"+OK"[..], b"\r\n", b"-", b"\n", b"+", b"\r", b"E x", b"\r\n+"][(random >> 61) as usize],
                );
            }
            check_splits(&data);
        }
    }
}
