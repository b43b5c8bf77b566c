//! HRANDFIELD: fields drawn at random.

use net::{Args, Reply};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use storage::types::hash::Field;

use super::all::visible;
use super::read::read;
use crate::commands::item::{bulk_item, draw_in_pieces, reply_bytes_max};
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

    /// Announces so many fields. With their values they are pairs in RESP3, and all in a row in RESP2.
    fn begin(&self, fields: usize, reply: &mut Reply<'_>) {
        reply.array(if self.values && !reply.is_resp3() { fields * 2 } else { fields });
    }

    fn tell(&self, field: Field<'_>, reply: &mut Reply<'_>) {
        if self.values && reply.is_resp3() {
            reply.array(2);
        }
        bulk_item(reply, field.name);
        if self.values {
            bulk_item(reply, field.value);
        }
    }
}

fn hrandfield(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let wanted = if args.len() > 2 { Some(Wanted::parse(args)?) } else { None };
    let (now, bytes_max) = (ctx.now(), reply_bytes_max(ctx));
    let mut rng = SmallRng::from_rng(&mut ctx.shard.rng);
    let hash = read(ctx, args.at(1))?;
    let Some(wanted) = wanted else {
        match hash.and_then(|hash| hash.random(&mut rng)) {
            Some(field) => bulk_item(reply, field.name),
            None => reply.null(),
        }
        return Ok(());
    };
    let fields = hash.map_or(0, |hash| visible(hash, now));
    let many = wanted.count.unsigned_abs() as usize;
    match hash.filter(|_| fields > 0) {
        None => reply.array(0),
        Some(hash) if wanted.count < 0 => {
            wanted.begin(many, reply);
            draw_in_pieces(reply, many, bytes_max, |piece, reply| {
                hash.random_repeated(piece, &mut rng, |field| wanted.tell(field, reply));
            });
        }
        Some(hash) => {
            wanted.begin(many.min(fields), reply);
            hash.random_distinct(many, &mut rng, |field| wanted.tell(field, reply));
        }
    }
    Ok(())
}
