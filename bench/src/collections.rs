//! CPU per request of commands on collections: small steps in a pipeline, and walks over much at once.
//!
//! Every server runs all rows in order on one core, side by side with the others; rows that take elements away find those that the rows
//! before them, or a filling of their own, have left. The ratio is given as the median of the rounds and the worst of them.

use std::io;

use crate::client::{Client, encode};
use crate::cpu::Cores;
use crate::requests::Load;
use crate::rounds::{self, Costs};
use crate::server::Server;
use crate::table::Table;
use crate::{Plan, say};

/// Requests of a row with a pipeline; elements of a large collection.
const MANY: usize = 1_000_000;
/// Elements that are returned by one command.
const LONG: usize = 100_000;
/// How much smaller all is with `--quick`.
const QUICK: usize = 10;

/// A command, and how often it is asked for.
struct Row {
    words: &'static [&'static str],
    /// What is there before.
    before: Option<Filling>,
    weight: Weight,
}

/// A collection that is made before a row is measured: the command that adds to it, its key, how many elements.
struct Filling {
    command: &'static str,
    key: &'static str,
    elements: usize,
}

/// How much work one request is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Sent by 50 clients, 16 at once.
    Small,
    /// The same, with hundreds of elements in the reply.
    Reply,
    /// One after another.
    Large,
    /// The same, and long enough to see one alone.
    Huge,
}

const fn small(words: &'static [&'static str]) -> Row {
    Row { words, before: None, weight: Weight::Small }
}

const fn filled(words: &'static [&'static str], command: &'static str, key: &'static str, elements: usize) -> Row {
    Row { words, before: Some(Filling { command, key, elements }), weight: Weight::Small }
}

const fn weighing(weight: Weight, row: Row) -> Row {
    Row { weight, ..row }
}

const ELEMENT: &str = "element:__rand_int__";
const VALUE: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

const ROWS: [Row; 25] = [
    small(&["LPUSH", "list", VALUE]),
    small(&["RPUSH", "list", VALUE]),
    small(&["LPOP", "list"]),
    small(&["RPOP", "list"]),
    small(&["SADD", "set", ELEMENT]),
    filled(&["SPOP", "poppedset"], "SADD", "poppedset", MANY),
    small(&["HSET", "hash", ELEMENT, VALUE]),
    small(&["ZADD", "zset", "__rand_int__", ELEMENT]),
    filled(&["ZPOPMIN", "poppedzset"], "ZADD", "poppedzset", MANY),
    small(&["XADD", "stream", "*", "field", VALUE]),
    small(&["MSET", "key:__rand_int__", VALUE, "key:__rand_int__", VALUE, "key:__rand_int__", VALUE]),
    weighing(Weight::Reply, filled(&["LRANGE", "short", "0", "99"], "RPUSH", "short", 1000)),
    weighing(Weight::Reply, small(&["LRANGE", "short", "0", "299"])),
    weighing(Weight::Reply, small(&["LRANGE", "short", "0", "599"])),
    filled(&["ZADD", "large", "__rand_int__", ELEMENT], "ZADD", "large", MANY),
    small(&["ZRANK", "large", ELEMENT]),
    small(&["ZSCORE", "large", ELEMENT]),
    small(&["ZRANGEBYSCORE", "large", "__rand_int__", "+inf", "LIMIT", "0", "10"]),
    weighing(Weight::Large, filled(&["LRANGE", "long", "0", "-1"], "RPUSH", "long", LONG)),
    weighing(Weight::Large, filled(&["SMEMBERS", "longset"], "SADD", "longset", LONG)),
    weighing(Weight::Large, filled(&["HGETALL", "longhash"], "HSET", "longhash", LONG)),
    weighing(Weight::Large, filled(&["ZRANGE", "longzset", "0", "-1", "WITHSCORES"], "ZADD", "longzset", LONG)),
    filled(&["SISMEMBER", "a", ELEMENT], "SADD", "a", MANY),
    filled(&["SISMEMBER", "b", ELEMENT], "SADD", "b", MANY),
    weighing(Weight::Huge, small(&["SINTER", "a", "b"])),
];

impl Row {
    fn load(&self, quick: bool) -> Load {
        let (requests, clients, pipeline) = match self.weight {
            Weight::Small => (MANY, 50, 16),
            Weight::Reply => (100_000, 50, 16),
            Weight::Large => (200, 1, 1),
            Weight::Huge => (10, 1, 1),
        };
        Load { requests: if quick { requests / QUICK } else { requests }, clients, pipeline, range: MANY }
    }

    fn name(&self) -> String {
        let words = self.words.iter().map(|&word| match word {
            VALUE => "value",
            word => word,
        });
        words.collect::<Vec<_>>().join(" ").replace("__rand_int__", "N")
    }
}

impl Filling {
    fn fill(&self, server: &Server, quick: bool) -> io::Result<()> {
        let elements = if quick { self.elements / QUICK } else { self.elements };
        Client::connect(server.port)?.fill(elements, |number, request| {
            let (element, number) = (format!("element:{number:012}"), number.to_string());
            match self.command {
                "ZADD" => encode(request, &[self.command, self.key, &number, &element]),
                "HSET" => encode(request, &[self.command, self.key, &element, &number]),
                command => encode(request, &[command, self.key, &element]),
            }
        })
    }
}

/// Every row in order, on every server in turn.
pub fn compare(plan: &Plan) -> io::Result<()> {
    let candidates = rounds::on_one_core(plan)?;
    let run = |server: &Server, cores: &Cores, (): &(), position: usize| {
        let row = &ROWS[position];
        if let Some(filling) = &row.before {
            filling.fill(server, plan.quick)?;
        }
        row.load(plan.quick).run(server, cores, row.words)
    };
    let costs = Costs::measure(plan, &candidates, ROWS.len(), |_| Ok(()), run)?;
    say("## CPU per request on collections, one core; pipeline 16 and 50 clients but for whole walks\n")?;
    let mut header = vec!["command".to_owned()];
    for (index, (candidate, _)) in candidates.iter().enumerate() {
        header.push(format!("{} us", candidate.name));
        if index > 0 && plan.tessera.is_some() {
            header.extend([format!("Tessera / {}", candidate.name), "worst".to_owned()]);
        }
    }
    let mut table = Table::new(header);
    for (position, row) in ROWS.iter().enumerate() {
        let mut cells = vec![row.name()];
        for index in 0..candidates.len() {
            cells.push(format!("{:.2}", costs.cpu_us(index, position)));
            if index > 0 && plan.tessera.is_some() {
                let (ratio, worst) = costs.ratio(0, index, position);
                cells.extend([format!("{ratio:.2}"), format!("{worst:.2}")]);
            }
        }
        table.row(cells);
    }
    say(&table.to_string())
}
