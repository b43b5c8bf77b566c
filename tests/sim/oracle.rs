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
    /// The run was cut off, and these are the values that another server has found in the files.
    pub cut: Option<Cut>,
}

/// How a run was cut off.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The point in the order at which the values are to be those of the model.
    pub found: Found,
    /// The frames that have told clients of changed keys: what changed them was done.
    pub told: Vec<Bytes>,
}

impl Final {
    fn millis(&self) -> i64 {
        self.times[self.times.len() - 1]
    }
}

/// Where in the order the values stand that were found in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// At the end: whatever was shown is there.
    End,
    /// Somewhere: what was done last may be lost, though it was acknowledged.
    Somewhere,
    /// Where the snapshot was asked for.
    Snapshot,
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
    published: Vec<u32>,
    /// What the request that is executed has published: channels and messages.
    publishing: Vec<(Bytes, Bytes)>,
    /// What each client is subscribed to.
    subscribed: Vec<Vec<Bytes>>,
    /// How many messages each client has been told.
    told: Vec<usize>,
    /// The time.
    pub now: i64,
    /// What each client watches, by its place, and whether that was changed.
    watched: Vec<(usize, usize)>,
    spoilt: u32,
    /// The point was passed at which the values are those that were found, if that need not be the end.
    is_found: bool,
}

/// Whether some serial order explains everything.
pub fn explains(program: &Program, history: &[Op], end: &Final) -> bool {
    assert!(history.len() <= 32, "a program has few requests: the search is exponential");
    let keys = keys_of(program);
    let within = published_within(history);
    let is_told = |frame: &Bytes| end.told.iter().flatten().any(|heard| heard.frame == *frame);
    let told_within = within.iter().filter(|(_, frame)| is_told(frame)).fold(0, |mask, (number, _)| mask | 1 << number);
    let mut end = end.clone();
    for told in &mut end.told {
        told.retain(|heard| within.iter().all(|(_, frame)| heard.frame != *frame));
    }
    let end = &end;
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
        must: (0..history.len()).filter(|&i| history[i].answered.is_some()).fold(0, |mask, i| mask | 1 << i)
            | told_within
            | end.cut.as_ref().map_or(0, |cut| told_of(history, &cut.told)),
    };
    let clients = program.clients.len();
    let (subscribed, told) = (vec![Vec::new(); clients], vec![0; clients]);
    let (published, watched) = (Vec::new(), Vec::new());
    let publishing = Vec::new();
    let start =
        Model { items, published, publishing, subscribed, told, now: START_MILLIS, watched, spoilt: 0, is_found: true };
    let is_found = end.cut.as_ref().is_none_or(|cut| cut.found == Found::End);
    search.go(0, &Model { is_found, ..start }, &mut HashSet::new())
}

/// What transactions and scripts have published. That goes out a little later than the rest of them takes effect: wherever
/// it stands among other messages and replies, whoever was told knows that its request was executed.
fn published_within(history: &[Op]) -> Vec<(usize, Bytes)> {
    let mut published = Vec::new();
    for (number, op) in history.iter().enumerate() {
        let (Request::Multi(commands) | Request::Eval { commands, .. }) = &op.request else { continue };
        let messages = commands.iter().filter(|args| args[0] == b"PUBLISH");
        published.extend(messages.map(|args| (number, message_frame(&args[1], &args[2]))));
    }
    published
}

fn message_frame(channel: &Bytes, message: &Bytes) -> Bytes {
    let mut frame = b">3\r\n$7\r\nmessage\r\n".to_vec();
    push_bulk(&mut frame, Some(channel));
    push_bulk(&mut frame, Some(message));
    frame
}

/// The requests that clients were told of: those that alone can have changed a key that a frame names.
fn told_of(history: &[Op], frames: &[Bytes]) -> u32 {
    let names = |key: &Bytes| {
        let end = [b"\r\n", key.as_slice(), b"\r\n"].concat();
        frames.iter().any(|frame| frame.ends_with(&end))
    };
    let is_read =
        |op: &Op| matches!(&op.request, Request::Command(args) if [&b"GET"[..], b"MGET"].contains(&args[0].as_slice()));
    let mut told = 0;
    for key in history.iter().flat_map(|op| op.request.keys()).filter(|key| names(key)) {
        let mut changing =
            (0..history.len()).filter(|&i| !is_read(&history[i]) && history[i].request.keys().contains(&key));
        if let (Some(only), None) = (changing.next(), changing.next()) {
            told |= 1 << only;
        }
    }
    told
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
        if !model.is_found
            && self.found() == Found::Somewhere
            && self.has_values(model)
            && self.go(done, &Model { is_found: true, ..model.clone() }, dead_ends)
        {
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
        let Some(cut) = &self.end.cut else {
            return self.has_values(model)
                && self.end.heard.iter().all(|heard| *heard == model.published)
                && self.end.told.iter().map(Vec::len).eq(model.told.iter().copied());
        };
        // What was published may not have been told when the run was cut off.
        let is_told = self.end.told.iter().zip(&model.told).all(|(told, known)| told.len() <= *known);
        is_told && if cut.found == Found::End { self.has_values(model) } else { model.is_found }
    }

    fn found(&self) -> Found {
        self.end.cut.as_ref().map_or(Found::End, |cut| cut.found)
    }

    fn has_values(&self, model: &Model) -> bool {
        let there =
            model.items.iter().map(|item| item.as_ref().filter(|item| !is_past(item.expire_at, self.end.millis())));
        there.map(|item| item.map(|item| &item.value)).eq(self.end.values.iter().map(Option::as_ref))
    }

    /// Executes `op`; whether it gives the reply that was seen.
    fn executes(&self, op: &Op, done: u32, model: &mut Model) -> bool {
        if lists::waits(&op.request) {
            let over = op.sent.1 + lists::TIMEOUT_MILLIS;
            let reply = model.take_or_wait(op, self.keys, over);
            return reply.is_some_and(|reply| op.answered.is_none() || reply.is(&op.reply));
        }
        if self.found() == Found::Snapshot && matches!(&op.request, Request::Command(args) if args[0] == b"BGSAVE") {
            model.is_found = self.has_values(model);
            return model.is_found;
        }
        let before = model.items.clone();
        let reply = match &op.request {
            Request::Command(args) if args[0].ends_with(b"SUBSCRIBE") => model.subscribe(op.client, args),
            request => model.execute_for(op.client, request, self.keys),
        };
        model.spoil_changed(&before);
        let are_told = std::mem::take(&mut model.publishing)
            .iter()
            .all(|(channel, message)| self.is_told(op, channel, message, done, model));
        are_told && (op.answered.is_none() || reply.is(&op.reply))
    }

    /// Whether each subscriber was told just then of what was published.
    fn is_told(&self, op: &Op, on: &Bytes, message: &Bytes, done: u32, model: &mut Model) -> bool {
        let frame = message_frame(on, message);
        for client in 0..model.subscribed.len() {
            if !model.subscribed[client].contains(on) {
                continue;
            }
            let is_own = |i: &usize| done & (1 << i) != 0 && self.history[*i].client == client;
            // Who hears himself gets his reply first.
            let behind = (0..self.history.len()).filter(is_own).count() + usize::from(client == op.client);
            let expected = Heard { behind, frame: frame.clone() };
            match self.end.told[client].get(model.told[client]) {
                Some(told) if *told != expected => return false,
                None if self.end.cut.is_none() => return false,
                Some(_) | None => {}
            }
            model.told[client] += 1;
        }
        true
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
            self.publishing.clear();
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
            &Final { values, heard: Vec::new(), told: vec![Vec::new()], times: vec![START_MILLIS], cut: None },
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
