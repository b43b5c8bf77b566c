//! Lists in RDB: nodes, each a listpack or a large element.
//!
//! ```text
//! type 18    number of nodes, and of each: length 1 (an element) or 2 (a listpack), and a string
//! type 1     number of elements, and each as a string                                     (up to Redis 3.0)
//! ```

use super::{Malformed, Reader, Writer};
use crate::types::list::{List, ListBuilder, ListLimits, ListRef, NodeContents};

const CONTAINER_PLAIN: u64 = 1;
const CONTAINER_PACKED: u64 = 2;

impl Writer {
    pub(super) fn put_list(&mut self, list: ListRef<'_>) {
        self.put_length(list.node_count() as u64);
        for node in list.nodes() {
            let (container, bytes) = match &node {
                NodeContents::Plain(bytes) => (CONTAINER_PLAIN, bytes),
                NodeContents::Listpack(bytes) => (CONTAINER_PACKED, bytes),
            };
            self.put_length(container);
            self.put_bytes(bytes);
        }
    }
}

impl Reader<'_> {
    pub(super) fn list_of_nodes(&mut self, limits: ListLimits) -> Result<List, Malformed> {
        let mut list = ListBuilder::new(limits);
        for _ in 0..self.length()? {
            match self.length()? {
                CONTAINER_PLAIN => list.push_plain(self.string()?.into_bytes()),
                CONTAINER_PACKED => list.push_listpack(self.string()?.into_bytes()).map_err(|_| Malformed)?,
                _ => return Err(Malformed),
            }
        }
        Ok(list.finish())
    }

    pub(super) fn list_of_elements(&mut self, limits: ListLimits) -> Result<List, Malformed> {
        let mut list = ListBuilder::new(limits);
        for _ in 0..self.length()? {
            list.push_element(&self.string()?.into_bytes());
        }
        Ok(list.finish())
    }
}
