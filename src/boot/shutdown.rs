//! Whether a signal ends the server: `shutdown-on-sigterm` and `shutdown-on-sigint`.
//!
//! A server that is told to save its data set before it goes, and cannot, stays up, as in Redis, unless `force` lets
//! it go. Snapshots cannot be written yet, so `save` in one of these directives keeps the server up. Save points
//! alone hold up no signal, unlike SHUTDOWN: whoever sent it cannot be answered, and supervisors kill next what does
//! not go, which saves nothing either. There are no replicas to wait for, so `now` and `shutdown-timeout` have
//! nothing to shorten.

use shard::config::Config;
use shard::config::types::shutdown::ShutdownOptions;

use crate::signal::Request;

/// What becomes of the data set when the server is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is not to be saved.
    Go,
    /// It would be saved if that were possible; the server ends all the same.
    GoUnsaved,
    /// It is to be saved, which is not possible.
    Stay,
}

/// Whether `request` ends a server of this configuration; the log says what keeps it up.
pub(super) fn may_end(config: &Config, request: Request) -> bool {
    let (directive, options) = match request {
        Request::Terminate => ("shutdown-on-sigterm", config.shutdown_on_sigterm),
        Request::Interrupt => ("shutdown-on-sigint", config.shutdown_on_sigint),
    };
    tracing::warn!("User requested shutdown...");
    match judge(config, options) {
        Verdict::Go => true,
        Verdict::GoUnsaved => {
            tracing::warn!("Snapshots are not available: exiting without saving the DB.");
            true
        }
        Verdict::Stay => {
            tracing::error!("Error trying to save the DB, can't exit: snapshots are not available.");
            tracing::warn!(
                "Errors trying to shut down the server. Take save from {directive}, or add force, to let it go."
            );
            false
        }
    }
}

fn judge(config: &Config, options: ShutdownOptions) -> Verdict {
    if !options.wants_save(&config.save) {
        Verdict::Go
    } else if options.save && !options.force {
        Verdict::Stay
    } else {
        Verdict::GoUnsaved
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

    use super::*;

    fn check(text: &str, expected: Verdict) {
        let config = Config::parse_text(text.as_bytes()).unwrap();
        assert_eq!(judge(&config, config.shutdown_on_sigterm), expected, "{text}");
    }

    #[test]
    fn only_an_explicit_save_holds_the_server_up() {
        check("", Verdict::GoUnsaved);
        check("save ''", Verdict::Go);
        check("save 60 1", Verdict::GoUnsaved);
        check("save 60 1\nshutdown-on-sigterm nosave", Verdict::Go);
        check("save 60 1\nshutdown-on-sigterm now", Verdict::GoUnsaved);
        check("save ''\nshutdown-on-sigterm force", Verdict::Go);
        check("shutdown-on-sigterm save", Verdict::Stay);
        check("save ''\nshutdown-on-sigterm save", Verdict::Stay);
        check("shutdown-on-sigterm \"save force\"", Verdict::GoUnsaved);
    }
}
