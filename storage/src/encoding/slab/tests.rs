use super::class::{BLOCK_BYTES_MAX, Class};
use super::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

#[test]
fn classes_cover_all_sizes_tightly() {
    let sizes: Vec<usize> = Class::all().map(Class::block_bytes).collect();
    assert!(sizes.is_sorted() && sizes.len() == CLASSES);
    for bytes in 0..=BLOCK_BYTES_MAX {
        let class = Class::of(bytes);
        assert!(class.block_bytes() >= bytes);
        assert!(class.index() == 0 || sizes[class.index() - 1] < bytes, "{bytes} would fit a smaller class");
        let slots = class.slots_in(PAGE_BYTES);
        assert!((16..=class::PAGE_SLOTS_MAX).contains(&slots) && slots * class.block_bytes() <= PAGE_BYTES);
    }
}

fn fill(slab: &mut Slab, handle: Handle, seed: u8) {
    // SAFETY: the handle is live.
    for (index, byte) in unsafe { slab.block_mut(handle) }.iter_mut().enumerate() {
        *byte = seed.wrapping_add(index as u8);
    }
}

fn is_filled(slab: &Slab, handle: Handle, seed: u8) -> bool {
    // SAFETY: the handle is live.
    let block = unsafe { slab.block(handle) };
    block.iter().enumerate().all(|(index, &byte)| byte == seed.wrapping_add(index as u8))
}

#[test]
fn blocks_keep_their_bytes_under_churn() {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut slab = Slab::default();
    let mut live: Vec<(Handle, u8)> = Vec::new();
    for round in 0..60_000 {
        let grow = round % 20_000 < 12_000;
        if live.is_empty() || rng.random_bool(if grow { 0.7 } else { 0.3 }) {
            let bytes =
                if rng.random_bool(0.9) { rng.random_range(8..40) } else { rng.random_range(8..=BLOCK_BYTES_MAX) };
            let handle = slab.allocate(bytes);
            // SAFETY: the handle is live.
            assert!(unsafe { slab.capacity(handle) } >= bytes);
            let seed = rng.random();
            fill(&mut slab, handle, seed);
            live.push((handle, seed));
        } else {
            let (handle, seed) = live.swap_remove(rng.random_range(0..live.len()));
            assert!(is_filled(&slab, handle, seed));
            // SAFETY: the handle is live and was taken out of the list.
            unsafe { slab.free(handle) };
        }
        if round % 5_000 == 0 {
            slab.check_invariants();
        }
    }
    for (handle, seed) in live.drain(..) {
        assert!(is_filled(&slab, handle, seed));
        // SAFETY: the handle is live and was taken out of the list.
        unsafe { slab.free(handle) };
    }
    slab.check_invariants();
    assert_eq!(slab.block_bytes(), 0);
}

#[test]
fn sparse_pages_are_evacuated_and_returned() {
    let mut rng = SmallRng::seed_from_u64(2);
    let mut slab = Slab::default();
    let mut live: Vec<Handle> = (0..50_000).map(|_| slab.allocate(40)).collect();
    let full = slab.page_bytes();
    for _ in 0..37_500 {
        let handle = live.swap_remove(rng.random_range(0..live.len()));
        // SAFETY: the handle is live and was taken out of the list.
        unsafe { slab.free(handle) };
    }
    assert!(slab.page_bytes() * 10 > full * 9);
    loop {
        let evacuees = slab.evacuees(100);
        if evacuees.is_empty() {
            break;
        }
        for handle in evacuees {
            let place = live.iter().position(|&other| other == handle).expect("evacuees are live");
            live[place] = slab.allocate(40);
            // SAFETY: the handle is live and was replaced in the list.
            unsafe { slab.free(handle) };
        }
        slab.check_invariants();
    }
    assert!(slab.page_bytes() * 2 < full, "{} of {full} bytes are left", slab.page_bytes());
}

#[test]
fn few_blocks_of_many_sizes_take_little() {
    let mut slab = Slab::default();
    for round in 0..4 {
        for bytes in 8..=512 {
            slab.allocate(bytes + round % 2);
        }
    }
    slab.check_invariants();
    assert!(slab.page_bytes() < 2 * slab.block_bytes(), "{} of {}", slab.page_bytes(), slab.block_bytes());
    // Many blocks of one size come to pages of the full size.
    let before = slab.pages.len();
    for _ in 0..100_000 {
        slab.allocate(40);
    }
    let pages = &slab.pages[before..];
    let full = pages.iter().flatten().filter(|page| page.bytes() == PAGE_BYTES).count();
    assert!(pages.len() - full <= 12, "{} of {}", full, pages.len());
}
