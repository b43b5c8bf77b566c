//! Making one reply of the parts' replies.

use net::{Args, Reply};

use super::Outcome;

/// How the replies of a split command become one. Every part is a whole RESP reply. If any part is an error, the first
/// one is the reply, whatever the rule.
#[derive(Clone, Copy)]
pub enum Merge {
    /// The sum of the parts' integers.
    Sum,
    /// The first part's reply, all being alike.
    First,
    /// The same. A server with save points has saved what is left before, if `is_sound` says of the arguments that they are
    /// no error.
    Saved {
        /// Whether the command will do what it is there for.
        is_sound: fn(&Args<'_>) -> bool,
    },
    /// Arrays with one element per key, put back into the order of the keys.
    ByKey,
    /// Arrays, joined in order of shards.
    Concat,
    /// Something of its own. The parts are in order of shards.
    With(fn(&Args<'_>, &[&[u8]], &mut Reply<'_>) -> Outcome),
}

/// One part's reply and where its keys stood among the command's keys.
#[derive(Debug, Default)]
pub struct Part {
    /// The RESP reply.
    pub reply: Vec<u8>,
    /// For [`Merge::ByKey`]: the places of this part's keys in the whole command, ascending.
    pub places: Vec<u32>,
}

impl Merge {
    /// Writes the reply made of `parts`, which are in order of shards.
    pub fn apply(self, args: &Args<'_>, parts: &[Part], reply: &mut Reply<'_>) -> Outcome {
        if let Some(error) = parts.iter().find(|part| part.reply.first() == Some(&b'-')) {
            reply.raw(&error.reply);
            return Ok(());
        }
        match self {
            Merge::Sum => reply.integer(parts.iter().map(|part| integer(&part.reply)).sum()),
            Merge::First | Merge::Saved { .. } => reply.raw(&parts[0].reply),
            Merge::ByKey => by_key(parts, reply),
            Merge::Concat => {
                let heads: Vec<_> = parts.iter().map(|part| length(&part.reply)).collect();
                reply.array(heads.iter().map(|&(len, _)| len).sum());
                for (part, (_, body)) in parts.iter().zip(heads) {
                    reply.raw(&part.reply[body..]);
                }
            }
            Merge::With(merge) => {
                let replies: Vec<&[u8]> = parts.iter().map(|part| part.reply.as_slice()).collect();
                return merge(args, &replies, reply);
            }
        }
        Ok(())
    }
}

fn by_key(parts: &[Part], reply: &mut Reply<'_>) {
    let total = parts.iter().map(|part| part.places.len()).sum();
    let mut elements: Vec<&[u8]> = vec![&[]; total];
    for part in parts {
        let (count, mut at) = length(&part.reply);
        assert_eq!(count, part.places.len(), "a part answers for each of its keys");
        for &place in &part.places {
            let end = at + element_bytes(&part.reply[at..]);
            elements[place as usize] = &part.reply[at..end];
            at = end;
        }
    }
    reply.array(total);
    for element in elements {
        reply.raw(element);
    }
}

/// The integer of a reply `:n`.
pub fn integer(reply: &[u8]) -> i64 {
    assert_eq!(reply.first(), Some(&b':'), "a part that is summed answers an integer");
    line(reply).parse().expect("an integer reply holds a number")
}

/// Number of elements of an aggregate reply, and where its first element begins.
pub fn length(reply: &[u8]) -> (usize, usize) {
    let text = line(reply);
    (text.parse().expect("an aggregate reply holds its length"), 1 + text.len() + 2)
}

/// Length in bytes of the first element of `reply`: a bulk string, or anything that is one line.
pub fn element_bytes(reply: &[u8]) -> usize {
    let text = line(reply);
    let head = 1 + text.len() + 2;
    match reply[0] {
        b'$' => match text.parse::<i64>().expect("a bulk string has a length") {
            len if len < 0 => head,
            len => head + len as usize + 2,
        },
        b'*' | b'~' | b'%' | b'>' => {
            let per = if reply[0] == b'%' { 2 } else { 1 };
            let count = text.parse::<i64>().expect("an aggregate has a length").max(0) as usize * per;
            (0..count).fold(head, |at, _| at + element_bytes(&reply[at..]))
        }
        _ => head,
    }
}

fn line(reply: &[u8]) -> &str {
    let end = reply.iter().position(|&b| b == b'\r').expect("a reply is whole");
    std::str::from_utf8(&reply[1..end]).expect("heads of replies are ASCII")
}

#[cfg(test)]
mod tests {
    use net::Resp;

    use super::*;

    fn part(reply: &[u8], places: &[u32]) -> Part {
        Part { reply: reply.to_vec(), places: places.to_vec() }
    }

    fn apply(merge: Merge, parts: &[Part]) -> Vec<u8> {
        let mut out = Vec::new();
        merge.apply(&Args::new(&[], &[]), parts, &mut Reply::new(&mut out, Resp::V2)).expect("merges");
        out
    }

    #[test]
    fn elements_return_to_the_places_of_their_keys() {
        let parts = [part(b"*2\r\n$1\r\na\r\n$-1\r\n", &[0, 2]), part(b"*1\r\n$2\r\n\r\n\r\n", &[1])];
        assert_eq!(apply(Merge::ByKey, &parts), b"*3\r\n$1\r\na\r\n$2\r\n\r\n\r\n$-1\r\n");
    }

    #[test]
    fn an_error_of_any_part_is_the_reply() {
        assert_eq!(apply(Merge::Sum, &[part(b":1\r\n", &[]), part(b"-ERR x\r\n", &[])]), b"-ERR x\r\n");
        assert_eq!(apply(Merge::Sum, &[part(b":1\r\n", &[]), part(b":41\r\n", &[])]), b":42\r\n");
        assert_eq!(apply(Merge::Concat, &[part(b"*0\r\n", &[]), part(b"*1\r\n:7\r\n", &[])]), b"*1\r\n:7\r\n");
    }
}
