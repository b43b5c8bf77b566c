//! Tessera beside Redis: the same random commands to both, and every reply and every value compared.
//!
//! ```text
//!            seed
//!             │
//!   referee's COMMAND DOCS ──► syntax ──► grammar ──► spoil ──► determined? ──► steps of a round
//!                                           ▲                                    │
//!                                         words                 ┌────────────────┴──────────────┐
//!                                                          Tessera, 3 shards              redis-server
//!                                                               └─────── replies agree? ────────┘
//!                                                                        contents agree?
//! ```
//!
//! A *round* begins on two empty servers. Its commands are written from what the referee's own `COMMAND DOCS` says of their
//! arguments (`syntax`, `grammar`), so that no command, option or combination is left out for want of being thought of; what
//! stands in an argument is chosen by its name and type (`words`), from few enough values that commands meet each other's
//! keys and members. Some run as one: between MULTI and EXEC, now and then with watched keys, or in a script (`script`). Some are spoiled (`spoil`): a word too many, too few, or another one. A command whose outcome is left to
//! chance or to the clock is not sent (`determined`).
//!
//! Replies must agree (`agree`) to the byte, but for what Redis itself leaves open and what later versions changed; each
//! exception stands there with its reason. Every so often the whole content of both servers is compared (`content`).
//!
//! A round that shows a difference is repeated with fewer and fewer steps while it still does (`shrink`), and what is left is
//! printed as lines for redis-cli.
//!
//! | variable | what |
//! |---|---|
//! | `TESSERA_FUZZ_COMMANDS` | how many commands to send; 40,000 without it |
//! | `TESSERA_FUZZ_SEED` | where to begin; a difference names the seed that shows it in its first round |
//! | `TESSERA_FUZZ_ONLY` | only commands that begin with one of these words, separated by commas |
//! | `TESSERA_NEWER_REDIS` | the program of a later Redis, whose commands are compared as well |

mod agree;
mod content;
mod determined;
mod grammar;
mod pair;
mod script;
mod shrink;
mod spoil;
mod steps;
mod syntax;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::server::referee;
use crate::support::{Protocol, Random, number_from_env};

use pair::{Difference, Pair, Profile};
use steps::{Source, Step};

/// A command's words.
type Arguments = Vec<Vec<u8>>;

/// Commands of this version and later ones are compared with a newer Redis; the others have an older referee.
const NEWER: (u32, u32) = (7, 2);
/// Steps of a round.
const STEPS: usize = 1500;
/// After so many differences of different kinds a run ends.
const DIFFERENCES_MAX: usize = 25;

#[test]
fn agrees_with_redis() {
    match referee() {
        Some(program) => run(&program, (0, 0)),
        None => eprintln!("skipped: there is no redis-server in PATH to compare with"),
    }
}

#[test]
fn agrees_with_a_newer_redis() {
    match std::env::var_os("TESSERA_NEWER_REDIS") {
        Some(program) => run(Path::new(&program), NEWER),
        None => eprintln!("skipped: TESSERA_NEWER_REDIS names no program to compare with"),
    }
}

/// Sends rounds of commands until they are enough; panics with all that differs.
fn run(program: &Path, since: (u32, u32)) {
    let wanted = number_from_env("TESSERA_FUZZ_COMMANDS").unwrap_or(40_000);
    let first_seed = number_from_env("TESSERA_FUZZ_SEED").unwrap_or(1);
    let mut pair = Pair::start(program);
    let source = Source::new(pair.syntax(), pair.version, since);
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut sent = 0;
    let mut seed = first_seed;
    while sent < wanted && found.len() < DIFFERENCES_MAX {
        let (protocol, profile, steps) = round(&source, seed);
        sent += steps.iter().map(|step| step.commands.len() as u64).sum::<u64>();
        if let Some(difference) = pair.play(protocol, profile, &steps) {
            let kind = difference.kind();
            found.entry(kind).or_insert_with(|| {
                let report = explain(&mut pair, protocol, profile, &steps, &difference, seed);
                eprintln!("{report}");
                report
            });
        }
        seed += 1;
    }
    eprintln!("{sent} commands in {} rounds, {} kinds of differences", seed - first_seed, found.len());
    let reports: Vec<String> = found.into_values().collect();
    assert!(reports.is_empty(), "{} kinds of differences\n{}", reports.len(), reports.join("\n"));
}

/// All that a seed says: how the clients speak, how the servers are configured, and what is sent.
fn round(source: &Source, seed: u64) -> (Protocol, Profile, Vec<Step>) {
    let mut random = Random::new(seed);
    let protocol = if random.below(2) == 0 { Protocol::Resp2 } else { Protocol::Resp3 };
    let profile = if random.below(2) == 0 { Profile::Default } else { Profile::Small };
    let steps = (0..STEPS).map(|_| source.step(&mut random)).collect();
    (protocol, profile, steps)
}

/// The shortest sequence that still shows a difference, as text.
fn explain(
    pair: &mut Pair,
    protocol: Protocol,
    profile: Profile,
    steps: &[Step],
    first: &Difference,
    seed: u64,
) -> String {
    let mut last = None;
    let shortest = shrink::shortest(steps, first.step, |steps| {
        let difference = pair.play(protocol, profile, steps);
        let fails = difference.as_ref().is_some_and(|difference| difference.kind() == first.kind());
        if fails {
            last = difference;
        }
        fails
    });
    let Some(difference) = last else {
        return format!("--- seed {seed}, {protocol:?}, {profile:?}, seen once and not again\n{first}");
    };
    let lines: Vec<String> = shortest.iter().flat_map(Step::lines).collect();
    format!("--- seed {seed}, {protocol:?}, {profile:?}\n{}\n{difference}", lines.join("\n"))
}
