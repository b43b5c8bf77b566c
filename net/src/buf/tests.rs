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
