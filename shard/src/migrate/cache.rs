//! Sockets to other servers that are kept for the next time: one for each host and port, for ten seconds, as in Redis. All
//! cores share them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use net::Link;
use storage::UnixMillis;

/// So many sockets are kept.
const SOCKETS_MAX: usize = 64;
/// A socket that nobody used for so long is closed, in seconds.
const IDLE_SECONDS_MAX: i64 = 10;

/// Another server, as a command names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name or an address.
    pub host: Vec<u8>,
    /// A number, were it none.
    pub port: Vec<u8>,
}

/// A socket, and what is known of its other end.
#[derive(Clone, Debug)]
pub struct Cached {
    /// The socket.
    pub link: Arc<Link>,
    /// The database that is selected, if that is known.
    pub selected: Option<i64>,
}

/// The sockets that are kept.
#[derive(Debug, Default)]
pub struct Cache {
    sockets: Mutex<Vec<Kept>>,
    count: AtomicUsize,
}

#[derive(Debug)]
struct Kept {
    target: Target,
    cached: Cached,
    used_at: UnixMillis,
}

impl Cache {
    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.sockets.lock().expect("no one panics while looking for a socket")
    }

    /// Takes the socket to `target`: it belongs to the taker until it is put back.
    pub fn take(&self, target: &Target) -> Option<Cached> {
        let mut sockets = self.lock();
        let place = sockets.iter().position(|kept| kept.target == *target)?;
        let kept = sockets.swap_remove(place);
        self.count.store(sockets.len(), Ordering::Relaxed);
        Some(kept.cached)
    }

    /// Keeps a socket, in place of another one to the same target. If there are too many, the one goes that was not used for
    /// the longest time.
    pub fn put(&self, target: Target, cached: Cached, now: UnixMillis) {
        let mut sockets = self.lock();
        sockets.retain(|kept| kept.target != target);
        if sockets.len() == SOCKETS_MAX {
            let oldest = (0..sockets.len()).min_by_key(|&place| sockets[place].used_at);
            sockets.swap_remove(oldest.expect("there are some"));
        }
        sockets.push(Kept { target, cached, used_at: now });
        self.count.store(sockets.len(), Ordering::Relaxed);
    }

    /// Closes those that were not used for long.
    pub fn close_idle(&self, now: UnixMillis) {
        if !self.is_empty() {
            let mut sockets = self.lock();
            sockets.retain(|kept| now.0 / 1000 - kept.used_at.0 / 1000 <= IDLE_SECONDS_MAX);
            self.count.store(sockets.len(), Ordering::Relaxed);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(port: usize) -> Target {
        Target { host: b"127.0.0.1".to_vec(), port: port.to_string().into_bytes() }
    }

    fn cached(selected: i64) -> Cached {
        let address = "127.0.0.1:1".parse().expect("it is one");
        Cached { link: Arc::new(Link::to(&address).expect("there are descriptors")), selected: Some(selected) }
    }

    fn taken(cache: &Cache, port: usize) -> Option<i64> {
        cache.take(&target(port)).and_then(|cached| cached.selected)
    }

    #[test]
    fn a_socket_is_kept_for_ten_seconds() {
        let cache = Cache::default();
        cache.put(target(1), cached(7), UnixMillis(1000));
        cache.close_idle(UnixMillis(11_900));
        assert_eq!((cache.len(), taken(&cache, 2), taken(&cache, 1)), (1, None, Some(7)));
        assert_eq!((cache.len(), taken(&cache, 1)), (0, None));
        cache.put(target(1), cached(7), UnixMillis(1000));
        cache.close_idle(UnixMillis(12_000));
        assert!(cache.is_empty());
    }

    #[test]
    fn there_is_one_for_each_target() {
        let cache = Cache::default();
        for port in 0..=SOCKETS_MAX {
            cache.put(target(port), cached(port as i64), UnixMillis(1000 + port as i64));
        }
        assert_eq!((cache.len(), taken(&cache, 0), taken(&cache, 1)), (SOCKETS_MAX, None, Some(1)));
        cache.put(target(2), cached(0), UnixMillis(2000));
        assert_eq!((cache.len(), taken(&cache, 2), taken(&cache, 2)), (SOCKETS_MAX - 1, Some(0), None));
    }
}
