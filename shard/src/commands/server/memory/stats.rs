//! MEMORY STATS: the account, field by field.

use net::{Args, Reply};

use super::{Account, CoreMemory, TIPS};
use crate::commands::server::{shares_of, unchecked};
use crate::core::SessionCtx;
use crate::exec::{Outcome, Run, Share};
use crate::spec::{Arity, Command, Docs, Flag, Flags, Group};

/// MEMORY STATS
pub const STATS: Command = Command {
    name: "stats",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::LooksAtKeys]),
    tips: TIPS,
    docs: Docs { summary: "Answers what the memory is spent on.", since: "4.0.0", group: Group::Server, ..Docs::BLANK },
    run: Run::Everywhere { check: unchecked, share: |core, _| Box::new(CoreMemory::of(core)), merge },
    ..Command::BLANK
};

fn merge(ctx: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let account = gather(ctx, shares);
    write(&account, reply);
    Ok(())
}

/// The account of all cores.
pub(super) fn gather(ctx: &SessionCtx<'_>, shares: Vec<Share>) -> Account {
    let mut cores = CoreMemory::default();
    shares_of::<CoreMemory>(shares).for_each(|core| cores.add(&core));
    Account::of(&ctx.core.shared, cores)
}

enum Field {
    Bytes(i64),
    Number(f64),
    /// The tables of one database.
    Database(usize),
}

pub(super) fn write(account: &Account, reply: &mut Reply<'_>) {
    let fields = fields(account);
    reply.map(fields.len());
    for (name, field) in fields {
        reply.bulk(name.as_bytes());
        match field {
            Field::Bytes(bytes) => reply.integer(bytes),
            Field::Number(number) => reply.double_text(format!("{number}").as_bytes()),
            Field::Database(table) => {
                reply.map(3);
                reply.bulk(b"overhead.hashtable.main");
                reply.integer(table as i64);
                // Expiries and slots have no tables of their own: they stand in the entries.
                reply.bulk(b"overhead.hashtable.expires");
                reply.integer(0);
                reply.bulk(b"overhead.hashtable.slot-to-keys");
                reply.integer(0);
            }
        }
    }
}

fn fields(account: &Account) -> Vec<(String, Field)> {
    let bytes = |name: &str, bytes: usize| (name.to_owned(), Field::Bytes(bytes as i64));
    let number = |name: &str, number: f64| (name.to_owned(), Field::Number(number));
    let keys = account.keys();
    let per_key = account.used().saturating_sub(account.startup).checked_div(keys).unwrap_or(0);
    let mut fields = vec![
        bytes("peak.allocated", account.peak),
        bytes("total.allocated", account.used()),
        bytes("startup.allocated", account.startup),
        bytes("replication.backlog", 0),
        bytes("clients.slaves", 0),
        bytes("clients.normal", account.cores.clients),
        bytes("cluster.links", 0),
        bytes("aof.buffer", 0),
        bytes("lua.caches", account.scripts[0]),
        bytes("functions.caches", account.scripts[1]),
    ];
    let used = account.cores.databases.iter().enumerate().filter(|(_, (keys, _))| *keys > 0);
    fields.extend(used.map(|(db, (_, memory))| (format!("db.{db}"), Field::Database(memory.table))));
    fields.extend([
        bytes("overhead.total", account.overhead()),
        bytes("keys.count", keys),
        bytes("keys.bytes-per-key", per_key),
        bytes("dataset.bytes", account.dataset()),
        number("dataset.percentage", account.dataset_percentage()),
        number("peak.percentage", account.peak_percentage()),
        bytes("allocator.allocated", account.allocator.allocated),
        bytes("allocator.active", account.allocator.active),
        bytes("allocator.resident", account.allocator.resident),
    ]);
    let pairs = [
        ("allocator-fragmentation.ratio", "allocator-fragmentation.bytes", account.fragmentation_of_allocator()),
        ("allocator-rss.ratio", "allocator-rss.bytes", account.resident_of_allocator()),
        ("rss-overhead.ratio", "rss-overhead.bytes", account.resident_elsewhere()),
        ("fragmentation", "fragmentation.bytes", account.fragmentation()),
    ];
    for (ratio, excess, (factor, more)) in pairs {
        fields.push(number(ratio, factor));
        fields.push((excess.to_owned(), Field::Bytes(more)));
    }
    fields
}
