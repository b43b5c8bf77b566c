//! DEBUG DIGEST and DIGEST-VALUE: one number for a whole data set, or for single values.
//!
//! The digest of an entry begins with zeros; each part of it (key, type, value, the mark of an expiry) is mixed in: the
//! digest is xored with the part's SHA-1, and its own SHA-1 taken. Entries are xored together, so their order does not
//! matter, and neither does the number of shards. Within a value the same goes for what has no order: members of a set, and
//! fields and members with what belongs to them, each mixed into a digest of its own first. Databases follow one another, each with its number mixed in before. The
//! result is the one that Redis gives for the same data.

use net::{Args, Reply};
use storage::number::{INTEGER_TEXT_BYTES_MAX, format_f64};
use storage::types::list::{End, IntBuf, ListRef};
use storage::types::stream::{Stream, StreamId};
use storage::{Entry, UnixMillis, Value, ValueType};

use super::{Word, shares_of, unchecked};
use crate::core::{Core, SessionCtx};
use crate::exec::merge::{element_bytes, length};
use crate::exec::{Ctx, EverywhereCall, Merge, Outcome, Run, Share};
use crate::sha1::{Digest, hex, sha1};

pub(super) const DIGEST: Word = Word {
    name: "DIGEST",
    usage: "",
    summary: "Answers a digest of all data.",
    arguments: 2..=2,
    run: Run::Everywhere { check: unchecked, share, merge },
};

/// Of each database with keys here: its number and the digest of its entries.
type Databases = Vec<(u32, Digest)>;

fn share(core: &mut Core, _: &EverywhereCall<'_>) -> Share {
    let (mut digests, now) = (Databases::new(), core.shard.clock);
    for (db, database) in core.shard.databases.iter().enumerate().filter(|(_, database)| !database.is_empty()) {
        let mut all = Digest::default();
        database.for_each(|entry| add(&mut all, &of_entry(entry, now)));
        digests.push((db as u32, all));
    }
    Box::new(digests)
}

fn merge(_: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let shares: Vec<Databases> = shares_of(shares).collect();
    reply.simple(&hex(&of_databases(&shares)));
    Ok(())
}

/// The digest of all data, of what each shard has of each database.
pub(super) fn of_databases(shares: &[Databases]) -> Digest {
    let mut databases = Databases::new();
    for (db, digest) in shares.iter().flatten() {
        match databases.iter_mut().find(|(known, _)| known == db) {
            Some((_, all)) => xor(all, digest),
            None => databases.push((*db, *digest)),
        }
    }
    databases.sort_unstable_by_key(|(db, _)| *db);
    let mut whole = Digest::default();
    for (db, digest) in databases {
        mix(&mut whole, &db.to_be_bytes());
        xor(&mut whole, &digest);
    }
    whole
}

pub(super) const DIGEST_VALUE: Word = Word {
    name: "DIGEST-VALUE",
    usage: "<key> [<key> ...]",
    summary: "Answers a digest of each key's value; zeros where there is none.",
    arguments: 2..=usize::MAX,
    run: Run::AllShards { part: value_part, merge: Merge::With(merge_values) },
};

/// One element a key: its digest from the shard that owns it, an empty one from the others.
fn value_part(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let now = ctx.now();
    reply.array(args.len() - 2);
    for key in args.from(2) {
        if ctx.shard.owns(key) {
            let digest = ctx.peek(key).map_or(Digest::default(), |entry| of_value(entry, now, Digest::default()));
            reply.simple(&hex(&digest));
        } else {
            reply.simple("");
        }
    }
    Ok(())
}

fn merge_values(args: &Args<'_>, parts: &[&[u8]], reply: &mut Reply<'_>) -> Outcome {
    const EMPTY: &[u8] = b"+\r\n";
    let mut rests: Vec<&[u8]> = parts.iter().map(|part| &part[length(part).1..]).collect();
    reply.array(args.len() - 2);
    for _ in args.from(2) {
        for rest in &mut rests {
            let (element, after) = rest.split_at(element_bytes(rest));
            *rest = after;
            if element != EMPTY {
                reply.raw(element);
            }
        }
    }
    Ok(())
}

fn of_entry(entry: Entry<'_>, now: UnixMillis) -> Digest {
    let mut digest = Digest::default();
    mix(&mut digest, entry.key());
    of_value(entry, now, digest)
}

/// Mixes type, value and expiry into `digest`.
fn of_value(entry: Entry<'_>, now: UnixMillis, mut digest: Digest) -> Digest {
    let value = entry.value();
    mix(&mut digest, &type_number(value.value_type()).to_be_bytes());
    match value {
        Value::String(string) => mix(&mut digest, string.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX])),
        Value::List(list) => mix_list(&mut digest, list),
        Value::Set(set) => set.iter().for_each(|member| add(&mut digest, member.as_bytes(&mut IntBuf::default()))),
        Value::SortedSet(set) => set.iter().for_each(|record| {
            add_pair(&mut digest, record.member.as_bytes(&mut IntBuf::default()), &format_f64(record.score));
        }),
        Value::Hash(hash) => hash.live_at(now).iter().for_each(|field| {
            let (mut name, mut value) = (IntBuf::default(), IntBuf::default());
            add_pair(&mut digest, field.name.as_bytes(&mut name), field.value.as_bytes(&mut value));
        }),
        Value::Stream(stream) => mix_stream(&mut digest, stream),
        other => unreachable!("a {} has a digest of its own", other.value_type().name()),
    }
    if entry.expire_at().is_some() {
        add(&mut digest, b"!!expire!!");
    }
    digest
}

/// The number by which a digest knows a type.
fn type_number(value_type: ValueType) -> u32 {
    match value_type {
        ValueType::String => 0,
        ValueType::List => 1,
        ValueType::Set => 2,
        ValueType::SortedSet => 3,
        ValueType::Hash => 4,
        ValueType::Stream => 6,
        other => unreachable!("a {} has a number of its own", other.name()),
    }
}

fn mix_list(digest: &mut Digest, list: ListRef<'_>) {
    let mut walk = list.walk(End::Head, 0);
    while let Some(element) = walk.next() {
        mix(digest, element.as_bytes(&mut IntBuf::default()));
    }
}

fn mix_stream(digest: &mut Digest, stream: &Stream) {
    for entry in stream.range(StreamId::MIN, StreamId::MAX) {
        mix(digest, format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
        for (name, value) in entry.fields() {
            mix(digest, name.as_bytes(&mut IntBuf::default()));
            mix(digest, value.as_bytes(&mut IntBuf::default()));
        }
    }
}

/// Adds two parts that belong together; the order of pairs does not matter.
fn add_pair(digest: &mut Digest, first: &[u8], second: &[u8]) {
    let mut pair = Digest::default();
    mix(&mut pair, first);
    mix(&mut pair, second);
    add(digest, &pair);
}

/// Xors the SHA-1 of `part` into `digest`: the order of parts does not matter.
fn add(digest: &mut Digest, part: &[u8]) {
    xor(digest, &sha1(part));
}

/// Mixes `part` into `digest`: the order of parts matters.
fn mix(digest: &mut Digest, part: &[u8]) {
    add(digest, part);
    *digest = sha1(digest);
}

fn xor(digest: &mut Digest, other: &Digest) {
    digest.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
}
