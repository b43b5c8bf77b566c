//! The records of a segment, in chunks of memory.
//!
//! ```text
//! offset    chunk number · CHUNK_BYTES + byte within it
//! ```
//!
//! Records are appended. One that does not fit into the rest of the last chunk begins the next; none crosses a border. So
//! growing moves nothing but the beginning of the last chunk, and all chunks but the last of each segment have one size:
//! what one segment returns serves the next. (Pages that grew as a whole, through the allocator's size classes, left it
//! with half as much unused memory as used.)

/// Bytes of a chunk, except the last of a segment.
pub const CHUNK_BYTES: usize = 1 << 10;

/// The last chunk grows in steps of so many bytes.
const STEP_BYTES: usize = 256;

/// The smallest chunk.
const FIRST_BYTES: usize = 32;

/// Records in chunks.
#[derive(Debug, Default)]
pub struct Chunks {
    chunks: Vec<Box<[u8]>>,
    /// Bytes of the last chunk that are in use.
    last_used: u32,
    /// Bytes of records.
    live: u32,
    /// Bytes of records that are gone.
    dead: u32,
    /// Bytes of all chunks.
    capacity: u32,
}

impl Chunks {
    /// Bytes of memory.
    #[inline]
    pub const fn heap_bytes(&self) -> usize {
        self.capacity as usize + self.chunks.capacity() * size_of::<Box<[u8]>>()
    }

    /// Bytes of all records.
    #[inline]
    pub const fn live_bytes(&self) -> usize {
        self.live as usize
    }

    /// Whether so many bytes are holes that it is worth while to write all records anew before more memory is taken.
    #[inline]
    pub fn is_worn(&self) -> bool {
        self.dead >= (self.live / 8).max(STEP_BYTES as u32)
    }

    /// Whether so many bytes are holes that it is worth while to write all records anew, to return memory.
    #[inline]
    pub fn is_sparse(&self) -> bool {
        self.dead >= (self.live / 2).max(FIRST_BYTES as u32 * 2)
    }

    /// Whether a record of so many bytes needs more memory.
    #[inline]
    pub fn is_full_for(&self, len: usize) -> bool {
        self.chunks.last().is_none_or(|last| self.last_used as usize + len > last.len())
    }

    /// The bytes from an offset on, to the end of the chunk.
    #[inline]
    pub fn at(&self, offset: usize) -> &[u8] {
        &self.chunks[offset / CHUNK_BYTES][offset % CHUNK_BYTES..]
    }

    /// The bytes from an offset on, to be changed.
    #[inline]
    pub fn at_mut(&mut self, offset: usize) -> &mut [u8] {
        &mut self.chunks[offset / CHUNK_BYTES][offset % CHUNK_BYTES..]
    }

    /// Takes `len` bytes for a record, with `more` to follow soon; returns their offset.
    #[inline]
    pub fn append(&mut self, len: usize, more: usize) -> usize {
        if self.is_full_for(len) {
            self.grow(len, more);
        }
        let offset = (self.chunks.len() - 1) * CHUNK_BYTES + self.last_used as usize;
        self.last_used += len as u32;
        self.live += len as u32;
        offset
    }

    /// Enlarges the last chunk, or begins a new one.
    #[cold]
    fn grow(&mut self, len: usize, more: usize) {
        let used = self.last_used as usize;
        if let Some(last) = self.chunks.last_mut()
            && used + len <= CHUNK_BYTES
        {
            let mut larger = vec![0; chunk_bytes(used + len, more)].into_boxed_slice();
            larger[..used].copy_from_slice(&last[..used]);
            self.capacity = self.capacity + larger.len() as u32 - last.len() as u32;
            *last = larger;
            return;
        }
        let bytes = chunk_bytes(len, more).max(if self.chunks.is_empty() { FIRST_BYTES } else { STEP_BYTES });
        if self.chunks.len() == self.chunks.capacity() {
            self.chunks.reserve_exact(1 + self.chunks.len() / 4);
        }
        self.chunks.push(vec![0; bytes].into_boxed_slice());
        self.capacity += bytes as u32;
        self.last_used = 0;
    }

    /// Notes that bytes of records are gone.
    #[inline]
    pub fn bury(&mut self, offset: usize, len: usize) {
        self.live -= len as u32;
        if offset + len == (self.chunks.len() - 1) * CHUNK_BYTES + self.last_used as usize {
            self.last_used -= len as u32;
        } else {
            self.dead += len as u32;
        }
    }

    /// Copies bytes from one offset to another; they do not overlap.
    pub fn copy(&mut self, from: usize, to: usize, len: usize) {
        let (source, target) = (from / CHUNK_BYTES, to / CHUNK_BYTES);
        let (from, to) = (from % CHUNK_BYTES, to % CHUNK_BYTES);
        if source == target {
            self.chunks[source].copy_within(from..from + len, to);
        } else {
            let [source, target] =
                self.chunks.get_disjoint_mut([source, target]).expect("both offsets are in chunks, and not in one");
            target[to..to + len].copy_from_slice(&source[from..from + len]);
        }
    }

    /// Panics if the books contradict the chunks; `records` are the offsets and lengths of all records.
    pub fn check_invariants(&self, records: &mut [(usize, usize)]) {
        records.sort_unstable();
        let capacity: usize = self.chunks.iter().map(|chunk| chunk.len()).sum();
        assert_eq!(capacity, self.capacity as usize);
        assert_eq!(records.iter().map(|&(_, len)| len).sum::<usize>(), self.live as usize);
        assert!(records.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "records do not overlap");
        for &(offset, len) in &*records {
            let chunk = offset / CHUNK_BYTES;
            let used = if chunk + 1 == self.chunks.len() { self.last_used as usize } else { self.chunks[chunk].len() };
            assert!(offset % CHUNK_BYTES + len <= used, "a record lies in the used part of one chunk");
        }
    }
}

/// The bytes of a chunk that has to hold `bytes`, with `more` to follow soon.
fn chunk_bytes(bytes: usize, more: usize) -> usize {
    let wanted = (bytes + more).min(CHUNK_BYTES);
    if wanted <= STEP_BYTES { wanted.next_power_of_two() } else { wanted.next_multiple_of(STEP_BYTES) }
}

/// A copy has the same capacity, so that the books of who copies a segment with it are right.
impl Clone for Chunks {
    fn clone(&self) -> Self {
        let mut chunks = Vec::with_capacity(self.chunks.capacity());
        chunks.extend_from_slice(&self.chunks);
        Self { chunks, ..*self }
    }
}
