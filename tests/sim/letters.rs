//! The model's lists, sets, bits and sketches: a collection is the single letters that are its elements, and an empty one is
//! not there. A sketch is the letters that it has seen: of so few it knows exactly how many they are.

use crate::client::Op;
use crate::oracle::{Answer, Item, Model};
use crate::program::{Bytes, Request};

/// Lists: the letters in a row.
impl Model {
    fn list(&mut self, key: usize) -> Bytes {
        self.value(key).unwrap_or_default()
    }

    fn put_list(&mut self, key: usize, letters: Bytes) {
        let expire_at = self.item(key).and_then(|item| item.expire_at);
        self.items[key] = (!letters.is_empty()).then_some(Item { value: letters, expire_at });
    }

    fn push(&mut self, key: usize, letter: u8, left: bool) -> i64 {
        let mut letters = self.list(key);
        let place = if left { 0 } else { letters.len() };
        letters.insert(place, letter);
        let len = letters.len() as i64;
        self.put_list(key, letters);
        len
    }

    fn pop(&mut self, key: usize, left: bool) -> Option<Bytes> {
        let mut letters = self.list(key);
        let last = letters.len().checked_sub(1)?;
        let letter = letters.remove(if left { 0 } else { last });
        self.put_list(key, letters);
        Some(vec![letter])
    }

    fn shift(&mut self, args: &[Bytes], keys: &[Bytes]) -> Option<Bytes> {
        let left = |word: &Bytes| word.eq_ignore_ascii_case(b"LEFT");
        let letter = self.pop(Self::place(keys, &args[1]), left(&args[3]))?;
        self.push(Self::place(keys, &args[2]), letter[0], left(&args[4]));
        Some(letter)
    }

    /// A command on lists.
    pub fn list_command(&mut self, args: &[Bytes], keys: &[Bytes]) -> Answer {
        let key = Self::place(keys, &args[1]);
        match args[0].as_slice() {
            b"LPUSH" => Answer::Integer(self.push(key, args[2][0], true)),
            b"RPUSH" => Answer::Integer(self.push(key, args[2][0], false)),
            b"LPOP" => Answer::Bulk(self.pop(key, true)),
            b"RPOP" => Answer::Bulk(self.pop(key, false)),
            b"LRANGE" => Answer::Bulks(self.list(key).iter().map(|letter| Some(vec![*letter])).collect()),
            b"LMOVE" => Answer::Bulk(self.shift(args, keys)),
            b"SORT" => {
                let mut letters = self.list(key);
                letters.sort_unstable();
                let len = letters.len() as i64;
                if args.len() == 3 {
                    return Answer::Bulks(letters.iter().map(|letter| Some(vec![*letter])).collect());
                }
                self.replace(Self::place(keys, &args[4]), letters);
                Answer::Integer(len)
            }
            other => panic!("the model does not know {}", other.escape_ascii()),
        }
    }

    /// A command that waits: takes what is there; with nothing there, it is nothing that can happen before `over`.
    /// Who has waited is served by whatever key of his has an element first, not by the first one with an element.
    pub fn take_or_wait(&mut self, op: &Op, keys: &[Bytes], over: i64) -> Option<Answer> {
        let Request::Command(args) = &op.request else { unreachable!("only commands wait") };
        let late = self.now > over;
        if args[0].eq_ignore_ascii_case(b"BLMOVE") {
            return match self.shift(args, keys) {
                None => late.then_some(Answer::Executed(false)),
                letter => Some(Answer::Bulk(letter)),
            };
        }
        let left = args[0].eq_ignore_ascii_case(b"BLPOP");
        let is_served =
            |name: &&Bytes| op.answered.is_none() || op.reply.windows(name.len()).any(|part| part == **name);
        for name in args[1..args.len() - 1].iter().filter(is_served) {
            if let Some(letter) = self.pop(Self::place(keys, name), left) {
                return Some(Answer::Bulks(vec![Some(name.clone()), Some(letter)]));
            }
        }
        let nothing = args[1..args.len() - 1].iter().all(|name| self.value(Self::place(keys, name)).is_none());
        (late && nothing).then_some(Answer::Executed(false))
    }
}

/// Sets: the letters in their order.
impl Model {
    /// A command that adds, removes, moves or looks.
    pub fn set_command(&mut self, args: &[Bytes], keys: &[Bytes]) -> Answer {
        let key = Self::place(keys, &args[1]);
        Answer::Integer(match args[0].as_slice() {
            b"SADD" => i64::from(self.add(key, args[2][0])),
            b"SREM" => i64::from(self.remove(key, args[2][0])),
            b"SISMEMBER" => i64::from(self.list(key).contains(&args[2][0])),
            b"SCARD" => self.list(key).len() as i64,
            b"SMOVE" => {
                let letter = args[3][0];
                let moves = self.remove(key, letter);
                if moves {
                    self.add(Self::place(keys, &args[2]), letter);
                }
                i64::from(moves)
            }
            other => panic!("the model does not know {}", other.escape_ascii()),
        })
    }

    fn add(&mut self, key: usize, letter: u8) -> bool {
        let mut letters = self.list(key);
        let Err(place) = letters.binary_search(&letter) else { return false };
        letters.insert(place, letter);
        self.put_list(key, letters);
        true
    }

    fn remove(&mut self, key: usize, letter: u8) -> bool {
        let mut letters = self.list(key);
        let Ok(place) = letters.binary_search(&letter) else { return false };
        letters.remove(place);
        self.put_list(key, letters);
        true
    }

    /// What is common to sets, is in any of them, or in the first alone.
    pub fn store_sets(&mut self, args: &[Bytes], keys: &[Bytes]) -> Answer {
        let sets: Vec<Bytes> = args[2..].iter().map(|key| self.list(Self::place(keys, key))).collect();
        let mut letters: Bytes = sets.concat();
        letters.sort_unstable();
        letters.dedup();
        letters.retain(|letter| match args[0].as_slice() {
            b"SINTERSTORE" => sets.iter().all(|set| set.contains(letter)),
            b"SDIFFSTORE" => sets[0].contains(letter) && !sets[1..].iter().any(|set| set.contains(letter)),
            _ => true,
        });
        let len = letters.len() as i64;
        self.replace(Self::place(keys, &args[1]), letters);
        Answer::Integer(len)
    }

    fn replace(&mut self, key: usize, value: Bytes) {
        self.items[key] = (!value.is_empty()).then_some(Item { value, expire_at: None });
    }

    /// BITOP of two strings: `OR`, `AND` or `XOR`.
    pub fn store_bits(&mut self, args: &[Bytes], keys: &[Bytes]) -> Answer {
        let [one, other] = [&args[3], &args[4]].map(|key| self.list(Self::place(keys, key)));
        let byte = |bytes: &Bytes, place: usize| bytes.get(place).copied().unwrap_or(0);
        let len = one.len().max(other.len());
        let both = |place: usize| {
            let (one, other) = (byte(&one, place), byte(&other, place));
            match args[1].as_slice() {
                b"OR" => one | other,
                b"AND" => one & other,
                _ => one ^ other,
            }
        };
        self.replace(Self::place(keys, &args[2]), (0..len).map(both).collect());
        Answer::Integer(len as i64)
    }
}

/// Sketches: the letters in their order, and an empty one is there all the same.
impl Model {
    /// PFADD, PFCOUNT or PFMERGE.
    pub fn sketch_command(&mut self, args: &[Bytes], keys: &[Bytes]) -> Answer {
        let key = Self::place(keys, &args[1]);
        match args[0].as_slice() {
            b"PFADD" => {
                let is_new = self.item(key).is_none();
                let is_added = self.add(key, args[2][0]);
                Answer::Integer(i64::from(is_new || is_added))
            }
            b"PFCOUNT" => Answer::Integer(self.seen(&args[1..], keys).len() as i64),
            _ => {
                let value = self.seen(&args[1..], keys);
                let expire_at = self.item(key).and_then(|item| item.expire_at);
                self.items[key] = Some(Item { value, expire_at });
                Answer::Ok
            }
        }
    }

    /// The letters that any of these has seen.
    fn seen(&mut self, sketches: &[Bytes], keys: &[Bytes]) -> Bytes {
        let mut letters: Bytes = sketches.iter().flat_map(|key| self.list(Self::place(keys, key))).collect();
        letters.sort_unstable();
        letters.dedup();
        letters
    }
}
