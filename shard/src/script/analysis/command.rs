//! Which of a command's arguments are keys, when only some of the arguments are known.

use net::OwnedArgs;

use crate::exec::Run;
use crate::spec::{Begin, Command, CommandTable, Find, Flag, KeyFlag};

/// What is known of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// It is this.
    Text(Vec<u8>),
    /// It is a declared key.
    Key,
    /// It is some declared keys, and the last.
    Keys,
    /// It is one argument.
    Unknown,
    /// It is any number of arguments, and the last.
    Anything,
}

/// Whether a command with these arguments touches no keys but declared ones, whatever the unknown ones are. One that is
/// refused touches none.
pub(super) fn touches_declared(arguments: &[Argument]) -> bool {
    let Some(Argument::Text(name)) = arguments.first() else { return false };
    let Some(row) = CommandTable::global().find(name) else { return true };
    let row = match (row.command.subcommands.is_empty(), arguments.get(1)) {
        (true, _) => row,
        (false, Some(Argument::Text(word))) => match CommandTable::global().subcommand(row, word) {
            Some(row) => row,
            None => return true,
        },
        (false, _) => return false,
    };
    let command = row.command;
    match command.run {
        // Such a command is refused, or, with nothing denied to scripts, may need the client's own core.
        Run::Session(_) if command.flags.has(Flag::Noscript) => false,
        Run::Shard(_) | Run::Split { .. } | Run::Hops { .. } | Run::Keys(_) | Run::Outside(_) => {
            has_declared_keys(command, arguments)
        }
        Run::Session(_) | Run::Container => true,
        _ => false,
    }
}

fn has_declared_keys(command: &Command, arguments: &[Argument]) -> bool {
    let is_partial = command.keys.iter().any(|spec| spec.flags.contains(&KeyFlag::Incomplete));
    if is_partial || (command.find_keys.is_some() && command.keys.is_empty()) {
        return known_keys(command, arguments);
    }
    command.keys.iter().all(|spec| match (spec.begin, spec.find) {
        (Begin::Index(first), Find::Range { last, step, limit: 0 | 1 }) => {
            range(arguments, usize::from(first), last, usize::from(step))
        }
        (Begin::Index(begin), Find::Keynum { at, first, step }) => {
            let begin = usize::from(begin);
            counted(arguments, begin + usize::from(at), begin + usize::from(first), usize::from(step))
                || known_keys(command, arguments)
        }
        (Begin::Index(_), Find::Range { .. } | Find::Unknown) | (Begin::Keyword { .. } | Begin::Unknown, _) => {
            known_keys(command, arguments)
        }
    })
}

/// Whether the argument at `place` is a declared key, or not there.
fn is_key(arguments: &[Argument], place: usize) -> bool {
    match arguments.get(place) {
        Some(Argument::Key | Argument::Keys) => true,
        Some(_) => false,
        None => !matches!(arguments.last(), Some(Argument::Anything)),
    }
}

/// Keys from `first` to `last`, which counts from the first one, or from the end if it is negative.
fn range(arguments: &[Argument], first: usize, last: i16, step: usize) -> bool {
    if last >= 0 {
        return (first..=first + last as usize).step_by(step).all(|place| is_key(arguments, place));
    }
    // The arguments behind the last key are no keys, whatever they are; but with any number of arguments at the end nobody
    // knows which those are.
    let behind = usize::from(last.unsigned_abs()) - 1;
    let is_open = matches!(arguments.last(), Some(Argument::Anything | Argument::Keys));
    let end = if is_open { arguments.len() } else { arguments.len().saturating_sub(behind) };
    if matches!(arguments.last(), Some(Argument::Anything)) {
        return false;
    }
    (first..end).step_by(step).all(|place| is_key(arguments, place))
}

/// So many keys as the argument at `at` says, from `first` on.
fn counted(arguments: &[Argument], at: usize, first: usize, step: usize) -> bool {
    if let Some(Argument::Text(number)) = arguments.get(at) {
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<usize>().ok());
        // A command with a number of keys that is none is refused.
        return number.is_none_or(|count| {
            count <= arguments.len() && (0..count).all(|key| is_key(arguments, first + key * step))
                || count > arguments.len()
                    && !matches!(arguments.last(), Some(Argument::Anything))
                    && arguments[first.min(arguments.len())..]
                        .iter()
                        .all(|one| matches!(one, Argument::Key | Argument::Keys))
        });
    }
    // Whatever the number: all that follows are keys, and nobody knows what the number is followed by if it is one of any
    // number of arguments itself.
    arguments.len() >= first
        && at < arguments.len()
        && !matches!(arguments.last(), Some(Argument::Anything))
        && arguments[first..].iter().all(|one| matches!(one, Argument::Key | Argument::Keys))
}

/// The keys as the command itself finds them, if all arguments but keys are known.
fn known_keys(command: &Command, arguments: &[Argument]) -> bool {
    let mut args = OwnedArgs::default();
    for argument in arguments {
        match argument {
            Argument::Text(text) => args.push(text),
            Argument::Key => args.push(b"\0key"),
            Argument::Keys | Argument::Unknown | Argument::Anything => return false,
        }
    }
    let mut places = Vec::new();
    command.visit_keys(&args.as_args(), |place| places.push(place));
    // A key where none is expected could be a word of the command's syntax.
    let is_expected = |(place, argument): (usize, &Argument)| *argument != Argument::Key || places.contains(&place);
    places.iter().all(|place| is_key(arguments, *place)) && arguments.iter().enumerate().all(is_expected)
}
