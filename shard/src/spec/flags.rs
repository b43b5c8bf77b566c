//! Command flags and ACL categories, named as COMMAND INFO names them.

/// One property of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Flag {
    /// May change the data set.
    Write,
    /// Reads keys and changes nothing.
    Readonly,
    /// Refused while memory is over the limit.
    Denyoom,
    /// Loadable only as a module's command.
    Module,
    /// Administrative.
    Admin,
    /// Publishes or subscribes.
    Pubsub,
    /// Not allowed in scripts.
    Noscript,
    /// May block the client.
    Blocking,
    /// Allowed while a data set is loading.
    Loading,
    /// Allowed on a replica whose link is down.
    Stale,
    /// In Redis, not shown by MONITOR as others are: a script is shown ahead of its commands, as everything is here.
    SkipMonitor,
    /// Not recorded in the slow log.
    SkipSlowlog,
    /// Carries its own ASKING.
    Asking,
    /// Constant or logarithmic time.
    Fast,
    /// Needs no authentication.
    NoAuth,
    /// May be replicated though it is no write.
    MayReplicate,
    /// Allowed by Sentinel.
    Sentinel,
    /// Only in Sentinel.
    OnlySentinel,
    /// No mandatory keys.
    NoMandatoryKeys,
    /// Not allowed inside MULTI.
    NoMulti,
    /// Allowed while a script runs too long.
    AllowBusy,
    /// Keys that the key specifications do not tell.
    Movablekeys,
    /// Not run asynchronously while loading.
    NoAsyncLoading,
    /// Its keys may be anything.
    TouchesArbitraryKeys,
    /// Only for clients that `enable-debug-command` allows it.
    Debugging,
    /// Only for clients that `enable-module-command` allows it.
    Modules,
    /// Runs at once behind MULTI: it is about the transaction, or about the connection.
    NotQueued,
    /// A command for every core that looks at its keys: it waits while these are away.
    LooksAtKeys,
    /// A command for every core that looks at its clients: it runs behind what these have sent before.
    LooksAtClients,
    /// While it waits for a key, the removal of the key is something to be told.
    NoticesRemoval,
    /// Allowed to a client that is subscribed to something and speaks RESP2.
    WhileSubscribed,
    /// Held back by `CLIENT PAUSE WRITE` though it is no write.
    HeldWithWrites,
}

/// A set of [`Flag`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);

    /// The set of `flags`.
    pub const fn of(flags: &[Flag]) -> Flags {
        let mut bits = 0;
        let mut i = 0;
        while i < flags.len() {
            bits |= 1 << flags[i] as u32;
            i += 1;
        }
        Flags(bits)
    }

    /// This set and `flag`.
    #[must_use]
    pub const fn with(self, flag: Flag) -> Flags {
        Flags(self.0 | 1 << flag as u32)
    }

    /// This set without those in `other`.
    #[must_use]
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Whether `flag` is in the set.
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u32) != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// The names that COMMAND INFO shows, in its order. Internal flags have none.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const SHOWN: [(Flag, &str); 20] = [
            (Flag::Write, "write"),
            (Flag::Readonly, "readonly"),
            (Flag::Denyoom, "denyoom"),
            (Flag::Module, "module"),
            (Flag::Admin, "admin"),
            (Flag::Pubsub, "pubsub"),
            (Flag::Noscript, "noscript"),
            (Flag::Blocking, "blocking"),
            (Flag::Loading, "loading"),
            (Flag::Stale, "stale"),
            (Flag::SkipMonitor, "skip_monitor"),
            (Flag::SkipSlowlog, "skip_slowlog"),
            (Flag::Asking, "asking"),
            (Flag::Fast, "fast"),
            (Flag::NoAuth, "no_auth"),
            (Flag::MayReplicate, "may_replicate"),
            (Flag::NoMandatoryKeys, "no_mandatory_keys"),
            (Flag::NoAsyncLoading, "no_async_loading"),
            (Flag::NoMulti, "no_multi"),
            (Flag::AllowBusy, "allow_busy"),
        ];
        SHOWN
            .into_iter()
            .chain([(Flag::Movablekeys, "movablekeys")])
            .filter(move |&(flag, _)| self.has(flag))
            .map(|(_, name)| name)
    }
}

/// An ACL category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Category {
    /// Keys of any type.
    Keyspace,
    /// Reads keys.
    Read,
    /// Writes keys.
    Write,
    /// Sets.
    Set,
    /// Sorted sets.
    Sortedset,
    /// Lists.
    List,
    /// Hashes.
    Hash,
    /// Strings.
    String,
    /// Bitmaps.
    Bitmap,
    /// HyperLogLogs.
    Hyperloglog,
    /// Geospatial indexes.
    Geo,
    /// Streams.
    Stream,
    /// Publish and subscribe.
    Pubsub,
    /// Administration.
    Admin,
    /// Constant or logarithmic time.
    Fast,
    /// Not fast.
    Slow,
    /// May block the client.
    Blocking,
    /// Can do harm.
    Dangerous,
    /// About the connection.
    Connection,
    /// Transactions.
    Transaction,
    /// Scripts.
    Scripting,
}

impl Category {
    /// The category of this name, in any case of letters.
    pub fn named(name: &[u8]) -> Option<Category> {
        let is_named = |(_, own): &&(Category, &str)| own.as_bytes().eq_ignore_ascii_case(name);
        CATEGORIES.iter().find(is_named).map(|(category, _)| *category)
    }
}

/// Every category and its name, in the order of ACL CAT.
pub const CATEGORIES: [(Category, &str); 21] = [
    (Category::Keyspace, "keyspace"),
    (Category::Read, "read"),
    (Category::Write, "write"),
    (Category::Set, "set"),
    (Category::Sortedset, "sortedset"),
    (Category::List, "list"),
    (Category::Hash, "hash"),
    (Category::String, "string"),
    (Category::Bitmap, "bitmap"),
    (Category::Hyperloglog, "hyperloglog"),
    (Category::Geo, "geo"),
    (Category::Stream, "stream"),
    (Category::Pubsub, "pubsub"),
    (Category::Admin, "admin"),
    (Category::Fast, "fast"),
    (Category::Slow, "slow"),
    (Category::Blocking, "blocking"),
    (Category::Dangerous, "dangerous"),
    (Category::Connection, "connection"),
    (Category::Transaction, "transaction"),
    (Category::Scripting, "scripting"),
];

/// A set of [`Category`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Categories(u32);

impl Categories {
    /// No category.
    pub const NONE: Categories = Categories(0);

    /// The set of `categories`.
    pub const fn of(categories: &[Category]) -> Categories {
        let mut bits = 0;
        let mut i = 0;
        while i < categories.len() {
            bits |= 1 << categories[i] as u32;
            i += 1;
        }
        Categories(bits)
    }

    /// Whether `category` is in the set.
    pub const fn has(self, category: Category) -> bool {
        self.0 & (1 << category as u32) != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Categories) -> Categories {
        Categories(self.0 | other.0)
    }

    /// This set and what follows from a command's flags, as Redis derives it: a write is `write`, a read `read`, an
    /// administrative command is `admin` and `dangerous`, and so on; what is not fast is slow.
    #[must_use]
    pub fn with_implied(self, flags: Flags) -> Categories {
        const IMPLIED: [(Flag, &[Category]); 6] = [
            (Flag::Write, &[Category::Write]),
            (Flag::Readonly, &[Category::Read]),
            (Flag::Admin, &[Category::Admin, Category::Dangerous]),
            (Flag::Pubsub, &[Category::Pubsub]),
            (Flag::Fast, &[Category::Fast]),
            (Flag::Blocking, &[Category::Blocking]),
        ];
        let mut bits = self.0;
        for (flag, categories) in IMPLIED {
            // Scripting commands may write or read: they are in neither category by themselves.
            if flags.has(flag) && !(flag == Flag::Readonly && self.has(Category::Scripting)) {
                bits |= Categories::of(categories).0;
            }
        }
        if !flags.has(Flag::Fast) {
            bits |= Categories::of(&[Category::Slow]).0;
        }
        Categories(bits)
    }

    /// The names, in the order of ACL CAT.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        CATEGORIES.into_iter().filter(move |&(category, _)| self.has(category)).map(|(_, name)| name)
    }
}
