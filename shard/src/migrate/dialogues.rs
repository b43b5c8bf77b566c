//! What all cores know of dialogues with other servers.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use storage::UnixMillis;

use super::cache::{Cache, Target};
use super::{ENDING_MILLIS, ExchangeId};
use crate::ids::ShardId;
use crate::shared::Shared;

/// The server does not end.
const NEVER: i64 = i64::MAX;

/// What all cores know.
#[derive(Debug)]
pub struct Dialogues {
    /// Sockets that are kept.
    pub cache: Cache,
    under_way: Arc<AtomicUsize>,
    /// When they are to be over, for the server ends.
    end_at: AtomicI64,
    resolved: Mutex<Vec<Resolved>>,
}

/// A target's addresses, for whoever asked.
type Resolved = (ShardId, ExchangeId, Vec<SocketAddr>);

/// While it is there, something has changed elsewhere that is to be changed here, too.
#[derive(Debug)]
pub struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Default for Dialogues {
    fn default() -> Dialogues {
        Dialogues {
            cache: Cache::default(),
            under_way: Arc::default(),
            end_at: AtomicI64::new(NEVER),
            resolved: Mutex::default(),
        }
    }
}

impl Dialogues {
    /// Work with a dialogue begins.
    pub fn enter(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        UnderWay(Arc::clone(&self.under_way))
    }

    /// Whether there is such work.
    pub fn are_under_way(&self) -> bool {
        self.under_way.load(Ordering::Acquire) > 0
    }

    /// The server is about to end.
    pub fn end_soon(&self, now: UnixMillis) {
        let at = now.0 + ENDING_MILLIS;
        let _ = self.end_at.compare_exchange(NEVER, at, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// It is not, after all.
    pub fn go_on(&self) {
        self.end_at.store(NEVER, Ordering::Release);
    }

    /// For how long no dialogue has had any time left, in milliseconds; below zero if they have some.
    pub fn overdue_millis(&self, now: UnixMillis) -> i64 {
        now.0.saturating_sub(self.end_at.load(Ordering::Acquire))
    }

    /// The addresses that came for dialogues of `core`.
    pub fn take_resolved(&self, core: ShardId) -> Vec<(ExchangeId, Vec<SocketAddr>)> {
        let mut resolved = self.resolved.lock().expect("no one panics while handing in addresses");
        resolved.extract_if(.., |(of, ..)| *of == core).map(|(_, id, addresses)| (id, addresses)).collect()
    }
}

/// The addresses of a target, if they are known without asking anybody: it has an address for a name, or no name.
pub fn known_addresses(target: &Target) -> Option<Vec<SocketAddr>> {
    match std::str::from_utf8(&target.host) {
        Ok(host) if !host.is_empty() => host.parse::<IpAddr>().ok().map(|ip| vec![SocketAddr::new(ip, port(target))]),
        _ => Some(Vec::new()),
    }
}

/// The port is what the digits make that it begins with, were there none, and of that the lower 16 bits, as in Redis.
fn port(target: &Target) -> u16 {
    let digits = target.port.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |port: u16, digit| port.wrapping_mul(10).wrapping_add(u16::from(digit - b'0')))
}

/// Looks the addresses of a target up on a thread of its own, for asking may take long. They come to `core`, which is woken.
pub fn resolve(shared: &Arc<Shared>, target: &Target, core: ShardId, id: ExchangeId) {
    let (host, port) = (String::from_utf8_lossy(&target.host).into_owned(), port(target));
    let hand_in = {
        let shared = Arc::clone(shared);
        move |addresses| {
            let resolved = &shared.dialogues.resolved;
            resolved.lock().expect("no one panics while handing in addresses").push((core, id, addresses));
            shared.mesh.wake(core);
        }
    };
    let failed = hand_in.clone();
    let ask = move || {
        hand_in((host.as_str(), port).to_socket_addrs().map(Iterator::collect).unwrap_or_default());
    };
    if std::thread::Builder::new().name("resolve".to_owned()).spawn(ask).is_err() {
        failed(Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(host: &str, port: &str) -> Option<Vec<String>> {
        let target = Target { host: host.as_bytes().to_vec(), port: port.as_bytes().to_vec() };
        known_addresses(&target).map(|addresses| addresses.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_address_needs_no_answer() {
        assert_eq!(known("127.0.0.1", "6379"), Some(vec!["127.0.0.1:6379".to_owned()]));
        assert_eq!(known("::1", "6379"), Some(vec!["[::1]:6379".to_owned()]));
        assert_eq!(known("localhost", "6379"), None);
    }

    #[test]
    fn what_is_no_target_leads_nowhere() {
        for (port, address) in [("none", "127.0.0.1:0"), ("65537", "127.0.0.1:1"), ("12ab", "127.0.0.1:12")] {
            assert_eq!(known("127.0.0.1", port), Some(vec![address.to_owned()]), "{port}");
        }
        assert_eq!(known("", "6379"), Some(Vec::new()));
    }

    #[test]
    fn dialogues_have_time_until_the_end() {
        let dialogues = Dialogues::default();
        assert!(dialogues.overdue_millis(UnixMillis(1000)) < 0);
        dialogues.end_soon(UnixMillis(1000));
        dialogues.end_soon(UnixMillis(1300));
        assert_eq!(dialogues.overdue_millis(UnixMillis(1000 + ENDING_MILLIS)), 0);
        dialogues.go_on();
        assert!(dialogues.overdue_millis(UnixMillis(10_000)) < 0);
        let one = dialogues.enter();
        assert!(dialogues.are_under_way());
        drop(one);
        assert!(!dialogues.are_under_way());
    }
}
