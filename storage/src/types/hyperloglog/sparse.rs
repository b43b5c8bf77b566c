//! Sparse registers: runs.
//!
//! Raising a register replaces the run that holds it by up to three: what is before it, itself, and what is behind.
//! Neighbours of equal value are joined again, but only in the surroundings of the change. The bytes are to be the ones that
//! Redis would have, so where it joins, and where it does not, is part of the format here.

use std::ops::Range;

use super::{Error, HEADER_BYTES, REGISTERS};

/// The largest value that a run can have.
const VALUE_MAX: u8 = 32;
/// The longest run of a value.
const VALUE_RUN_MAX: usize = 4;
/// The longest run of zeros in one byte.
const ZERO_RUN_MAX: usize = 64;
/// The longest run of zeros in two bytes.
const LONG_ZERO_RUN_MAX: usize = 16_384;
/// How many runs are looked at for neighbours to be joined: the one before the change, its three, and one more.
const JOIN_STEPS: usize = 5;

/// Registers of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Their value.
    pub value: u8,
    /// How many there are.
    pub len: usize,
    /// Bytes that tell it: 2 for a long run of zeros, else 1.
    pub width: usize,
}

impl Run {
    /// The run at the beginning of some bytes; `None` if they end before it does.
    fn read(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        Some(match first >> 6 {
            0 => Self { value: 0, len: usize::from(first) + 1, width: 1 },
            1 => {
                let second = *bytes.get(1)?;
                Self { value: 0, len: (usize::from(first & 0x3f) << 8 | usize::from(second)) + 1, width: 2 }
            }
            _ => Self { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1, width: 1 },
        })
    }
}

/// Runs, up to the end of the bytes or to where they are cut.
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    rest: &'a [u8],
}

impl<'a> Runs<'a> {
    pub(super) const fn new(registers: &'a [u8]) -> Self {
        Self { rest: registers }
    }
}

impl Iterator for Runs<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let run = Run::read(self.rest)?;
        self.rest = &self.rest[run.width..];
        Some(run)
    }
}

/// Visits the runs that are not zero, with the registers that they are of. All registers must be told, and no more.
pub(super) fn visit(registers: &[u8], mut visitor: impl FnMut(Range<usize>, u8)) -> Result<(), Error> {
    let mut runs = Runs::new(registers);
    let mut index = 0;
    for run in runs.by_ref() {
        let end = index + run.len;
        if end > REGISTERS {
            return Err(Error::Corrupted);
        }
        if run.value > 0 {
            visitor(index..end, run.value);
        }
        index = end;
    }
    if index == REGISTERS && runs.rest.is_empty() { Ok(()) } else { Err(Error::Corrupted) }
}

/// Writes a run of zeros.
pub(super) fn put_zeros(bytes: &mut Vec<u8>, len: usize) {
    debug_assert!((1..=LONG_ZERO_RUN_MAX).contains(&len));
    let code = len - 1;
    if len > ZERO_RUN_MAX {
        bytes.push(0x40 | (code >> 8) as u8);
    }
    bytes.push(code as u8);
}

/// The byte of a run that is not zero.
const fn value_code(value: u8, len: usize) -> u8 {
    debug_assert!(value >= 1 && value <= VALUE_MAX && len >= 1 && len <= VALUE_RUN_MAX);
    0x80 | (value - 1) << 2 | (len - 1) as u8
}

/// What [`raise`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    /// The register has the value already, or a larger one.
    No,
    /// The register was changed.
    Yes,
    /// Nothing: a sparse string cannot hold it, or would be too long.
    NeedsDense,
}

/// Where a register is told.
struct Found {
    run: Run,
    /// The place of the run in the string.
    at: usize,
    /// The first register of the run.
    first: usize,
    /// The place of the run before it, or its own if it is the first.
    before: usize,
}

fn find(bytes: &[u8], index: usize) -> Option<Found> {
    let (mut at, mut before, mut first) = (HEADER_BYTES, HEADER_BYTES, 0);
    loop {
        let run = Run::read(&bytes[at..])?;
        if index < first + run.len {
            return Some(Found { run, at, first, before });
        }
        before = at;
        at += run.width;
        first += run.len;
    }
}

/// Raises a register of a whole sparse string to a value.
pub(super) fn raise(bytes: &mut Vec<u8>, index: usize, value: u8, bytes_max: usize) -> Result<Raised, Error> {
    if value > VALUE_MAX {
        return Ok(Raised::NeedsDense);
    }
    let Found { run, at, first, before } = find(bytes, index).ok_or(Error::Corrupted)?;
    if run.value >= value {
        return Ok(Raised::No);
    }
    let mut replacement = Vec::with_capacity(5);
    put_same(&mut replacement, run.value, index - first);
    replacement.push(value_code(value, 1));
    put_same(&mut replacement, run.value, first + run.len - 1 - index);
    let len_after = bytes.len() - run.width + replacement.len();
    if replacement.len() > run.width && len_after > bytes_max {
        return Ok(Raised::NeedsDense);
    }
    bytes.splice(at..at + run.width, replacement);
    join_neighbours(bytes, before);
    Ok(Raised::Yes)
}

/// Writes what is left of a run on one side; nothing if that is empty.
fn put_same(bytes: &mut Vec<u8>, value: u8, len: usize) {
    if len == 0 {
    } else if value == 0 {
        put_zeros(bytes, len);
    } else {
        bytes.push(value_code(value, len));
    }
}

/// Joins runs of equal value that follow each other, as far as one run can be long enough for both.
fn join_neighbours(bytes: &mut Vec<u8>, from: usize) {
    let mut at = from;
    for _ in 0..JOIN_STEPS {
        let Some(run) = Run::read(&bytes[at..]) else { return };
        if run.value > 0
            && let Some(next) = Run::read(&bytes[at + run.width..])
            && next.value == run.value
            && next.len + run.len <= VALUE_RUN_MAX
        {
            // The joined run is looked at again: there may be one more to join.
            bytes.remove(at);
            bytes[at] = value_code(run.value, run.len + next.len);
        } else {
            at += run.width;
        }
    }
}
