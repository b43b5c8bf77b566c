//! DEBUG MALLCTL, MALLCTL-STR, JMAP: the allocator's own controls and report.

use std::ffi::CString;

use net::{Args, Reply};
use storage::number::parse_i64;

use super::Word;
use crate::config::error::system_text;
use crate::core::SessionCtx;
use crate::exec::error::NOT_AN_INTEGER;
use crate::exec::{CommandError, Outcome, Run};
use crate::memory;

/// In place of a text to set: the control is to act, and has no value.
const NO_VALUE: &[u8] = b"VOID";

pub(super) const MALLCTL: Word = Word {
    name: "MALLCTL",
    usage: "<key> [<value>]",
    summary: "Reads a number of the allocator's, or sets it and replies with the former one.",
    arguments: 3..=4,
    run: Run::Session(number),
};

fn number(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let new = match args.get(3) {
        Some(text) => Some(parse_i64(text).ok_or(NOT_AN_INTEGER)? as u64),
        None => None,
    };
    let old = memory::control(&name(args)?, new).map_err(|error| refused(&error))?;
    reply.integer(old as i64);
    Ok(())
}

pub(super) const MALLCTL_STR: Word = Word {
    name: "MALLCTL-STR",
    usage: "<key> [VOID]",
    summary: "Reads a text of the allocator's, or with VOID does what the key stands for.",
    arguments: 3..=4,
    run: Run::Session(text),
};

fn text(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let name = name(args)?;
    match args.get(3) {
        Some(value) if value.eq_ignore_ascii_case(NO_VALUE) => {
            memory::act(&name).map_err(|error| refused(&error))?;
            reply.ok();
        }
        Some(_) => return Err(CommandError::new("ERR Invalid argument")),
        None => match memory::text(&name) {
            Some(text) => reply.bulk(text.to_bytes()),
            None => return Err(CommandError::new("ERR Invalid argument")),
        },
    }
    Ok(())
}

fn name(args: &Args<'_>) -> Result<CString, CommandError> {
    CString::new(args.at(2)).map_err(|_| CommandError::new("ERR Invalid argument"))
}

fn refused(error: &std::io::Error) -> CommandError {
    CommandError::text(format!("ERR {}", system_text(error)))
}

pub(super) const JMAP: Word = Word {
    name: "JMAP",
    usage: "",
    summary: "Replies with the allocator's map of the memory, as MEMORY MALLOC-STATS does.",
    arguments: 2..=2,
    run: Run::Session(map),
};

fn map(_: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.verbatim("txt", &memory::allocator_report());
    Ok(())
}
