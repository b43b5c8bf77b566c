//! Running programs under many schedules, and telling readably what went wrong.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use shard::mesh::{Rule, Rules};

use crate::choice::{Choice, Exhaustive, Seeded};
use crate::client::{Heard, Op};
use crate::oracle::{Final, explains, keys_of};
use crate::program::{Program, START_MILLIS, short};
use crate::schedule::{Broken, World};
use crate::tracking::are_told;

/// What is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It did not come to its end as it should.
    Broken(Broken),
    /// No serial order explains it.
    Unexplained,
    /// A client that keeps copies was not told that one is out of date.
    Untold,
    /// The server panicked.
    Panicked(String),
}

impl Wrong {
    /// Whether somebody waits for ever.
    pub fn is_stuck(&self) -> bool {
        matches!(self, Wrong::Broken(Broken::Stuck(_)))
    }
}

/// A run that went wrong, told from its beginning.
pub struct Failure {
    /// What is wrong.
    pub wrong: Wrong,
    /// The seed, if a seed decided.
    pub seed: Option<u64>,
    story: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seed = self.seed.map_or_else(|| "an exhaustive search".to_string(), |seed| format!("seed {seed}"));
        writeln!(f, "{:?}, found by {seed}", self.wrong)?;
        f.write_str(&self.story)
    }
}

/// How many times as many seeds as usual (`SIM_SCALE`).
fn scale() -> u64 {
    std::env::var("SIM_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The seeds to try: `usual` many, or the one that `SIM_SEED` names.
pub fn seeds(usual: u64) -> std::ops::Range<u64> {
    match std::env::var("SIM_SEED").ok().and_then(|text| text.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..usual * scale(),
    }
}

/// Runs `program` once.
pub fn run(program: &Program, rules: Rules, choice: &mut dyn Choice) -> Result<(), Wrong> {
    judge(program, rules, choice, None)
}

/// Runs `program` with the choices of `seed`; a failure is run again, to be told.
pub fn run_seed(program: &Program, rules: Rules, seed: u64) -> Result<(), Failure> {
    run(program, rules, &mut Seeded::new(seed)).map_err(|wrong| {
        let mut story = String::new();
        let again = judge(program, rules, &mut Seeded::new(seed), Some(&mut story));
        assert_eq!(again, Err(wrong.clone()), "a run is a function of its seed");
        Failure { wrong, seed: Some(seed), story }
    })
}

fn judge(program: &Program, rules: Rules, choice: &mut dyn Choice, story: Option<&mut String>) -> Result<(), Wrong> {
    let keys = keys_of(program);
    let mut world = World::new(program, rules, choice, story.is_some());
    let ran = quietly(|| world.run());
    let end = Final {
        values: world.values(&keys),
        heard: world.heard(),
        told: world.told(),
        times: world.times(),
        cut: None,
    };
    let verdict = match ran {
        Err(panic) => Err(Wrong::Panicked(panic)),
        Ok(Err(broken)) => Err(Wrong::Broken(broken)),
        Ok(Ok(())) if !explains(program, &world.history, &end) => Err(Wrong::Unexplained),
        Ok(Ok(())) if !are_told(program, &world.history, &world.invalid()) => Err(Wrong::Untold),
        Ok(Ok(())) => Ok(()),
    };
    if let Some(story) = story {
        let trace = world.trace.take().unwrap_or_default();
        tell(story, program, &trace, &world.history, &end).expect("writing to a string cannot fail");
    }
    verdict
}

fn tell(story: &mut String, program: &Program, trace: &[String], history: &[Op], end: &Final) -> fmt::Result {
    write!(story, "\n{program}")?;
    writeln!(story, "\n  what happened, step by step:")?;
    trace.iter().try_for_each(|line| writeln!(story, "  {line}"))?;
    writeln!(story, "\n  what the clients saw:")?;
    for op in history {
        let time = |(step, millis): (usize, i64)| format!("{step} (+{} ms)", millis - START_MILLIS);
        let answered = op.answered.map_or_else(|| "never".to_string(), time);
        let reply = short(&op.reply);
        writeln!(
            story,
            "  client {}: {} => {reply}, sent {}, answered {answered}",
            op.client,
            op.request,
            time(op.sent)
        )?;
    }
    for (client, told) in end.told.iter().enumerate() {
        for Heard { behind, frame } in told {
            writeln!(story, "  client {client}: behind {behind} replies came {}", short(frame))?;
        }
    }
    let values = keys_of(program).into_iter().zip(&end.values).map(|(key, value)| {
        let value = value.as_ref().map_or_else(|| "nil".to_string(), |value| short(value));
        format!("{}={value}", short(&key))
    });
    writeln!(story, "\n  at the end: {}", values.collect::<Vec<_>>().join(" "))?;
    if end.heard.iter().any(|heard| !heard.is_empty()) {
        writeln!(story, "  heard, per core: {:?}", end.heard)?;
    }
    Ok(())
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs something that may panic, without the panic being printed: in a mutant it may be what was looked for.
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                usual(info);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    QUIET.set(false);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
    })
}

/// Asserts that `program` is right under `usual` seeds.
pub fn holds(program: &Program, usual: u64) {
    for seed in seeds(usual) {
        if let Err(failure) = run_seed(program, Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}

/// Asserts that `program` is right under every schedule with at most `stops` switches away from somebody who could go
/// on. Returns the number of schedules.
pub fn holds_exhaustively(program: &Program, stops: usize) -> u64 {
    let mut choice = Exhaustive::new(stops);
    let mut schedules: u64 = 0;
    loop {
        schedules += 1;
        if let Err(wrong) = run(program, Rules::default(), &mut choice) {
            choice.again();
            let mut story = String::new();
            let _ = judge(program, Rules::default(), &mut choice, Some(&mut story));
            panic!("{}", Failure { wrong, seed: None, story });
        }
        if !choice.next() {
            return schedules;
        }
    }
}

/// The first failure of `program` without `rule` within `usual` seeds.
pub fn first_failure(program: &Program, rule: Rule, usual: u64) -> Option<Failure> {
    (0..usual).find_map(|seed| run_seed(program, Rules::without(rule), seed).err())
}
