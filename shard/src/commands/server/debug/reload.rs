//! The words of DEBUG that load the data set anew.

use net::{Args, Reply};

use super::Word;
use crate::commands::parse::is_word;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::snapshot::Kind;

const BAD_WORD: CommandError =
    CommandError::new("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");

pub(super) const RELOAD: Word = Word {
    name: "RELOAD",
    usage: "[MERGE] [NOFLUSH] [NOSAVE]",
    summary: "Saves the data set, empties the databases and loads it, with the shards locked. NOSAVE loads the file that is \
              there, NOFLUSH empties nothing, MERGE replaces keys that are there.",
    arguments: 2..=5,
    run: Run::Session(reload),
};

fn reload(ctx: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    let (mut save, mut flush, mut merge) = (true, true, false);
    for word in args.from(2) {
        if is_word(word, "NOSAVE") {
            save = false;
        } else if is_word(word, "NOFLUSH") {
            flush = false;
        } else if is_word(word, "MERGE") {
            merge = true;
        } else {
            return Err(BAD_WORD);
        }
    }
    let waiter = ctx.core.expect_outcome(ctx.conn);
    ctx.core.want_save(Kind::Reload { save, flush, merge }, Some(waiter));
    Ok(())
}

pub(super) const LOADAOF: Word = Word {
    name: "LOADAOF",
    usage: "",
    summary: "Empties the databases and loads the append-only files that are there.",
    arguments: 2..=2,
    run: Run::Session(|ctx, _, _| {
        let waiter = ctx.core.expect_outcome(ctx.conn);
        ctx.core.want_save(Kind::LoadLog, Some(waiter));
        Ok(())
    }),
};
