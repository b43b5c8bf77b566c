//! The groups of a stream by name, and the account of their memory.
//!
//! How much memory they take is asked at every change of the stream, so it is not added up then: whoever changes a group
//! does it through [`Groups`], which keeps the sum.

use std::collections::BTreeMap;

use super::Group;

/// The groups of a stream.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_name: BTreeMap<Box<[u8]>, Group>,
    bytes: usize,
}

/// A group that somebody is going to change, several times perhaps.
#[derive(Debug)]
pub(super) struct Lent<'a> {
    group: &'a mut Group,
    bytes: &'a mut usize,
}

impl Lent<'_> {
    /// The group.
    pub const fn group(&self) -> &Group {
        self.group
    }

    /// Changes the group.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut Group) -> R) -> R {
        let before = self.group.bytes();
        let result = change(self.group);
        *self.bytes = *self.bytes - before + self.group.bytes();
        result
    }
}

impl Groups {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The groups, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.by_name.iter().map(|(name, group)| (&**name, group))
    }

    /// The group of this name.
    pub fn get(&self, name: &[u8]) -> Option<&Group> {
        self.by_name.get(name)
    }

    /// The group of this name, to be changed.
    pub fn lend(&mut self, name: &[u8]) -> Option<Lent<'_>> {
        let group = self.by_name.get_mut(name)?;
        Some(Lent { group, bytes: &mut self.bytes })
    }

    /// Changes every group; the sum of what that returns.
    pub fn edit_all(&mut self, mut change: impl FnMut(&mut Group) -> usize) -> usize {
        let Self { by_name, bytes } = self;
        by_name.values_mut().map(|group| Lent { group, bytes }.edit(&mut change)).sum()
    }

    /// Adds a group, of which there is none of this name.
    pub fn insert(&mut self, name: &[u8], group: Group) {
        self.bytes += bytes_of(name, &group);
        let before = self.by_name.insert(name.into(), group);
        assert!(before.is_none(), "the caller looked for it");
    }

    /// Takes a group out.
    pub fn remove(&mut self, name: &[u8]) -> Option<Group> {
        let group = self.by_name.remove(name)?;
        self.bytes -= bytes_of(name, &group);
        Some(group)
    }

    /// Bytes of memory.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frees up to about `budget` records of groups of no more use; returns how many. There is nothing left to free when it
    /// returns less than `budget`.
    pub fn free_some(&mut self, budget: usize) -> usize {
        let mut freed = 0;
        while freed < budget {
            let Some(mut group) = self.by_name.first_entry() else { break };
            freed +=
                Lent { group: group.get_mut(), bytes: &mut self.bytes }.edit(|group| group.free_some(budget - freed));
            if freed < budget {
                let (name, group) = group.remove_entry();
                self.bytes -= bytes_of(&name, &group);
                freed += 1;
            }
        }
        freed
    }

    /// Checks the groups, and the account.
    pub fn check_invariants(&self) {
        self.by_name.values().for_each(Group::check_invariants);
        assert_eq!(self.bytes, self.by_name.iter().map(|(name, group)| bytes_of(name, group)).sum());
    }
}

fn bytes_of(name: &[u8], group: &Group) -> usize {
    size_of::<Box<[u8]>>() + name.len() + group.bytes()
}

impl Clone for Groups {
    fn clone(&self) -> Self {
        let by_name = self.by_name.clone();
        // The copies have no room to spare, so they may be smaller.
        let bytes = by_name.iter().map(|(name, group)| bytes_of(name, group)).sum();
        Self { by_name, bytes }
    }
}

impl PartialEq for Groups {
    fn eq(&self, other: &Self) -> bool {
        self.by_name == other.by_name
    }
}

impl Eq for Groups {}
