//! The sections of INFO.

use net::Args;

/// A section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Server,
    Clients,
    Memory,
    Persistence,
    Stats,
    Replication,
    Cpu,
    Modules,
    Commandstats,
    Errorstats,
    Latencystats,
    Cluster,
    Shards,
    Keyspace,
}

impl Section {
    /// All of them, in the order in which they are written.
    pub(super) const ALL: [Section; 14] = [
        Section::Server,
        Section::Clients,
        Section::Memory,
        Section::Persistence,
        Section::Stats,
        Section::Replication,
        Section::Cpu,
        Section::Modules,
        Section::Commandstats,
        Section::Errorstats,
        Section::Latencystats,
        Section::Cluster,
        Section::Shards,
        Section::Keyspace,
    ];

    /// Its heading; its name is the same in any case of letters.
    pub(super) fn title(self) -> &'static str {
        match self {
            Section::Server => "Server",
            Section::Clients => "Clients",
            Section::Memory => "Memory",
            Section::Persistence => "Persistence",
            Section::Stats => "Stats",
            Section::Replication => "Replication",
            Section::Cpu => "CPU",
            Section::Modules => "Modules",
            Section::Commandstats => "Commandstats",
            Section::Errorstats => "Errorstats",
            Section::Latencystats => "Latencystats",
            Section::Cluster => "Cluster",
            Section::Shards => "Shards",
            Section::Keyspace => "Keyspace",
        }
    }
}

/// A set of sections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sections(u32);

impl Sections {
    /// Whether `section` is in the set.
    pub(super) fn has(self, section: Section) -> bool {
        self.0 & (1 << section as u32) != 0
    }

    fn all() -> Sections {
        Sections((1 << Section::ALL.len()) - 1)
    }

    /// What is shown unless something else is asked for: all but what is as long as the table of commands.
    fn by_default() -> Sections {
        let long = (1 << Section::Commandstats as u32) | (1 << Section::Latencystats as u32);
        Sections(Self::all().0 & !long)
    }

    /// The sections that the arguments ask for; words that are none mean nothing.
    pub(super) fn parse(args: &Args<'_>) -> Sections {
        if args.len() == 1 {
            return Self::by_default();
        }
        let named = |word: &[u8]| match word.to_ascii_lowercase().as_slice() {
            b"default" => Self::by_default(),
            b"all" | b"everything" => Self::all(),
            name => {
                let own = |section: &Section| section.title().as_bytes().eq_ignore_ascii_case(name);
                Section::ALL.into_iter().find(own).map_or(Sections(0), |section| Sections(1 << section as u32))
            }
        };
        Sections(args.from(1).map(named).fold(0, |all, section| all | section.0))
    }
}
