//! Work: several commands that run as one, at one point in the order of all commands. EXEC is work, and so is a script.
//!
//! Work claims its keys like a command and is answered like one. It runs on [`Grounds`], which know where its keys are:
//! on one shard, brought together from several, or all shards at once. The work need not know.

use std::sync::Arc;

use net::OwnedArgs;

use crate::core::Grounds;
use crate::migrate::ExchangeId;
use crate::script::running::Running;

/// What work claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The keys that [`Work::visit_keys`] tells, and no others.
    Keys,
    /// All keys of all shards: its commands say only when they run which keys they need, or need all of them.
    Everything,
}

/// Whether work is done.
pub enum Progress {
    /// The reply is whole.
    Done,
    /// Its slice of time is over: it is to be run again, on the same core and with what it has claimed, when others have
    /// had theirs. What others see of the script that runs in it, unless that has yet to begin.
    Later(Option<Arc<Running>>),
    /// It is to be run again, likewise, when something has come from its client, who debugs the script in it.
    Listens(Arc<Running>),
    /// It is to be run again when every core has given its share of this command ([`Grounds::run`]).
    Shares(Asks),
    /// It is to be run again, on the same core and with what it has claimed, when a dialogue with another server is over.
    Outside(Outside),
}

impl Progress {
    /// What others see of the script in work that goes on later, and what it waits for; nothing if it does not go on.
    pub fn stop(self) -> Option<(Option<Arc<Running>>, Until)> {
        match self {
            Progress::Later(running) => Some((running, Until::ItsTurn)),
            Progress::Listens(running) => Some((Some(running), Until::ItsClientSpeaks)),
            Progress::Outside(outside) => Some((outside.running, Until::IsOver(outside.exchange))),
            Progress::Done | Progress::Shares(_) => None,
        }
    }
}

/// What work waits for that has given way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Others have had their slices.
    ItsTurn,
    /// Something has come from its client.
    ItsClientSpeaks,
    /// This dialogue is over.
    IsOver(ExchangeId),
}

/// A dialogue with another server that work waits for.
pub struct Outside {
    /// The dialogue.
    pub exchange: ExchangeId,
    /// What others see of the script that calls for it, if one does.
    pub running: Option<Arc<Running>>,
    /// The work has changed nothing yet, so what was brought together for it may go home meanwhile.
    pub rests_at_home: bool,
}

/// What work asks of every core in the middle.
pub struct Asks {
    /// The command of which each is to give its share.
    pub args: OwnedArgs,
    /// What others see of the script that calls it, if one does.
    pub running: Option<Arc<Running>>,
}

/// Several commands that run as one.
pub trait Work: Send {
    /// What it claims.
    fn needs(&self) -> Needs;

    /// Tells its keys, one by one and in any order, if these are what it needs. A key is claimed in all databases.
    fn visit_keys(&self, visit: &mut dyn FnMut(&[u8]));

    /// Whether it must run at its client's own core: its commands need the client's connection, or every core.
    fn wants_home(&self) -> bool;

    /// Whether nothing that its client has sent behind it is executed before its reply.
    fn holds_client(&self) -> bool {
        self.wants_home()
    }

    /// Whether its client is told things while it runs, and may tell it things.
    fn talks(&self) -> bool {
        false
    }

    /// Bytes of memory that it takes on its way.
    fn bytes(&self) -> usize;

    /// Runs, and writes one whole reply behind what is in `reply`; piece by piece, if it runs in several slices.
    fn run(&mut self, grounds: &mut Grounds<'_>, reply: &mut Vec<u8>) -> Progress;
}
