//! What a directive is: one row of the table in `directives/`.
//!
//! Everything that lists, reads, prints, checks, documents or rewrites configuration is computed from these rows.

use super::error::Reason;
use super::settings::Settings;
use super::value::{How, Value};

/// What has to be done to the running server after a directive changed, by whoever called `CONFIG SET`.
///
/// A directive whose value is simply read where it is used has [`Effect::None`]. Redis applies each kind once however
/// many of its directives changed, and so should the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    None,
    /// Change the level of the log.
    LogLevel,
    /// Close the listening sockets of plain TCP and open them at the new addresses or port.
    Listeners,
    /// Look for dead peers of new connections as often as it says now.
    KeepAlive,
    /// The same as [`Effect::Listeners`] for TLS, which may not be configured yet.
    TlsListeners,
    /// Build the TLS context anew from files and options.
    TlsContext,
    /// Start or stop the append-only file.
    AppendOnly,
    /// Take the new fsync policy of the append-only file.
    AppendFsync,
    /// Evict down to a smaller `maxmemory`.
    MaxMemory,
    /// Check the number of clients against the limit on open files.
    MaxClients,
    /// Compare every client's memory with the new limit.
    ClientMemory,
    /// Compose the title of the process again.
    ProcessTitle,
    /// Write `/proc/self/oom_score_adj`.
    OomScore,
    /// Change to the new directory.
    WorkingDirectory,
    /// Give the default user the new password, or none.
    Password,
    /// Give the replication backlog its new size.
    ReplicationBacklog,
    /// Count again whether enough replicas are near.
    GoodReplicas,
    /// Tell the cluster about a change of this node's addresses or flags.
    ClusterNode,
    /// Take the new frequency of the periodic work.
    Frequency,
    /// Start, stop or re-arm the watchdog.
    Watchdog,
    /// Report crashes, or stop reporting them.
    CrashReports,
    /// Start or stop the allocator's own threads.
    AllocatorThreads,
}

/// One directive.
pub struct Directive {
    name: &'static str,
    alias: Option<&'static str>,
    value: &'static dyn Value,
    default: &'static [&'static str],
    doc: &'static str,
    effect: Effect,
    normalise: fn(&mut Settings),
    flags: Flags,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    immutable: bool,
    repeatable: bool,
    hidden: bool,
    sensitive: bool,
    protected: bool,
    deny_loading: bool,
    always_written: bool,
}

impl Directive {
    /// A directive that `CONFIG SET` may change, with its value's type, default and one sentence about it.
    pub(super) const fn new(
        name: &'static str,
        value: &'static dyn Value,
        default: &'static [&'static str],
        doc: &'static str,
    ) -> Self {
        let flags = Flags {
            immutable: false,
            repeatable: false,
            hidden: false,
            sensitive: false,
            protected: false,
            deny_loading: false,
            always_written: false,
        };
        Self { name, alias: None, value, default, doc, effect: Effect::None, normalise: |_| (), flags }
    }

    /// The directive also has this older name.
    pub(super) const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// Changing the directive has this effect.
    pub(super) const fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// The value is brought into shape by this function after it was read.
    pub(super) const fn normalise(mut self, normalise: fn(&mut Settings)) -> Self {
        self.normalise = normalise;
        self
    }

    /// The directive is fixed when the server starts.
    pub(super) const fn immutable(mut self) -> Self {
        self.flags.immutable = true;
        self
    }

    /// The directive is fixed when the server starts, and may be set to the value it has.
    ///
    /// Tools and tests write back what `CONFIG GET *` answered, except for the fixed directives that they know from
    /// Redis; they cannot know those that are only here.
    pub(super) const fn fixed(mut self) -> Self {
        self.flags.repeatable = true;
        self.immutable()
    }

    /// The directive is not matched by patterns, only by its name.
    pub(super) const fn hidden(mut self) -> Self {
        self.flags.hidden = true;
        self
    }

    /// The value is a secret.
    pub(super) const fn sensitive(mut self) -> Self {
        self.flags.sensitive = true;
        self
    }

    /// The directive needs `enable-protected-configs`.
    pub(super) const fn protected(mut self) -> Self {
        self.flags.protected = true;
        self
    }

    /// The directive cannot change while the dataset is loaded.
    pub(super) const fn deny_loading(mut self) -> Self {
        self.flags.deny_loading = true;
        self
    }

    /// `CONFIG REWRITE` writes the directive even if it has its default value.
    pub(super) const fn always_written(mut self) -> Self {
        self.flags.always_written = true;
        self
    }
}

impl Directive {
    /// The name, in lower case.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The older name, if there is one.
    pub fn alias_name(&self) -> Option<&'static str> {
        self.alias
    }

    /// One sentence about the directive.
    pub fn doc(&self) -> &'static str {
        self.doc
    }

    /// What may be given as its value, in words.
    pub fn expects(&self) -> String {
        self.value.expects()
    }

    /// The words of the default value.
    pub fn default_words(&self) -> &'static [&'static str] {
        self.default
    }

    /// What has to be done after a change.
    pub fn applies(&self) -> Effect {
        self.effect
    }

    /// Whether the directive is fixed when the server starts.
    pub fn is_immutable(&self) -> bool {
        self.flags.immutable
    }

    /// Whether `CONFIG SET` with this value is refused because the directive is fixed.
    pub(super) fn refuses(&self, settings: &Settings, value: &[u8]) -> bool {
        self.flags.immutable && !(self.flags.repeatable && self.print(settings) == value)
    }

    /// Whether patterns pass the directive over.
    pub fn is_hidden(&self) -> bool {
        self.flags.hidden
    }

    /// Whether the value must not appear in logs, `SLOWLOG` or `MONITOR`.
    pub fn is_sensitive(&self) -> bool {
        self.flags.sensitive
    }

    /// Whether `enable-protected-configs` guards the directive.
    pub fn is_protected(&self) -> bool {
        self.flags.protected
    }

    /// Whether the directive is refused while the dataset is loaded.
    pub fn denies_loading(&self) -> bool {
        self.flags.deny_loading
    }

    /// Whether the directive takes any number of words.
    pub fn takes_many(&self) -> bool {
        self.value.takes_many()
    }

    /// What `CONFIG GET` answers.
    pub fn print(&self, settings: &Settings) -> Vec<u8> {
        self.value.print(settings)
    }

    /// Reads `words` into the settings.
    pub(super) fn parse(&self, settings: &mut Settings, words: &[&[u8]], how: How) -> Result<(), Reason> {
        if !self.takes_many() && words.len() != 1 {
            return Err(Reason::WrongNumberOfArguments);
        }
        self.value.parse(settings, words, how)?;
        (self.normalise)(settings);
        Ok(())
    }

    /// Gives the settings the default value.
    pub(super) fn reset(&self, settings: &mut Settings) {
        let words: Vec<&[u8]> = self.default.iter().map(|word| word.as_bytes()).collect();
        self.parse(settings, &words, How::Default).expect("the default of a directive is a value of its type");
    }

    /// The whole lines that a configuration file needs for this value; none where nothing is the same as empty.
    pub(super) fn file_lines(&self, settings: &Settings) -> Vec<Vec<u8>> {
        let empty_by_default = matches!(self.default, [] | [""]) && !self.flags.always_written;
        if empty_by_default && self.value.print(settings).is_empty() {
            return Vec::new();
        }
        let values = self.value.file_values(settings).into_iter();
        values.map(|value| [self.name.as_bytes(), b" ", value.as_slice()].concat().trim_ascii_end().to_vec()).collect()
    }

    /// Whether a file needs the directive even if its value is the default.
    pub(super) fn is_always_written(&self) -> bool {
        self.flags.always_written
    }
}
