//! GEOADD: members at places.

use net::{Args, Reply};

use super::unit::parse_place;
use crate::commands::parse::is_word;
use crate::commands::zset::add::{Options, add};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]
pub const GEOADD: Command = Command {
    name: "geoadd",
    arity: Arity::AtLeast(5),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])],
    docs: Docs {
        summary: "Adds members at places to a geospatial index, or moves members that are there.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(log(N)) for each member, where N is the number of members in the index",
        history: &[("6.2.0", "Options `CH`, `NX` and `XX`.")],
        arguments: &[
            Argument::key("key"),
            Argument::new("condition", ArgumentKind::OneOf(&[Argument::word("nx", "NX"), Argument::word("xx", "XX")]))
                .since("6.2.0")
                .optional(),
            Argument::word("change", "CH").since("6.2.0").optional(),
            Argument::new(
                "longitude_latitude_member",
                ArgumentKind::Block(&[
                    Argument::new("longitude", ArgumentKind::Double),
                    Argument::new("latitude", ArgumentKind::Double),
                    Argument::new("member", ArgumentKind::String),
                ]),
            )
            .multiple(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(geoadd),
    ..Command::BLANK
};

fn geoadd(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mut options = Options::default();
    let words = args.from(2).take_while(|word| take_option(&mut options, word)).count();
    let triples = args.skip(2 + words);
    if triples.is_empty() || !triples.len().is_multiple_of(3) || (options.nx && options.xx) {
        return Err(SYNTAX);
    }
    let parse = |place: usize| {
        let point = parse_place(triples.at(place), triples.at(place + 1))?;
        Ok((point.score(), triples.at(place + 2)))
    };
    let members = (0..triples.len()).step_by(3).map(parse).collect::<Result<Vec<_>, CommandError>>()?;
    add(ctx, args.at(1), options, &members, reply)
}

fn take_option(options: &mut Options, word: &[u8]) -> bool {
    let option = match word {
        _ if is_word(word, "NX") => &mut options.nx,
        _ if is_word(word, "XX") => &mut options.xx,
        _ if is_word(word, "CH") => &mut options.ch,
        _ => return false,
    };
    *option = true;
    true
}
