//! Who decides what happens next: a seed, or an exhaustive search.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Who may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The core of this number makes its next step.
    Core(usize),
    /// The client of this number connects or sends.
    Client(usize),
    /// The disk does something that was asked for.
    Disk,
    /// The server to which keys are migrated.
    Network,
    /// The core of this number evicts a key.
    Memory(usize),
    /// The next event of the program happens.
    Outside,
}

/// Decides.
pub trait Choice {
    /// Which of `actors` acts next, as its place among them. `running` is the place of whoever acted last, if it can go
    /// on.
    fn actor(&mut self, actors: &[Actor], running: Option<usize>) -> usize;

    /// Something out of the ordinary happens, once in so many times.
    fn oddity(&mut self, one_in: u32) -> bool;

    /// One of `options` alike things.
    fn pick(&mut self, options: usize) -> usize;
}

/// A seed decides everything.
pub struct Seeded {
    rng: SmallRng,
    /// In how many of 100 cases whoever acted last goes on.
    sticky: u32,
    /// Whether oddities happen at all.
    odd: bool,
    /// Whether actors stand still for long, as a thread does that has lost its processor.
    stalls: bool,
    /// Who stands still, for so many more decisions.
    stalled: Option<(Actor, u32)>,
}

/// One decision in so many makes somebody stand still.
const STALL_ONE_IN: u32 = 10;

/// For at most so many decisions.
const STALL_MAX: u32 = 60;

impl Seeded {
    /// The choices of `seed`. Its low bits decide how long actors stay, so that both fine and coarse interleavings come.
    pub fn new(seed: u64) -> Seeded {
        let mut rng = SmallRng::seed_from_u64(seed);
        let sticky = [0, 50, 80, 93][rng.random_range(0..4)];
        let odd = rng.random_bool(0.5);
        let stalls = rng.random_bool(0.5);
        Seeded { rng, sticky, odd, stalls, stalled: None }
    }

    /// The place of the one who stands still, if there is one.
    fn stalled_place(&mut self, actors: &[Actor]) -> Option<usize> {
        if !self.stalls {
            return None;
        }
        match &mut self.stalled {
            Some((_, 0)) => self.stalled = None,
            Some((_, left)) => *left -= 1,
            None if self.rng.random_range(0..STALL_ONE_IN) == 0 => {
                let who = actors[self.rng.random_range(0..actors.len())];
                self.stalled = Some((who, self.rng.random_range(1..STALL_MAX)));
            }
            None => {}
        }
        let (who, _) = self.stalled?;
        actors.iter().position(|actor| *actor == who)
    }
}

impl Choice for Seeded {
    fn actor(&mut self, actors: &[Actor], running: Option<usize>) -> usize {
        let stalled = self.stalled_place(actors).filter(|_| actors.len() > 1);
        match running.filter(|running| Some(*running) != stalled) {
            Some(running) if self.rng.random_range(0..100) < self.sticky => running,
            _ => {
                let place = self.rng.random_range(0..actors.len() - usize::from(stalled.is_some()));
                place + usize::from(stalled.is_some_and(|stalled| place >= stalled))
            }
        }
    }

    fn oddity(&mut self, one_in: u32) -> bool {
        self.odd && self.rng.random_range(0..one_in) == 0
    }

    fn pick(&mut self, options: usize) -> usize {
        if options == 1 { 0 } else { self.rng.random_range(0..options) }
    }
}

/// All schedules in which an actor that could go on is stopped at most so many times, one after the other. Oddities do
/// not happen.
pub struct Exhaustive {
    stops_max: usize,
    stops: usize,
    /// Decisions of this run: what was chosen, of how many.
    path: Vec<(usize, usize)>,
    at: usize,
}

impl Exhaustive {
    /// Before the first schedule.
    pub fn new(stops_max: usize) -> Exhaustive {
        Exhaustive { stops_max, stops: 0, path: Vec::new(), at: 0 }
    }

    /// Goes back to the beginning of the same schedule.
    pub fn again(&mut self) {
        (self.stops, self.at) = (0, 0);
    }

    /// Goes to the next schedule; false if that was the last.
    pub fn next(&mut self) -> bool {
        self.again();
        while let Some((chosen, options)) = self.path.pop() {
            if chosen + 1 < options {
                self.path.push((chosen + 1, options));
                return true;
            }
        }
        false
    }

    fn decide(&mut self, options: usize) -> usize {
        if options == 1 {
            return 0;
        }
        if self.at == self.path.len() {
            self.path.push((0, options));
        }
        let (chosen, known) = self.path[self.at];
        assert_eq!(known, options, "a run is a function of its choices");
        self.at += 1;
        chosen
    }
}

impl Choice for Exhaustive {
    fn actor(&mut self, actors: &[Actor], running: Option<usize>) -> usize {
        let options = actors.len();
        let Some(running) = running else { return self.decide(options) };
        if self.stops == self.stops_max {
            return running;
        }
        // The running one first, then the others in their order.
        match self.decide(options) {
            0 => running,
            other => {
                self.stops += 1;
                if other <= running { other - 1 } else { other }
            }
        }
    }

    fn oddity(&mut self, _: u32) -> bool {
        false
    }

    fn pick(&mut self, _: usize) -> usize {
        0
    }
}
