//! The pool by itself: a made-up kernel takes offers in turn.

use super::*;

/// The flags of a completion that used `buffer`.
fn used(buffer: u16) -> u32 {
    1 | u32::from(buffer) << 16
}

#[test]
fn buffers_go_round_and_the_window_follows_the_bursts() {
    let mut buffers = Buffers::new().expect("memory for the buffers");
    assert_eq!(buffers.offered, BUFFERS_OFFERED_MIN);
    buffers.check_invariants(0);

    let taken: Vec<_> = (0..128).map(|id| buffers.claim(10, used(id)).expect("a buffer")).collect();
    buffers.check_invariants(128);
    assert!(taken.iter().all(|filled| buffers.bytes(filled) == [0; 10]));
    buffers.starved();
    for filled in taken {
        buffers.give_back(filled);
    }
    buffers.refill();
    assert_eq!(buffers.offered, 256);
    buffers.check_invariants(0);

    for _ in 0..2 * REFILLS_PER_REVIEW {
        buffers.refill();
    }
    assert_eq!(buffers.window, BUFFERS_OFFERED_MIN);
    buffers.check_invariants(0);
}

#[test]
fn a_completion_without_a_buffer_claims_none() {
    let mut buffers = Buffers::new().expect("memory for the buffers");
    assert!(buffers.claim(-105, 0).is_none());
    for _ in 0..20 {
        buffers.starved();
        buffers.refill();
    }
    assert_eq!(buffers.offered, BUFFERS, "a window is never larger than the pool");
}

#[test]
fn at_rest_all_give_back_what_long_pieces_took() {
    let resident = |buffers: &Buffers| {
        let pages = BUFFERS * BUFFER_BYTES / 4096;
        let mut found = vec![0u8; pages];
        // SAFETY: the mapping has that many bytes, and the vector a byte for each of its pages.
        let result = unsafe { libc::mincore(buffers.memory.start().cast(), pages * 4096, found.as_mut_ptr()) };
        assert_eq!(result, 0);
        found.iter().filter(|&&page| page & 1 == 1).count()
    };
    let mut buffers = Buffers::new().expect("memory for the buffers");
    for len in [SHORT_PIECE_BYTES, BUFFER_BYTES] {
        // SAFETY: the first buffers of the pool, which no kernel knows of.
        unsafe { buffers.memory.start().write_bytes(b'x', 3 * BUFFER_BYTES) };
        let taken: Vec<_> = (0..3).map(|id| buffers.claim(len as i32, used(id)).expect("a buffer")).collect();
        assert!(taken.iter().all(|filled| buffers.bytes(filled).iter().all(|&byte| byte == b'x')));
        for filled in taken {
            buffers.give_back(filled);
        }
        let before = resident(&buffers);
        buffers.rest();
        let expected = if len > SHORT_PIECE_BYTES { 0 } else { before };
        assert!(before >= 3 * BUFFER_BYTES / 4096 && resident(&buffers) == expected);
        buffers.refill();
    }
    buffers.check_invariants(0);
}
