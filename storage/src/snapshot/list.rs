//! Lists in RDB: nodes, each a listpack or a large element.
//!
//! ```text
//! type 1     number of elements, and each as a string                                     (up to Redis 3.0)
//! type 10    a string: a ziplist                                                          (up to Redis 3.0)
//! type 14    number of nodes, and each as a string: a ziplist                             (up to Redis 6.2)
//! type 18    number of nodes, and of each: length 1 (an element) or 2 (a listpack), and a string
//! ```

use super::ziplist::ziplist_items;
use super::{Malformed, Reader, Writer};
use crate::types::list::{IntBuf, List, ListBuilder, ListLimits, ListRef, NodeContents};

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

    pub(super) fn list_ziplist(&mut self, limits: ListLimits) -> Result<List, Malformed> {
        let mut list = ListBuilder::new(limits);
        self.push_ziplist(&mut list)?;
        Ok(list.finish())
    }

    pub(super) fn list_of_ziplists(&mut self, limits: ListLimits) -> Result<List, Malformed> {
        let mut list = ListBuilder::new(limits);
        for _ in 0..self.length()? {
            self.push_ziplist(&mut list)?;
        }
        Ok(list.finish())
    }

    fn push_ziplist(&mut self, list: &mut ListBuilder) -> Result<(), Malformed> {
        for item in ziplist_items(&self.string()?.into_bytes())? {
            list.push_element(item.as_bytes(&mut IntBuf::default()));
        }
        Ok(())
    }
}
