//! Whether this system lets us use io_uring the way we do, and what to do if not.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::buf::Buffers;
use crate::io::ring::{Ring, Wait};
use crate::io::{Op, cancel, recv, socket};
use crate::service::ConnId;

/// Tries a ring with all that this crate needs of it. The error is one line that names the cause and the remedy.
pub fn probe() -> Result<(), String> {
    let mut ring = Ring::new().map_err(|error| explain("setting up a ring", &error))?;
    let mut buffers = Buffers::new().map_err(|error| explain("mapping receive buffers", &error))?;
    ring.register_buffers(&buffers).map_err(|error| explain("registering receive buffers", &error))?;
    let received = receive_once(&mut ring, &mut buffers);
    cancel::submit_all(&mut ring);
    for _ in 0..100 {
        if ring.in_flight() == 0 {
            return received.map_err(|error| explain("a multishot receive", &error));
        }
        ring.enter(Wait::AtMost(Duration::from_millis(10)));
        ring.collect(&mut Vec::new());
    }
    buffers.leak();
    Err("io_uring does not complete a cancelled request: this kernel is too old or broken, Linux 6.1 is needed".into())
}

/// Receives a few bytes through the ring.
fn receive_once(ring: &mut Ring, buffers: &mut Buffers) -> io::Result<()> {
    let (here, there) = UnixStream::pair()?;
    recv::submit(ring, here.as_raw_fd(), ConnId { slot: 0, generation: 0 });
    socket::send_now(there.as_raw_fd(), b"probe", || true)?;
    let mut completions = Vec::new();
    for _ in 0..100 {
        ring.enter(Wait::AtMost(Duration::from_millis(10)));
        ring.collect(&mut completions);
        let Some(completion) = completions.iter().find(|completion| completion.token.op == Op::Recv) else { continue };
        if completion.result < 0 {
            return Err(io::Error::from_raw_os_error(-completion.result));
        }
        let filled = buffers.claim(completion.result, completion.flags);
        let intact = filled.as_ref().is_some_and(|filled| buffers.bytes(filled) == b"probe");
        if let Some(filled) = filled {
            buffers.give_back(filled);
        }
        return if intact { Ok(()) } else { Err(io::Error::from(io::ErrorKind::InvalidData)) };
    }
    Err(io::Error::from(io::ErrorKind::TimedOut))
}

/// The line for whoever runs the server.
fn explain(what: &str, error: &io::Error) -> String {
    let disabled = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or_default();
    let remedy = match (error.raw_os_error(), disabled.trim()) {
        (Some(libc::EPERM | libc::EACCES), "1" | "2") => {
            "it is switched off by kernel.io_uring_disabled; run: sysctl kernel.io_uring_disabled=0"
        }
        (Some(libc::EPERM | libc::EACCES), _) => {
            "a seccomp or container profile forbids it; allow io_uring_setup, io_uring_enter and io_uring_register \
             (docker run --security-opt seccomp=...)"
        }
        (Some(libc::ENOSYS), _) => {
            "the kernel has no io_uring, or a container profile hides it; Linux 6.1 or later with CONFIG_IO_URING is needed"
        }
        (Some(libc::EINVAL), _) => "the kernel is too old; Linux 6.1 or later is needed",
        (Some(libc::ENOMEM), _) => {
            "not enough memory, or too little of it may be locked; raise the memlock limit (ulimit -l)"
        }
        (Some(libc::EMFILE | libc::ENFILE), _) => "there are too few file descriptors; raise the limit (ulimit -n)",
        _ => "Linux 6.1 or later with io_uring is needed",
    };
    format!("io_uring is not usable ({what}: {error}): {remedy}")
}

#[cfg(test)]
mod tests;
