//! DEBUG: what tests and developers need, and nobody else.
//!
//! Its words are no subcommands: COMMAND knows DEBUG as one command, and its statistics and slow log entries are of that
//! one. What is done with a word stands in [`WORDS`], a row each; the row says how it runs, as a command does.
//! `enable-debug-command` decides who may use it.

mod allocator;
mod clock;
mod crash;
mod digest;
mod inspect;
mod populate;
mod protocol;
mod reload;
mod shape;
mod switches;

use std::ops::RangeInclusive;

use net::{Args, Reply};

use super::{config, ok, shares_of, unchecked};
use crate::commands::help;
use crate::core::SessionCtx;
use crate::exec::error::wrong_subcommand_arity;
use crate::exec::{Outcome, Run};
use crate::spec::{Arity, Command, Docs, Flag, Flags, Group};

/// DEBUG word \[arg...\]
pub const DEBUG: Command = Command {
    name: "debug",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale, Flag::Debugging, Flag::LooksAtKeys]),
    docs: Docs {
        summary: "Commands for tests and for developers of the server.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        system: true,
        ..Docs::BLANK
    },
    run: Run::Chosen(choose),
    ..Command::BLANK
};

/// One word of DEBUG.
struct Word {
    name: &'static str,
    /// Its arguments as HELP shows them.
    usage: &'static str,
    summary: &'static str,
    /// Number of arguments, `DEBUG` and the word counted.
    arguments: RangeInclusive<usize>,
    run: Run,
}

const WORDS: &[Word] = &[
    switches::AOF_FLUSH_SLEEP,
    crash::ASSERT,
    switches::CHANGE_REPL_ID,
    CONFIG_REWRITE_FORCE_ALL,
    digest::DIGEST,
    digest::DIGEST_VALUE,
    ERROR,
    inspect::HTSTATS,
    shape::HTSTATS_KEY,
    allocator::JMAP,
    shape::LISTPACK,
    reload::LOADAOF,
    LOG,
    allocator::MALLCTL,
    allocator::MALLCTL_STR,
    inspect::OBJECT,
    crash::PANIC,
    switches::PAUSE_CRON,
    populate::POPULATE,
    protocol::PROTOCOL,
    shape::QUICKLIST,
    switches::QUICKLIST_PACKED_THRESHOLD,
    reload::RELOAD,
    switches::REPLYBUFFER,
    crash::SEGFAULT,
    switches::SET_ACTIVE_EXPIRE,
    switches::SET_DISABLE_DENY_SCRIPTS,
    switches::SET_SKIP_CHECKSUM_VALIDATION,
    clock::SLEEP,
    inspect::STRINGMATCH_LEN,
    HELP,
];

fn choose(args: &Args<'_>) -> Run {
    let is_called = |word: &&Word| {
        args.get(1).is_some_and(|name| name.eq_ignore_ascii_case(word.name.as_bytes()))
            && word.arguments.contains(&args.len())
    };
    WORDS.iter().find(is_called).map_or(Run::Session(unknown), |word| word.run)
}

fn unknown(_: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    Err(wrong_subcommand_arity(args.at(1), "debug"))
}

const HELP: Word = Word {
    name: "HELP",
    usage: "",
    summary: "Lists the words and what they do.",
    arguments: 2..=2,
    run: Run::Session(usage),
};

fn usage(_: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let lines = WORDS.iter().flat_map(|word| {
        let line = format!("{} {}", word.name, word.usage);
        [line.trim_end().to_owned(), format!("    {}", word.summary)]
    });
    help::write("debug", &lines.collect::<Vec<_>>(), reply);
    Ok(())
}

const CONFIG_REWRITE_FORCE_ALL: Word = Word {
    name: "CONFIG-REWRITE-FORCE-ALL",
    usage: "",
    summary: "Like CONFIG REWRITE, with all directives in the file.",
    arguments: 2..=2,
    run: Run::Session(|ctx, _, reply| {
        config::rewrite(ctx, true)?;
        reply.ok();
        Ok(())
    }),
};

const ERROR: Word = Word {
    name: "ERROR",
    usage: "<string>",
    summary: "Replies with this error.",
    arguments: 3..=3,
    run: Run::Session(|_, args, _| Err(crate::exec::CommandError::bytes(args.at(2)))),
};

const LOG: Word = Word {
    name: "LOG",
    usage: "<message>",
    summary: "Writes the message to the server's log.",
    arguments: 3..=3,
    run: Run::Session(|_, args, reply| {
        tracing::warn!("DEBUG LOG: {}", String::from_utf8_lossy(args.at(2)));
        reply.ok();
        Ok(())
    }),
};

/// A switch's 0 or 1, where anything that is no number is 0.
fn is_on(word: &[u8]) -> bool {
    let digits = word.iter().skip(usize::from(matches!(word.first(), Some(b'-' | b'+'))));
    digits.take_while(|byte| byte.is_ascii_digit()).any(|byte| *byte != b'0')
}

#[cfg(test)]
mod tests;
