//! DEBUG SLEEP.

use std::time::Duration;

use super::{Word, ok, unchecked};
use crate::core::Core;
use crate::exec::{EverywhereCall, Run, Share};

/// Longest sleep, in seconds.
const SECONDS_MAX: f64 = 1e6;

pub(super) const SLEEP: Word = Word {
    name: "SLEEP",
    usage: "<seconds>",
    summary: "Stops the whole server for so many seconds, which may be a fraction.",
    arguments: 3..=3,
    run: Run::Everywhere { check: unchecked, share: sleep, merge: ok },
};

/// Every core sleeps at its point in the order of commands, as all of Redis does.
fn sleep(_: &mut Core, call: &EverywhereCall<'_>) -> Share {
    std::thread::sleep(Duration::from_secs_f64(seconds(call.args.at(2))));
    Box::new(())
}

/// What is no number, or below zero, is no time.
pub(super) fn seconds(text: &[u8]) -> f64 {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    number.filter(|seconds| *seconds > 0.0).unwrap_or(0.0).min(SECONDS_MAX)
}
