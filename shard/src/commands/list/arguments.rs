//! What several commands of the family read from their arguments: ends, numbers of keys and of elements.

use net::Args;
use storage::types::list::End;

use crate::commands::parse::{is_word, parse_i64};
use crate::exec::CommandError;
use crate::exec::error::SYNTAX;
use crate::spec::{Argument, ArgumentKind};

/// The two words for an end.
pub(super) const END_WORDS: ArgumentKind =
    ArgumentKind::OneOf(&[Argument::word("left", "LEFT"), Argument::word("right", "RIGHT")]);

const KEYS_TOO_FEW: CommandError = CommandError::new("ERR numkeys should be greater than 0");
const COUNT_TOO_SMALL: CommandError = CommandError::new("ERR count should be greater than 0");

/// `LEFT` or `RIGHT`.
pub(super) fn parse_end(word: &[u8]) -> Result<End, CommandError> {
    if is_word(word, "LEFT") {
        Ok(End::Head)
    } else if is_word(word, "RIGHT") {
        Ok(End::Tail)
    } else {
        Err(SYNTAX)
    }
}

/// `numkeys key [key ...] LEFT|RIGHT [COUNT count]`: LMPOP and BLMPOP.
#[derive(Clone, Copy, Debug)]
pub(super) struct PopFromFirst<'a> {
    pub(super) keys: Args<'a>,
    pub(super) end: End,
    pub(super) count: usize,
}

impl<'a> PopFromFirst<'a> {
    /// Reads them from `args`, of which the first is `numkeys`.
    pub(super) fn parse(args: Args<'a>) -> Result<Self, CommandError> {
        let numkeys = positive(args.at(0), KEYS_TOO_FEW)?;
        let behind = numkeys.checked_add(1).filter(|&behind| behind < args.len()).ok_or(SYNTAX)?;
        let end = parse_end(args.at(behind))?;
        let mut count = None;
        let mut options = args.from(behind + 1);
        while let Some(word) = options.next() {
            match options.next() {
                Some(number) if count.is_none() && is_word(word, "COUNT") => {
                    count = Some(positive(number, COUNT_TOO_SMALL)?);
                }
                _ => return Err(SYNTAX),
            }
        }
        Ok(Self { keys: args.skip(1).first(numkeys), end, count: count.unwrap_or(1) })
    }
}

/// A number from 1 on; `error` if it is none.
fn positive(arg: &[u8], error: CommandError) -> Result<usize, CommandError> {
    let number = parse_i64(arg).ok().and_then(|number| usize::try_from(number).ok());
    number.filter(|&number| number > 0).ok_or(error)
}
