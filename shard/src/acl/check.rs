//! Whether a user may run a command.
//!
//! One of its selectors must allow the command, every key by what the command does with it, and every channel. If none does,
//! what is told and logged is the last of the first things that were denied: the selector that came closest is the one the
//! client is likely to have meant.

use net::Args;

use super::selector::{KeyUse, Selector};
use super::user::User;
use crate::exec::CommandError;
use crate::spec::table::Row;
use crate::spec::{Flag, KeyFlag};

/// What a user may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Run the command.
    Command,
    /// Touch a key.
    Key,
    /// Be that user.
    Auth,
    /// Use a channel.
    Channel,
}

impl Reason {
    /// As ACL LOG names it.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Auth => "auth",
            Reason::Channel => "channel",
        }
    }
}

/// A command that its user may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denial {
    /// What was denied.
    pub reason: Reason,
    /// The place of the key or channel among the arguments.
    pub place: usize,
}

const NO_KEY: CommandError =
    CommandError::new("NOPERM this user has no permissions to access one of the keys used as arguments");
const NO_CHANNEL: CommandError =
    CommandError::new("NOPERM this user has no permissions to access one of the channels used as arguments");
const SORT_BY: CommandError = CommandError::new("ERR BY option of SORT denied due to insufficient ACL permissions.");
const SORT_GET: CommandError = CommandError::new("ERR GET option of SORT denied due to insufficient ACL permissions.");
const SCRIPT_COMMAND: CommandError =
    CommandError::new("ERR The user executing the script can't run this command or subcommand");
const SCRIPT_KEY: CommandError = CommandError::new(
    "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
);
const SCRIPT_CHANNEL: CommandError =
    CommandError::new("ERR The user executing the script can't publish to the channel mentioned in the command");

impl Denial {
    /// What was denied by name, for the log.
    pub fn object(&self, row: &Row, args: &Args<'_>) -> Vec<u8> {
        match self.reason {
            Reason::Command => row.full_name.clone().into_bytes(),
            _ => args.get(self.place).unwrap_or_default().to_vec(),
        }
    }

    /// What a client is told.
    pub fn error(&self, row: &Row) -> CommandError {
        match self.reason {
            Reason::Command | Reason::Auth => CommandError::text(format!(
                "NOPERM this user has no permissions to run the '{}' command",
                row.full_name
            )),
            Reason::Key => NO_KEY,
            Reason::Channel => NO_CHANNEL,
        }
    }

    /// What a script is told.
    pub fn error_in_script(&self) -> CommandError {
        match self.reason {
            Reason::Command | Reason::Auth => SCRIPT_COMMAND,
            Reason::Key => SCRIPT_KEY,
            Reason::Channel => SCRIPT_CHANNEL,
        }
    }

    /// What EXEC answers in the place of the command.
    pub fn error_in_exec(&self) -> CommandError {
        let reason = match self.reason {
            Reason::Command | Reason::Auth => "no permission to execute the command or subcommand",
            Reason::Key => "no permission to touch the specified keys",
            Reason::Channel => "no permission to access one of the channels used as arguments",
        };
        CommandError::text(format!(
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
             command is no longer allowed for the following reason: {reason}"
        ))
    }

    /// What ACL DRYRUN answers.
    pub fn told(&self, row: &Row, args: &Args<'_>) -> Vec<u8> {
        let what: &[u8] = match self.reason {
            Reason::Command | Reason::Auth => {
                return format!("This user has no permissions to run the '{}' command", row.full_name).into_bytes();
            }
            Reason::Key => b"key",
            Reason::Channel => b"channel",
        };
        [b"This user has no permissions to access the '", args.get(self.place).unwrap_or_default(), b"' ", what]
            .concat()
    }
}

impl User {
    /// Whether it may run the command.
    pub fn check(&self, row: &Row, args: &Args<'_>) -> Result<(), Denial> {
        let mut furthest = Denial { reason: Reason::Command, place: 0 };
        for selector in &self.selectors {
            match selector.check(row, args) {
                Ok(()) => return Ok(()),
                Err(denial) => furthest = furthest.max(denial),
            }
        }
        Err(furthest)
    }

    /// Why the command, which it may run, must not look at keys that its arguments do not name: what SORT's patterns stand for
    /// only the data tell.
    pub fn refuse_patterns(&self, row: &Row, args: &Args<'_>) -> Option<CommandError> {
        if !matches!(row.command.name, "sort" | "sort_ro") {
            return None;
        }
        let refused = first_pattern(args)?;
        let reads = KeyUse { reads: true, writes: false };
        let may_read_all = |selector: &Selector| selector.check(row, args).is_ok() && selector.allows_any_key(reads);
        (!self.selectors.iter().any(may_read_all)).then_some(refused)
    }
}

/// The error for SORT's first option that looks at other keys, as far as its options can be read.
fn first_pattern(args: &Args<'_>) -> Option<CommandError> {
    let mut place = 2;
    while let Some(word) = args.get(place) {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        place += match () {
            () if is("asc") || is("desc") || is("alpha") => 1,
            () if is("limit") => 3,
            () if is("store") => 2,
            () if is("get") => return args.get(place + 1).map(|_| SORT_GET),
            () if is("by") && args.get(place + 1)?.contains(&b'*') => return Some(SORT_BY),
            () if is("by") => 2,
            () => return None,
        };
    }
    None
}

impl Selector {
    fn check(&self, row: &Row, args: &Args<'_>) -> Result<(), Denial> {
        let command = row.command;
        if !self.commands.has(row.id) && !command.flags.has(Flag::NoAuth) && !self.allows_argument(row, args) {
            return Err(Denial { reason: Reason::Command, place: 0 });
        }
        let mut denied = None;
        if !self.all_keys {
            let mut visit = |place: usize, flags: &'static [KeyFlag]| {
                if denied.is_none()
                    && !flags.contains(&KeyFlag::NotKey)
                    && !self.allows_key(args.at(place), KeyUse::needed(flags))
                {
                    denied = Some(Denial { reason: Reason::Key, place });
                }
            };
            command.visit_used_keys(args, &mut visit);
            // Of an option that is there twice the specifications find the first, and the last may be what counts.
            if let Some(find) = command.find_keys.filter(|_| command.specifications_tell()) {
                find(args, &mut visit);
            }
        }
        if denied.is_none() && !self.all_channels && command.flags.has(Flag::Pubsub) {
            denied = self.denied_channel(row, args);
        }
        denied.map_or(Ok(()), Err)
    }

    fn allows_argument(&self, row: &Row, args: &Args<'_>) -> bool {
        let Some(argument) = args.get(1) else { return false };
        self.commands.first_arguments(row.id).iter().any(|allowed| allowed.eq_ignore_ascii_case(argument))
    }

    /// The first channel that may not be published to or subscribed to.
    fn denied_channel(&self, row: &Row, args: &Args<'_>) -> Option<Denial> {
        let (last, is_pattern) = match row.command.name {
            "publish" | "spublish" => (1, false),
            "subscribe" | "ssubscribe" => (args.len() - 1, false),
            "psubscribe" => (args.len() - 1, true),
            _ => return None,
        };
        let place = (1..=last).find(|&place| !self.allows_channel(args.at(place), is_pattern))?;
        Some(Denial { reason: Reason::Channel, place })
    }
}
