//! Deleting single entries, and what becomes of their references in the groups.

use super::sorted::Position;
use super::{Stream, StreamId};

/// What deletion does about groups that have the entry pending, or have still to deliver it (XDELEX, XACKDEL, XTRIM).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// KEEPREF: the entry goes, the pending lists stay as they are.
    #[default]
    Keep,
    /// DELREF: it goes from all pending lists as well.
    Remove,
    /// ACKED: it goes only if every group has delivered it, and none has it pending.
    Acknowledged,
}

/// What became of an entry that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// There is none with this id; for XACKDEL: it is not pending in the group.
    Missing,
    /// It is gone.
    Deleted,
    /// It is still referenced, and stays if it is there.
    Referenced,
}

impl Stream {
    /// XDEL: deletes an entry; false if there is none with this id.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let there = self.take_out(id);
        if there {
            self.max_deleted_id = self.max_deleted_id.max(id);
        }
        there
    }

    /// XDELEX: deletes an entry as far as its references allow. References to an id without an entry count as well: they are
    /// removed, or answered for.
    pub fn delete_with(&mut self, id: StreamId, references: References) -> DeleteOutcome {
        match references {
            References::Keep => {}
            References::Remove => {
                self.remove_references(id);
            }
            References::Acknowledged => {
                if self.is_referenced(id) {
                    return DeleteOutcome::Referenced;
                }
            }
        }
        if self.delete(id) { DeleteOutcome::Deleted } else { DeleteOutcome::Missing }
    }

    /// XACKDEL: acknowledges an entry in a group, and deletes it as far as its references allow. An id that is pending but
    /// has no entry any more counts as deleted.
    pub fn acknowledge_and_delete(&mut self, group: &[u8], id: StreamId, references: References) -> DeleteOutcome {
        if self.edit_group(group, |group| group.acknowledge(id)) != Some(true) {
            return DeleteOutcome::Missing;
        }
        match self.delete_with(id, references) {
            DeleteOutcome::Referenced => DeleteOutcome::Referenced,
            DeleteOutcome::Deleted | DeleteOutcome::Missing => DeleteOutcome::Deleted,
        }
    }

    /// Whether any group has the id pending, or has still to deliver it.
    pub fn is_referenced(&self, id: StreamId) -> bool {
        self.groups.iter().any(|(_, group)| id > group.last_id() || group.pending(id).is_some())
    }

    /// Removes an id from all pending lists; returns from how many.
    pub fn remove_references(&mut self, id: StreamId) -> usize {
        self.groups.edit_all(|group| usize::from(group.acknowledge(id)))
    }

    /// Takes an entry out of its block, and the block out of the index if it was the last one.
    pub(super) fn take_out(&mut self, id: StreamId) -> bool {
        let Some(position) = self.blocks.floor(id) else { return false };
        let block = self.block(position);
        if block.find(id).is_none() {
            return false;
        }
        if block.live() == 1 {
            self.drop_block(position);
        } else {
            self.edit_block(position, |block| {
                block.delete(id);
            });
            self.len -= 1;
        }
        true
    }

    /// Drops a block with all entries in it; returns how many those were.
    pub(super) fn drop_block(&mut self, position: Position) -> u64 {
        let block = self.blocks.remove(position);
        self.block_bytes -= block.heap_bytes();
        self.len -= u64::from(block.live());
        u64::from(block.live())
    }
}
