//! SPOP: taking random members out.

use net::{Args, Reply};
use storage::number::INTEGER_TEXT_BYTES_MAX;
use storage::types::set::{Item, Set, SetRef};

use super::write::tell_removed;
use crate::commands::item::bulk_item;
use crate::commands::parse::parse_i64;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::journal::Word;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// SPOP key [count]
pub const SPOP: Command = Command {
    name: "spop",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns random members of a set and removes them.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) where N is the number of members returned",
        history: &[("3.2.0", "Option `count`.")],
        arguments: &[Argument::key("key"), Argument::new("count", ArgumentKind::Integer).since("3.2.0").optional()],
        ..Docs::BLANK
    },
    run: Run::Shard(spop),
    ..Command::BLANK
};

const COUNT_NEGATIVE: CommandError = CommandError::new("ERR value is out of range, must be positive");

fn spop(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    match args.len() {
        2 => pop_one(ctx, args.at(1), reply),
        3 => {
            let count = parse_i64(args.at(2)).ok().and_then(|count| usize::try_from(count).ok());
            pop_many(ctx, args.at(1), count.ok_or(COUNT_NEGATIVE)?, reply)
        }
        _ => Err(SYNTAX),
    }
}

fn pop_one(ctx: &mut Ctx<'_>, key: &[u8], reply: &mut Reply<'_>) -> Outcome {
    let mut popped = Popped::of(ctx);
    let gone = ctx.edit(key, |set: &mut Set, tools| {
        set.pop(1, tools.rng, |member| popped.put(member, reply));
        set.as_ref().is_empty()
    })?;
    match gone {
        None => reply.null(),
        Some(gone) => {
            tell_removed(ctx, "spop", key, gone);
            ctx.changed(1);
            popped.tell(ctx, key);
        }
    }
    Ok(())
}

fn pop_many(ctx: &mut Ctx<'_>, key: &[u8], count: usize, reply: &mut Reply<'_>) -> Outcome {
    let len = ctx.peek_as::<Set>(key)?.map_or(0, SetRef::len);
    let popped = count.min(len);
    reply.set(popped);
    if popped == 0 {
        return Ok(());
    }
    if popped == len {
        let set = ctx.peek_as::<Set>(key)?.expect("it was there just now");
        set.iter().for_each(|member| bulk_item(reply, member));
        ctx.remove(key);
        ctx.effect_removed(key);
    } else {
        let mut popped = Popped::of(ctx);
        ctx.edit(key, |set: &mut Set, tools| set.pop(count, tools.rng, |member| popped.put(member, reply)))?;
        popped.tell(ctx, key);
    }
    tell_removed(ctx, "spop", key, popped == len);
    ctx.changed(popped);
    Ok(())
}

/// So many members are in one record at most, as in Redis.
const MEMBERS_PER_RECORD: usize = 1024;

/// The members that chance has chosen, if anybody wants to know.
struct Popped {
    members: Option<Vec<Vec<u8>>>,
}

impl Popped {
    fn of(ctx: &Ctx<'_>) -> Popped {
        Popped { members: ctx.is_recorded().then(Vec::new) }
    }

    fn put(&mut self, member: Item<'_>, reply: &mut Reply<'_>) {
        if let Some(members) = &mut self.members {
            members.push(member.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec());
        }
        bulk_item(reply, member);
    }

    fn tell(self, ctx: &mut Ctx<'_>, key: &[u8]) {
        for members in self.members.unwrap_or_default().chunks(MEMBERS_PER_RECORD) {
            let head = ["SREM".into(), key.into()];
            let words: Vec<Word<'_>> = head.into_iter().chain(members.iter().map(Word::from)).collect();
            ctx.effect(key, &words);
        }
    }
}
