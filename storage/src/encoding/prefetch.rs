//! Asking for memory that is about to be read, so that cache misses overlap.

/// Asks for the cache line of a value.
#[inline]
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch has no effect that a program can see, whatever the address.
    unsafe {
        std::arch::x86_64::_mm_prefetch(std::ptr::from_ref(value).cast::<i8>(), std::arch::x86_64::_MM_HINT_T0);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// The look-up of an element in a large collection waits for memory about three times, each time for what the one before
/// has led to. So it is asked for in as many rounds, each for many look-ups together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// The part of the table that the hash leads to.
    Part,
    /// What that holds of elements with such hashes.
    Slots,
    /// The element.
    Element,
}

impl Round {
    /// In their order.
    pub const ALL: [Round; 3] = [Round::Part, Round::Slots, Round::Element];
}
