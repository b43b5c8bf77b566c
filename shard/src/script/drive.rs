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

use std::cell::RefCell;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

/// Why a script stops for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// A command is to be run.
    Call,
    /// It has run for a while.
    Slice,
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
const STACK_BYTES: usize = 16 << 20;

type Fiber = Coroutine<Resume, Pause, (), DefaultStack>;

scoped_tls::scoped_thread_local!(static YIELDER: Yielder<Resume, Pause>);

thread_local! {
    static SPARE: RefCell<Option<DefaultStack>> = const { RefCell::new(None) };
}

/// Stops the script that runs on this stack, until it is resumed; the error it is to meet then, if it is. Code that runs
/// on no such stack does not stop.
pub(super) fn pause(why: Pause) -> Option<&'static str> {
    if !YIELDER.is_set() {
        return None;
    }
    match YIELDER.with(|yielder| yielder.suspend(why)) {
        Resume::Go => None,
        Resume::Kill(message) => Some(message),
    }
}

/// Something that runs on a stack of its own.
pub(super) struct Fibre(Option<Fiber>);

impl Fibre {
    /// `body` is to run; it begins with the first resume.
    pub(super) fn new(body: impl FnOnce() + 'static) -> Fibre {
        let stack = SPARE.with(|spare| spare.borrow_mut().take()).unwrap_or_else(|| {
            DefaultStack::new(STACK_BYTES).expect("address space for a script's stack: the limit on it is too low")
        });
        let fiber = Fiber::with_stack(stack, move |yielder, _| YIELDER.set(yielder, body));
        Fibre(Some(fiber))
    }

    /// Runs on; why it has stopped, or nothing when it is over.
    pub(super) fn resume(&mut self, how: Resume) -> Option<Pause> {
        let fiber = self.0.as_mut().expect("nothing that is over is resumed");
        match fiber.resume(how) {
            CoroutineResult::Yield(why) => Some(why),
            CoroutineResult::Return(()) => {
                let stack = self.0.take().expect("it was there above").into_stack();
                SPARE.with(|spare| *spare.borrow_mut() = Some(stack));
                None
            }
        }
    }
}
