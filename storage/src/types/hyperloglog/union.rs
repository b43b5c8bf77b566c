//! The union of several: the largest of each register.

use super::{Encoding, Error, HEADER_BYTES, REGISTERS, VALUE_MAX, dense, encoding, estimate, forget_cardinality};
use super::{raise, sparse, to_dense};

/// Registers of a union, a byte each.
#[derive(Clone, Debug)]
pub struct Union {
    registers: Box<[u8; REGISTERS]>,
    any_dense: bool,
}

impl Default for Union {
    fn default() -> Self {
        Self::new()
    }
}

impl Union {
    /// The union of none.
    pub fn new() -> Self {
        Self { registers: Box::new([0; REGISTERS]), any_dense: false }
    }

    /// Takes another one into the union.
    pub fn include(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match encoding(bytes)? {
            Encoding::Dense => {
                self.any_dense = true;
                for (largest, value) in self.registers.iter_mut().zip(dense::registers(&bytes[HEADER_BYTES..])) {
                    *largest = value.max(*largest);
                }
            }
            Encoding::Sparse => sparse::visit(&bytes[HEADER_BYTES..], |range, value| {
                self.registers[range].iter_mut().for_each(|largest| *largest = value.max(*largest));
            })?,
        }
        Ok(())
    }

    /// The values of all registers, for PFDEBUG GETREG.
    pub fn registers(&self) -> &[u8; REGISTERS] {
        &self.registers
    }

    /// The cardinality of the union.
    pub fn cardinality(&self) -> u64 {
        let mut histogram = [0; VALUE_MAX + 1];
        for &value in self.registers.iter() {
            if let Some(count) = histogram.get_mut(usize::from(value)) {
                *count += 1;
            }
        }
        estimate::cardinality(&histogram)
    }

    /// Writes the union to the destination of PFMERGE, which was included if it was there before, and else comes from
    /// [`super::create`]. It becomes dense if any of those included is.
    pub fn write_to(&self, bytes: &mut Vec<u8>, sparse_bytes_max: usize) -> Result<(), Error> {
        if self.any_dense {
            to_dense(bytes)?;
        }
        for (index, &value) in self.registers.iter().enumerate() {
            if value > 0 {
                raise(bytes, encoding(bytes)?, index, value, sparse_bytes_max)?;
            }
        }
        forget_cardinality(bytes);
        Ok(())
    }
}
