//! The words of DEBUG that change how the server behaves.

use std::sync::atomic::Ordering;

use net::{Args, Reply};
use rand::Rng;
use storage::number::parse_i64;

use super::{Word, is_on, ok, unchecked, unknown};
use crate::config::number::memory;
use crate::core::{Core, SessionCtx};
use crate::exec::error::NOT_AN_INTEGER;
use crate::exec::{CommandError, EverywhereCall, Outcome, Run, Share};
use crate::limits::PACKED_THRESHOLD_DEFAULT;

const BAD_THRESHOLD: CommandError =
    CommandError::new("ERR argument must be a memory value bigger than 1 and smaller than 4gb");

pub(super) const AOF_FLUSH_SLEEP: Word = Word {
    name: "AOF-FLUSH-SLEEP",
    usage: "<microseconds>",
    summary: "Lets so much time pass before anything is written to the append-only file.",
    arguments: 3..=3,
    run: Run::Session(aof_flush_sleep),
};

fn aof_flush_sleep(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let micros = parse_i64(args.at(2)).and_then(|micros| u64::try_from(micros).ok()).ok_or(NOT_AN_INTEGER)?;
    ctx.core.shared.log.flush_sleep_micros.store(micros, Ordering::Relaxed);
    reply.ok();
    Ok(())
}

pub(super) const CHANGE_REPL_ID: Word = Word {
    name: "CHANGE-REPL-ID",
    usage: "",
    summary: "Gives the server a new replication ID.",
    arguments: 2..=2,
    run: Run::Session(change_replication_id),
};

fn change_replication_id(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let rng = &mut ctx.core.shard.rng;
    let id = (0..40).map(|_| char::from(b"0123456789abcdef"[rng.random_range(0..16)])).collect();
    tracing::info!("The replication ID is changed to {id} by DEBUG CHANGE-REPL-ID.");
    *ctx.core.shared.replication_id.lock().expect("no one panics while changing an id") = id;
    reply.ok();
    Ok(())
}

pub(super) const PAUSE_CRON: Word = Word {
    name: "PAUSE-CRON",
    usage: "<0|1>",
    summary: "Stops the periodic work of all cores, or lets it go on.",
    arguments: 3..=3,
    run: Run::Everywhere { check: unchecked, share: pause_cron, merge: ok },
};

fn pause_cron(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    core.cron_paused = is_on(call.args.at(2));
    Box::new(())
}

pub(super) const SET_ACTIVE_EXPIRE: Word = Word {
    name: "SET-ACTIVE-EXPIRE",
    usage: "<0|1>",
    summary: "Stops the search for expired keys, which are then removed when they are asked for, or lets it go on.",
    arguments: 3..=3,
    run: Run::Everywhere { check: unchecked, share: set_active_expire, merge: ok },
};

fn set_active_expire(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    core.shard.active_expire = is_on(call.args.at(2));
    Box::new(())
}

pub(super) const SET_DISABLE_DENY_SCRIPTS: Word = Word {
    name: "SET-DISABLE-DENY-SCRIPTS",
    usage: "<0|1>",
    summary: "Lets scripts call what they may not, but no other scripts.",
    arguments: 3..=3,
    run: Run::Session(disable_deny_scripts),
};

fn disable_deny_scripts(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    ctx.core.shared.scripts.deny_nothing(is_on(args.at(2)));
    reply.ok();
    Ok(())
}

pub(super) const SET_SKIP_CHECKSUM_VALIDATION: Word = Word {
    name: "SET-SKIP-CHECKSUM-VALIDATION",
    usage: "<0|1>",
    summary: "Has RESTORE and RELOAD take what has a wrong checksum.",
    arguments: 3..=3,
    run: Run::Everywhere { check: unchecked, share: skip_checksums, merge: ok },
};

fn skip_checksums(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    core.shard.check_sums = !is_on(call.args.at(2));
    Box::new(())
}

pub(super) const QUICKLIST_PACKED_THRESHOLD: Word = Word {
    name: "QUICKLIST-PACKED-THRESHOLD",
    usage: "<size>",
    summary: "Sets from which size on an element of a list stands alone; 0 is the default of 1 GiB.",
    arguments: 3..=3,
    run: Run::Everywhere { check: packed_threshold, share: take_packed_threshold, merge: ok },
};

fn packed_threshold(ctx: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    let size = memory(args.at(2)).filter(|size| *size < 1 << 32).ok_or(BAD_THRESHOLD)?;
    let size = if size == 0 { PACKED_THRESHOLD_DEFAULT } else { size };
    ctx.core.shared.packed_threshold_bytes.store(size, Ordering::Relaxed);
    Ok(())
}

/// Each core has what it tells its lists; a change of the configuration takes it along.
fn take_packed_threshold(core: &mut Core, _: &EverywhereCall<'_>) -> Share {
    core.refresh_limits();
    Box::new(())
}

pub(super) const REPLYBUFFER: Word = Word {
    name: "REPLYBUFFER",
    usage: "PEAK-RESET-TIME <NEVER|RESET|milliseconds> | RESIZING <0|1>",
    summary: "Accepted for tests of Redis: output has one buffer, which is never resized on a timer.",
    arguments: 4..=4,
    run: Run::Session(reply_buffer),
};

fn reply_buffer(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let value = args.at(3).to_ascii_lowercase();
    match args.at(2).to_ascii_lowercase().as_slice() {
        b"resizing" => {}
        b"peak-reset-time" if matches!(value.as_slice(), b"never" | b"reset") => {}
        b"peak-reset-time" => drop(parse_i64(args.at(3)).ok_or(NOT_AN_INTEGER)?),
        _ => return unknown(ctx, args, reply),
    }
    reply.ok();
    Ok(())
}
