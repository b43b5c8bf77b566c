//! Is there a serial order of the requests that explains what the clients saw and what is left?
//!
//! The order must keep that of each client's requests, and real time: a request that was answered before another was
//! sent stands before it. Executed one by one in that order on a small model of the server, every request must give
//! the reply that its client got, and the last must leave what is there at the end. Each request is executed at a time
//! between its sending and its reply, and times do not fall along the order: so expiry happens at one point too.
//!
//! What is published stands in each subscriber's stream at its point: behind the replies of just those of the
//! subscriber's requests that come before it in the order.
//!
//! A request whose client closed the connection before the reply came may have happened or not. A write that was
//! refused for lack of memory must have changed nothing.
//!
//! The search remembers which sets of executed requests, with which state, lead nowhere; with a dozen requests that
//! makes it a matter of microseconds.

use std::collections::HashSet;

use crate::client::{Heard, Op};
use crate::lists;
use crate::program::{Bytes, Event, Program, Request, START_MILLIS};

/// What is there at the end of a run.
#[derive(Clone, Debug)]
pub struct Final {
    /// The value of each key of [`keys_of`], if it is there.
    pub values: Vec<Option<Bytes>>,
    /// The messages that each core heard published, in order.
    pub heard: Vec<Vec<u32>>,
    /// What each client was told of channels, in order.
    pub told: Vec<Vec<Heard>>,
    /// Every time that the clock has shown, the last at the end.
    pub times: Vec<i64>,
}

impl Final {
    fn millis(&self) -> i64 {
        self.times[self.times.len() - 1]
    }
}

/// All keys that a program names, sorted.
pub fn keys_of(program: &Program) -> Vec<Bytes> {
    let requests = program.clients.iter().flat_map(|client| client.groups.iter().flatten());
    let mut keys: Vec<Bytes> = requests.flat_map(Request::keys).cloned().collect();
    keys.extend(program.first.iter().map(|first| first.key.clone()));
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Item {
    value: Bytes,
    expire_at: Option<i64>,
}

/// The model: the keys by their place in the sorted list, the messages published, and the time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Model {
    items: Vec<Option<Item>>,
    published: Vec<u32>,
    /// What each client is subscribed to.
    subscribed: Vec<Vec<Bytes>>,
    /// How many messages each client has been told.
    told: Vec<usize>,
    now: i64,
    /// What each client watches, by its place, and whether that was changed.
    watched: Vec<(usize, usize)>,
    spoilt: u32,
}

/// Whether some serial order explains everything.
pub fn explains(program: &Program, history: &[Op], end: &Final) -> bool {
    assert!(history.len() <= 32, "a program has few requests: the search is exponential");
    let keys = keys_of(program);
    let mut items = vec![None; keys.len()];
    for first in &program.first {
        let place = keys.binary_search(&first.key).expect("it is one of the program's keys");
        items[place] = Some(Item { value: first.value.clone(), expire_at: first.expire_at });
    }
    let before = |later: &Op| {
        let earlier = |op: &Op| op.answered.is_some_and(|answered| answered.0 < later.sent.0);
        (0..history.len()).filter(|&i| earlier(&history[i])).fold(0u32, |mask, i| mask | 1 << i)
    };
    let search = Search {
        keys: &keys,
        history,
        end,
        before: history.iter().map(before).collect(),
        may_refuse: program.events.iter().any(|event| matches!(event, Event::OverMemory(_))),
        must: (0..history.len()).filter(|&i| history[i].answered.is_some()).fold(0, |mask, i| mask | 1 << i),
    };
    let clients = program.clients.len();
    let (subscribed, told) = (vec![Vec::new(); clients], vec![0; clients]);
    let (published, watched) = (Vec::new(), Vec::new());
    let start = Model { items, published, subscribed, told, now: START_MILLIS, watched, spoilt: 0 };
    search.go(0, &start, &mut HashSet::new())
}

struct Search<'a> {
    keys: &'a [Bytes],
    history: &'a [Op],
    end: &'a Final,
    /// For each request those that were answered before it was sent, one bit each.
    before: Vec<u32>,
    /// The requests that were answered.
    must: u32,
    may_refuse: bool,
}

impl Search<'_> {
    fn go(&self, done: u32, model: &Model, dead_ends: &mut HashSet<(u32, Model)>) -> bool {
        if done & self.must == self.must && self.is_end(model) {
            return true;
        }
        if !dead_ends.insert((done, model.clone())) {
            return false;
        }
        for next in 0..self.history.len() {
            let op = &self.history[next];
            let earlier_of_client = (0..next).any(|i| done & (1 << i) == 0 && self.history[i].client == op.client);
            if done & (1 << next) != 0 || earlier_of_client || self.before[next] & !done != 0 {
                continue;
            }
            let last = op.answered.map_or(self.end.millis(), |answered| answered.1);
            for &now in self.end.times.iter().filter(|&&now| now >= model.now.max(op.sent.1) && now <= last) {
                let before = Model { now, ..model.clone() };
                let mut after = before.clone();
                let ways =
                    [self.executes(op, done, &mut after).then_some(after), self.may_be_refused(op).then_some(before)];
                if ways.into_iter().flatten().any(|model| self.go(done | 1 << next, &model, dead_ends)) {
                    return true;
                }
            }
        }
        false
    }

    fn is_end(&self, model: &Model) -> bool {
        let there =
            model.items.iter().map(|item| item.as_ref().filter(|item| !is_past(item.expire_at, self.end.millis())));
        there.map(|item| item.map(|item| &item.value)).eq(self.end.values.iter().map(Option::as_ref))
            && self.end.heard.iter().all(|heard| *heard == model.published)
            && self.end.told.iter().map(Vec::len).eq(model.told.iter().copied())
    }

    /// Executes `op`; whether it gives the reply that was seen.
    fn executes(&self, op: &Op, done: u32, model: &mut Model) -> bool {
        if let Request::Command(args) = &op.request
            && args[0] == b"PUBLISH"
        {
            return self.publishes(op, args, done, model);
        }
        if lists::waits(&op.request) {
            let over = op.sent.1 + lists::TIMEOUT_MILLIS;
            let reply = model.take_or_wait(op, self.keys, over);
            return reply.is_some_and(|reply| op.answered.is_none() || reply.is(&op.reply));
        }
        let before = model.items.clone();
        let reply = match &op.request {
            Request::Command(args) if args[0].ends_with(b"SUBSCRIBE") => model.subscribe(op.client, args),
            request => model.execute_for(op.client, request, self.keys),
        };
        model.spoil_changed(&before);
        op.answered.is_none() || reply.is(&op.reply)
    }

    /// Executes a PUBLISH; whether each subscriber was told just then.
    fn publishes(&self, op: &Op, args: &[Bytes], done: u32, model: &mut Model) -> bool {
        let [channel, message] = [&args[1], &args[2]].map(|text| text.escape_ascii().to_string());
        let (channel_len, message_len) = (channel.len(), message.len());
        let frame = format!(">3\r\n$7\r\nmessage\r\n${channel_len}\r\n{channel}\r\n${message_len}\r\n{message}\r\n");
        let mut receivers = 0;
        for client in 0..model.subscribed.len() {
            if !model.subscribed[client].contains(&args[1]) {
                continue;
            }
            receivers += 1;
            let is_own = |i: &usize| done & (1 << i) != 0 && self.history[*i].client == client;
            // Who hears himself gets his reply first.
            let behind = (0..self.history.len()).filter(is_own).count() + usize::from(client == op.client);
            let expected = Heard { behind, frame: frame.clone().into_bytes() };
            if self.end.told[client].get(model.told[client]) != Some(&expected) {
                return false;
            }
            model.told[client] += 1;
        }
        op.answered.is_none() || Answer::Integer(receivers).is(&op.reply)
    }

    /// Whether `op` was, or without a reply may have been, refused for lack of memory.
    fn may_be_refused(&self, op: &Op) -> bool {
        self.may_refuse && (op.answered.is_none() || op.reply.starts_with(b"-OOM"))
    }
}

/// As Redis has it, a key is still there in the very millisecond of its expiry.
fn is_past(expire_at: Option<i64>, now: i64) -> bool {
    expire_at.is_some_and(|at| now > at)
}

enum Answer {
    Ok,
    Integer(i64),
    Bulk(Option<Bytes>),
    Bulks(Vec<Option<Bytes>>),
    Error(&'static str),
    Executed(bool),
    /// What was done about a channel, and how many subscriptions there are then.
    Subscribed(&'static str, Bytes, usize),
    /// Of the commands of a transaction.
    Each(Vec<Answer>),
}

impl Answer {
    fn is(&self, reply: &[u8]) -> bool {
        if let Answer::Error(text) = self {
            return reply.starts_with(text.as_bytes());
        }
        let mut expected = Vec::new();
        self.write(&mut expected);
        expected == reply
    }

    fn write(&self, expected: &mut Bytes) {
        match self {
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

fn push_bulk(out: &mut Vec<u8>, value: Option<&Bytes>) {
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
    fn place(keys: &[Bytes], key: &Bytes) -> usize {
        keys.binary_search(key).expect("it is one of the program's keys")
    }

    fn item(&mut self, place: usize) -> Option<&Item> {
        let now = self.now;
        self.items[place].take_if(|item| is_past(item.expire_at, now));
        self.items[place].as_ref()
    }

    fn value(&mut self, place: usize) -> Option<Bytes> {
        self.item(place).map(|item| item.value.clone())
    }

    fn set(&mut self, place: usize, value: &Bytes) {
        self.items[place] = Some(Item { value: value.clone(), expire_at: None });
    }

    /// What a client does with transactions; everything else is as of anybody.
    fn execute_for(&mut self, client: usize, request: &Request, keys: &[Bytes]) -> Answer {
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
            answer
        };
        Answer::Each(commands.iter().map(run).collect())
    }

    /// Whoever watches something that is not as it was in `before` has that to know.
    fn spoil_changed(&mut self, before: &[Option<Item>]) {
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
            // A pause delays commands, and so does the schedule anyway.
            b"CLIENT" => Answer::Ok,
            b"DBSIZE" => Answer::Integer((0..keys.len()).filter(|&place| self.item(place).is_some()).count() as i64),
            b"FLUSHDB" | b"FLUSHALL" => {
                self.items.fill(None);
                Answer::Ok
            }
            b"LPUSH" | b"RPUSH" | b"LPOP" | b"RPOP" | b"LRANGE" | b"LMOVE" => self.list_command(args, keys),
            other => panic!("the model does not know {}", other.escape_ascii()),
        }
    }

    /// Of one channel.
    fn subscribe(&mut self, client: usize, args: &[Bytes]) -> Answer {
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

/// Lists of single letters, each the letters in a row; an empty one is not there.
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

    fn list_command(&mut self, args: &[Bytes], keys: &[Bytes]) -> Answer {
        let key = Self::place(keys, &args[1]);
        match args[0].as_slice() {
            b"LPUSH" => Answer::Integer(self.push(key, args[2][0], true)),
            b"RPUSH" => Answer::Integer(self.push(key, args[2][0], false)),
            b"LPOP" => Answer::Bulk(self.pop(key, true)),
            b"RPOP" => Answer::Bulk(self.pop(key, false)),
            b"LRANGE" => Answer::Bulks(self.list(key).iter().map(|letter| Some(vec![*letter])).collect()),
            b"LMOVE" => Answer::Bulk(self.shift(args, keys)),
            other => panic!("the model does not know {}", other.escape_ascii()),
        }
    }

    /// A command that waits: takes what is there; with nothing there, it is nothing that can happen before `over`.
    /// Who has waited is served by whatever key of his has an element first, not by the first one with an element.
    fn take_or_wait(&mut self, op: &Op, keys: &[Bytes], over: i64) -> Option<Answer> {
        let Request::Command(args) = &op.request else { unreachable!("only commands wait") };
        let late = self.now >= over;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn op(client: usize, request: &str, sent: usize, answered: usize, reply: &str) -> Op {
        Op {
            client,
            request: crate::program::command(request),
            sent: (sent, START_MILLIS),
            answered: Some((answered, START_MILLIS)),
            reply: reply.as_bytes().to_vec(),
        }
    }

    fn explained(history: &[Op], x: Option<&str>, y: Option<&str>) -> bool {
        let program = Program::new("", 2).client(0, "GET x; GET y");
        let values = [x, y].map(|value| value.map(|value| value.as_bytes().to_vec())).to_vec();
        explains(
            &program,
            history,
            &Final { values, heard: Vec::new(), told: vec![Vec::new()], times: vec![START_MILLIS] },
        )
    }

    #[test]
    fn two_crossing_pipelines_cannot_both_miss() {
        let crossing = |first: &str, second: &str| {
            let (one, two) = ([("SET y 1", "+OK\r\n"), ("GET x", first)], [("SET x 1", "+OK\r\n"), ("GET y", second)]);
            let ops = |client, pairs: [(&str, &str); 2]| pairs.map(|(request, reply)| op(client, request, 1, 9, reply));
            let history: Vec<Op> = ops(0, one).into_iter().chain(ops(1, two)).collect();
            explained(&history, Some("1"), Some("1"))
        };
        assert!(crossing("$-1\r\n", "$1\r\n1\r\n"));
        assert!(crossing("$1\r\n1\r\n", "$1\r\n1\r\n"));
        assert!(!crossing("$-1\r\n", "$-1\r\n"));
    }

    #[test]
    fn real_time_and_the_end_count() {
        let set = |answered| op(0, "SET x 1", 1, answered, "+OK\r\n");
        let get = op(1, "GET x", 5, 6, "$-1\r\n");
        assert!(explained(&[set(7), get.clone()], Some("1"), None));
        assert!(!explained(&[set(3), get.clone()], Some("1"), None));
        assert!(!explained(&[set(7), get], Some("2"), None));
    }
}
