//! What a scenario is: the shards, the first keys, the clients with their requests, and what else happens.

use std::fmt;

use shard::config::types::choices::AppendFsync;
use shard::ids::ShardId;
use shard::slot::SlotMap;

/// When the simulated clock begins, in milliseconds since 1970.
pub const START_MILLIS: i64 = 1_700_000_000_000;

/// A name for a key or a value.
pub type Bytes = Vec<u8>;

/// One thing that a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A command of the server, name first.
    Command(Vec<Bytes>),
    /// MULTI, these commands, EXEC, sent at once: its reply is that of EXEC.
    Multi(Vec<Vec<Bytes>>),
    /// EVAL of a script that calls these commands one after the other and returns their replies. If it is `declared`, the
    /// script has its keys from `KEYS`; else nobody can tell them from its text.
    Eval { commands: Vec<Vec<Bytes>>, declared: bool },
    /// EXEC of a transaction that watches `watched`, which was `seen` when it was read, and sets `key`.
    Exec { watched: Bytes, seen: Option<Bytes>, key: Bytes, value: Bytes },
    /// LMOVE in small: takes what is at `from`, if anything, and puts it to `to`.
    Move { from: Bytes, to: Bytes },
    /// PUBLISH of a message, of which every core takes note.
    Publish(u32),
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &Bytes| short(bytes);
        match self {
            Request::Command(args) => f.write_str(&args.iter().map(text).collect::<Vec<_>>().join(" ")),
            Request::Multi(commands) => write!(f, "[multi {}]", listed(commands)),
            Request::Eval { commands, declared: true } => write!(f, "[eval {}]", listed(commands)),
            Request::Eval { commands, declared: false } => write!(f, "[evalany {}]", listed(commands)),
            Request::Exec { watched, seen, key, value } => {
                let seen = seen.as_ref().map_or_else(|| "nil".to_string(), |seen| short(seen));
                write!(f, "[if {} is {seen}: SET {} {}]", text(watched), text(key), text(value))
            }
            Request::Move { from, to } => write!(f, "[move {} {}]", text(from), text(to)),
            Request::Publish(message) => write!(f, "[publish {message}]"),
        }
    }
}

fn listed(commands: &[Vec<Bytes>]) -> String {
    let command = |args: &Vec<Bytes>| args.iter().map(|word| short(word)).collect::<Vec<_>>().join(" ");
    commands.iter().map(command).collect::<Vec<_>>().join(", ")
}

/// Bytes as text, the middle of long ones left out.
pub fn short(bytes: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 60;
    if bytes.len() <= SHOWN_BYTES_MAX {
        return bytes.escape_ascii().to_string();
    }
    let (head, tail) = (&bytes[..SHOWN_BYTES_MAX / 2], &bytes[bytes.len() - SHOWN_BYTES_MAX / 4..]);
    format!("{}…{} ({} bytes)", head.escape_ascii(), tail.escape_ascii(), bytes.len())
}

/// A command from its text, words apart by single spaces.
pub fn command(text: &str) -> Request {
    Request::Command(text.split(' ').map(|word| word.as_bytes().to_vec()).collect())
}

/// A client: where it lives and what it asks for.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The core whose connection it is.
    pub home: usize,
    /// Each group is sent at once, when the former has been answered whole.
    pub groups: Vec<Vec<Request>>,
    /// It connects when that client's connection is closed, and gets its slot.
    pub takes_slot_of: Option<usize>,
    /// It waits with its first request until that client has been answered everything: the two talk outside.
    pub hears_from: Option<usize>,
    /// The number of the group that waits so, for one that is not the first.
    pub hears_in: usize,
}

impl Script {
    /// Whether it is to be told when what it has read changes.
    pub fn tracks(&self) -> bool {
        let is_tracking = |request: &Request| matches!(request, Request::Command(args) if args[0] == b"CLIENT" && args[1] == b"TRACKING");
        self.groups.iter().flatten().any(is_tracking)
    }

    /// Whether it speaks RESP3, which tells messages from replies.
    pub fn speaks_resp3(&self) -> bool {
        self.subscribes() || self.tracks()
    }

    /// Whether it subscribes to anything.
    pub fn subscribes(&self) -> bool {
        let is_subscribe = |request: &Request| matches!(request, Request::Command(args) if args[0] == b"SUBSCRIBE");
        self.groups.iter().flatten().any(is_subscribe)
    }
}

/// Something that happens from outside, at any time, in the order of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The clock goes on by so many milliseconds.
    Advance(i64),
    /// Memory is over its limit, or no more.
    OverMemory(bool),
    /// This client, having sent something, closes its connection.
    Close(usize),
}

/// A key that is there from the start.
#[derive(Clone, Debug)]
pub struct FirstKey {
    /// Its name.
    pub key: Bytes,
    /// Its value.
    pub value: Bytes,
    /// When it expires.
    pub expire_at: Option<i64>,
}

/// A scenario.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// What it is about.
    pub name: String,
    /// Number of cores.
    pub shards: usize,
    /// Keys that are there from the start.
    pub first: Vec<FirstKey>,
    /// The clients.
    pub clients: Vec<Script>,
    /// Events.
    pub events: Vec<Event>,
    /// Locks of inboxes may be not to be had.
    pub put_offs: bool,
    /// Scripts give way after every command.
    pub gives_way: bool,
    /// There are append-only files, synced so, and the run is cut off now and then to look what they hold.
    pub log: Option<AppendFsync>,
    /// Somebody asks for a snapshot, which is looked at in the end.
    pub saves: bool,
    /// So many keys are evicted, at any time.
    pub evictions: usize,
    /// Replies wait for those behind them on every core.
    pub withholds: bool,
    /// A broken rule: recovery looks at one file at a time.
    pub recovers_apart: bool,
    /// A broken rule: recovery forgets the logs that it begins to run.
    pub recovers_hastily: bool,
}

impl Program {
    /// A scenario on so many cores. In its texts a key is written `name@shard`; the name that is sent is chosen so that
    /// this shard owns it.
    pub fn new(name: &str, shards: usize) -> Program {
        Program { name: name.to_string(), shards, ..Program::default() }
    }

    /// A key that is there from the start.
    pub fn with(mut self, key: &str, value: &str) -> Program {
        let (key, value) = (self.key(key), value.as_bytes().to_vec());
        self.first.push(FirstKey { key, value, expire_at: None });
        self
    }

    /// A key that is there from the start, until that time.
    pub fn with_expiring(self, key: &str, value: &str, at: i64) -> Program {
        let mut program = self.with(key, value);
        program.first.last_mut().expect("it was just added").expire_at = Some(at);
        program
    }

    /// A client at core `home`. Its groups are apart by ` | `, the requests of one by `; `.
    pub fn client(mut self, home: usize, text: &str) -> Program {
        let groups = text.split(" | ").map(|group| group.split("; ").map(|one| self.request(one)).collect()).collect();
        self.clients.push(Script { home, groups, ..Script::default() });
        self
    }

    /// The client added last connects when client `other` is gone, and gets its slot.
    pub fn in_the_slot_of(mut self, other: usize) -> Program {
        self.clients.last_mut().expect("a client was added").takes_slot_of = Some(other);
        self
    }

    /// The client added last waits with its first request until client `other` has been answered everything.
    pub fn after(self, other: usize) -> Program {
        self.after_in(0, other)
    }

    /// The same with its group of this number.
    pub fn after_in(mut self, group: usize, other: usize) -> Program {
        let client = self.clients.last_mut().expect("a client was added");
        (client.hears_from, client.hears_in) = (Some(other), group);
        self
    }

    /// Something that happens from outside.
    pub fn event(mut self, event: Event) -> Program {
        self.events.push(event);
        self
    }

    /// Locks of inboxes may be not to be had.
    pub fn with_put_offs(mut self) -> Program {
        self.put_offs = true;
        self
    }

    /// Scripts give way after every command.
    pub fn with_giving_way(mut self) -> Program {
        self.gives_way = true;
        self
    }

    /// There are append-only files.
    pub fn with_log(mut self, fsync: AppendFsync) -> Program {
        self.log = Some(fsync);
        self
    }

    /// Somebody asks for a snapshot.
    pub fn saving(mut self) -> Program {
        self.saves = true;
        self
    }

    /// So many keys are evicted.
    pub fn evicting(mut self, keys: usize) -> Program {
        self.evictions = keys;
        self
    }

    /// `name@shard` as a key that this shard owns; anything else as it is.
    pub fn key(&self, text: &str) -> Bytes {
        match text.split_once('@').map(|(name, shard)| (name, shard.parse())) {
            Some((name, Ok(shard))) => key_on(self.shards, shard, name),
            _ => text.as_bytes().to_vec(),
        }
    }

    fn request(&self, text: &str) -> Request {
        // A comma ends a command among several.
        let words: Vec<Bytes> = text.split(' ').map(|word| self.key(word.trim_end_matches(','))).collect();
        match words[0].as_slice() {
            b"exec" => Request::Exec {
                watched: words[1].clone(),
                seen: (words[2] != b"nil").then(|| words[2].clone()),
                key: words[3].clone(),
                value: words[4].clone(),
            },
            b"multi" => Request::Multi(self.commands(&text["multi ".len()..])),
            b"eval" => Request::Eval { commands: self.commands(&text["eval ".len()..]), declared: true },
            b"evalany" => Request::Eval { commands: self.commands(&text["evalany ".len()..]), declared: false },
            b"move" => Request::Move { from: words[1].clone(), to: words[2].clone() },
            b"publish" => Request::Publish(text["publish ".len()..].parse().expect("messages are numbers")),
            _ => Request::Command(words),
        }
    }

    fn commands(&self, text: &str) -> Vec<Vec<Bytes>> {
        text.split(", ").map(|command| command.split(' ').map(|word| self.key(word)).collect()).collect()
    }
}

/// A key that begins with `name` and belongs to `shard` of `shards`.
pub fn key_on(shards: usize, shard: u16, name: &str) -> Bytes {
    let slots = SlotMap::new(shards);
    let names = std::iter::once(name.to_string()).chain((0..).map(|i| format!("{name}{i}")));
    let mut fitting = names.filter(|name| slots.owner(name.as_bytes()) == ShardId(shard));
    fitting.next().expect("names never end").into_bytes()
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({} shards)", self.name, self.shards)?;
        let slots = SlotMap::new(self.shards);
        for FirstKey { key, value, expire_at } in &self.first {
            let until = expire_at.map_or_else(String::new, |at| format!(" until +{} ms", at - START_MILLIS));
            let (key, value) = (short(key), short(value));
            writeln!(f, "  at first {key} = {value}{until}")?;
        }
        for (number, client) in self.clients.iter().enumerate() {
            let group = |group: &Vec<Request>| group.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let groups: Vec<String> = client.groups.iter().map(group).collect();
            let slot =
                client.takes_slot_of.map_or_else(String::new, |other| format!(", in the slot of client {other}"));
            let after = client
                .hears_from
                .map_or_else(String::new, |other| format!(", after client {other} in group {}", client.hears_in));
            writeln!(f, "  client {number} at core {}{slot}{after}: {}", client.home, groups.join(" | "))?;
        }
        for event in &self.events {
            writeln!(f, "  event {event:?}")?;
        }
        let mut keys: Vec<&Bytes> = self.first.iter().map(|first| &first.key).collect();
        let requests = self.clients.iter().flat_map(|client| client.groups.iter().flatten());
        keys.extend(requests.flat_map(Request::keys));
        keys.sort_unstable();
        keys.dedup();
        let owner = |key: &&Bytes| format!("{} on {}", String::from_utf8_lossy(key), slots.owner(key).0);
        writeln!(f, "  keys: {}", keys.iter().map(owner).collect::<Vec<_>>().join(", "))
    }
}

impl Request {
    /// The keys it names.
    pub fn keys(&self) -> Vec<&Bytes> {
        match self {
            Request::Command(args) => keys_of_command(args),
            Request::Multi(commands) | Request::Eval { commands, .. } => {
                commands.iter().flat_map(|args| keys_of_command(args)).collect()
            }
            Request::Exec { watched, key, .. } => vec![watched, key],
            Request::Move { from, to } => vec![from, to],
            Request::Publish(_) => Vec::new(),
        }
    }
}

/// The keys that a command names.
pub fn keys_of_command(args: &[Bytes]) -> Vec<&Bytes> {
    let step = match args[0].to_ascii_uppercase().as_slice() {
        b"SADD" | b"SREM" | b"SISMEMBER" | b"SCARD" => args.len(),
        b"SMOVE" => return args[1..3].iter().collect(),
        b"MIGRATE" if args[3].is_empty() => return args[7..].iter().collect(),
        b"MIGRATE" => return vec![&args[3]],
        b"BITOP" => return args[2..].iter().collect(),
        b"SORT" => return [1, 4].iter().filter_map(|&place| args.get(place)).collect(),
        b"MSET" | b"MSETNX" => 2,
        b"SET" | b"PEXPIREAT" => args.len(),
        b"BGSAVE" | b"BGREWRITEAOF" | b"CLIENT" | b"SUBSCRIBE" | b"UNSUBSCRIBE" | b"PUBLISH" | b"PUBSUB" => {
            return Vec::new();
        }
        b"COPY" | b"LMOVE" | b"BLMOVE" => return args[1..3].iter().collect(),
        b"LPUSH" | b"RPUSH" | b"LPOP" | b"RPOP" | b"LRANGE" => args.len(),
        b"BLPOP" | b"BRPOP" => return args[1..args.len() - 1].iter().collect(),
        _ => 1,
    };
    args[1..].iter().step_by(step).collect()
}
