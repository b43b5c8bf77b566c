//! The invariants of the table, for tests.

use super::Table;

impl Table {
    /// Panics if the structure contradicts itself.
    pub fn check_invariants(&self) {
        self.slab.check_invariants();
        self.check_segments();
        let (mut entries, mut volatile, mut outside_bytes, mut outside_blocks) = (0, 0, 0, 0);
        self.for_each(|place, block| {
            entries += 1;
            volatile += usize::from(block.has_expiry());
            outside_bytes += block.outside_bytes();
            outside_blocks += usize::from(block.outside_bytes() > 0);
            assert_eq!(self.find(super::key_hash(block.key()), block.key()), Some(place), "an entry can be found");
            assert!(block.parts().len() <= block.capacity());
        });
        assert_eq!((entries, volatile), (self.entries, self.volatile));
        assert_eq!((outside_bytes, outside_blocks), (self.outside_bytes, self.outside_blocks));
        assert_eq!(self.segments.iter().map(super::Segment::line_bytes).sum::<usize>(), self.line_bytes);
        assert_eq!(self.segments.len(), self.earliest.len());
        for (depth, &count) in self.depths.iter().enumerate() {
            assert_eq!(self.segments.iter().filter(|segment| segment.depth as usize == depth).count(), count as usize);
        }
    }
}
