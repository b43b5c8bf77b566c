//! What configuration may ask for and this version cannot do.
//!
//! A directive that is read and has no effect is harmless where it tunes something. Where it promises something, that
//! data is on another machine, say, a server that started all the same would break the promise in silence. Such a server
//! does not start, and names the line.

use super::error::{LoadError, Reason};
use super::{Config, Settings};

/// A promise that cannot be kept.
struct Promise {
    directive: &'static str,
    is_made: fn(&Settings) -> bool,
    why_not: &'static str,
}

const PROMISES: [Promise; 2] = [
    Promise {
        directive: "replicaof",
        is_made: |settings| settings.replicaof.is_some(),
        why_not: "replicaof: this version has no replication, and would serve an empty data set of its own",
    },
    Promise {
        directive: "cluster-enabled",
        is_made: |settings| settings.cluster_enabled,
        why_not: "cluster-enabled yes: this version is no node of a cluster, and would answer for slots that are others'",
    },
];

impl Config {
    /// Refuses a configuration that promises what this version cannot do.
    pub fn refuse_unavailable(&self) -> Result<(), LoadError> {
        let Some(promise) = PROMISES.iter().find(|promise| (promise.is_made)(self)) else {
            return Ok(());
        };
        let reason = Reason::Unavailable(promise.why_not);
        Err(match self.lines.get(promise.directive) {
            Some(place) => LoadError::Line { place: place.clone(), reason },
            None => LoadError::Whole(reason),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn check(text: &str, expected: Option<&[&str]>) {
        let config = Config::parse_text(text.as_bytes()).expect("the lines are well formed");
        match (config.refuse_unavailable(), expected) {
            (Ok(()), None) => {}
            (Err(error), Some(parts)) => {
                let error = error.to_string();
                assert!(parts.iter().all(|part| error.contains(part)), "{error}");
            }
            (outcome, _) => panic!("{text}: {outcome:?}"),
        }
    }

    #[test]
    fn promises_that_cannot_be_kept_are_refused_with_their_line() {
        check("hz 10\nslaveof localhost 1", Some(&["option 2", ">>> 'slaveof localhost 1'", "no replication"]));
        check("cluster-enabled yes", Some(&["no node of a cluster"]));
    }

    #[test]
    fn a_promise_that_was_taken_back_is_none() {
        check("", None);
        check("appendonly no", None);
        check("appendonly yes", None);
        check("replicaof a 1\nreplicaof no one", None);
    }
}
