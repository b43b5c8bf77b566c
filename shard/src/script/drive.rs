//! Running a script on a stack of its own, so that it can stop in the middle.
//!
//! ```text
//!   the core                         the script's stack
//!   ────────                         ──────────────────
//!   resume ────────────────────────► Lua runs
//!                                      redis.call: the arguments are in the exchange
//!   runs the command  ◄───────────── Pause::Call
//!   puts the reply into the exchange
//!   resume ────────────────────────► Lua goes on with the reply
//!                                      the count hook: it has run for a while
//!   looks at the time ◄───────────── Pause::Slice
//!   resume, or resume with a kill ─► Lua goes on, or meets an error
//! ```
//!
//! So nothing on the script's stack refers to the shard: whoever drives the script has it, and only while a command runs.
//! A script that takes long is left where it stopped, and others run meanwhile, scripts among them: each on a stack of its
//! own. What stops a script must find the stack that it is on; so a script that runs has one of a few [`Lane`]s.

use std::cell::{Cell, RefCell};

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use scoped_tls::ScopedKey;

/// Why a script stops for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// A command is to be run.
    Call,
    /// It has run for a while.
    Slice,
    /// It is debugged, and its client is to say how it goes on.
    Listen,
}

/// How a script goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// As if nothing had been.
    Go,
    /// With an error of this text that it cannot catch.
    Kill(&'static str),
}

/// Address space of a script's stack, in bytes: what is not used is not there. Lua's own limits let a script nest some
/// thousands of tables and a pattern recurse per character.
pub(super) const STACK_BYTES: usize = 16 << 20;

/// So many scripts are under way on a core at most; more of them wait.
const LANES_MAX: usize = 8;

type Fiber = Coroutine<Resume, Pause, (), DefaultStack>;
type Stop = Yielder<Resume, Pause>;

scoped_tls::scoped_thread_local!(static STOP_0: Stop);
scoped_tls::scoped_thread_local!(static STOP_1: Stop);
scoped_tls::scoped_thread_local!(static STOP_2: Stop);
scoped_tls::scoped_thread_local!(static STOP_3: Stop);
scoped_tls::scoped_thread_local!(static STOP_4: Stop);
scoped_tls::scoped_thread_local!(static STOP_5: Stop);
scoped_tls::scoped_thread_local!(static STOP_6: Stop);
scoped_tls::scoped_thread_local!(static STOP_7: Stop);

/// By lane, what stops the script on it. A place of its own for each, since one script begins while another is stopped in
/// the middle, and neither ends before the other.
static STOPS: [&ScopedKey<Stop>; LANES_MAX] = [&STOP_0, &STOP_1, &STOP_2, &STOP_3, &STOP_4, &STOP_5, &STOP_6, &STOP_7];

thread_local! {
    static SPARE: RefCell<Option<DefaultStack>> = const { RefCell::new(None) };
    /// Which lanes are taken.
    static TAKEN: Cell<[bool; LANES_MAX]> = const { Cell::new([false; LANES_MAX]) };
}

/// One of the places in which a core's scripts run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lane(usize);

impl Lane {
    /// One that is free. It is free again when the script that runs in it is over.
    pub(super) fn take() -> Option<Lane> {
        let mut taken = TAKEN.get();
        let free = taken.iter().position(|taken| !taken)?;
        taken[free] = true;
        TAKEN.set(taken);
        Some(Lane(free))
    }

    /// Nothing runs in it any more.
    pub(super) fn leave(self) {
        let mut taken = TAKEN.get();
        taken[self.0] = false;
        TAKEN.set(taken);
    }

    /// Stops the script that runs in this lane, until it is resumed; the error it is to meet then, if it is.
    pub(super) fn pause(self, why: Pause) -> Option<&'static str> {
        match STOPS[self.0].with(|stop| stop.suspend(why)) {
            Resume::Go => None,
            Resume::Kill(message) => Some(message),
        }
    }
}

/// Something that runs on a stack of its own.
pub(super) struct Fibre {
    fiber: Option<Fiber>,
    lane: Lane,
}

impl Fibre {
    /// `body` is to run in `lane`; it begins with the first resume.
    pub(super) fn new(lane: Lane, body: impl FnOnce() + 'static) -> Fibre {
        let stack = SPARE.with(|spare| spare.borrow_mut().take()).unwrap_or_else(|| {
            DefaultStack::new(STACK_BYTES).expect("address space for a script's stack: the limit on it is too low")
        });
        let fiber = Fiber::with_stack(stack, move |stop, _| STOPS[lane.0].set(stop, body));
        Fibre { fiber: Some(fiber), lane }
    }

    /// Runs on; why it has stopped, or nothing when it is over.
    pub(super) fn resume(&mut self, how: Resume) -> Option<Pause> {
        let fiber = self.fiber.as_mut().expect("nothing that is over is resumed");
        match fiber.resume(how) {
            CoroutineResult::Yield(why) => Some(why),
            CoroutineResult::Return(()) => {
                let stack = self.fiber.take().expect("it was there above").into_stack();
                SPARE.with(|spare| *spare.borrow_mut() = Some(stack));
                self.lane.leave();
                None
            }
        }
    }
}

impl Drop for Fibre {
    /// A core that ends leaves what is under way as it is: the functions of Lua on its stack cannot be unwound.
    fn drop(&mut self) {
        std::mem::forget(self.fiber.take());
    }
}
