//! The shape of the table, for DEBUG.

use super::Members;
use crate::types::shape::HashShape;

impl<const VALUES: bool> Members<VALUES> {
    /// How many members its buckets have.
    pub fn shape(&self) -> HashShape {
        let mut shape = HashShape { segments: self.segments.len(), ..HashShape::default() };
        for number in 0..self.segments.len() {
            let slots = self.segments.at(number).slots();
            for bucket in 0..1 << slots.bucket_bits() {
                shape.add_place(slots.in_bucket(bucket).len());
            }
        }
        shape
    }
}
