//! Transactions, scripts and messages: CPU per operation on one core, and what locks over two shards cost.
//!
//! Every server runs all rows, round after round. One operation is a whole transaction with its MULTI and EXEC, one call of
//! a script, or one message with all who hear it.

use std::io;

use crate::client::{Client, encode};
use crate::cpu::{self, Cores};
use crate::requests::Cost;
use crate::rounds::{self, Costs};
use crate::server::Server;
use crate::table::Table;
use crate::volley::{Heard, Volley};
use crate::{Plan, say};

const VALUE: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
const CHANNEL: &str = "channel";

/// A window of a minute in which so many calls are let through: three commands on one key, which is declared.
const LIMITER: &str = "local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used >= tonumber(ARGV[1]) then return 0 end
redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1";
const LIMIT: &str = "1000000000";
const WINDOW_MILLIS: &str = "60000";

/// How much smaller all is with `--quick`.
const QUICK: usize = 5;

/// What is measured.
struct Row {
    name: &'static str,
    what: What,
    /// Operations that are sent at once.
    batch: usize,
    operations: usize,
}

#[derive(Clone, Copy)]
enum What {
    Exec,
    Eval,
    Evalsha,
    /// To so many.
    Publish(usize),
}

const fn row(name: &'static str, what: What, batch: usize, operations: usize) -> Row {
    Row { name, what, batch, operations }
}

const ROWS: [Row; 10] = [
    row("MULTI, 10 commands on one hash tag, EXEC", What::Exec, 1, 100_000),
    row("the same, 8 at once", What::Exec, 8, 200_000),
    row("EVAL, 3 calls on one key", What::Eval, 1, 150_000),
    row("the same, 16 at once", What::Eval, 16, 300_000),
    row("EVALSHA of that", What::Evalsha, 1, 150_000),
    row("the same, 16 at once", What::Evalsha, 16, 300_000),
    row("PUBLISH to 1", What::Publish(1), 1, 150_000),
    row("the same, 10 at once", What::Publish(1), 10, 500_000),
    row("PUBLISH to 10", What::Publish(10), 1, 50_000),
    row("PUBLISH to 1,000", What::Publish(1000), 1, 1_000),
];

/// Every row in order, on every server in turn on the first core.
pub fn compare(plan: &Plan) -> io::Result<()> {
    cpu::raise_file_limit()?;
    let candidates = rounds::on_one_core(plan)?;
    let load = |server: &Server| Client::connect(server.port)?.text(&["SCRIPT", "LOAD", LIMITER]);
    let run =
        |server: &Server, cores: &Cores, sha: &String, position: usize| ROWS[position].run(plan, server, cores, sha);
    let costs = Costs::measure(plan, &candidates, ROWS.len(), load, run)?;
    say("## CPU per transaction, script and message, one core\n")?;
    let mut header = vec!["operation".to_owned()];
    for (index, (candidate, _)) in candidates.iter().enumerate() {
        header.extend([format!("{} us", candidate.name), "op/s".to_owned()]);
        if index > 0 && plan.tessera.is_some() {
            header.push(format!("CPU, Tessera / {}", candidate.name));
        }
    }
    let mut table = Table::new(header);
    for (position, row) in ROWS.iter().enumerate() {
        let mut cells = vec![row.name.to_owned()];
        for index in 0..candidates.len() {
            cells.push(format!("{:.2}", costs.cpu_us(index, position)));
            cells.push(format!("{:.0}", costs.throughput(index, position)));
            if index > 0 && plan.tessera.is_some() {
                cells.push(format!("{:.2}", costs.ratio(0, index, position).0));
            }
        }
        table.row(cells);
    }
    say(&table.to_string())
}

impl Row {
    fn run(&self, plan: &Plan, server: &Server, cores: &Cores, sha: &str) -> io::Result<Cost> {
        let limiter = |name: &str, script: &str, number: usize, request: &mut Vec<u8>| {
            encode(request, &[name, script, "1", &format!("limit:{number}"), LIMIT, WINDOW_MILLIS]);
        };
        let write = |number: usize, request: &mut Vec<u8>| match self.what {
            What::Exec => transaction(number, request),
            What::Eval => limiter("EVAL", LIMITER, number, request),
            What::Evalsha => limiter("EVALSHA", sha, number, request),
            What::Publish(_) => encode(request, &["PUBLISH", CHANNEL, VALUE]),
        };
        let replies = if let What::Exec = self.what { 12 } else { 1 };
        let heard = match self.what {
            What::Publish(subscribers) => Some(Heard { channel: CHANNEL, payload: VALUE, subscribers }),
            _ => None,
        };
        let operations = if plan.quick { self.operations / QUICK } else { self.operations };
        Volley { write: &write, replies, batch: self.batch, operations, heard }.run(server, cores)
    }
}

/// Ten commands on four keys of one hash tag, whose replies have one length each.
fn transaction(number: usize, request: &mut Vec<u8>) {
    let key = |name: &str| format!("{{user:{number:04}}}:{name}");
    let (name, seen, fields, queue) = (key("name"), key("seen"), key("fields"), key("queue"));
    let commands: [&[&str]; 12] = [
        &["MULTI"],
        &["SET", &name, VALUE],
        &["GET", &name],
        &["SET", &seen, "1000000000"],
        &["INCR", &seen],
        &["GET", &seen],
        &["HSET", &fields, "field", VALUE],
        &["HGET", &fields, "field"],
        &["LPUSH", &queue, VALUE],
        &["LPOP", &queue],
        &["EXISTS", &name],
        &["EXEC"],
    ];
    for words in commands {
        encode(request, words);
    }
}
