//! DEBUG PANIC, ASSERT, SEGFAULT: ends that should be seen in the log.

use net::{Args, Reply};

use super::Word;
use crate::core::SessionCtx;
use crate::exec::{Outcome, Run};
use crate::os;

pub(super) const PANIC: Word = Word {
    name: "PANIC",
    usage: "",
    summary: "Ends the server as an internal error does.",
    arguments: 2..=2,
    run: Run::Session(panic),
};

fn panic(_: &mut SessionCtx<'_>, _: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    panic!("called by Unit Test");
}

pub(super) const ASSERT: Word = Word {
    name: "ASSERT",
    usage: "",
    summary: "Ends the server as a failed assertion does.",
    arguments: 2..=2,
    run: Run::Session(assertion),
};

fn assertion(_: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    assert!(args.is_empty(), "ASSERTION FAILED: DEBUG ASSERT was called");
    Ok(())
}

pub(super) const SEGFAULT: Word = Word {
    name: "SEGFAULT",
    usage: "",
    summary: "Ends the server as an access to memory that is not there does.",
    arguments: 2..=2,
    run: Run::Session(segmentation_fault),
};

fn segmentation_fault(_: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    os::raise_segmentation_fault();
    // Only where the signal is ignored.
    reply.ok();
    Ok(())
}
