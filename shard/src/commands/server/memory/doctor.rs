//! MEMORY DOCTOR: the account in words, and advice that fits it.

use net::{Args, Reply};

use super::{Account, CoreMemory, TIPS, stats};
use crate::commands::server::unchecked;
use crate::core::SessionCtx;
use crate::exec::{Outcome, Run, Share};
use crate::spec::{Arity, Command, Docs, Flag, Flags, Group};

/// MEMORY DOCTOR
pub const DOCTOR: Command = Command {
    name: "doctor",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::LooksAtKeys]),
    tips: TIPS,
    docs: Docs {
        summary: "Explains what memory is spent on needlessly, and what can be done about it.",
        since: "4.0.0",
        group: Group::Server,
        ..Docs::BLANK
    },
    run: Run::Everywhere { check: unchecked, share: |core, _| Box::new(CoreMemory::of(core)), merge },
    ..Command::BLANK
};

fn merge(ctx: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let account = stats::gather(ctx, shares);
    let clients = ctx.core.shared.clients.load(std::sync::atomic::Ordering::Relaxed);
    reply.verbatim("txt", report(&account, clients).as_bytes());
    Ok(())
}

/// With less in use nothing can be concluded.
const TELLING_BYTES_MIN: usize = 5 << 20;
/// So much more at the peak than now is worth a word.
const PEAK_FACTOR_MAX: f64 = 1.5;
/// So much excess of memory is worth a word, if it is also as many bytes.
const EXCESS_FACTOR_MAX: f64 = 1.4;
const EXCESS_BYTES_MAX: i64 = 10 << 20;
/// A client that takes more on average reads too slowly or sends too much at once.
const CLIENT_BYTES_MAX: usize = 200 << 10;

/// What is wrong, if anything, with one sentence of advice each.
pub(super) fn report(account: &Account, clients: usize) -> String {
    if account.used() < TELLING_BYTES_MIN {
        return "Hardly any memory is in use: with so little, nothing can be said about how well it is spent.\n"
            .to_owned();
    }
    let mut found = Vec::new();
    if account.peak as f64 > account.used() as f64 * PEAK_FACTOR_MAX {
        found.push(
            "Peak: more than one and a half times as much was once in use. The process may still hold pages from then; \
             MEMORY PURGE gives back what is empty."
                .to_owned(),
        );
    }
    let excesses = [
        (
            account.fragmentation_of_allocator(),
            "Fragmentation: the allocator's pages are full of gaps, as after a change of what is stored. The gaps are \
             filled by new data of the same sizes.",
        ),
        (account.resident_of_allocator(), "Allocator: it holds pages that are empty. MEMORY PURGE gives them back."),
        (
            account.resident_elsewhere(),
            "Process: much of its memory is outside the allocator, in thread stacks, ring buffers or the program itself.",
        ),
    ];
    for ((factor, bytes), text) in excesses {
        if factor > EXCESS_FACTOR_MAX && bytes > EXCESS_BYTES_MAX {
            found.push(format!("{text} (factor {factor:.2}, {bytes} bytes)"));
        }
    }
    if clients > 0 && account.cores.clients / clients > CLIENT_BYTES_MAX {
        found.push(
            "Clients: they take more than 200 KiB each on average. CLIENT LIST shows which; limit them with \
             client-output-buffer-limit."
                .to_owned(),
        );
    }
    if found.is_empty() {
        return "Nothing is wrong with how memory is spent.\n".to_owned();
    }
    format!("This is worth looking at:\n\n* {}\n", found.join("\n* "))
}
