//! The limits the kernel sets: open files for clients, locked memory for rings.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Refusal;
use crate::sys::{self, Limits, Resource};

/// Descriptors a server needs besides its clients', as in Redis: listeners, files, the log.
const RESERVED_FILES: u64 = 32;
/// Descriptors of one shard: rings, eventfds, timers and files of the executor and the network loop.
const FILES_PER_SHARD: u64 = 16;
/// Descriptors this server needs besides its clients', once it is known how many shards there are.
static RESERVED: AtomicU64 = AtomicU64::new(RESERVED_FILES);
/// Locked memory below which an executor does not start.
const LOCKED_BYTES_MIN: u64 = 512 << 10;

/// What to do about the limit on open files.
#[derive(Debug, PartialEq, Eq)]
enum OpenFiles {
    /// It suffices.
    Enough,
    /// The soft limit has to be this.
    Raise(u64),
    /// Even the hard limit is too low for more clients than this.
    Clients { maxclients: u32, raise_to: u64 },
    /// The hard limit is too low for any client.
    Hopeless,
}

/// Sees to it that `maxclients` clients can be connected, and gives the number that really can.
pub(super) fn open_files_for(maxclients: u32, shards: usize) -> Result<u32, Refusal> {
    let reserved = RESERVED_FILES + FILES_PER_SHARD * shards as u64;
    RESERVED.store(reserved, Ordering::Relaxed);
    let wanted = u64::from(maxclients) + reserved;
    let limits = match sys::limits(Resource::OpenFiles) {
        Ok(limits) => limits,
        Err(error) => {
            tracing::warn!("Unable to obtain the current limit on open files ({error}), assuming it is high enough");
            return Ok(maxclients);
        }
    };
    match plan_open_files(maxclients, reserved, limits) {
        OpenFiles::Enough => Ok(maxclients),
        OpenFiles::Raise(soft) => {
            raise(soft, limits)?;
            tracing::info!(
                "Increased maximum number of open files to {wanted} (it was originally set to {}).",
                limits.soft
            );
            Ok(maxclients)
        }
        OpenFiles::Clients { maxclients: possible, raise_to } => {
            raise(raise_to, limits)?;
            tracing::warn!(
                "You requested maxclients of {maxclients} requiring at least {wanted} max file descriptors."
            );
            tracing::warn!(
                "Current maximum open files is {raise_to}. maxclients has been reduced to {possible} to compensate for \
                 low ulimit. If you need higher maxclients increase 'ulimit -n'."
            );
            Ok(possible)
        }
        OpenFiles::Hopeless => Err(format!(
            "Your current 'ulimit -n' of {} is not enough for the server to start. Please increase your open file \
             limit to at least {wanted}. Exiting.",
            limits.hard
        )),
    }
}

/// The number of clients that `CONFIG SET maxclients` may ask for: the asked one if it is possible.
pub(super) fn clients_possible(maxclients: u32) -> u32 {
    let reserved = RESERVED.load(Ordering::Relaxed);
    let Ok(limits) = sys::limits(Resource::OpenFiles) else {
        return maxclients;
    };
    match plan_open_files(maxclients, reserved, limits) {
        OpenFiles::Enough => maxclients,
        OpenFiles::Raise(soft) => {
            if raise(soft, limits).is_ok() {
                maxclients
            } else {
                u32::try_from(limits.soft.saturating_sub(reserved)).unwrap_or(u32::MAX)
            }
        }
        OpenFiles::Clients { maxclients, .. } => maxclients,
        OpenFiles::Hopeless => 0,
    }
}

fn plan_open_files(maxclients: u32, reserved: u64, limits: Limits) -> OpenFiles {
    let wanted = u64::from(maxclients) + reserved;
    if limits.soft >= wanted {
        OpenFiles::Enough
    } else if limits.hard >= wanted {
        OpenFiles::Raise(wanted)
    } else if limits.hard > reserved {
        OpenFiles::Clients { maxclients: (limits.hard - reserved) as u32, raise_to: limits.hard }
    } else {
        OpenFiles::Hopeless
    }
}

fn raise(soft: u64, limits: Limits) -> Result<(), Refusal> {
    sys::set_limits(Resource::OpenFiles, Limits { soft, ..limits })
        .map_err(|error| format!("Server can't set maximum open files to {soft} because of OS error: {error}."))
}

/// Sees to it that an executor may lock the memory of its rings.
pub(super) fn locked_memory() -> Result<(), Refusal> {
    let Ok(limits) = sys::limits(Resource::LockedMemory) else {
        return Ok(());
    };
    if limits.soft >= LOCKED_BYTES_MIN {
        return Ok(());
    }
    let raised = Limits { soft: LOCKED_BYTES_MIN.min(limits.hard), ..limits };
    if limits.hard >= LOCKED_BYTES_MIN && sys::set_limits(Resource::LockedMemory, raised).is_ok() {
        return Ok(());
    }
    Err(format!(
        "The limit on locked memory is {} KiB and io_uring needs {} KiB: run 'ulimit -l {}' first, set LimitMEMLOCK= \
         in the systemd unit, or start the container with --ulimit memlock=-1. Exiting.",
        limits.hard >> 10,
        LOCKED_BYTES_MIN >> 10,
        LOCKED_BYTES_MIN >> 10
    ))
}

#[cfg(test)]
mod tests {
    use super::{Limits, OpenFiles, plan_open_files};

    #[test]
    fn clients_are_fewer_only_if_the_hard_limit_is_low() {
        let plan = |soft, hard| plan_open_files(10_000, 64, Limits { soft, hard });
        assert_eq!(plan(20_000, 20_000), OpenFiles::Enough);
        assert_eq!(plan(1024, 20_000), OpenFiles::Raise(10_064));
        assert_eq!(plan(1024, 4096), OpenFiles::Clients { maxclients: 4032, raise_to: 4096 });
        assert_eq!(plan(20, 20), OpenFiles::Hopeless);
        assert_eq!(plan(64, 64), OpenFiles::Hopeless);
        assert_eq!(plan(u64::MAX, u64::MAX), OpenFiles::Enough);
    }
}
