//! SHUTDOWN: ending the server.
//!
//! Before it ends, a server whose data set is to be saved saves it, with its shards locked: nothing is acknowledged that is
//! not in the file. One that cannot save stays up, unless `FORCE` says to end all the same. A snapshot in the background is
//! dropped for the last one.

use net::{Args, Flow, Reply};

use crate::config::types::shutdown::ShutdownOptions;
use crate::core::{SessionCtx, busy_error};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Outcome, Run};
use crate::shared::Stop;
use crate::snapshot::Kind;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

const NOTHING_TO_ABORT: CommandError = CommandError::new("ERR No shutdown in progress.");

/// SHUTDOWN \[NOSAVE | SAVE\] \[NOW\] \[FORCE\] \[ABORT\]
pub const SHUTDOWN: Command = Command {
    name: "shutdown",
    arity: Arity::AtLeast(1),
    flags: Flags::of(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale, Flag::NoMulti, Flag::AllowBusy]),
    docs: Docs {
        summary: "Saves the data set, if it is to be saved, and ends the server.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) when saving, where N is the total number of keys in all databases, otherwise O(1)",
        history: &[("7.0.0", "The words `NOW`, `FORCE` and `ABORT`.")],
        arguments: &[
            Argument::new(
                "nosave_save",
                ArgumentKind::OneOf(&[Argument::word("nosave", "NOSAVE"), Argument::word("save", "SAVE")]),
            )
            .optional(),
            Argument::word("now", "NOW").optional().since("7.0.0"),
            Argument::word("force", "FORCE").optional().since("7.0.0"),
            Argument::word("abort", "ABORT").optional().since("7.0.0"),
        ],
        ..Docs::BLANK
    },
    run: Run::Session(shutdown),
    ..Command::BLANK
};

/// The words of the command.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    how: ShutdownOptions,
    abort: bool,
}

impl Options {
    fn parse(args: &Args<'_>) -> Result<Options, CommandError> {
        let mut options = Options::default();
        for word in args.from(1) {
            match word.to_ascii_lowercase().as_slice() {
                b"save" => options.how.save = true,
                b"nosave" => options.how.nosave = true,
                b"now" => options.how.now = true,
                b"force" => options.how.force = true,
                b"abort" => options.abort = true,
                _ => return Err(SYNTAX),
            }
        }
        let alone = args.len() == 2;
        if (options.how.save && options.how.nosave) || (options.abort && !alone) {
            return Err(SYNTAX);
        }
        Ok(options)
    }
}

/// There is no answer: the connection ends. `NOW` waits for no replica, of which there are none.
fn shutdown(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let options = Options::parse(args)?;
    if options.abort {
        return abort(ctx, reply);
    }
    // A script that has written can be ended in no other way, and nobody else's data is to be lost with it.
    if !options.how.nosave
        && let Some(script) = ctx.core.shared.scripts.running().iter().find(|script| script.is_busy())
    {
        return Err(busy_error(script.kind));
    }
    tracing::warn!("User requested shutdown...");
    // What is loaded by half is not to take the place of the whole.
    let is_loading = ctx.core.shared.snapshots.has_loading();
    if options.how.wants_save(&ctx.config().save) && !is_loading {
        tracing::info!("Saving the final RDB snapshot before exiting.");
        let waiter = ctx.core.expect_outcome(ctx.conn);
        let kind = Kind::Shutdown { force: options.how.force, by_signal: false };
        ctx.core.want_save(kind, Some(waiter));
        return Ok(());
    }
    ctx.core.shared.request_stop(Stop::Orderly(0));
    ctx.flow = Flow::Close;
    Ok(())
}

/// What has begun goes on; what a signal has asked for is taken back while it has not begun.
fn abort(ctx: &SessionCtx<'_>, reply: &mut Reply<'_>) -> Outcome {
    if !ctx.core.shared.snapshots.abort_shutdown() {
        return Err(NOTHING_TO_ABORT);
    }
    tracing::warn!("Shutdown manually aborted.");
    reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use net::OwnedArgs;

    use super::*;
    use crate::config::Config;

    fn parse(text: &str) -> Result<Options, CommandError> {
        let args: OwnedArgs = text.split(' ').map(str::as_bytes).collect();
        Options::parse(&args.as_args())
    }

    #[test]
    fn contradictory_words_are_refused() {
        assert_eq!(parse("shutdown save nosave"), Err(SYNTAX));
        assert_eq!(parse("shutdown abort now"), Err(SYNTAX));
        assert_eq!(parse("shutdown foo"), Err(SYNTAX));
        assert!(parse("shutdown NoSave now force").is_ok_and(|options| options.how.nosave && options.how.now));
    }

    #[test]
    fn save_points_ask_for_a_snapshot_unless_told_otherwise() {
        let save = &Config::default().save;
        assert!(parse("shutdown").is_ok_and(|options| options.how.wants_save(save)), "the default has save points");
        assert!(parse("shutdown nosave").is_ok_and(|options| !options.how.wants_save(save)));
    }
}
