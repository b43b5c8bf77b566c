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

const BAD_ZIPLIST: &str = "List ziplist integrity check failed.";
const BAD_LISTPACK: &str = "List listpack integrity check failed.";
const BAD_CONTAINER: &str = "Quicklist integrity check failed.";

impl Writer {
    pub(super) fn put_list(&mut self, list: ListRef<'_>) {
        self.put_length(list.node_count() as u64);
        list.nodes().for_each(|node| self.put_node(&node));
    }

    pub(super) fn put_node(&mut self, node: &NodeContents<'_>) {
        let (container, bytes) = match node {
            NodeContents::Plain(bytes) => (CONTAINER_PLAIN, bytes),
            NodeContents::Listpack(bytes) => (CONTAINER_PACKED, bytes),
        };
        self.put_length(container);
        self.put_bytes(bytes);
    }
}

impl Reader<'_> {
    pub(super) fn list_of_nodes(&mut self, limits: ListLimits) -> Result<List, Malformed> {
        let mut list = ListBuilder::new(limits);
        for _ in 0..self.length()? {
            match self.length()? {
                CONTAINER_PLAIN => {
                    let element = self.text()?.into_owned();
                    // An element stands alone because it is long.
                    if element.is_empty() {
                        return self.blame(BAD_CONTAINER, Err(Malformed));
                    }
                    list.push_plain(element);
                }
                CONTAINER_PACKED => {
                    let packed = self.text()?.into_owned();
                    self.blame(BAD_LISTPACK, list.push_listpack(packed))?;
                }
                _ => return self.blame(BAD_CONTAINER, Err(Malformed)),
            }
        }
        Ok(list.finish())
    }

    pub(super) fn list_of_elements(&mut self, limits: ListLimits) -> Result<List, Malformed> {
        let mut list = ListBuilder::new(limits);
        for _ in 0..self.length()? {
            list.push_element(&self.text()?);
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
        let bytes = self.text()?.into_owned();
        for item in self.blame(BAD_ZIPLIST, ziplist_items(&bytes))? {
            list.push_element(item.as_bytes(&mut IntBuf::default()));
        }
        Ok(())
    }
}
