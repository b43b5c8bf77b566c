//! Listening sockets: the addresses of `bind` and the Unix socket.
//!
//! `bind` names addresses; `*` is every IPv4 address and `::*` every IPv6 address, and a leading `-` says that the
//! address may be missing on this machine. IPv6 sockets take IPv6 only, so that both families can listen on one port.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

mod raw;
mod set;

pub use set::Listeners;

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    place: Place,
    /// It does not listen any more, and is to be forgotten.
    silenced: AtomicBool,
}

/// Where a listener listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// This TCP address.
    Tcp(SocketAddr),
    /// The Unix socket at this path, and the device and inode of its file.
    Unix { path: String, file: (u64, u64) },
}

impl Listener {
    /// Listens on `port` of every address that `addresses`, in the syntax of `bind`, names. Addresses marked as
    /// optional may be missing, all of them too.
    pub fn tcp(addresses: &[&str], port: u16, backlog: u32) -> io::Result<Vec<Self>> {
        let opened = Wanted::all(addresses, port)?.into_iter().map(|wanted| wanted.open(backlog));
        Ok(opened.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// Listens on one address; port 0 lets the system choose.
    fn tcp_at(address: SocketAddr, backlog: u32) -> io::Result<Self> {
        let fd = raw::tcp(address, backlog)?;
        let address = crate::io::socket::local(fd.as_raw_fd())?;
        Ok(Self::new(fd, Place::Tcp(address)))
    }

    fn new(fd: OwnedFd, place: Place) -> Self {
        Self { fd, place, silenced: AtomicBool::new(false) }
    }

    /// Listens at `path`. A socket file that a dead server left there is removed; a live server or a file of another
    /// kind is an error. `permissions` (`unixsocketperm`) are set before anybody can connect.
    pub fn unix(path: &str, permissions: Option<u32>, backlog: u32) -> io::Result<Self> {
        Self::unix_at(path, permissions, backlog)
            .map_err(|error| io::Error::new(error.kind(), format!("Opening Unix socket {path}: {error}")))
    }

    fn unix_at(path: &str, permissions: Option<u32>, backlog: u32) -> io::Result<Self> {
        remove_stale(path)?;
        let fd = raw::unix(path)?;
        let listener = Self::new(fd, Place::Unix { path: path.to_owned(), file: identity(path)? });
        if let Some(mode) = permissions {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        }
        raw::listen(&listener.fd, backlog)?;
        Ok(listener)
    }

    /// The TCP address, with the port that the system chose; `None` for a Unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.place {
            Place::Tcp(address) => Some(address),
            Place::Unix { .. } => None,
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Stops listening at once, whoever else holds the socket: its address is free for another.
    fn silence(&self) {
        self.silenced.store(true, Ordering::Release);
        // It fails for a socket that does not listen, which is what is wanted.
        let _ = crate::io::socket::shutdown(self.fd());
    }

    /// Whether it was told to stop listening, so that an accept that fails is no wonder.
    pub(crate) fn is_silenced(&self) -> bool {
        self.silenced.load(Ordering::Acquire)
    }
}

/// The file of a Unix socket goes with its listener, unless somebody else's took its place.
impl Drop for Listener {
    fn drop(&mut self) {
        if let Place::Unix { path, file } = &self.place
            && identity(path).is_ok_and(|found| found == *file)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// An address to listen on, as `bind` names it.
#[derive(Debug)]
struct Wanted {
    name: String,
    /// The server can do without it.
    optional: bool,
    address: SocketAddr,
}

impl Wanted {
    /// What `addresses` name.
    fn all(addresses: &[&str], port: u16) -> io::Result<Vec<Self>> {
        let wanted = addresses.iter().map(|text| {
            let (name, optional) = text.strip_prefix('-').map_or((*text, false), |name| (name, true));
            let address = resolve(name, port).map_err(|error| refused(name, port, &error))?;
            Ok(Self { name: name.to_owned(), optional, address })
        });
        wanted.collect()
    }

    /// Listens there; `None` if that is not possible and not necessary.
    fn open(&self, backlog: u32) -> io::Result<Option<Listener>> {
        let (name, port) = (&self.name, self.address.port());
        match Listener::tcp_at(self.address, backlog) {
            Ok(listener) => Ok(Some(listener)),
            Err(error) if self.optional && is_missing(&error) => {
                tracing::info!("Not listening on {name}:{port}, which may be missing: {error}");
                Ok(None)
            }
            Err(error) => Err(refused(name, port, &error)),
        }
    }
}

fn refused(name: &str, port: u16, error: &io::Error) -> io::Error {
    let text = format!("Could not create server TCP listening socket {name}:{port}: bind: {error}");
    io::Error::new(error.kind(), text)
}

/// The address that `name` stands for.
fn resolve(name: &str, port: u16) -> io::Result<SocketAddr> {
    match name {
        "*" => Ok((Ipv4Addr::UNSPECIFIED, port).into()),
        "::*" => Ok((Ipv6Addr::UNSPECIFIED, port).into()),
        _ => (name, port)
            .to_socket_addrs()?
            .next()
            .ok_or_else(|| io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address")),
    }
}

/// Errors that mean the machine lacks the address or its protocol.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EADDRNOTAVAIL
                | libc::EAFNOSUPPORT
                | libc::EPFNOSUPPORT
                | libc::EPROTONOSUPPORT
                | libc::ESOCKTNOSUPPORT
                | libc::ENOPROTOOPT
        )
    )
}

/// Removes a socket file nobody listens at.
fn remove_stale(path: &str) -> io::Result<()> {
    let Ok(metadata) = Path::new(path).symlink_metadata() else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the path exists and is not a socket"));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server listens there")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Err(error) => Err(error),
    }
}

/// Device and inode of a file.
fn identity(path: &str) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = Path::new(path).symlink_metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests;
