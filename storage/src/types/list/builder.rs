//! Building a list from the nodes of a file.

use super::node::Node;
use super::{End, LargeList, List, ListLimits};
use crate::encoding::listpack::{self, Malformed};

/// A list under construction: DUMP payloads and snapshots tell lists node by node.
#[derive(Debug, Default)]
pub struct ListBuilder {
    large: Box<LargeList>,
    limits: ListLimits,
}

impl ListBuilder {
    /// A list without nodes.
    pub fn new(limits: ListLimits) -> Self {
        Self { large: Box::default(), limits }
    }

    /// Appends a node. The bytes are checked, every element; an empty listpack is passed over, as Redis does.
    pub fn push_listpack(&mut self, mut bytes: Vec<u8>) -> Result<(), Malformed> {
        if listpack::validate(&bytes)?.is_empty() {
            return Ok(());
        }
        bytes.shrink_to_fit();
        self.large.push_node(Node::listpack(bytes), self.limits);
        Ok(())
    }

    /// Appends an element as a node of its own.
    pub fn push_plain(&mut self, element: Vec<u8>) {
        self.large.push_node(Node::plain(element), self.limits);
    }

    /// Appends an element to the last node, or to a new one if that is full.
    pub fn push_element(&mut self, element: &[u8]) {
        self.large.push(End::Tail, element, self.limits);
    }

    /// The list: packed if it is one node within the limits. It has no elements if it was told of none.
    pub fn finish(self) -> List {
        let mut list = List::Large(self.large);
        list.pack_if(|bytes, len| !self.limits.exceeded_by(bytes, len));
        list
    }
}
