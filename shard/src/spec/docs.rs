//! What COMMAND DOCS tells of a command.

/// The group a command belongs to, which also implies an ACL category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Keys of any type.
    Generic,
    /// Strings.
    String,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Hashes.
    Hash,
    /// Publish and subscribe.
    Pubsub,
    /// Transactions.
    Transactions,
    /// The connection.
    Connection,
    /// The server.
    Server,
    /// Scripts and functions.
    Scripting,
    /// HyperLogLogs.
    Hyperloglog,
    /// Cluster.
    Cluster,
    /// Geospatial indexes.
    Geo,
    /// Streams.
    Stream,
    /// Bitmaps.
    Bitmap,
}

impl Group {
    /// The name that COMMAND DOCS shows.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::Pubsub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::Hyperloglog => "hyperloglog",
            Group::Cluster => "cluster",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
        }
    }
}

/// What kind of argument it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// Any string.
    String,
    /// An integer.
    Integer,
    /// A floating-point number.
    Double,
    /// A key; the number is the key specification it belongs to.
    Key(u8),
    /// A glob pattern.
    Pattern,
    /// A pattern of keys; the number is the key specification that stands for them.
    KeyPattern(u8),
    /// A time in seconds since 1970.
    UnixTime,
    /// A literal word alone.
    PureToken,
    /// One of the arguments within.
    OneOf(&'static [Argument]),
    /// All of the arguments within, as a group.
    Block(&'static [Argument]),
}

/// One argument of a command's syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name in the syntax.
    pub name: &'static str,
    /// Its kind.
    pub kind: ArgumentKind,
    /// The literal word before it (or, of a pure token, itself), or empty.
    pub token: &'static str,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Repeated together with its token.
    pub multiple_token: bool,
    /// The version that brought it, if later than the command.
    pub since: &'static str,
    /// The version that deprecated it, or empty.
    pub deprecated: &'static str,
}

impl Argument {
    /// A required argument.
    pub const fn new(name: &'static str, kind: ArgumentKind) -> Argument {
        Argument {
            name,
            kind,
            token: "",
            optional: false,
            multiple: false,
            multiple_token: false,
            since: "",
            deprecated: "",
        }
    }

    /// The first key.
    pub const fn key(name: &'static str) -> Argument {
        Argument::new(name, ArgumentKind::Key(0))
    }

    /// A literal word.
    pub const fn word(name: &'static str, token: &'static str) -> Argument {
        Argument { token, ..Argument::new(name, ArgumentKind::PureToken) }
    }

    /// With a literal word before it.
    #[must_use]
    pub const fn after(self, token: &'static str) -> Argument {
        Argument { token, ..self }
    }

    /// That may be left out.
    #[must_use]
    pub const fn optional(self) -> Argument {
        Argument { optional: true, ..self }
    }

    /// That may be repeated.
    #[must_use]
    pub const fn multiple(self) -> Argument {
        Argument { multiple: true, ..self }
    }

    /// That exists since `version`.
    #[must_use]
    pub const fn since(self, version: &'static str) -> Argument {
        Argument { since: version, ..self }
    }

    /// That should not be used since `version`.
    #[must_use]
    pub const fn deprecated(self, version: &'static str) -> Argument {
        Argument { deprecated: version, ..self }
    }
}

/// What COMMAND DOCS tells, besides the arity and the subcommands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Docs {
    /// One sentence.
    pub summary: &'static str,
    /// The first version of Redis (or Tessera) that has it.
    pub since: &'static str,
    /// Its group.
    pub group: Group,
    /// Its cost.
    pub complexity: &'static str,
    /// The version that deprecated it, and what to use instead; empty when it is not deprecated.
    pub deprecated: Option<(&'static str, &'static str)>,
    /// Versions and what they changed.
    pub history: &'static [(&'static str, &'static str)],
    /// Its syntax.
    pub arguments: &'static [Argument],
    /// For the server's own use and for its developers: clients do not offer it.
    pub system: bool,
}

impl Docs {
    /// A blank to fill in.
    pub const BLANK: Docs = Docs {
        summary: "",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        deprecated: None,
        history: &[],
        arguments: &[],
        system: false,
    };
}
