//! LOLWUT: a piece of computer art, and the version.
//!
//! Tesserae are the stones of a mosaic. The picture is a Truchet tiling: every stone carries the same mark, turned one way
//! or the other, and out of that alone paths and islands grow. Which way a stone lies is a chance that leans from the left
//! to the right, so that order turns into disorder and back into another order.

use std::fmt::Write as _;

use net::{Args, Reply};
use rand::Rng;
use storage::number::parse_i64;

use crate::core::SessionCtx;
use crate::exec::error::NOT_AN_INTEGER;
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};
use crate::version::{REDIS_VERSION, TESSERA_VERSION};

const COLUMNS_DEFAULT: usize = 66;
const ROWS_DEFAULT: usize = 16;
const COLUMNS_MAX: i64 = 1000;
const ROWS_MAX: i64 = 200;

/// LOLWUT \[VERSION version\] \[columns rows\]
pub const LOLWUT: Command = Command {
    name: "lolwut",
    arity: Arity::AtLeast(1),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    docs: Docs {
        summary: "Shows a mosaic, no two alike, and the server's version.",
        since: "5.0.0",
        group: Group::Server,
        complexity: "",
        arguments: &[Argument::new("version", ArgumentKind::Integer).after("VERSION").optional()],
        ..Docs::BLANK
    },
    run: Run::Session(lolwut),
    ..Command::BLANK
};

fn lolwut(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let versioned = args.len() >= 3 && args.at(1).eq_ignore_ascii_case(b"version");
    if versioned {
        parse_i64(args.at(2)).ok_or(NOT_AN_INTEGER)?;
    }
    // Every version has the one picture; numbers behind it are its size.
    let first = if versioned { 3 } else { 1 };
    let columns = size(args.get(first), COLUMNS_DEFAULT, COLUMNS_MAX)?;
    let rows = size(args.get(first + 1), ROWS_DEFAULT, ROWS_MAX)?;
    let mut text = mosaic(&mut ctx.core.shard.rng, columns, rows);
    writeln!(text, "\nMosaic, after Sébastien Truchet, 1704. Tessera {TESSERA_VERSION}, Redis ver. {REDIS_VERSION}")
        .expect("a String takes any text");
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn size(text: Option<&[u8]>, default: usize, max: i64) -> Result<usize, CommandError> {
    let Some(text) = text else { return Ok(default) };
    let size = parse_i64(text).ok_or(NOT_AN_INTEGER)?;
    Ok(size.clamp(1, max) as usize)
}

fn mosaic(rng: &mut impl Rng, columns: usize, rows: usize) -> String {
    let mut text = String::new();
    for _ in 0..rows {
        for column in 0..columns {
            let leaning = (column as f64 + 0.5) / columns as f64;
            text.push(if rng.random_bool(leaning) { '╲' } else { '╱' });
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn a_mosaic_has_its_size_and_both_stones() {
        let text = mosaic(&mut SmallRng::seed_from_u64(7), 30, 5);
        assert_eq!(text.lines().count(), 5);
        assert!(text.lines().all(|line| line.chars().count() == 30));
        assert!(text.contains('╱') && text.contains('╲'));
    }
}
