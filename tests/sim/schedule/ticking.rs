//! The stages of a core's tick: what one step of each does.

use std::sync::atomic::Ordering;
use std::time::Duration;

use net::service::{Actions, Park};
use net::{ConnId, Flow, OwnedArgs, Service};
use shard::mesh::{Pushed, Rule};

use super::{Broken, Stage, World};
use crate::client::{Client, Link};
use crate::plans::plan_of;
use crate::program::{Bytes, Request, short};
use crate::scripts::eval;

/// Once in so many collects a core gets only part of what a client has sent.
const RAGGED_ONE_IN: u32 = 4;

/// Once in so many pushes some locks are not to be had.
const WITHHELD_ONE_IN: u32 = 3;

/// Once in so many times a core with nothing to do makes an idle tick instead of falling asleep.
const IDLE_TICK_ONE_IN: u32 = 2;

/// Once in so many steps of draining a core drains all the rest.
const WHOLE_DRAIN_ONE_IN: usize = 5;

/// So many idle ticks a core makes in one run.
const IDLE_TICKS_MAX: u32 = 4;

/// So many times a core has its push put off in one run.
const PUT_OFFS_MAX: u32 = 3;

impl World<'_> {
    pub(super) fn core_step(&mut self, core: usize) -> Result<(), Broken> {
        match self.places[core].stage {
            Stage::Idle | Stage::Asleep => self.wake_up(core),
            Stage::Collected => self.take(core, Stage::Draining),
            Stage::TakenFirst => self.collect(core, Stage::Draining),
            Stage::Draining => self.drain_step(core),
            Stage::Running => self.run_step(core),
            Stage::Pushing => self.push_step(core),
            Stage::Answering => {
                self.places[core].core.answer();
                self.places[core].stage = Stage::Ending;
                self.tell(|_| format!("core {core} hands out its answers"));
            }
            Stage::Ending => return self.end_step(core),
        }
        Ok(())
    }

    fn fall_asleep(&mut self, core: usize) -> bool {
        let millis = self.millis();
        let place = &mut self.places[core];
        let Park::Sleep(limit) = place.core.park() else { return false };
        place.deadline = millis + limit.map_or(i64::MAX / 2, |limit: Duration| limit.as_micros().div_ceil(1000) as i64);
        place.stage = Stage::Asleep;
        true
    }

    fn wake_up(&mut self, core: usize) {
        let input = self.has_input(core);
        if self.places[core].stage == Stage::Asleep {
            self.places[core].core.unpark();
        } else if !input && !self.places[core].bell.0.load(Ordering::Relaxed) {
            if self.places[core].idle_ticks < IDLE_TICKS_MAX && self.choice.oddity(IDLE_TICK_ONE_IN) {
                self.places[core].idle_ticks += 1;
            } else if self.fall_asleep(core) {
                return self.tell(|_| format!("core {core} falls asleep"));
            }
        }
        self.places[core].bell.0.store(false, Ordering::Relaxed);
        if self.rules.hold(Rule::CollectBeforeTail) {
            self.collect(core, Stage::Collected);
        } else {
            self.take(core, Stage::TakenFirst);
        }
    }

    /// What clients have sent comes into the core's buffers, or an arbitrary first part of it.
    fn collect(&mut self, core: usize, next: Stage) {
        self.places[core].stage = next;
        for done in self.disk.as_mut().map(|disk| disk.take_done(core)).unwrap_or_default() {
            self.places[core].core.file_done(done);
        }
        for done in self.network.take_done(core) {
            self.places[core].core.link_done(done);
        }
        for number in 0..self.clients.len() {
            if self.clients[number].script.home != core {
                continue;
            }
            let sent = self.clients[number].socket.len();
            let odd = sent > 0 && self.choice.oddity(RAGGED_ONE_IN);
            let taken = if odd { self.choice.pick(sent) } else { sent };
            let client = &mut self.clients[number];
            match client.link {
                Link::Closing(conn) => {
                    (client.socket, client.input) = Default::default();
                    client.link = Link::Gone(conn);
                    self.places[core].core.closed(conn);
                }
                Link::Up(_) => client.input.extend(client.socket.drain(..taken)),
                Link::Down | Link::Gone(_) => {}
            }
        }
        self.tell(|_| format!("core {core} collects"));
    }

    fn take(&mut self, core: usize, next: Stage) {
        self.places[core].core.take();
        self.places[core].stage = next;
        self.tell(|_| format!("core {core} reads clock and tail"));
    }

    fn drain_step(&mut self, core: usize) {
        // Mostly message by message, with others acting in between; now and then as the server does it.
        if self.places[core].core.has_message() && self.choice.pick(WHOLE_DRAIN_ONE_IN) + 1 < WHOLE_DRAIN_ONE_IN {
            self.tell(|world| format!("core {core} drains {}", world.places[core].core.next_message()));
            return self.places[core].core.drain_one();
        }
        let place = &mut self.places[core];
        place.core.drain();
        place.stage = Stage::Running;
        self.tell(|_| format!("core {core} has drained to its tail and delivers answers"));
    }

    /// One command of one connection, or the end of this stage.
    fn run_step(&mut self, core: usize) {
        let ready = |(_, client): &(usize, &Client)| {
            let up = matches!(client.link, Link::Up(_) | Link::Closing(_));
            client.script.home == core && up && !client.held && !client.input.is_empty()
        };
        let ready: Vec<usize> = self.clients.iter().enumerate().filter(ready).map(|(number, _)| number).collect();
        if ready.is_empty() || self.choice.oddity(2 * RAGGED_ONE_IN) {
            self.places[core].stage = Stage::Pushing;
            return self.tell(|_| format!("core {core} has run what it can"));
        }
        let number = ready[self.choice.pick(ready.len())];
        let client = &mut self.clients[number];
        let (Link::Up(conn) | Link::Closing(conn)) = client.link else { unreachable!("it is ready") };
        let op = client.input.pop_front().expect("it is ready");
        let request = self.history[op].request.clone();
        let flow = self.execute(core, conn, &request);
        assert_ne!(flow, Flow::Close, "no request of a simulated client closes its connection");
        self.clients[number].held = flow == Flow::Hold;
        self.tell(|_| format!("core {core} runs or routes {request} of client {number}"));
    }

    fn execute(&mut self, core: usize, conn: ConnId, request: &Request) -> Flow {
        let place = &mut self.places[core];
        match (request, plan_of(request, &self.shared.slots, self.rules, &self.heard)) {
            (Request::Command(args), _) => {
                let args: OwnedArgs = args.iter().map(Vec::as_slice).collect();
                place.core.command(conn, &args.as_args())
            }
            (Request::Multi(commands), _) => {
                let mut call = |args: &[Bytes]| {
                    let args: OwnedArgs = args.iter().map(Vec::as_slice).collect();
                    place.core.command(conn, &args.as_args())
                };
                assert_eq!(call(&[b"MULTI".to_vec()]), Flow::Continue, "nothing stands in the way of MULTI");
                for args in commands {
                    assert_eq!(call(args), Flow::Continue, "it is only kept");
                }
                call(&[b"EXEC".to_vec()])
            }
            (Request::Eval { commands, declared }, _) => {
                let args: OwnedArgs = eval(commands, *declared).iter().map(Vec::as_slice).collect();
                place.core.command(conn, &args.as_args())
            }
            (_, Some((claims, plan))) => place.core.place(conn, claims, plan),
            (_, None) => unreachable!("what is no command is a plan"),
        }
    }

    fn push_step(&mut self, core: usize) {
        let may_fail = self.program.put_offs && self.places[core].put_offs < PUT_OFFS_MAX;
        if may_fail && self.choice.oddity(WITHHELD_ONE_IN) {
            let all = (1 << self.places.len()) - 1;
            self.places[core].withheld = 1 + self.choice.pick(all) as u64;
        }
        self.shared.mesh.withhold_locks(self.places[core].withheld);
        let pushed = self.places[core].core.push();
        self.shared.mesh.withhold_locks(0);
        match pushed {
            Pushed::Done => self.places[core].stage = Stage::Answering,
            Pushed::PutOff => {
                self.places[core].put_offs += 1;
                self.places[core].stage = Stage::Answering;
            }
            Pushed::Partly => {}
            Pushed::Outdated => unreachable!("a core makes up for what is outdated, and pushes again"),
        }
        self.tell(|_| format!("core {core} pushes: {pushed:?}"));
    }

    fn end_step(&mut self, core: usize) -> Result<(), Broken> {
        let mut actions = Actions::default();
        self.shared.mesh.withhold_locks(self.places[core].withheld);
        self.places[core].core.end(&mut actions);
        self.shared.mesh.withhold_locks(0);
        self.places[core].withheld = 0;
        self.places[core].stage = Stage::Idle;
        assert!(actions.close_now.is_empty() && actions.close_after_write.is_empty(), "nobody is to be closed");
        for request in actions.files {
            self.disk.as_mut().expect("only a log has files").ask(core, request);
        }
        for request in actions.links {
            self.network.ask(core, request);
        }
        self.tell(|_| format!("core {core} ends its tick"));
        for conn in actions.write {
            self.write(core, conn)?;
        }
        for conn in actions.resume {
            let resumed = |client: &&mut Client| client.script.home == core && client.link == Link::Up(conn);
            if let Some(client) = self.clients.iter_mut().find(resumed) {
                client.held = false;
            }
        }
        self.places[core].core.background(&mut || false);
        Ok(())
    }

    fn write(&mut self, core: usize, conn: ConnId) -> Result<(), Broken> {
        let Some(output) = self.places[core].core.output(conn) else { return Ok(()) };
        let bytes = std::mem::take(output);
        let now = self.now();
        let here = |client: &Client| client.script.home == core && client.link == Link::Up(conn);
        let Some(number) = self.clients.iter().position(here) else { return Ok(()) };
        if bytes.is_empty() {
            return Ok(());
        }
        self.shows = true;
        self.tell(|_| format!("      client {number} gets {}", short(&bytes)));
        let received = self.clients[number].receive(&bytes, now, &mut self.history);
        received.map_err(|text| Broken::Unasked(format!("client {number} got {text}")))
    }
}
