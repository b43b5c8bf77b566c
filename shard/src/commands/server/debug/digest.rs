//! DEBUG DIGEST and DIGEST-VALUE: one number for a whole data set, or for single values.
//!
//! The digest of an entry begins with zeros; each part of it (key, type, value, the mark of an expiry) is mixed in: the
//! digest is xored with the part's SHA-1, and its own SHA-1 taken. Entries are xored together, so their order does not
//! matter, and neither does the number of shards. Databases follow one another, each with its number mixed in before. The
//! result is the one that Redis gives for the same data.

use net::{Args, Reply};
use storage::number::format_f64;
use storage::{Entry, Value};

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
    let mut digests = Databases::new();
    for (db, database) in core.shard.databases.iter().enumerate().filter(|(_, database)| !database.is_empty()) {
        let mut all = Digest::default();
        database.for_each(|entry| add(&mut all, &of_entry(entry)));
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
    reply.array(args.len() - 2);
    for key in args.from(2) {
        if ctx.shard.owns(key) {
            let digest = ctx.peek(key).map_or(Digest::default(), |entry| of_value(entry, Digest::default()));
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

fn of_entry(entry: Entry<'_>) -> Digest {
    let mut digest = Digest::default();
    mix(&mut digest, entry.key());
    of_value(entry, digest)
}

/// Mixes type, value and expiry into `digest`.
fn of_value(entry: Entry<'_>, mut digest: Digest) -> Digest {
    match entry.value() {
        Value::String(string) => {
            mix_type(&mut digest, 0);
            mix(&mut digest, &string.to_vec());
        }
        Value::Set(set) => {
            mix_type(&mut digest, 2);
            set.iter().for_each(|member| add(&mut digest, &member.to_vec()));
        }
        Value::Hash(hash) => {
            mix_type(&mut digest, 4);
            for field in hash.iter() {
                let mut pair = Digest::default();
                mix(&mut pair, &field.name.to_vec());
                mix(&mut pair, &field.value.to_vec());
                add(&mut digest, &pair);
            }
        }
        Value::SortedSet(set) => {
            mix_type(&mut digest, 3);
            for record in set.iter() {
                let mut pair = Digest::default();
                mix(&mut pair, &record.member.to_vec());
                mix(&mut pair, &format_f64(record.score));
                add(&mut digest, &pair);
            }
        }
        other => unreachable!("a {} has a digest of its own", other.value_type().name()),
    }
    if entry.expire_at().is_some() {
        add(&mut digest, b"!!expire!!");
    }
    digest
}

/// Mixes the number of a type, as Redis has it, into `digest`.
fn mix_type(digest: &mut Digest, number: u32) {
    mix(digest, &number.to_be_bytes());
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
