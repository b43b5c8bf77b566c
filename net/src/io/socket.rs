//! The plain system calls on sockets that are cheaper, or only to be had, outside the ring.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use crate::limits::{SEND_BYTES_AT_ONCE_MAX, SEND_BYTES_MAX};

/// Sends what the socket takes without waiting, 0 if it takes nothing now: up to [`SEND_BYTES_MAX`] bytes, or up to
/// [`SEND_BYTES_AT_ONCE_MAX`] as long as `waits` says that nobody waits.
pub(crate) fn send_now(socket: RawFd, bytes: &[u8], mut waits: impl FnMut() -> bool) -> io::Result<usize> {
    let end = bytes.len().min(SEND_BYTES_AT_ONCE_MAX);
    let mut sent = 0;
    loop {
        let piece = &bytes[sent..end.min(sent + SEND_BYTES_MAX)];
        let taken = send_piece(socket, piece)?;
        sent += taken;
        if taken < piece.len() || sent == end || waits() {
            return Ok(sent);
        }
    }
}

/// Sends what the socket takes of a piece.
fn send_piece(socket: RawFd, piece: &[u8]) -> io::Result<usize> {
    loop {
        // SAFETY: the bytes live through the call.
        let sent =
            unsafe { libc::send(socket, piece.as_ptr().cast(), piece.len(), libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) };
        if sent >= 0 {
            return Ok(sent as usize);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM) => return Ok(0),
            _ => return Err(error),
        }
    }
}

/// Ends both directions: what was sent is still delivered, and pending requests on the socket complete.
pub(crate) fn shutdown(socket: RawFd) -> io::Result<()> {
    // SAFETY: integers only.
    check(unsafe { libc::shutdown(socket, libc::SHUT_RDWR) })
}

/// Makes the socket block, as the ring's requests need it.
pub(crate) fn set_blocking(socket: RawFd) -> io::Result<()> {
    // SAFETY: integers only.
    let flags = unsafe { libc::fcntl(socket, libc::F_GETFL) };
    check(flags)?;
    if flags & libc::O_NONBLOCK != 0 {
        // SAFETY: integers only.
        check(unsafe { libc::fcntl(socket, libc::F_SETFL, flags & !libc::O_NONBLOCK) })?;
    }
    Ok(())
}

/// Sets an option whose value is an integer.
pub(crate) fn set_option(socket: RawFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: the value lives through the call and its size is told.
    check(unsafe { libc::setsockopt(socket, level, option, (&raw const value).cast(), size_of::<i32>() as u32) })
}

/// Small replies leave at once, and dead peers are noticed within `keepalive` seconds (0: they are not looked for).
pub(crate) fn prepare_tcp(socket: RawFd, keepalive: u32) -> io::Result<()> {
    set_option(socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
    if keepalive > 0 {
        let idle = i32::try_from(keepalive).unwrap_or(i32::MAX);
        set_option(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)?;
        set_option(socket, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, idle)?;
        set_option(socket, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, (idle / 3).max(1))?;
        set_option(socket, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, 3)?;
    }
    Ok(())
}

/// A TCP socket that can be connected to `address`.
pub(crate) fn open(address: &SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    // SAFETY: integers only.
    let fd = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    check(fd)?;
    // SAFETY: the descriptor was just made and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// An address as the kernel reads it.
pub(crate) enum RawAddress {
    V4(libc::sockaddr_in),
    V6(libc::sockaddr_in6),
}

impl RawAddress {
    pub(crate) fn as_ptr(&self) -> *const libc::sockaddr {
        match self {
            Self::V4(address) => (&raw const *address).cast(),
            Self::V6(address) => (&raw const *address).cast(),
        }
    }

    pub(crate) fn len(&self) -> libc::socklen_t {
        let len = match self {
            Self::V4(_) => size_of::<libc::sockaddr_in>(),
            Self::V6(_) => size_of::<libc::sockaddr_in6>(),
        };
        len as libc::socklen_t
    }
}

/// `address` as the kernel reads it.
pub(crate) fn raw_address(address: &SocketAddr) -> RawAddress {
    match address {
        SocketAddr::V4(address) => RawAddress::V4(libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: address.port().to_be(),
            sin_addr: libc::in_addr { s_addr: u32::from(*address.ip()).to_be() },
            sin_zero: [0; 8],
        }),
        SocketAddr::V6(address) => RawAddress::V6(libc::sockaddr_in6 {
            sin6_family: libc::AF_INET6 as libc::sa_family_t,
            sin6_port: address.port().to_be(),
            sin6_flowinfo: address.flowinfo(),
            sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
            sin6_scope_id: address.scope_id(),
        }),
    }
}

/// The peer's address.
pub(crate) fn peer(socket: RawFd) -> io::Result<SocketAddr> {
    address(socket, libc::getpeername)
}

/// The address on this side.
pub(crate) fn local(socket: RawFd) -> io::Result<SocketAddr> {
    address(socket, libc::getsockname)
}

/// `getpeername` or `getsockname`.
type NameCall = unsafe extern "C" fn(i32, *mut libc::sockaddr, *mut libc::socklen_t) -> i32;

fn address(socket: RawFd, call: NameCall) -> io::Result<SocketAddr> {
    // SAFETY: all zeros is a valid value of this plain structure.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes to `storage`, which is that large.
    check(unsafe { call(socket, (&raw mut storage).cast(), &raw mut len) })?;
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which structure it is; the storage is large and aligned enough for each.
            let inet = unsafe { &*(&raw const storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(inet.sin_addr.s_addr));
            Ok(SocketAddrV4::new(ip, u16::from_be(inet.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let inet = unsafe { &*(&raw const storage).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(inet.sin6_addr.s6_addr);
            Ok(SocketAddrV6::new(ip, u16::from_be(inet.sin6_port), 0, inet.sin6_scope_id).into())
        }
        // A Unix socket has no address worth telling.
        _ => Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)),
    }
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
