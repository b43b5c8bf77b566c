//! The locks of one shard: who holds which key, and who waits for it, in the order of their points.
//!
//! A *ticket* claims some keys, or the whole shard, from its place in the inbox until it is released. It is granted when
//! it stands first on every key it claims. A command that finds one of its keys claimed takes a ticket too: it waits, and
//! keeps its place on *all* its keys, so nothing later on any of them overtakes it. Commands on other keys pass.
//!
//! A claim on the whole shard waits until every earlier ticket is released; everything later queues up behind it.
//!
//! Keys are claimed by their hash, database aside: two keys that share one merely wait for each other.

use std::collections::VecDeque;

use hashbrown::HashMap;

/// What a ticket claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claims {
    /// The keys of these hashes.
    Keys(Vec<u64>),
    /// Every key of the shard.
    Whole,
}

/// A place in the queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

struct Holder<J> {
    keys: Vec<u64>,
    /// On how many keys an earlier ticket stands before this one.
    behind: usize,
    job: Option<J>,
}

/// The locks of one shard. `J` is what waits.
pub struct Locks<J> {
    next: u64,
    queues: HashMap<u64, VecDeque<Ticket>>,
    holders: HashMap<Ticket, Holder<J>>,
    /// The ticket that claims the whole shard, and its job while it waits.
    whole: Option<(Ticket, Option<J>)>,
    /// What came behind a claim on the whole shard.
    backlog: VecDeque<(Claims, J)>,
    ready: VecDeque<(Ticket, J)>,
}

impl<J> Default for Locks<J> {
    fn default() -> Self {
        Self {
            next: 0,
            queues: HashMap::new(),
            holders: HashMap::new(),
            whole: None,
            backlog: VecDeque::new(),
            ready: VecDeque::new(),
        }
    }
}

impl<J> Locks<J> {
    /// Whether nothing is claimed: every command may run.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.holders.is_empty() && self.whole.is_none()
    }

    /// Whether the key of `hash` is claimed: sweep and eviction leave it alone.
    pub fn is_claimed(&self, hash: u64) -> bool {
        self.whole.is_some() || self.queues.contains_key(&hash)
    }

    /// Whether none of `keys` is claimed, so that a command on them need not wait.
    pub fn are_free(&self, keys: &[u64]) -> bool {
        self.whole.is_none() && !keys.iter().any(|key| self.queues.contains_key(key))
    }

    /// Takes a place for `job`. It comes out of [`Locks::pop_ready`] when it is granted.
    pub fn admit(&mut self, claims: Claims, job: J) {
        if self.whole.is_some() {
            self.backlog.push_back((claims, job));
            return;
        }
        let ticket = Ticket(self.next);
        self.next += 1;
        match claims {
            Claims::Whole if self.holders.is_empty() => {
                self.whole = Some((ticket, None));
                self.ready.push_back((ticket, job));
            }
            Claims::Whole => self.whole = Some((ticket, Some(job))),
            Claims::Keys(keys) => self.admit_keys(ticket, keys, job),
        }
    }

    /// Claims what nobody has claimed, for somebody who has begun to run without a claim.
    pub fn hold(&mut self, claims: Claims) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        match claims {
            Claims::Whole => {
                assert!(self.is_idle(), "who runs without a claim on the shard has found it unclaimed");
                self.whole = Some((ticket, None));
            }
            Claims::Keys(mut keys) => {
                keys.sort_unstable();
                keys.dedup();
                assert!(self.are_free(&keys), "who runs without a claim on its keys has found them unclaimed");
                for key in &keys {
                    self.queues.entry(*key).or_default().push_back(ticket);
                }
                self.holders.insert(ticket, Holder { keys, behind: 0, job: None });
            }
        }
        ticket
    }

    fn admit_keys(&mut self, ticket: Ticket, mut keys: Vec<u64>, job: J) {
        keys.sort_unstable();
        keys.dedup();
        let mut behind = 0;
        for key in &keys {
            let queue = self.queues.entry(*key).or_default();
            behind += usize::from(!queue.is_empty());
            queue.push_back(ticket);
        }
        let mut holder = Holder { keys, behind, job: Some(job) };
        if behind == 0 {
            let job = holder.job.take().expect("it was just put in");
            self.ready.push_back((ticket, job));
        }
        self.holders.insert(ticket, holder);
    }

    /// The next granted job, which holds what it claimed until its ticket is released.
    pub fn pop_ready(&mut self) -> Option<(Ticket, J)> {
        self.ready.pop_front()
    }

    /// Releases what `ticket` holds; jobs that can run now become ready.
    pub fn release(&mut self, ticket: Ticket) {
        if let Some(holder) = self.holders.remove(&ticket) {
            for key in holder.keys {
                self.leave(key, ticket);
            }
            self.grant_whole();
            return;
        }
        let whole = self.whole.take().expect("a ticket that is released holds something");
        assert!(whole.0 == ticket && whole.1.is_none(), "only a granted ticket is released");
        while self.whole.is_none() {
            let Some((claims, job)) = self.backlog.pop_front() else { break };
            self.admit(claims, job);
        }
    }

    fn leave(&mut self, key: u64, ticket: Ticket) {
        let queue = self.queues.get_mut(&key).expect("a ticket stands in the queue of each of its keys");
        let front = queue.pop_front();
        assert_eq!(front, Some(ticket), "a holder stands first on its keys");
        let Some(&next) = queue.front() else {
            self.queues.remove(&key);
            return;
        };
        let holder = self.holders.get_mut(&next).expect("whoever stands in a queue is a holder");
        holder.behind -= 1;
        if holder.behind == 0 {
            let job = holder.job.take().expect("a waiting ticket has its job");
            self.ready.push_back((next, job));
        }
    }

    fn grant_whole(&mut self) {
        if !self.holders.is_empty() {
            return;
        }
        if let Some((ticket, job)) = &mut self.whole
            && let Some(job) = job.take()
        {
            self.ready.push_back((*ticket, job));
        }
    }

    /// Panics if the queues contradict each other.
    pub fn check_invariants(&self) {
        for (ticket, holder) in &self.holders {
            let behind = holder.keys.iter().filter(|key| self.queues[*key].front() != Some(ticket)).count();
            assert_eq!(behind, holder.behind, "the count of keys a ticket waits for is true");
            assert!(holder.job.is_none() || behind > 0, "a job that waits is behind someone");
        }
        assert!(self.backlog.is_empty() || self.whole.is_some(), "a backlog stands behind a claim on the whole shard");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(locks: &mut Locks<&'static str>) -> Vec<(Ticket, &'static str)> {
        std::iter::from_fn(|| locks.pop_ready()).collect()
    }

    fn names(granted: &[(Ticket, &'static str)]) -> Vec<&'static str> {
        granted.iter().map(|&(_, job)| job).collect()
    }

    #[test]
    fn a_waiting_command_keeps_its_place_on_all_its_keys() {
        let mut locks = Locks::default();
        locks.admit(Claims::Keys(vec![1]), "hold a");
        let held = drain(&mut locks);
        locks.admit(Claims::Keys(vec![1, 2]), "rename a b");
        locks.admit(Claims::Keys(vec![2]), "set b");
        locks.admit(Claims::Keys(vec![3]), "set c");
        locks.check_invariants();
        let passed = drain(&mut locks);
        assert_eq!(names(&passed), ["set c"]);
        locks.release(passed[0].0);
        locks.release(held[0].0);
        let rename = drain(&mut locks);
        assert_eq!(names(&rename), ["rename a b"]);
        locks.release(rename[0].0);
        let set = drain(&mut locks);
        assert_eq!(names(&set), ["set b"]);
        locks.release(set[0].0);
        assert!(locks.is_idle());
        locks.check_invariants();
    }

    #[test]
    fn a_claim_on_the_whole_shard_waits_for_the_earlier_and_stops_the_later() {
        let mut locks = Locks::default();
        locks.admit(Claims::Keys(vec![1]), "a");
        let a = drain(&mut locks);
        locks.admit(Claims::Whole, "dbsize");
        locks.admit(Claims::Keys(vec![2]), "b");
        locks.admit(Claims::Whole, "flush");
        locks.admit(Claims::Keys(vec![3]), "c");
        assert!(drain(&mut locks).is_empty());
        assert!(locks.is_claimed(77));
        locks.release(a[0].0);
        for expected in ["dbsize", "b", "flush", "c"] {
            let next = drain(&mut locks);
            assert_eq!(names(&next), [expected]);
            locks.release(next[0].0);
            locks.check_invariants();
        }
        assert!(locks.is_idle());
    }

    #[test]
    fn who_has_begun_without_a_claim_can_take_one() {
        let mut locks = Locks::default();
        let whole: Ticket = Locks::<&str>::default().hold(Claims::Whole);
        let held = locks.hold(Claims::Keys(vec![1, 1, 2]));
        assert_eq!(held, whole, "the first ticket of each");
        locks.admit(Claims::Keys(vec![2, 3]), "behind");
        locks.admit(Claims::Keys(vec![4]), "beside");
        locks.check_invariants();
        let beside = drain(&mut locks);
        assert_eq!(names(&beside), ["beside"]);
        locks.release(beside[0].0);
        locks.release(held);
        let behind = drain(&mut locks);
        assert_eq!(names(&behind), ["behind"]);
        locks.release(behind[0].0);
        let held = locks.hold(Claims::Whole);
        locks.admit(Claims::Keys(vec![1]), "later");
        assert!(drain(&mut locks).is_empty());
        locks.release(held);
        assert_eq!(names(&drain(&mut locks)), ["later"]);
    }

    #[test]
    fn one_key_claimed_twice_by_one_ticket_is_one_claim() {
        let mut locks = Locks::default();
        locks.admit(Claims::Keys(vec![5, 5]), "rename a a");
        let granted = drain(&mut locks);
        assert_eq!(granted.len(), 1);
        locks.release(granted[0].0);
        assert!(locks.is_idle());
    }
}
