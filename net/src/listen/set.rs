//! The sockets that a running server listens on, and changing them.
//!
//! ```text
//!   change_tcp (any thread)                        the accepting loop
//!   ───────────────────────                        ──────────────────
//!   open what is missing ──► list, version + 1 ──► arm an accept of each new socket
//!   silence what is not wanted ──────┐
//!                       wake ────────┴───────────► let the accepts of the others end
//! ```
//!
//! A change happens on the thread that asks for it, so that it can say how it went; the loop only follows.
//! Connections are no business of a listening socket once they are accepted: they stay.
//!
//! An address that is wanted before and after keeps its socket, and no client finds it closed. New sockets are opened
//! beside the old ones. Only if the system calls an address taken, which may be by an address of the same port that
//! is to go (`*` takes all of them), the old ones are silenced first; if that does not help either, they are opened
//! again.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::{Listener, Place, Wanted};
use crate::waker::Waker;

/// `tcp-keepalive` in seconds where nothing else is said.
const KEEPALIVE_SECONDS_DEFAULT: u32 = 300;

/// The sockets that one loop accepts from. Clones are the same set.
#[derive(Clone, Debug)]
pub struct Listeners {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// `None` once the server accepts nothing more.
    open: Mutex<Option<Sockets>>,
    /// Changes with every change of `open`.
    version: AtomicU64,
    /// How soon dead peers of connections that are accepted from now on are looked for; 0 for never.
    keepalive_seconds: AtomicU32,
    /// What wakes the loop that accepts.
    waker: OnceLock<Waker>,
}

impl Listeners {
    /// A set of these.
    pub fn new(open: Vec<Listener>) -> Self {
        let open = open.into_iter().map(Arc::new).collect();
        let inner = Inner {
            open: Mutex::new(Some(open)),
            version: AtomicU64::new(1),
            keepalive_seconds: AtomicU32::new(KEEPALIVE_SECONDS_DEFAULT),
            waker: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Listens on `port` of `addresses` (in the syntax of `bind`) instead of the TCP addresses it listens on now;
    /// port 0 means nowhere. Either all of it happens or, as far as the system lets it, nothing.
    pub fn change_tcp(&self, addresses: &[&str], port: u16, backlog: u32) -> io::Result<()> {
        let wanted = if port == 0 { Vec::new() } else { Wanted::all(addresses, port)? };
        let mut guard = self.lock();
        let open = guard.as_mut().ok_or_else(|| io::Error::other("the server is going down"))?;
        let stays = |listener: &Arc<Listener>| match listener.place() {
            Place::Tcp(address) => wanted.iter().any(|wanted| wanted.address == *address),
            Place::Unix { .. } => true,
        };
        let (mut next, leaving): (Vec<_>, Vec<_>) = std::mem::take(open).into_iter().partition(stays);
        let is_missing = |wanted: &&Wanted| !next.iter().any(|kept| kept.address() == Some(wanted.address));
        let missing: Vec<&Wanted> = wanted.iter().filter(is_missing).collect();
        let (result, instead) = match open_instead(&missing, &leaving, port, backlog) {
            Ok(opened) => (Ok(()), opened),
            Err((error, former)) => (Err(error), former),
        };
        next.extend(instead);
        *open = next;
        drop(guard);
        self.tell();
        result
    }

    /// Sets `tcp-keepalive` for the connections that are accepted from now on: seconds, 0 for never.
    pub fn set_keepalive(&self, seconds: u32) {
        self.inner.keepalive_seconds.store(seconds, Ordering::Relaxed);
    }

    /// The TCP addresses that it listens on now.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.open().iter().filter_map(|listener| listener.address()).collect()
    }

    /// Whether nobody can connect.
    pub fn is_empty(&self) -> bool {
        self.open().is_empty()
    }

    /// Says whom to wake: the loop that accepts.
    pub(crate) fn accepted_by(&self, waker: &Waker) {
        let waker = waker.clone();
        assert!(self.inner.waker.set(waker).is_ok(), "one loop accepts from a set of listeners");
    }

    /// Changes with every change.
    pub(crate) fn version(&self) -> u64 {
        self.inner.version.load(Ordering::Acquire)
    }

    /// The sockets as they are now.
    pub(crate) fn open(&self) -> Sockets {
        self.lock().clone().unwrap_or_default()
    }

    pub(crate) fn keepalive_seconds(&self) -> u32 {
        self.inner.keepalive_seconds.load(Ordering::Relaxed)
    }

    /// Nobody can connect from now on, whenever the loop that accepts comes to close the set.
    pub fn silence(&self) {
        if let Some(open) = &*self.lock() {
            silence_all(open);
        }
    }

    /// Closes the set for good.
    pub(crate) fn close(&self) {
        *self.lock() = None;
        self.inner.version.fetch_add(1, Ordering::Release);
    }

    fn tell(&self) {
        self.inner.version.fetch_add(1, Ordering::Release);
        if let Some(waker) = self.inner.waker.get() {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Sockets>> {
        self.inner.open.lock().expect("no one panics while changing the listeners")
    }
}

/// No sockets: the set of a core that is only handed connections.
impl Default for Listeners {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

type Sockets = Vec<Arc<Listener>>;

/// Opens what is missing, and silences what is not wanted. An error comes with what listens in the place of the latter.
fn open_instead(
    missing: &[&Wanted],
    leaving: &[Arc<Listener>],
    port: u16,
    backlog: u32,
) -> Result<Sockets, (io::Error, Sockets)> {
    let is_in_the_way = |listener: &Arc<Listener>| listener.address().is_some_and(|own| own.port() == port);
    match open_all(missing, backlog) {
        Ok(opened) => {
            silence_all(leaving);
            Ok(opened)
        }
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && leaving.iter().any(is_in_the_way) => {
            silence_all(leaving);
            open_all(missing, backlog).map_err(|error| (error, reopen(leaving, backlog)))
        }
        Err(error) => Err((error, leaving.to_vec())),
    }
}

fn silence_all(listeners: &[Arc<Listener>]) {
    for listener in listeners {
        listener.silence();
    }
}

fn open_all(wanted: &[&Wanted], backlog: u32) -> io::Result<Sockets> {
    let opened = wanted.iter().map(|wanted| wanted.open(backlog));
    Ok(opened.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().map(Arc::new).collect())
}

/// Listens again where silenced listeners did. An address that somebody took meanwhile is lost, which the log tells.
fn reopen(silenced: &[Arc<Listener>], backlog: u32) -> Sockets {
    let open_again = |listener: &Arc<Listener>| {
        let address = listener.address()?;
        let opened = Listener::tcp_at(address, backlog);
        opened.inspect_err(|error| tracing::error!(%address, %error, "cannot listen there any more")).ok()
    };
    silenced.iter().filter_map(open_again).map(Arc::new).collect()
}

#[cfg(test)]
mod tests;
