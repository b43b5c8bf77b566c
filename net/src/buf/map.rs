//! Anonymous memory straight from the kernel: zeroed, aligned to pages, and resident only where it was touched.

use std::io;
use std::ptr::NonNull;

/// A private anonymous mapping, unmapped when dropped.
pub(crate) struct Mapping {
    start: NonNull<u8>,
    len: usize,
    leaked: bool,
}

impl Mapping {
    /// Maps `len` zero bytes. Huge pages are refused: one touched buffer would make 2 MiB resident.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        // SAFETY: a new private mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: advice about the mapping just made; where it is not supported nothing happens.
        unsafe { libc::madvise(start, len, libc::MADV_NOHUGEPAGE) };
        let start = NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { start, len, leaked: false })
    }

    /// The first byte.
    pub(crate) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Keeps the mapping when this is dropped.
    pub(crate) fn leak(&mut self) {
        self.leaked = true;
    }

    /// Gives the memory of `len` bytes at `offset`, whole pages, back to the kernel; they read as zero afterwards.
    pub(crate) fn forget(&mut self, offset: usize, len: usize) {
        assert!(offset + len <= self.len, "the range is within the mapping");
        // SAFETY: the range is ours alone and within the mapping; the bytes stay readable.
        unsafe { libc::madvise(self.start().add(offset).cast(), len, libc::MADV_DONTNEED) };
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.leaked {
            return;
        }
        // SAFETY: made by `new` with this length, and nobody can reach it any more.
        unsafe { libc::munmap(self.start().cast(), self.len) };
    }
}
