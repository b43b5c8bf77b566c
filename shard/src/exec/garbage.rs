//! What is to be freed in slices between commands, and how many bytes that is.

use storage::Discarded;

/// Room for things to be freed that is kept when there are none.
const KEPT_MAX: usize = 16;

/// Big things that commands removed.
#[derive(Debug, Default)]
pub struct Garbage {
    items: Vec<Discarded>,
    bytes: usize,
}

impl Garbage {
    /// Adds something.
    pub fn push(&mut self, discarded: Discarded) {
        self.bytes += discarded.len_bytes();
        self.items.push(discarded);
    }

    /// Number of things.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes that will be free.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frees about `max_items` items of the last thing; whether nothing is left.
    pub fn free_step(&mut self, max_items: usize) -> bool {
        let Some(last) = self.items.last_mut() else { return true };
        let before = last.len_bytes();
        if last.free_step(max_items) {
            self.items.pop();
            self.bytes = self.bytes.saturating_sub(before);
        } else {
            self.bytes = (self.bytes + last.len_bytes()).saturating_sub(before);
        }
        if self.items.is_empty() {
            self.items.shrink_to(KEPT_MAX);
            self.bytes = 0;
        }
        self.items.is_empty()
    }
}

impl Extend<Discarded> for Garbage {
    fn extend<T: IntoIterator<Item = Discarded>>(&mut self, discarded: T) {
        discarded.into_iter().for_each(|discarded| self.push(discarded));
    }
}

impl IntoIterator for Garbage {
    type Item = Discarded;
    type IntoIter = std::vec::IntoIter<Discarded>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
