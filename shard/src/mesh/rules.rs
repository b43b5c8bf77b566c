//! The rules of order, each of which the simulation can break on purpose to prove that it would notice.

/// One rule of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A command runs in place only if its connection has nothing in the batches of this tick.
    InPlaceOnlyWhileNothingPushed,
    /// All inboxes of a push are locked together.
    PushIsAtomic,
    /// The tail is read after the sockets were collected.
    CollectBeforeTail,
    /// A push that was put off puts off what follows on its connections.
    PutOffHoldsConnection,
    /// A waiting command keeps its place on all its keys.
    WaitingKeepsAllPlaces,
    /// The home shard's part goes through its own inbox.
    OwnPartThroughInbox,
    /// Locks are placed by the push and by nothing else.
    LocksPlacedByPush,
    /// Time travels with the batch.
    TimeTravelsWithBatch,
    /// What had to wait runs at the time of its own push.
    WaitingKeepsItsTime,
    /// The sweep leaves alone what is held or waited for.
    SweepSkipsClaimed,
    /// Watched keys are keys of the transaction.
    WatchedKeysAreLocked,
    /// What may be refused is refused before the push.
    PartsCannotRefuse,
    /// References to connections carry a generation.
    GenerationsAreChecked,
    /// SUBSCRIBE goes through the inbox of its own core.
    SubscribingHasAPoint,
    /// A publisher looks again if the registry has changed when it pushes.
    TargetsAreAskedAgain,
    /// A subscribed client's commands leave marks in the inbox of its core.
    SubscribersLeaveMarks,
    /// Who is told of a changed key is told before the change is answered.
    NoticesLeaveWithReplies,
    /// Reads are not merged across each other.
    ReadsAreNotMerged,
    /// Work that gives way keeps what it claims.
    GivingWayKeepsClaims,
    /// A reply leaves when the epoch of what it shows is complete.
    RepliesWaitForTheirEpoch,
    /// So does what a client is sent that it did not ask for.
    MessagesWaitForTheirEpoch,
    /// What joins output that is held waits for its own epoch.
    HeldOutputWaitsForItsOwn,
    /// The end of an epoch is one point on all shards.
    BarrierIsOnePoint,
    /// A shard that barriers pass by has recorded nothing.
    IdleHasRecordedNothing,
    /// An evicted key is gone in the log, too.
    EvictionIsRecorded,
    /// What is published behind a change waits until that is recorded, wherever it is published.
    MessagesWaitForChangesBefore,
}

/// The rules in force: all of them, save one that the simulation has broken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    #[cfg(feature = "simulation")]
    broken: Option<Rule>,
}

impl Rules {
    /// All rules but `rule`.
    #[cfg(feature = "simulation")]
    pub fn without(rule: Rule) -> Rules {
        Rules { broken: Some(rule) }
    }

    /// Whether `rule` is in force. Always true outside a simulation.
    #[inline(always)]
    #[cfg_attr(not(feature = "simulation"), allow(clippy::unused_self))]
    pub fn hold(self, rule: Rule) -> bool {
        #[cfg(feature = "simulation")]
        return self.broken != Some(rule);
        #[cfg(not(feature = "simulation"))]
        {
            let _ = rule;
            true
        }
    }
}
