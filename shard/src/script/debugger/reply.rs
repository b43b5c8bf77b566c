//! A command's reply as text.
//!
//! | reply | text |
//! |---|---|
//! | integer | `5` |
//! | bulk string | `"text"` |
//! | status, error | `"+OK"`, `"-ERR ..."` |
//! | array, set, map | `["a",1]`, `~("a")`, `{"field" => "value"}` |
//! | null | `NULL`; `(null)` in RESP3 |
//! | double, big number, boolean, verbatim string | `(double) 1.5`, `(big number) 12`, `#true`, `"text"` |

use super::value::write_quoted;
use crate::script::to_lua::Replies;

/// The text of a whole reply, at least up to `bytes_max` bytes of `out`, behind what is there.
pub(super) fn write_reply(reply: &[u8], out: &mut Vec<u8>, bytes_max: usize) {
    Reader(Replies::new(reply)).write(out, bytes_max);
}

struct Reader<'a>(Replies<'a>);

impl Reader<'_> {
    fn write(&mut self, out: &mut Vec<u8>, bytes_max: usize) {
        if out.len() > bytes_max {
            return;
        }
        let (kind, line) = (self.0.kind(), self.0.line());
        let count = || std::str::from_utf8(line).ok().and_then(|digits| digits.parse::<usize>().ok());
        match kind {
            b':' => out.extend_from_slice(line),
            b'+' | b'-' => write_quoted(out, &[&[kind], line].concat()),
            b'$' => match count() {
                None => out.extend_from_slice(b"NULL"),
                Some(len) => write_quoted(out, self.0.bytes(len)),
            },
            b'*' | b'>' => match count() {
                None => out.extend_from_slice(b"NULL"),
                Some(len) => self.write_list(out, bytes_max, len, [b"[", b"]"]),
            },
            b'~' => self.write_list(out, bytes_max, count().unwrap_or(0), [b"~(", b")"]),
            b'%' => self.write_map(out, bytes_max, count().unwrap_or(0)),
            b'|' => {
                self.write_map(out, bytes_max, count().unwrap_or(0));
                self.write(out, bytes_max);
            }
            b'_' => out.extend_from_slice(b"(null)"),
            b'#' => out.extend_from_slice(if line == b"t" { b"#true" } else { b"#false" }),
            b',' => out.extend_from_slice(&[b"(double) ", line].concat()),
            b'(' => out.extend_from_slice(&[b"(big number) ", line].concat()),
            b'=' => {
                // Its kind and a colon come first.
                let text = self.0.bytes(count().unwrap_or(0));
                write_quoted(out, text.get(4..).unwrap_or_default());
            }
            other => unreachable!("no reply begins with {other}"),
        }
    }

    fn write_list(&mut self, out: &mut Vec<u8>, bytes_max: usize, len: usize, marks: [&[u8]; 2]) {
        self.write_items(out, bytes_max, len, marks, Self::write);
    }

    fn write_map(&mut self, out: &mut Vec<u8>, bytes_max: usize, len: usize) {
        self.write_items(out, bytes_max, len, [b"{", b"}"], |reader, out, bytes_max| {
            reader.write(out, bytes_max);
            out.extend_from_slice(b" => ");
            reader.write(out, bytes_max);
        });
    }

    fn write_items(
        &mut self,
        out: &mut Vec<u8>,
        bytes_max: usize,
        len: usize,
        marks: [&[u8]; 2],
        write_one: impl Fn(&mut Self, &mut Vec<u8>, usize),
    ) {
        out.extend_from_slice(marks[0]);
        for place in 0..len {
            if out.len() > bytes_max {
                return;
            }
            if place > 0 {
                out.push(b',');
            }
            write_one(self, out, bytes_max);
        }
        out.extend_from_slice(marks[1]);
    }
}
