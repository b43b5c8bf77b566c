//! The system calls that make a listening socket. The standard library would do, but for IPv6 only, the backlog, and the
//! moment between bind and listen.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::io::socket::set_option;

/// A TCP socket that listens at `address`.
pub(super) fn tcp(address: SocketAddr, backlog: u32) -> io::Result<OwnedFd> {
    let fd = socket(if address.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET })?;
    set_option(fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    match address {
        SocketAddr::V4(address) => {
            // SAFETY: all zeros is a valid value of this plain structure.
            let mut name: libc::sockaddr_in = unsafe { std::mem::zeroed() };
            name.sin_family = libc::AF_INET as u16;
            name.sin_port = address.port().to_be();
            name.sin_addr.s_addr = u32::from(*address.ip()).to_be();
            bind(&fd, &name)?;
        }
        SocketAddr::V6(address) => {
            set_option(fd.as_raw_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
            // SAFETY: all zeros is a valid value of this plain structure.
            let mut name: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
            name.sin6_family = libc::AF_INET6 as u16;
            name.sin6_port = address.port().to_be();
            name.sin6_addr.s6_addr = address.ip().octets();
            name.sin6_scope_id = address.scope_id();
            bind(&fd, &name)?;
        }
    }
    listen(&fd, backlog)?;
    Ok(fd)
}

/// A Unix socket bound to `path`, not listening yet.
pub(super) fn unix(path: &str) -> io::Result<OwnedFd> {
    let fd = socket(libc::AF_UNIX)?;
    // SAFETY: all zeros is a valid value of this plain structure.
    let mut name: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    name.sun_family = libc::AF_UNIX as u16;
    if path.len() >= name.sun_path.len() || path.contains('\0') {
        let text = format!("the path must be shorter than {} bytes", name.sun_path.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    for (to, from) in name.sun_path.iter_mut().zip(path.bytes()) {
        *to = from as libc::c_char;
    }
    bind(&fd, &name)?;
    Ok(fd)
}

/// Begins to listen.
pub(super) fn listen(fd: &OwnedFd, backlog: u32) -> io::Result<()> {
    // SAFETY: integers only.
    check(unsafe { libc::listen(fd.as_raw_fd(), i32::try_from(backlog).unwrap_or(i32::MAX)) })
}

fn socket(family: i32) -> io::Result<OwnedFd> {
    // SAFETY: integers only.
    let fd = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    check(fd)?;
    // SAFETY: the descriptor was just made and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Binds to `name`, one of the kernel's address structures.
fn bind<T>(fd: &OwnedFd, name: &T) -> io::Result<()> {
    // SAFETY: the structure lives through the call and its size is told.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const *name).cast(), size_of::<T>() as u32) })
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
