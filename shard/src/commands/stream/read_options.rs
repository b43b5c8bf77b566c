//! What XREAD and XREADGROUP are told: options, keys and ids.

use net::Args;
use storage::UnixMillis;

use super::error::{
    CLAIM_IN_XREAD, GROUP_IN_XREAD, GROUP_MISSING, INVALID_CLAIM, NEGATIVE_CLAIM, NOACK_IN_XREAD, TIMEOUT_NEGATIVE,
    TIMEOUT_NOT_AN_INTEGER, TIMEOUT_OUT_OF_RANGE, UNBALANCED_STREAMS,
};
use super::parse::parse_count;
use crate::commands::parse::is_word;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx};
use crate::wait::{Nothing, WaitRequest};

/// Entries of each stream that a client gets that had to wait, if it does not say how many: it may come back with ids far
/// behind, and nobody else is to wait for that.
const WAITED_COUNT_DEFAULT: usize = 1_000;

/// A consumer of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) group: &'a [u8],
    pub(super) consumer: &'a [u8],
}

/// Makes of BLOCK's argument until when to wait.
type Deadline<'f> = &'f mut dyn FnMut(&[u8]) -> Result<Option<UnixMillis>, CommandError>;

/// Whether a client waits when there is nothing to read.
#[derive(Clone, Copy, Debug)]
enum Block {
    No,
    ForEver,
    Until(UnixMillis),
}

/// The options, and where the streams stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadOptions<'a> {
    /// COUNT; 0 is no limit.
    count: usize,
    /// BLOCK: whether to wait, and until when.
    block: Block,
    /// GROUP; always there for XREADGROUP.
    reader: Option<Reader<'a>>,
    /// NOACK: what is delivered counts as acknowledged.
    pub(super) acknowledged: bool,
    /// CLAIM: entries that have been pending for so many milliseconds are delivered first.
    pub(super) claim_idle_min: Option<i64>,
    /// The place of the first key.
    first_key: usize,
    /// How many keys there are, and ids behind them.
    streams: usize,
}

/// A key with its id, as the client wrote it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) key: &'a [u8],
    pub(super) id: &'a [u8],
    /// The place of the id among the arguments.
    pub(super) id_at: usize,
}

impl<'a> ReadOptions<'a> {
    /// Those of XREAD.
    pub(super) fn of_xread(args: &Args<'a>, now: UnixMillis) -> Result<ReadOptions<'a>, CommandError> {
        ReadOptions::parse(args, false, &mut |value| deadline(value, now))
    }

    /// Those of XREADGROUP, and who reads.
    pub(super) fn of_xreadgroup(
        args: &Args<'a>,
        now: UnixMillis,
    ) -> Result<(ReadOptions<'a>, Reader<'a>), CommandError> {
        let options = ReadOptions::parse(args, true, &mut |value| deadline(value, now))?;
        Ok((options, options.reader.ok_or(GROUP_MISSING)?))
    }

    /// Reads the arguments; `deadline` makes of BLOCK's until when to wait.
    fn parse(args: &Args<'a>, of_group: bool, deadline: Deadline<'_>) -> Result<ReadOptions<'a>, CommandError> {
        let mut options = ReadOptions {
            count: 0,
            block: Block::No,
            reader: None,
            acknowledged: false,
            claim_idle_min: None,
            first_key: 0,
            streams: 0,
        };
        let in_group = |error| if of_group { Ok(()) } else { Err(error) };
        let mut at = 1;
        while at < args.len() && options.first_key == 0 {
            let (word, value) = (args.at(at), args.get(at + 1));
            match value {
                Some(value) if is_word(word, "BLOCK") => {
                    options.block = deadline(value)?.map_or(Block::ForEver, Block::Until);
                    at += 1;
                }
                Some(value) if is_word(word, "COUNT") => {
                    options.count = parse_count(value)?;
                    at += 1;
                }
                Some(_) if is_word(word, "STREAMS") => {
                    options.first_key = at + 1;
                    options.streams = streams(args.len() - (at + 1))?;
                }
                Some(value) if is_word(word, "CLAIM") => {
                    in_group(CLAIM_IN_XREAD)?;
                    let idle_min = storage::number::parse_i64(value).ok_or(INVALID_CLAIM)?;
                    options.claim_idle_min = Some(Some(idle_min).filter(|&idle| idle >= 0).ok_or(NEGATIVE_CLAIM)?);
                    at += 1;
                }
                Some(value) if is_word(word, "GROUP") && at + 2 < args.len() => {
                    in_group(GROUP_IN_XREAD)?;
                    options.reader = Some(Reader { group: value, consumer: args.at(at + 2) });
                    at += 2;
                }
                _ if is_word(word, "NOACK") => {
                    in_group(NOACK_IN_XREAD)?;
                    options.acknowledged = true;
                }
                _ => return Err(SYNTAX),
            }
            at += 1;
        }
        if options.first_key == 0 { Err(SYNTAX) } else { Ok(options) }
    }

    /// The keys with their ids.
    pub(super) fn wanted(self, args: &Args<'a>) -> impl Iterator<Item = Wanted<'a>> {
        let args = *args;
        (self.first_key..self.first_key + self.streams).map(move |at| {
            let id_at = at + self.streams;
            Wanted { key: args.at(at), id: args.at(id_at), id_at }
        })
    }

    /// The most entries of each stream.
    pub(super) fn count_max(&self, ctx: &Ctx<'_>) -> usize {
        match self.count {
            0 if ctx.has_waited() => WAITED_COUNT_DEFAULT,
            0 => usize::MAX,
            count => count,
        }
    }

    /// What to wait for, if the client wants to wait.
    pub(super) fn wait(&self, args: &Args<'a>) -> Option<WaitRequest> {
        let keys = self.wanted(args).map(|wanted| wanted.key.to_vec()).collect();
        let deadline = match self.block {
            Block::No => return None,
            Block::ForEver => None,
            Block::Until(deadline) => Some(deadline),
        };
        Some(WaitRequest { keys, deadline, look_again: None, args: None, nothing: Nothing::NullArray })
    }
}

/// Whether XREAD or XREADGROUP has an option to wait, and nothing before it is wrong.
pub fn asks_to_wait(args: &Args<'_>) -> bool {
    let mut asks = false;
    let of_group = is_word(args.at(0), "XREADGROUP");
    // What it says beyond that is for the command to judge, if it runs.
    let _ = ReadOptions::parse(args, of_group, &mut |_| {
        asks = true;
        Err(SYNTAX)
    });
    asks
}

/// The number of streams that so many arguments name.
fn streams(arguments: usize) -> Result<usize, CommandError> {
    if arguments.is_multiple_of(2) { Ok(arguments / 2) } else { Err(UNBALANCED_STREAMS) }
}

/// When a number of milliseconds is over; none for nought.
fn deadline(text: &[u8], now: UnixMillis) -> Result<Option<UnixMillis>, CommandError> {
    let millis = storage::number::parse_i64(text).ok_or(TIMEOUT_NOT_AN_INTEGER)?;
    if millis < 0 {
        return Err(TIMEOUT_NEGATIVE);
    }
    let at = now.0.checked_add(millis).ok_or(TIMEOUT_OUT_OF_RANGE)?;
    Ok((millis > 0).then_some(UnixMillis(at)))
}
