//! What a signal does to the data set: `shutdown-on-sigterm` and `shutdown-on-sigint`.
//!
//! A server with save points saves its data set before it goes, as Redis does, unless the directive says `nosave`. One that
//! cannot stays up, unless `force` lets it go. There are no replicas to wait for, so `now` and `shutdown-timeout` have
//! nothing to shorten.

use shard::config::Config;
use shard::config::types::shutdown::ShutdownOptions;

use crate::signal::Request;

/// What becomes of the data set when the server is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is not to be saved.
    Go,
    /// It is saved first.
    Save {
        /// The server ends, too, if that fails.
        force: bool,
    },
}

/// What `request` means to a server of this configuration.
pub(super) fn judge(config: &Config, request: Request) -> Verdict {
    let options = match request {
        Request::Terminate => config.shutdown_on_sigterm,
        Request::Interrupt => config.shutdown_on_sigint,
    };
    tracing::warn!("User requested shutdown...");
    let verdict = verdict(config, options);
    if verdict != Verdict::Go {
        tracing::info!("Saving the final RDB snapshot before exiting.");
    }
    verdict
}

fn verdict(config: &Config, options: ShutdownOptions) -> Verdict {
    if options.wants_save(&config.save) { Verdict::Save { force: options.force } } else { Verdict::Go }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

    use super::*;

    fn check(text: &str, expected: Verdict) {
        let config = Config::parse_text(text.as_bytes()).unwrap();
        assert_eq!(verdict(&config, config.shutdown_on_sigterm), expected, "{text}");
    }

    #[test]
    fn save_points_ask_for_a_snapshot_unless_told_otherwise() {
        let (save, forced) = (Verdict::Save { force: false }, Verdict::Save { force: true });
        check("", save);
        check("save ''", Verdict::Go);
        check("save 60 1", save);
        check("save 60 1\nshutdown-on-sigterm nosave", Verdict::Go);
        check("save 60 1\nshutdown-on-sigterm now", save);
        check("save ''\nshutdown-on-sigterm force", Verdict::Go);
        check("shutdown-on-sigterm save", save);
        check("save ''\nshutdown-on-sigterm save", save);
        check("shutdown-on-sigterm \"save force\"", forced);
    }
}
