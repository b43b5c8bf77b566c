//! SRANDMEMBER: members drawn at random.

use net::{Args, Reply};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use storage::types::set::Set;

use crate::commands::item::{bulk_item, draw_in_pieces, reply_bytes_max};
use crate::commands::parse::parse_in;
use crate::exec::error::SYNTAX;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// SRANDMEMBER key [count]
pub const SRANDMEMBER: Command = Command {
    name: "srandmember",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns random members of a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) where N is the number of members returned",
        history: &[("2.6.0", "Option `count`.")],
        arguments: &[Argument::key("key"), Argument::new("count", ArgumentKind::Integer).since("2.6.0").optional()],
        ..Docs::BLANK
    },
    run: Run::Shard(srandmember),
    ..Command::BLANK
};

fn srandmember(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let count = match args.len() {
        2 => None,
        3 => Some(parse_in(args.at(2), -i64::MAX..=i64::MAX)?),
        _ => return Err(SYNTAX),
    };
    let bytes_max = reply_bytes_max(ctx);
    let mut rng = SmallRng::from_rng(&mut ctx.shard.rng);
    let set = ctx.read_as::<Set>(args.at(1))?;
    let Some(count) = count else {
        match set.and_then(|set| set.random(&mut rng)) {
            Some(member) => bulk_item(reply, member),
            None => reply.null(),
        }
        return Ok(());
    };
    let Some(set) = set else {
        reply.array(0);
        return Ok(());
    };
    let many = count.unsigned_abs() as usize;
    if count < 0 {
        reply.array(many);
        draw_in_pieces(reply, many, bytes_max, |piece, reply| {
            set.random_repeated(piece, &mut rng, |member| bulk_item(reply, member));
        });
    } else {
        reply.array(many.min(set.len()));
        set.random_distinct(many, &mut rng, |member| bulk_item(reply, member));
    }
    Ok(())
}
