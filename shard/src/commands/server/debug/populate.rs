//! DEBUG POPULATE: many keys at once.

use net::{Args, Reply};
use storage::number::parse_i64;
use storage::{Expiry, StringValue};

use super::Word;
use crate::exec::{CommandError, Ctx, Merge, Outcome, Run};

const NOT_POSITIVE: CommandError = CommandError::new("ERR value is out of range, must be positive");

pub(super) const POPULATE: Word = Word {
    name: "POPULATE",
    usage: "<count> [<prefix>] [<size>]",
    summary: "Creates the strings <prefix>:<number>, if they are not there, each of <size> bytes.",
    arguments: 3..=5,
    run: Run::AllShards { part: populate, merge: Merge::First },
};

/// Every shard goes through all the names and creates those that it owns.
fn populate(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let number = |text| parse_i64(text).filter(|number| *number >= 0).ok_or(NOT_POSITIVE);
    let count = number(args.at(2))?;
    let prefix = args.get(3).unwrap_or(b"key");
    let size = args.get(4).map(number).transpose()?;
    let mut key = prefix.to_vec();
    for i in 0..count {
        key.truncate(prefix.len());
        key.extend_from_slice(format!(":{i}").as_bytes());
        if ctx.shard.owns(&key) && !ctx.exists(&key) {
            let mut value = format!("value:{i}").into_bytes();
            if let Some(size) = size {
                value.resize(size as usize, 0);
            }
            ctx.set_string(&key, StringValue::from(value.as_slice()), Expiry::Clear);
        }
    }
    reply.ok();
    Ok(())
}
