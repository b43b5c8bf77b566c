//! A small model of the server: its keys, who subscribes and who watches, and what a request is answered.

use crate::program::{Bytes, Request};

/// A key's value, and until when it is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// The value: a string, or the letters that are a collection's elements.
    pub value: Bytes,
    /// When it expires.
    pub expire_at: Option<i64>,
}

/// The model: the keys by their place in the sorted list, the messages published, and the time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model {
    /// By the places of the keys.
    pub items: Vec<Option<Item>>,
    pub(super) published: Vec<u32>,
    /// What the request that is executed has published: channels and messages.
    pub(super) publishing: Vec<(Bytes, Bytes)>,
    /// What each client is subscribed to.
    pub(super) subscribed: Vec<Vec<Bytes>>,
    /// How many messages each client has been told.
    pub(super) told: Vec<usize>,
    /// The time.
    pub now: i64,
    /// What each client watches, by its place, and whether that was changed.
    pub(super) watched: Vec<(usize, usize)>,
    pub(super) spoilt: u32,
    /// The point was passed at which the values are those that were found, if that need not be the end.
    pub(super) is_found: bool,
}

/// As Redis has it, a key is still there in the very millisecond of its expiry.
pub(super) fn is_past(expire_at: Option<i64>, now: i64) -> bool {
    expire_at.is_some_and(|at| now > at)
}

/// What a request is answered.
pub enum Answer {
    /// OK.
    Ok,
    /// A line.
    Simple(&'static str),
    /// A number.
    Integer(i64),
    /// A string, or nothing.
    Bulk(Option<Bytes>),
    /// Several.
    Bulks(Vec<Option<Bytes>>),
    /// An error that begins so.
    Error(&'static str),
    /// A transaction of one SET, or none.
    Executed(bool),
    /// What was done about a channel, and how many subscriptions there are then.
    Subscribed(&'static str, Bytes, usize),
    /// Of the commands of a transaction.
    Each(Vec<Answer>),
}

impl Answer {
    /// Whether this is the reply.
    pub(super) fn is(&self, reply: &[u8]) -> bool {
        if let Answer::Error(text) = self {
            return reply.starts_with(text.as_bytes());
        }
        let mut expected = Vec::new();
        self.write(&mut expected);
        expected == reply
    }

    fn write(&self, expected: &mut Bytes) {
        match self {
            Answer::Simple(text) => expected.extend(format!("+{text}\r\n").bytes()),
            Answer::Ok => expected.extend(b"+OK\r\n"),
            Answer::Integer(number) => expected.extend(format!(":{number}\r\n").bytes()),
            Answer::Bulk(value) => push_bulk(expected, value.as_ref()),
            Answer::Bulks(values) => {
                expected.extend(format!("*{}\r\n", values.len()).bytes());
                for value in values {
                    push_bulk(expected, value.as_ref());
                }
            }
            Answer::Subscribed(what, channel, count) => {
                expected.extend(format!(">3\r\n${}\r\n{what}\r\n", what.len()).bytes());
                push_bulk(expected, Some(channel));
                expected.extend(format!(":{count}\r\n").bytes());
            }
            Answer::Error(text) => expected.extend(format!("{text}\r\n").bytes()),
            Answer::Executed(true) => expected.extend(b"*1\r\n+OK\r\n"),
            Answer::Executed(false) => expected.extend(b"*-1\r\n"),
            Answer::Each(answers) => {
                expected.extend(format!("*{}\r\n", answers.len()).bytes());
                for answer in answers {
                    answer.write(expected);
                }
            }
        }
    }
}

pub(super) fn push_bulk(out: &mut Vec<u8>, value: Option<&Bytes>) {
    match value {
        None => out.extend(b"$-1\r\n"),
        Some(value) => {
            out.extend(format!("${}\r\n", value.len()).bytes());
            out.extend(value);
            out.extend(b"\r\n");
        }
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

impl Model {
    /// The place of a key.
    pub fn place(keys: &[Bytes], key: &Bytes) -> usize {
        keys.binary_search(key).expect("it is one of the program's keys")
    }

    /// What is at a place now.
    pub fn item(&mut self, place: usize) -> Option<&Item> {
        let now = self.now;
        self.items[place].take_if(|item| is_past(item.expire_at, now));
        self.items[place].as_ref()
    }

    /// Its value.
    pub fn value(&mut self, place: usize) -> Option<Bytes> {
        self.item(place).map(|item| item.value.clone())
    }

    fn set(&mut self, place: usize, value: &Bytes) {
        self.items[place] = Some(Item { value: value.clone(), expire_at: None });
    }

    /// What a client does with transactions; everything else is as of anybody.
    pub(super) fn execute_for(&mut self, client: usize, request: &Request, keys: &[Bytes]) -> Answer {
        match request {
            Request::Command(args) if args[0] == b"WATCH" => {
                let places = args[1..].iter().map(|key| (client, Self::place(keys, key)));
                self.watched.extend(places);
                self.watched.sort_unstable();
                self.watched.dedup();
                Answer::Ok
            }
            Request::Multi(commands) => {
                self.watched.retain(|(of, _)| *of != client);
                let was_spoilt = self.spoilt & 1 << client != 0;
                self.spoilt &= !(1 << client);
                if was_spoilt {
                    return Answer::Executed(false);
                }
                self.each(commands, keys)
            }
            Request::Eval { commands, .. } => self.each(commands, keys),
            request => self.execute(request, keys),
        }
    }

    /// Commands one after the other.
    fn each(&mut self, commands: &[Vec<Bytes>], keys: &[Bytes]) -> Answer {
        let run = |args: &Vec<Bytes>| {
            let before = self.items.clone();
            let answer = self.command(args, keys);
            self.spoil_changed(&before);
            self.publishing.clear();
            answer
        };
        Answer::Each(commands.iter().map(run).collect())
    }

    /// Whoever watches something that is not as it was in `before` has that to know.
    pub(super) fn spoil_changed(&mut self, before: &[Option<Item>]) {
        let (items, watched) = (&self.items, &self.watched);
        let changed = watched.iter().filter(|(_, place)| items[*place] != before[*place]);
        self.spoilt |= changed.fold(0, |spoilt, (client, _)| spoilt | 1 << client);
    }

    fn execute(&mut self, request: &Request, keys: &[Bytes]) -> Answer {
        match request {
            Request::Multi(_) | Request::Eval { .. } => unreachable!("it is executed for its client"),
            Request::Command(args) => self.command(args, keys),
            Request::Exec { watched, seen, key, value } => {
                let unchanged = self.value(Self::place(keys, watched)) == *seen;
                if unchanged {
                    self.set(Self::place(keys, key), value);
                }
                Answer::Executed(unchanged)
            }
            Request::Move { from, to } => match self.value(Self::place(keys, from)) {
                None => Answer::Integer(0),
                Some(value) => {
                    self.items[Self::place(keys, from)] = None;
                    self.set(Self::place(keys, to), &value);
                    Answer::Integer(1)
                }
            },
            Request::Publish(message) => {
                self.published.push(*message);
                Answer::Integer(1)
            }
        }
    }

    fn command(&mut self, args: &[Bytes], keys: &[Bytes]) -> Answer {
        let key = |i: usize| Self::place(keys, &args[i]);
        match args[0].to_ascii_uppercase().as_slice() {
            b"GET" => Answer::Bulk(self.value(key(1))),
            b"SET" => {
                self.set(key(1), &args[2]);
                Answer::Ok
            }
            b"MGET" => Answer::Bulks((1..args.len()).map(|i| self.value(key(i))).collect()),
            b"MSET" => self.set_many(args, keys),
            b"MSETNX" => {
                if (1..args.len()).step_by(2).any(|i| self.item(key(i)).is_some()) {
                    return Answer::Integer(0);
                }
                self.set_many(args, keys);
                Answer::Integer(1)
            }
            b"DEL" => {
                let there =
                    (1..args.len()).filter(|&i| self.item(key(i)).is_some() && self.items[key(i)].take().is_some());
                Answer::Integer(there.count() as i64)
            }
            b"MIGRATE" => {
                let named = if args[3].is_empty() { 7..args.len() } else { 3..4 };
                let there = named.filter(|&i| self.item(key(i)).is_some() && self.items[key(i)].take().is_some());
                if there.count() > 0 { Answer::Ok } else { Answer::Simple("NOKEY") }
            }
            b"EXISTS" => Answer::Integer((1..args.len()).filter(|&i| self.item(key(i)).is_some()).count() as i64),
            b"INCR" => {
                let Some(number) = self.item(key(1)).map_or(Some(0), |item| number(&item.value)) else {
                    return Answer::Error("-ERR value is not an integer or out of range");
                };
                let number = number + 1;
                let expire_at = self.item(key(1)).and_then(|item| item.expire_at);
                self.items[key(1)] = Some(Item { value: number.to_string().into_bytes(), expire_at });
                Answer::Integer(number)
            }
            b"PEXPIREAT" => self.expire_at(key(1), number(&args[2]).expect("simulated times are numbers")),
            b"COPY" => self.copy(key(1), key(2), args.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"REPLACE"))),
            b"RENAME" => self.rename(key(1), key(2), true),
            b"RENAMENX" => self.rename(key(1), key(2), false),
            b"BGSAVE" => Answer::Simple("Background saving started"),
            b"BGREWRITEAOF" => Answer::Simple("Background append only file rewriting started"),
            // A pause delays commands, and so does the schedule anyway.
            b"CLIENT" => Answer::Ok,
            // PUBSUB NUMPAT: nobody subscribes to patterns.
            b"PUBSUB" => Answer::Integer(0),
            b"DBSIZE" => Answer::Integer((0..keys.len()).filter(|&place| self.item(place).is_some()).count() as i64),
            b"FLUSHDB" | b"FLUSHALL" => {
                self.items.fill(None);
                Answer::Ok
            }
            b"PUBLISH" => {
                self.publishing.push((args[1].clone(), args[2].clone()));
                let hears = |channels: &&Vec<Bytes>| channels.contains(&args[1]);
                Answer::Integer(self.subscribed.iter().filter(hears).count() as i64)
            }
            b"LPUSH" | b"RPUSH" | b"LPOP" | b"RPOP" | b"LRANGE" | b"LMOVE" | b"SORT" => self.list_command(args, keys),
            b"SADD" | b"SREM" | b"SISMEMBER" | b"SCARD" | b"SMOVE" => self.set_command(args, keys),
            b"SINTERSTORE" | b"SUNIONSTORE" | b"SDIFFSTORE" => self.store_sets(args, keys),
            b"BITOP" => self.store_bits(args, keys),
            b"PFADD" | b"PFCOUNT" | b"PFMERGE" => self.sketch_command(args, keys),
            other => panic!("the model does not know {}", other.escape_ascii()),
        }
    }

    /// Of one channel.
    pub(super) fn subscribe(&mut self, client: usize, args: &[Bytes]) -> Answer {
        let (channels, channel) = (&mut self.subscribed[client], &args[1]);
        channels.retain(|known| known != channel);
        let subscribes = args[0] == b"SUBSCRIBE";
        if subscribes {
            channels.push(channel.clone());
        }
        Answer::Subscribed(if subscribes { "subscribe" } else { "unsubscribe" }, channel.clone(), channels.len())
    }

    fn set_many(&mut self, args: &[Bytes], keys: &[Bytes]) -> Answer {
        for i in (1..args.len()).step_by(2) {
            self.set(Self::place(keys, &args[i]), &args[i + 1]);
        }
        Answer::Ok
    }

    fn expire_at(&mut self, key: usize, at: i64) -> Answer {
        if self.item(key).is_none() {
            return Answer::Integer(0);
        }
        if at <= self.now {
            self.items[key] = None;
        } else if let Some(item) = &mut self.items[key] {
            item.expire_at = Some(at);
        }
        Answer::Integer(1)
    }

    fn copy(&mut self, from: usize, to: usize, replace: bool) -> Answer {
        let Some(item) = self.item(from).cloned() else { return Answer::Integer(0) };
        if !replace && self.item(to).is_some() {
            return Answer::Integer(0);
        }
        self.items[to] = Some(item);
        Answer::Integer(1)
    }

    fn rename(&mut self, from: usize, to: usize, replace: bool) -> Answer {
        let Some(item) = self.item(from).cloned() else { return Answer::Error("-ERR no such key") };
        if !replace && self.item(to).is_some() {
            return Answer::Integer(0);
        }
        self.items[from] = None;
        self.items[to] = Some(item);
        if replace { Answer::Ok } else { Answer::Integer(1) }
    }
}
