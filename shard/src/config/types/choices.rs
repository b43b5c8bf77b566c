//! The enumerations of configuration, with the names of their values.

use crate::config::value::Named;

/// `loglevel`: the least important message that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Everything, for development.
    Debug,
    /// Much that is rarely of use.
    Verbose,
    /// What an operator wants to see.
    #[default]
    Notice,
    /// Only what needs attention.
    Warning,
}

impl Named for LogLevel {
    const NAMES: &'static [(&'static str, Self)] =
        &[("debug", Self::Debug), ("verbose", Self::Verbose), ("notice", Self::Notice), ("warning", Self::Warning)];
}

/// `syslog-facility`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyslogFacility {
    /// `LOG_USER`.
    User,
    /// `LOG_LOCAL0`.
    #[default]
    Local0,
    /// `LOG_LOCAL1`.
    Local1,
    /// `LOG_LOCAL2`.
    Local2,
    /// `LOG_LOCAL3`.
    Local3,
    /// `LOG_LOCAL4`.
    Local4,
    /// `LOG_LOCAL5`.
    Local5,
    /// `LOG_LOCAL6`.
    Local6,
    /// `LOG_LOCAL7`.
    Local7,
}

impl Named for SyslogFacility {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("user", Self::User),
        ("local0", Self::Local0),
        ("local1", Self::Local1),
        ("local2", Self::Local2),
        ("local3", Self::Local3),
        ("local4", Self::Local4),
        ("local5", Self::Local5),
        ("local6", Self::Local6),
        ("local7", Self::Local7),
    ];
}

/// `supervised`: who started the server and wants to be told when it is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Supervised {
    /// Nobody.
    #[default]
    No,
    /// Whoever left traces in the environment.
    Auto,
    /// systemd.
    Systemd,
    /// upstart.
    Upstart,
}

impl Named for Supervised {
    const NAMES: &'static [(&'static str, Self)] =
        &[("upstart", Self::Upstart), ("systemd", Self::Systemd), ("auto", Self::Auto), ("no", Self::No)];
}

/// `maxmemory-policy`: what is evicted when `maxmemory` is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MaxmemoryPolicy {
    /// Of the keys with a TTL, those not used for the longest time.
    VolatileLru,
    /// Of the keys with a TTL, those used least often.
    VolatileLfu,
    /// Any key with a TTL.
    VolatileRandom,
    /// The keys that expire soonest.
    VolatileTtl,
    /// The keys not used for the longest time.
    AllkeysLru,
    /// The keys used least often.
    AllkeysLfu,
    /// Any key.
    AllkeysRandom,
    /// Nothing: writes are refused.
    #[default]
    Noeviction,
}

impl Named for MaxmemoryPolicy {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("volatile-lru", Self::VolatileLru),
        ("volatile-lfu", Self::VolatileLfu),
        ("volatile-random", Self::VolatileRandom),
        ("volatile-ttl", Self::VolatileTtl),
        ("allkeys-lru", Self::AllkeysLru),
        ("allkeys-lfu", Self::AllkeysLfu),
        ("allkeys-random", Self::AllkeysRandom),
        ("noeviction", Self::Noeviction),
    ];
}

impl MaxmemoryPolicy {
    /// Whether the policy counts how often keys are used, rather than when.
    pub fn is_lfu(self) -> bool {
        matches!(self, Self::VolatileLfu | Self::AllkeysLfu)
    }

    /// Whether the policy looks at when keys were used.
    pub fn is_lru(self) -> bool {
        matches!(self, Self::VolatileLru | Self::AllkeysLru)
    }

    /// Whether keys without a TTL may be evicted.
    pub fn is_allkeys(self) -> bool {
        matches!(self, Self::AllkeysLru | Self::AllkeysLfu | Self::AllkeysRandom)
    }
}

/// `appendfsync`: when the append-only file reaches the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppendFsync {
    /// Once a second.
    #[default]
    Everysec,
    /// Before a write is acknowledged.
    Always,
    /// When the kernel sees fit.
    No,
}

impl Named for AppendFsync {
    const NAMES: &'static [(&'static str, Self)] =
        &[("everysec", Self::Everysec), ("always", Self::Always), ("no", Self::No)];
}

/// `repl-diskless-load`: how a replica takes in a full copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplDisklessLoad {
    /// Through a file.
    #[default]
    Disabled,
    /// From the socket, if the replica holds nothing.
    OnEmptyDb,
    /// From the socket, keeping the old data until the new is complete.
    Swapdb,
}

impl Named for ReplDisklessLoad {
    const NAMES: &'static [(&'static str, Self)] =
        &[("disabled", Self::Disabled), ("on-empty-db", Self::OnEmptyDb), ("swapdb", Self::Swapdb)];
}

/// `sanitize-dump-payload`: whether loaded values are verified in depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SanitizeDump {
    /// Never.
    #[default]
    No,
    /// In files and in `RESTORE`.
    Yes,
    /// In `RESTORE` from clients that do not have `skip-sanitize-payload`.
    Clients,
}

impl Named for SanitizeDump {
    const NAMES: &'static [(&'static str, Self)] = &[("no", Self::No), ("yes", Self::Yes), ("clients", Self::Clients)];
}

/// `acl-pubsub-default`: the channels a new user may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AclPubsub {
    /// All.
    Allchannels,
    /// None.
    #[default]
    Resetchannels,
}

impl Named for AclPubsub {
    const NAMES: &'static [(&'static str, Self)] =
        &[("allchannels", Self::Allchannels), ("resetchannels", Self::Resetchannels)];
}

/// `cluster-preferred-endpoint-type`: what redirections name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClusterEndpoint {
    /// The address.
    #[default]
    Ip,
    /// The announced host name.
    Hostname,
    /// Nothing but the port.
    UnknownEndpoint,
}

impl Named for ClusterEndpoint {
    const NAMES: &'static [(&'static str, Self)] =
        &[("ip", Self::Ip), ("hostname", Self::Hostname), ("unknown-endpoint", Self::UnknownEndpoint)];
}

/// `oom-score-adj`: whether the server tells the kernel how expendable it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OomScoreAdj {
    /// It does not.
    #[default]
    No,
    /// The values are added to what the process had when it started.
    Relative,
    /// The values replace what the process had.
    Absolute,
}

impl Named for OomScoreAdj {
    const NAMES: &'static [(&'static str, Self)] =
        &[("no", Self::No), ("yes", Self::Relative), ("relative", Self::Relative), ("absolute", Self::Absolute)];
}

/// `propagation-error-behavior`: what to do when a replicated command fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PropagationError {
    /// Log it.
    #[default]
    Ignore,
    /// Stop the process.
    Panic,
    /// Stop the process if it is a replica.
    PanicOnReplicas,
}

impl Named for PropagationError {
    const NAMES: &'static [(&'static str, Self)] =
        &[("ignore", Self::Ignore), ("panic", Self::Panic), ("panic-on-replicas", Self::PanicOnReplicas)];
}

/// `enable-debug-command` and its like: who may use something dangerous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Nobody.
    #[default]
    No,
    /// Everybody.
    Yes,
    /// Clients on this machine.
    Local,
}

impl Named for Access {
    const NAMES: &'static [(&'static str, Self)] = &[("no", Self::No), ("yes", Self::Yes), ("local", Self::Local)];
}

impl Access {
    /// Whether a client may, given whether it is connected from this machine.
    pub fn allows(self, client_is_local: bool) -> bool {
        match self {
            Self::No => false,
            Self::Yes => true,
            Self::Local => client_is_local,
        }
    }
}

/// `tls-auth-clients`: whether clients show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsAuthClients {
    /// They need not.
    No,
    /// They must.
    #[default]
    Yes,
    /// It is verified if they do.
    Optional,
}

impl Named for TlsAuthClients {
    const NAMES: &'static [(&'static str, Self)] =
        &[("no", Self::No), ("yes", Self::Yes), ("optional", Self::Optional)];
}
