//! HyperLogLog: how many different elements were added, in 12 KiB at most, with a standard error of 0.81 %.
//!
//! # The string
//!
//! A HyperLogLog is a string in Redis's own format, byte for byte, so that clients may GET it here and SET it there:
//!
//! ```text
//!  0       4          5         8                          16
//! ┌────────┬──────────┬─────────┬──────────────────────────┬──────────────────────
//! │ "HYLL" │ encoding │ 0  0  0 │ cached cardinality, u64  │ registers
//! └────────┴──────────┴─────────┴──────────────────────────┴──────────────────────
//!            0 dense               little-endian; the top bit set: stale
//!            1 sparse
//!
//! dense     16,384 registers of 6 bits, 12,288 bytes; register 0 in the low bits of the first byte
//! sparse    runs of equal registers, until all 16,384 are told:
//!           00llllll            l+1 registers are 0
//!           01llllll llllllll   l+1 registers are 0 (big-endian)
//!           1vvvvvll            l+1 registers are v+1
//! ```
//!
//! An element is hashed to 64 bits (MurmurHash64A): the low 14 bits choose a register, which keeps the largest number of
//! trailing zeros, plus one, that the other 50 bits ever had. A sparse one becomes dense when it outgrows
//! `hll-sparse-max-bytes` or a register exceeds 32; it never returns.
//!
//! The cardinality comes from the histogram of the registers by Ertl's improved estimator ("New cardinality estimation
//! algorithms for HyperLogLog sketches", 2017), and is kept in the header until a register changes.
//!
//! # Errors
//!
//! A string whose header is wrong is no HyperLogLog at all ([`Error::NotHyperLogLog`]); runs that do not tell of 16,384
//! registers are found where they are read ([`Error::Corrupted`]). Bytes may come from anyone (SET, RESTORE), so everything
//! here reads them with care.

mod dense;
mod estimate;
mod murmur;
mod sparse;
#[cfg(test)]
mod tests;
mod union;

pub use sparse::{Run, Runs};
pub use union::Union;

/// Number of registers.
pub const REGISTERS: usize = 1 << INDEX_BITS;
/// The bytes of a dense one.
pub const DENSE_BYTES: usize = HEADER_BYTES + dense::REGISTER_BYTES;

const INDEX_BITS: u32 = 14;
/// Bits of a hash that are not the index.
const PATTERN_BITS: u32 = 64 - INDEX_BITS;
/// The largest value of a register.
const VALUE_MAX: usize = PATTERN_BITS as usize + 1;

const MAGIC: &[u8] = b"HYLL";
const ENCODING_AT: usize = MAGIC.len();
const CARDINALITY_AT: usize = 8;
/// Bytes before the registers.
pub const HEADER_BYTES: usize = 16;
const STALE: u64 = 1 << 63;

const HASH_SEED: u64 = 0xadc8_3b19;

/// Why a string could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// "Key is not a valid HyperLogLog string value."
    NotHyperLogLog,
    /// "Corrupted HLL object detected"
    Corrupted,
}

/// How registers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 6 bits each.
    Dense,
    /// Runs.
    Sparse,
}

impl Encoding {
    /// The name that PFDEBUG ENCODING replies with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Sparse => "sparse",
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Dense => 0,
            Self::Sparse => 1,
        }
    }
}

/// A HyperLogLog to which nothing was added.
pub fn create() -> Vec<u8> {
    let mut bytes = header(Encoding::Sparse).to_vec();
    sparse::put_zeros(&mut bytes, REGISTERS);
    bytes
}

fn header(encoding: Encoding) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
    bytes[ENCODING_AT] = encoding.byte();
    bytes
}

/// Checks the header, and tells how the registers are kept.
pub fn encoding(bytes: &[u8]) -> Result<Encoding, Error> {
    if bytes.len() < HEADER_BYTES || !bytes.starts_with(MAGIC) {
        return Err(Error::NotHyperLogLog);
    }
    match bytes[ENCODING_AT] {
        0 if bytes.len() == DENSE_BYTES => Ok(Encoding::Dense),
        1 => Ok(Encoding::Sparse),
        _ => Err(Error::NotHyperLogLog),
    }
}

/// The runs of a sparse one, for PFDEBUG DECODE; `None` for a dense one.
pub fn runs(bytes: &[u8]) -> Result<Option<Runs<'_>>, Error> {
    Ok((encoding(bytes)? == Encoding::Sparse).then(|| Runs::new(&bytes[HEADER_BYTES..])))
}

/// Adds an element; whether a register changed. The cached cardinality is stale then. After an error the bytes are as they
/// were.
pub fn add(bytes: &mut Vec<u8>, element: &[u8], sparse_bytes_max: usize) -> Result<bool, Error> {
    let (index, value) = register_of(element);
    let changed = raise(bytes, encoding(bytes)?, index, value, sparse_bytes_max)?;
    if changed {
        forget_cardinality(bytes);
    }
    Ok(changed)
}

/// The register of an element, and the value that it asks for.
fn register_of(element: &[u8]) -> (usize, u8) {
    let hash = murmur::hash64(element, HASH_SEED);
    let pattern = hash >> INDEX_BITS | 1 << PATTERN_BITS;
    ((hash % REGISTERS as u64) as usize, pattern.trailing_zeros() as u8 + 1)
}

/// Raises a register to a value; whether it was lower. `encoding` is what [`encoding`] says.
fn raise(
    bytes: &mut Vec<u8>,
    encoding: Encoding,
    index: usize,
    value: u8,
    sparse_bytes_max: usize,
) -> Result<bool, Error> {
    if encoding == Encoding::Sparse {
        match sparse::raise(bytes, index, value, sparse_bytes_max)? {
            sparse::Raised::No => return Ok(false),
            sparse::Raised::Yes => return Ok(true),
            sparse::Raised::NeedsDense => to_dense(bytes)?,
        }
    }
    Ok(dense::raise(&mut bytes[HEADER_BYTES..], index, value))
}

/// Makes a sparse one dense; its cardinality stays.
pub fn to_dense(bytes: &mut Vec<u8>) -> Result<(), Error> {
    if encoding(bytes)? == Encoding::Dense {
        return Ok(());
    }
    let mut dense = vec![0; DENSE_BYTES];
    dense[..HEADER_BYTES].copy_from_slice(&bytes[..HEADER_BYTES]);
    dense[ENCODING_AT] = Encoding::Dense.byte();
    let registers = &mut dense[HEADER_BYTES..];
    sparse::visit(&bytes[HEADER_BYTES..], |range, value| {
        for index in range {
            dense::raise(registers, index, value);
        }
    })?;
    *bytes = dense;
    Ok(())
}

/// The cached cardinality, unless it is stale.
pub fn cached_cardinality(bytes: &[u8]) -> Result<Option<u64>, Error> {
    encoding(bytes)?;
    let cached = bytes[CARDINALITY_AT..].first_chunk().map_or(STALE, |cached| u64::from_le_bytes(*cached));
    Ok((cached & STALE == 0).then_some(cached))
}

/// Computes the cardinality from the registers.
pub fn cardinality(bytes: &[u8]) -> Result<u64, Error> {
    let mut histogram = [0; VALUE_MAX + 1];
    match encoding(bytes)? {
        Encoding::Dense => dense::registers(&bytes[HEADER_BYTES..]).for_each(|value| {
            // Six bits can say more than any hash does; such a register counts for nothing, as in Redis.
            if let Some(count) = histogram.get_mut(usize::from(value)) {
                *count += 1;
            }
        }),
        Encoding::Sparse => {
            let mut told = 0;
            sparse::visit(&bytes[HEADER_BYTES..], |range, value| {
                told += range.len() as u32;
                histogram[usize::from(value)] += range.len() as u32;
            })?;
            histogram[0] += REGISTERS as u32 - told;
        }
    }
    Ok(estimate::cardinality(&histogram))
}

/// Puts a cardinality into the header.
pub fn cache_cardinality(bytes: &mut [u8], cardinality: u64) -> Result<(), Error> {
    encoding(bytes)?;
    set_cached(bytes, cardinality & !STALE);
    Ok(())
}

/// Marks the cached cardinality as stale: what a change does, and what PFADD does for a key that it creates.
pub fn forget_cardinality(bytes: &mut [u8]) {
    bytes[CARDINALITY_AT + 7] |= 0x80;
}

fn set_cached(bytes: &mut [u8], value: u64) {
    bytes[CARDINALITY_AT..HEADER_BYTES].copy_from_slice(&value.to_le_bytes());
}
