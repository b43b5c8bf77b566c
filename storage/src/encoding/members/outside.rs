//! The buffers of a segment: elements that are too long for its chunks, by number.

/// Buffers by number. A segment has one of these only while it has buffers.
#[derive(Debug, Default)]
pub struct Outside {
    buffers: Vec<Option<Box<[u8]>>>,
    used: usize,
    bytes: usize,
}

impl Outside {
    /// Bytes of memory, all in.
    pub const fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.bytes + self.buffers.capacity() * size_of::<Option<Box<[u8]>>>()
    }

    /// Whether there are no buffers.
    pub const fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The number of buffers.
    pub const fn len(&self) -> usize {
        self.used
    }

    /// Takes a buffer in and returns its number.
    pub fn put(&mut self, buffer: Box<[u8]>) -> u32 {
        self.used += 1;
        self.bytes += buffer.len();
        if self.used <= self.buffers.len() {
            let number = self.buffers.iter().position(Option::is_none).expect("fewer are used than there are");
            self.buffers[number] = Some(buffer);
            return number as u32;
        }
        self.buffers.push(Some(buffer));
        u32::try_from(self.buffers.len() - 1).expect("a segment has fewer than 2^32 members")
    }

    /// The bytes in a buffer.
    pub fn at(&self, number: u32) -> &[u8] {
        self.buffers[number as usize].as_ref().expect("the number is in use")
    }

    /// Takes a buffer out.
    pub fn take(&mut self, number: u32) -> Box<[u8]> {
        let buffer = self.buffers[number as usize].take().expect("the number is in use");
        self.used -= 1;
        self.bytes -= buffer.len();
        while matches!(self.buffers.last(), Some(None)) {
            self.buffers.pop();
        }
        buffer
    }
}

/// A copy has the same capacity, so that the books of who copies a segment with it are right.
impl Clone for Outside {
    fn clone(&self) -> Self {
        let mut buffers = Vec::with_capacity(self.buffers.capacity());
        buffers.extend_from_slice(&self.buffers);
        Self { buffers, used: self.used, bytes: self.bytes }
    }
}
