//! COMMAND LIST and COUNT.

use net::{Args, Reply};
use storage::glob::{Case, glob_match};

use super::{CATEGORIES, FLAGS, UNORDERED};
use crate::core::SessionCtx;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::table::Row;
use crate::spec::{Argument, ArgumentKind, Arity, Category, Command, CommandTable, Docs, Group};

/// COMMAND COUNT
pub const COUNT: Command = Command {
    name: "count",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    categories: CATEGORIES,
    docs: Docs { summary: "Tells how many commands there are.", since: "2.8.13", group: Group::Server, ..Docs::BLANK },
    run: Run::Session(count),
    ..Command::BLANK
};

fn count(_: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.integer(CommandTable::global().commands().count() as i64);
    Ok(())
}

/// COMMAND LIST \[FILTERBY MODULE module-name | ACLCAT category | PATTERN pattern\]
pub const LIST: Command = Command {
    name: "list",
    arity: Arity::AtLeast(2),
    flags: FLAGS,
    categories: CATEGORIES,
    tips: UNORDERED,
    docs: Docs {
        summary: "Lists the names of commands and subcommands.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the total number of commands",
        arguments: &[Argument::new(
            "filterby",
            ArgumentKind::OneOf(&[
                Argument::new("module-name", ArgumentKind::String).after("MODULE"),
                Argument::new("category", ArgumentKind::String).after("ACLCAT"),
                Argument::new("pattern", ArgumentKind::Pattern).after("PATTERN"),
            ]),
        )
        .after("FILTERBY")
        .optional()],
        ..Docs::BLANK
    },
    run: Run::Session(list),
    ..Command::BLANK
};

/// Which commands are listed.
enum Filter<'a> {
    All,
    None,
    Category(Category),
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    fn parse(args: &Args<'a>) -> Result<Filter<'a>, CommandError> {
        if args.len() == 2 {
            return Ok(Filter::All);
        }
        if args.len() != 5 || !args.at(2).eq_ignore_ascii_case(b"filterby") {
            return Err(SYNTAX);
        }
        let value = args.at(4);
        match args.at(3).to_ascii_lowercase().as_slice() {
            // There are no modules, so no command is of one.
            b"module" => Ok(Filter::None),
            b"aclcat" => Ok(Category::named(value).map_or(Filter::None, Filter::Category)),
            b"pattern" => Ok(Filter::Pattern(value)),
            _ => Err(SYNTAX),
        }
    }

    fn includes(&self, row: &Row) -> bool {
        match self {
            Filter::All => true,
            Filter::None => false,
            Filter::Category(category) => row.categories.has(*category),
            Filter::Pattern(pattern) => glob_match(pattern, row.full_name.as_bytes(), Case::Insensitive),
        }
    }
}

fn list(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let filter = Filter::parse(args)?;
    let rows = CommandTable::global().rows().iter();
    let names: Vec<&str> =
        rows.filter(|row| row.is_callable && filter.includes(row)).map(|row| row.full_name.as_str()).collect();
    reply.array(names.len());
    for name in names {
        reply.bulk(name.as_bytes());
    }
    Ok(())
}
