//! Dialogues with other servers ([`crate::migrate`]), on the core on which the work runs that needs them.
//!
//! | from | to | how |
//! |---|---|---|
//! | the work | its dialogue | [`Core::begin_exchange`]; the work is put aside ([`LongRuns::await_exchange`]) |
//! | the dialogue | the network loop | one request on its link at a time, until [`Core::link_done`] |
//! | the dialogue | the work | it is driven on when the dialogue is over, and asks for [`Core::take_outcome`] |
//!
//! A dialogue needs no client: it goes on when that is gone, and the work behind it does.

use std::sync::Arc;

use hashbrown::HashMap;
use net::link::{LinkDone, LinkOp, LinkRequest};
use net::{Args, Link, Reply};
use storage::UnixMillis;

use super::Core;
use super::grounds::Grounds;
use super::long::LongRun;
use crate::exec::CommandError;
use crate::limits::CRON_BUSY_MILLIS;
use crate::mesh::Claims;
use crate::migrate::{self, Cached, Event, Exchange, ExchangeId, Migration, Outcome, Step};
use crate::script::running::Running;
use crate::shared::Stop;

/// A server that ends waits for work that has changed another server for so long at most, in milliseconds.
const LAST_MILLIS: i64 = 2000;

/// A core's dialogues.
#[derive(Default)]
pub(super) struct Dialogues {
    next: u64,
    under_way: HashMap<ExchangeId, UnderWay>,
    over: HashMap<ExchangeId, Outcome>,
    /// What the network loop is to do.
    pub(super) requests: Vec<LinkRequest>,
    /// Names that are looked up.
    resolving: usize,
}

struct UnderWay {
    exchange: Exchange,
    link: Option<Arc<Link>>,
    /// What the request asks for that is under way.
    asked: Asked,
    /// Until when a name may be looked up.
    resolved_by: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Addresses,
    Connect,
    Send,
    Receive,
}

/// Work that waits for the end of a dialogue.
pub(super) struct Awaiting {
    pub(super) exchange: ExchangeId,
    /// The script in it, if it is one, and what that keeps others waiting for.
    pub(super) script: Option<(Arc<Running>, Claims)>,
    pub(super) run: LongRun,
}

impl Core {
    /// Begins a dialogue.
    pub fn begin_exchange(&mut self, mut exchange: Exchange) -> ExchangeId {
        let id = ExchangeId(self.dialogues.next);
        self.dialogues.next += 1;
        let now = self.clock.now();
        self.next_cron = self.next_cron.min(UnixMillis(now.0 + CRON_BUSY_MILLIS));
        let kept = self.shared.dialogues.cache.take(exchange.target());
        let step = exchange.begin(kept.as_ref().map(|cached| cached.selected), now);
        let link = kept.map(|cached| cached.link);
        let under_way = UnderWay { exchange, link, asked: Asked::Addresses, resolved_by: now };
        self.dialogues.under_way.insert(id, under_way);
        self.take_step(id, step);
        id
    }

    /// What a dialogue came to, if it is over: told once.
    pub fn take_outcome(&mut self, id: ExchangeId) -> Option<Outcome> {
        self.dialogues.over.remove(&id)
    }

    /// Puts work aside until a dialogue is over.
    pub(super) fn await_exchange(&mut self, awaiting: Awaiting) {
        if self.dialogues.over.contains_key(&awaiting.exchange) {
            self.long.put_off(awaiting.run);
        } else {
            self.long.await_exchange(awaiting);
        }
    }

    /// Does what a dialogue is to do next.
    fn take_step(&mut self, id: ExchangeId, mut step: Step) {
        loop {
            step = match step {
                Step::Resolve => match self.begin_to_resolve(id) {
                    Some(step) => step,
                    None => return,
                },
                Step::Connect(address) => {
                    let under_way = self.dialogues.under_way.get_mut(&id).expect("it takes a step");
                    match Link::to(&address) {
                        Ok(link) => {
                            under_way.link = Some(Arc::new(link));
                            return self.request_on_link(id, Asked::Connect, LinkOp::Connect(address));
                        }
                        Err(error) => {
                            tracing::warn!(%error, "no socket can be made for MIGRATE");
                            under_way.exchange.went(Event::Connected(Err(error)), self.clock.now())
                        }
                    }
                }
                Step::Send(bytes, from) => return self.request_on_link(id, Asked::Send, LinkOp::Send(bytes, from)),
                Step::Receive => return self.request_on_link(id, Asked::Receive, LinkOp::Receive),
                Step::Over => return self.end_exchange(id),
            };
        }
    }

    fn request_on_link(&mut self, id: ExchangeId, asked: Asked, op: LinkOp) {
        let under_way = self.dialogues.under_way.get_mut(&id).expect("it takes a step");
        under_way.asked = asked;
        let link = Arc::clone(under_way.link.as_ref().expect("it was made before"));
        let within = under_way.exchange.timeout();
        self.dialogues.requests.push(LinkRequest { number: id.0, link, op, within });
    }

    /// Looks up the addresses of a dialogue's target: the step behind it, if they are known.
    fn begin_to_resolve(&mut self, id: ExchangeId) -> Option<Step> {
        let now = self.clock.now();
        let under_way = self.dialogues.under_way.get_mut(&id).expect("it takes a step");
        (under_way.link, under_way.asked) = (None, Asked::Addresses);
        let exchange = &mut under_way.exchange;
        if let Some(addresses) = migrate::known_addresses(exchange.target()) {
            return Some(exchange.went(Event::Resolved(addresses), now));
        }
        let millis = i64::try_from(exchange.timeout().as_millis()).unwrap_or(i64::MAX);
        under_way.resolved_by = UnixMillis(now.0.saturating_add(millis));
        self.dialogues.resolving += 1;
        migrate::resolve(&self.shared, exchange.target(), self.id, id);
        None
    }

    /// Takes the addresses that were looked up.
    pub(super) fn take_addresses(&mut self) {
        if self.dialogues.resolving == 0 {
            return;
        }
        for (id, addresses) in self.shared.dialogues.take_resolved(self.id) {
            self.addresses_came(id, addresses);
        }
    }

    fn addresses_came(&mut self, id: ExchangeId, addresses: Vec<std::net::SocketAddr>) {
        let now = self.clock.now();
        // It may have waited for too long.
        let under_way = self.dialogues.under_way.get_mut(&id).filter(|under_way| under_way.asked == Asked::Addresses);
        let Some(under_way) = under_way else { return };
        self.dialogues.resolving -= 1;
        let step = under_way.exchange.went(Event::Resolved(addresses), now);
        self.take_step(id, step);
    }

    /// A request on a link has ended.
    pub(super) fn link_request_done(&mut self, done: LinkDone) {
        let LinkDone { number, result, received } = done;
        let (id, now) = (ExchangeId(number), self.clock.now());
        let under_way = self.dialogues.under_way.get_mut(&id).expect("it stays until its request has ended");
        let event = match under_way.asked {
            Asked::Connect => Event::Connected(result.map(|_| ())),
            Asked::Send => Event::Sent(result),
            Asked::Receive => Event::Received(result.map(|_| received.as_slice())),
            Asked::Addresses => unreachable!("that is no request on a link"),
        };
        let step = under_way.exchange.went(event, now);
        self.take_step(id, step);
    }

    /// A dialogue is over: the work goes on that waits for it.
    fn end_exchange(&mut self, id: ExchangeId) {
        let UnderWay { exchange, link, .. } = self.dialogues.under_way.remove(&id).expect("it takes a step");
        if let (Some(selected), Some(link)) = (exchange.kept(), link) {
            let (target, now) = (exchange.target().clone(), self.clock.now());
            self.shared.dialogues.cache.put(target, Cached { link, selected }, now);
        }
        self.dialogues.over.insert(id, exchange.outcome());
        self.long.end_awaiting(id);
    }

    /// What is looked at from time to time: sockets that nobody uses, and names that nobody knows.
    pub(super) fn look_at_dialogues(&mut self) {
        let now = self.clock.now();
        if self.id.index() == 0 {
            self.shared.dialogues.cache.close_idle(now);
        }
        if self.dialogues.resolving > 0 {
            let is_late = |under_way: &UnderWay| under_way.asked == Asked::Addresses && under_way.resolved_by < now;
            let late = self.dialogues.under_way.iter().filter(|(_, under_way)| is_late(under_way));
            for id in late.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.addresses_came(id, Vec::new());
            }
        }
        let scripts: Vec<(Arc<Running>, Claims)> = self.long.scripts_outside().cloned().collect();
        for (running, claims) in scripts {
            self.look_whether_busy_with(&running, || claims);
        }
    }

    /// Whether a server that is asked to end may do so, as far as dialogues go: what other servers have taken is to be
    /// deleted here. A dialogue that has no time left is cut off.
    pub(super) fn dialogues_may_end(&mut self) -> bool {
        let (now, stops) = (self.tick_time, self.shared.stop() != Stop::No);
        if !stops && self.dialogues.under_way.is_empty() {
            return false;
        }
        if stops {
            self.shared.dialogues.end_soon(now);
        }
        let overdue = self.shared.dialogues.overdue_millis(now);
        if overdue >= 0 && !self.dialogues.under_way.is_empty() {
            self.cut_dialogues();
        }
        stops && (!self.shared.dialogues.are_under_way() || overdue > LAST_MILLIS)
    }

    fn cut_dialogues(&mut self) {
        let mut unknown = Vec::new();
        for (id, under_way) in &mut self.dialogues.under_way {
            under_way.exchange.give_up();
            match &under_way.link {
                Some(link) => link.cut(),
                None => unknown.push(*id),
            }
        }
        for id in unknown {
            self.addresses_came(id, Vec::new());
        }
    }

    /// Whether it has dialogues, or work that waits for one.
    pub(super) fn has_dialogues(&self) -> bool {
        !self.dialogues.under_way.is_empty()
    }
}

impl Grounds<'_> {
    /// Begins a command that asks another server, or goes on with it; the dialogue that it waits for, if it does.
    pub(super) fn run_outside(
        &mut self,
        begin: fn(&Args<'_>) -> Result<Migration, CommandError>,
        args: &Args<'_>,
        out: &mut Vec<u8>,
    ) -> Option<ExchangeId> {
        let mut migration = match self.migration.take().map_or_else(|| begin(args), |migration| Ok(*migration)) {
            Ok(migration) => migration,
            Err(error) => {
                Reply::new(out, self.actor.resp).error(error.as_bytes());
                return None;
            }
        };
        let exchange = migration.run_on(self, out);
        self.migration = exchange.is_some().then(|| Box::new(migration));
        exchange
    }
}
