//! The commands of a script that is stepped through, as its client sees them.

use std::rc::Rc;

use net::{Args, Resp};

use super::{Console, Heard};
use crate::acl::Denied;
use crate::exec::CommandError;
use crate::script::{Called, Host};
use crate::spec::table::Row;

/// What a script's commands run on, with a session that is shown them.
pub struct Shown<'a> {
    /// On what they run.
    pub host: &'a mut dyn Host,
    /// The session.
    pub console: Rc<Console>,
}

impl Host for Shown<'_> {
    fn call(&mut self, row: &'static Row, args: &Args<'_>, resp: Resp, out: &mut Vec<u8>) -> Called {
        let start = out.len();
        let called = self.host.call(row, args, resp, out);
        if called == Called::Replied {
            self.console.show(args, &out[start..]);
        }
        called
    }

    fn denied(&mut self, denied: Denied) {
        self.host.denied(denied);
    }

    fn refused(&mut self, row: Option<&'static Row>, args: &Args<'_>, error: &CommandError) {
        self.host.refused(row, args, error);
        if self.console.shows_commands() {
            self.console.show_command(args);
            let text = error.as_bytes();
            self.console.show_error(text.strip_prefix(b"ERR ").unwrap_or(text));
        }
    }

    fn is_time_up(&self) -> bool {
        self.host.is_time_up()
    }

    fn look_at_time(&mut self) -> bool {
        self.host.look_at_time()
    }

    fn driven_micros(&self) -> u64 {
        self.host.driven_micros()
    }

    fn say(&mut self, reply: &[u8]) {
        self.host.say(reply);
    }

    fn hear(&mut self) -> Heard {
        self.host.hear()
    }
}
