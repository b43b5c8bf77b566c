//! HRANDFIELD: fields drawn at random.

use net::{Args, Reply};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use storage::types::hash::{Field, HashRef};

use super::read::read;
use crate::commands::item::bulk_item;
use crate::commands::parse::{is_word, parse_in};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// HRANDFIELD key [count [WITHVALUES]]
pub const HRANDFIELD: Command = Command {
    name: "hrandfield",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns random fields of a hash.",
        since: "6.2.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields returned",
        arguments: &[
            Argument::key("key"),
            Argument::new(
                "options",
                ArgumentKind::Block(&[
                    Argument::new("count", ArgumentKind::Integer),
                    Argument::word("withvalues", "WITHVALUES").optional(),
                ]),
            )
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(hrandfield),
    ..Command::BLANK
};

/// So many fields with their values are more than a reply may announce.
const COUNT_OUT_OF_RANGE: CommandError = CommandError::new("ERR value is out of range");

/// How many fields, and what of them.
struct Wanted {
    /// Negative: some may be drawn more than once.
    count: i64,
    values: bool,
}

impl Wanted {
    fn parse(args: &Args<'_>) -> Result<Wanted, CommandError> {
        let count = parse_in(args.at(2), -i64::MAX..=i64::MAX)?;
        let values = match args.get(3) {
            None => false,
            Some(word) if args.len() == 4 && is_word(word, "WITHVALUES") => true,
            Some(_) => return Err(SYNTAX),
        };
        if values && count.unsigned_abs() > i64::MAX as u64 / 2 {
            return Err(COUNT_OUT_OF_RANGE);
        }
        Ok(Wanted { count, values })
    }
}

fn hrandfield(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let wanted = if args.len() > 2 { Some(Wanted::parse(args)?) } else { None };
    let mut rng = SmallRng::from_rng(&mut ctx.shard.rng);
    let hash = read(ctx, args.at(1))?;
    match (wanted, hash) {
        (None, hash) => match hash.and_then(|hash| hash.random(&mut rng)) {
            Some(field) => bulk_item(reply, field.name),
            None => reply.null(),
        },
        (Some(_), None) => reply.array(0),
        (Some(wanted), Some(hash)) => many(hash, &wanted, &mut rng, reply),
    }
    Ok(())
}

fn many(hash: HashRef<'_>, wanted: &Wanted, rng: &mut SmallRng, reply: &mut Reply<'_>) {
    // Pairs are nested in RESP3 and flat in RESP2.
    let nested = wanted.values && reply.is_resp3();
    let (mut elements, mut drawn) = (Vec::new(), 0);
    let mut out = Reply::new(&mut elements, reply.resp());
    let draw = |field: Field<'_>| {
        drawn += 1;
        if nested {
            out.array(2);
        }
        bulk_item(&mut out, field.name);
        if wanted.values {
            bulk_item(&mut out, field.value);
        }
    };
    let count = wanted.count.unsigned_abs() as usize;
    if wanted.count < 0 {
        hash.random_repeated(count, rng, draw);
    } else {
        hash.random_distinct(count, rng, draw);
    }
    reply.array(if wanted.values && !nested { drawn * 2 } else { drawn });
    reply.raw(&elements);
}
