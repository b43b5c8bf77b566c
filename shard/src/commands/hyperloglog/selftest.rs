//! PFSELFTEST: whether counting works on this machine.
//!
//! Elements are added to two HyperLogLogs, one of which is dense from the beginning and one of which becomes so on its way.
//! At every power of ten both must have the same registers, and the estimate must be as close to the truth as the theory
//! promises.

use net::{Args, Reply};
use storage::types::hyperloglog::{self, Error, Union};

use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Arity, Command, Docs, Flag, Flags, Group};

/// PFSELFTEST
pub const PFSELFTEST: Command = Command {
    name: "pfselftest",
    arity: Arity::Exactly(1),
    flags: Flags::of(&[Flag::Admin]),
    docs: Docs {
        summary: "For developers: checks that HyperLogLogs count as they should.",
        since: "2.8.9",
        group: Group::Hyperloglog,
        complexity: "N/A",
        system: true,
        ..Docs::BLANK
    },
    run: Run::Shard(pfselftest),
    ..Command::BLANK
};

/// So many elements are added: few enough that nobody waits for long, and more than there are registers.
const ELEMENTS: u64 = 100_000;

/// How many standard errors (1.04 / √registers) an estimate may be off.
const STANDARD_ERRORS_MAX: f64 = 6.0;

/// The elements are the same each time, but for what looks random.
const SEED: u64 = 0x1234_5678_9abc_def0;

fn pfselftest(ctx: &mut Ctx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let sparse_bytes_max = ctx.config().hll_sparse_max_bytes as usize;
    let mut growing = hyperloglog::create();
    let mut dense = hyperloglog::create();
    let broken = |error: Error| CommandError::text(format!("TESTFAILED an element could not be added: {error:?}"));
    hyperloglog::to_dense(&mut dense).map_err(broken)?;
    let mut checkpoint = 1;
    for number in 1..=ELEMENTS {
        let element = (SEED ^ number).to_le_bytes();
        let changed = hyperloglog::add(&mut growing, &element, sparse_bytes_max).map_err(broken)?;
        if hyperloglog::add(&mut dense, &element, sparse_bytes_max).map_err(broken)? != changed {
            return Err(CommandError::text(format!("TESTFAILED sparse and dense differ over element {number}")));
        }
        if number == checkpoint {
            check(&growing, &dense, number)?;
            checkpoint *= 10;
        }
    }
    reply.ok();
    Ok(())
}

fn check(growing: &[u8], dense: &[u8], elements: u64) -> Outcome {
    let registers = |bytes: &[u8]| -> Result<Union, Error> {
        let mut union = Union::new();
        union.include(bytes).map(|()| union)
    };
    let broken = |error: Error| CommandError::text(format!("TESTFAILED registers cannot be read: {error:?}"));
    let (one, other) = (registers(growing).map_err(broken)?, registers(dense).map_err(broken)?);
    if one.registers() != other.registers() {
        return Err(CommandError::text(format!("TESTFAILED registers differ after {elements} elements")));
    }
    let count = hyperloglog::cardinality(growing).map_err(broken)?;
    let error = STANDARD_ERRORS_MAX * 1.04 / (hyperloglog::REGISTERS as f64).sqrt();
    let allowed = (error * elements as f64).ceil() as u64;
    if count.abs_diff(elements) > allowed {
        return Err(CommandError::text(format!("TESTFAILED Too big error. card:{elements} counted:{count}")));
    }
    Ok(())
}
