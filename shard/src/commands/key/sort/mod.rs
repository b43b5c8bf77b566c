//! SORT: the elements of a list, a set or a sorted set in order, or what other keys hold for them.
//!
//! | file | what |
//! |---|---|
//! | `request.rs` | the options |
//! | `pattern.rs` | BY and GET: which key, or which field of a hash, belongs to an element |
//! | `work.rs` | the steps: taking the elements, ordering them, making the rows of the reply |
//! | `plan.rs` | the same steps where the keys of the patterns are on any shard |
//!
//! ```text
//!   SORT mylist BY weight_* LIMIT 0 2 GET # GET object_*->name
//!
//!   take      a b c                                the elements of mylist
//!   weigh     weight_a weight_b weight_c           only with BY and a pattern
//!   order     c a b   cut to   c a                 by weight; those of equal weight by their bytes
//!   get       object_c->name  object_a->name       only for what is left
//!   rows      c name-of-c a name-of-a              replied, or stored as a list
//! ```
//!
//! # Over several shards
//!
//! What keys the patterns name is known when the elements are. So a SORT with patterns claims all shards whole, from its
//! place in the order of all commands on, and then goes from hop to hop: to the source, to the weights, to the values, to the
//! target. Without patterns there are but the source and the target.

mod pattern;
mod plan;
mod request;
#[cfg(test)]
mod tests;
mod work;

use net::{Args, Reply};

use self::request::{Kind, Request};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{
    Argument, ArgumentKind, Arity, Begin, Categories, Category, Command, Docs, Find, Flag, Flags, KeyFlag, KeySpec,
};

const CATEGORIES: Categories =
    Categories::of(&[Category::Set, Category::Sortedset, Category::List, Category::Dangerous]);

const COMPLEXITY: &str = "O(N+M*log(M)) where N is the number of elements at the key and M the number of those returned; \
                          O(N) if they are not sorted";

const SOURCE: KeySpec = KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access]);

const OF_PATTERNS: KeySpec = KeySpec {
    flags: &[KeyFlag::Ro, KeyFlag::Access],
    begin: Begin::Unknown,
    find: Find::Unknown,
    notes: "for the options `BY` and `GET`: the elements decide what keys these are",
};

const TARGET: KeySpec = KeySpec {
    flags: &[KeyFlag::Ow, KeyFlag::Update],
    begin: Begin::Unknown,
    find: Find::Unknown,
    notes: "for the option `STORE`, which may stand anywhere among the options",
};

const fn pattern(token: &'static str) -> Argument {
    Argument { token, ..Argument::new("pattern", ArgumentKind::KeyPattern(1)) }
}

const LIMIT: Argument = Argument::new(
    "offset_count",
    ArgumentKind::Block(&[
        Argument::new("offset", ArgumentKind::Integer),
        Argument::new("count", ArgumentKind::Integer),
    ]),
)
.after("LIMIT")
.optional();

const GET: Argument = Argument { multiple_token: true, ..pattern("GET").optional().multiple() };

const ORDER: Argument =
    Argument::new("order", ArgumentKind::OneOf(&[Argument::word("asc", "ASC"), Argument::word("desc", "DESC")]))
        .optional();

const ALPHA: Argument = Argument::word("sorting", "ALPHA").optional();

/// SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination]
pub const SORT: Command = Command {
    name: "sort",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Movablekeys]),
    categories: CATEGORIES,
    keys: &[SOURCE, OF_PATTERNS, TARGET],
    find_keys: Some(keys_of_sort),
    docs: Docs {
        summary: "Returns the elements of a list, a set or a sorted set in order, or stores them as a list.",
        since: "1.0.0",
        complexity: COMPLEXITY,
        arguments: &[
            Argument::key("key"),
            pattern("BY").optional(),
            LIMIT,
            GET,
            ORDER,
            ALPHA,
            Argument::new("destination", ArgumentKind::Key(2)).after("STORE").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Chosen(|args| choose(args, Kind::Sort)),
    ..Command::BLANK
};

/// SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]
pub const SORT_RO: Command = Command {
    name: "sort_ro",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Movablekeys]),
    categories: CATEGORIES,
    keys: &[SOURCE, OF_PATTERNS],
    docs: Docs {
        summary: "Returns the elements of a list, a set or a sorted set in order.",
        since: "7.0.0",
        complexity: COMPLEXITY,
        arguments: &[Argument::key("key"), pattern("BY").optional(), LIMIT, GET, ORDER, ALPHA],
        ..Docs::BLANK
    },
    run: Run::Chosen(|args| choose(args, Kind::ReadOnly)),
    ..Command::BLANK
};

/// The source, and the target if there is one: the last that is named.
fn keys_of_sort(args: &Args<'_>, visit: &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool {
    visit(1, SOURCE.flags);
    if let Some(place) = request::store_place(args) {
        visit(place, TARGET.flags);
    }
    true
}

fn choose(args: &Args<'_>, kind: Kind) -> Run {
    let local = match kind {
        Kind::Sort => sort,
        Kind::ReadOnly => sort_ro,
    };
    if !Request::parse(args, kind).is_ok_and(|request| request.names_keys()) {
        return Run::Keys(local);
    }
    match kind {
        Kind::Sort => Run::AllHops { local, plan: |input| plan::make(input, Kind::Sort) },
        Kind::ReadOnly => Run::AllHops { local, plan: |input| plan::make(input, Kind::ReadOnly) },
    }
}

fn sort(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    run(ctx, &Request::parse(args, Kind::Sort)?, reply)
}

fn sort_ro(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    run(ctx, &Request::parse(args, Kind::ReadOnly)?, reply)
}

/// All steps on one shard.
fn run(ctx: &mut Ctx<'_>, request: &Request, reply: &mut Reply<'_>) -> Outcome {
    let taken = work::take(ctx, request)?;
    let weights = pattern::look_up_all(ctx, &taken.weights_wanted(request));
    let elements = taken.in_order(request, &weights)?;
    let values = pattern::look_up_all(ctx, &request.values_wanted(&elements));
    let rows = request.rows(elements, values);
    match &request.store {
        Some(target) => reply.integer(work::store(ctx, target, &rows) as i64),
        None => work::write(&rows, reply),
    }
    Ok(())
}
