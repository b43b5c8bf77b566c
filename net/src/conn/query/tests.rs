//! The query buffer against a plain queue, and its promises about memory.

use std::collections::VecDeque;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

#[test]
fn bytes_come_out_as_they_went_in() {
    let mut random = SmallRng::seed_from_u64(3);
    let (mut query, mut spare, mut model) = (Query::default(), Spare::default(), VecDeque::new());
    for _ in 0..20_000 {
        if random.random_ratio(1, 2) {
            let len = random.random_range(1..300);
            let piece: Vec<u8> = (0..len).map(|_| random.random()).collect();
            let expected = if random.random_ratio(1, 9) { random.random_range(0..5_000) } else { 0 };
            query.append(&piece, expected, &mut spare).expect("memory");
            model.extend(piece);
        } else {
            let count = random.random_range(0..=model.len().min(400));
            query.consume(count, &mut spare);
            model.drain(..count);
        }
        assert_eq!(query.unread(), model.make_contiguous());
        assert_eq!(query.is_empty(), query.capacity() == 0, "an empty buffer holds no memory");
    }
}

#[test]
fn a_known_length_is_reserved_exactly() {
    let (mut query, mut spare) = (Query::default(), Spare::default());
    query.append(b"$1000000", 1_000_010, &mut spare).expect("memory");
    assert_eq!(query.capacity(), 1_000_010);
    let address = query.unread().as_ptr();
    for _ in 0..1000 {
        query.append(&[b'x'; 1000], 1_000_010, &mut spare).expect("memory");
    }
    assert_eq!(query.unread().as_ptr(), address, "nothing was moved");
}

/// Each argument is announced when the one before is there; reserving each exactly would copy all of them each time.
#[test]
fn many_known_lengths_grow_by_doubling() {
    let (mut query, mut spare) = (Query::default(), Spare::default());
    let mut moves = 0;
    for _ in 0..1000 {
        let before = query.capacity();
        let expected = query.len() + 10_000;
        query.append(&[b'x'; 10_000], expected, &mut spare).expect("memory");
        moves += usize::from(query.capacity() != before);
    }
    assert!(moves < 20, "{moves}");
}

#[test]
fn impossible_lengths_are_an_error() {
    assert!(Query::default().append(b"x", usize::MAX / 2 + 10, &mut Spare::default()).is_err());
}

#[test]
fn what_a_burst_took_does_not_stay() {
    let (mut query, mut spare) = (Query::default(), Spare::default());
    query.append(&vec![b'x'; 1 << 20], 0, &mut spare).expect("memory");
    query.fit(0, &mut spare);
    assert!(query.capacity() >= 1 << 20, "all of it is needed");
    query.consume((1 << 20) - 10, &mut spare);
    query.fit(1 << 20, &mut spare);
    assert!(query.capacity() >= 1 << 20, "more is on its way");
    query.fit(0, &mut spare);
    assert_eq!((query.unread(), query.capacity() < 100_000), (&[b'x'; 10][..], true));
    query.consume(10, &mut spare);
    query.append(&vec![b'y'; 40_000], 0, &mut spare).expect("memory");
    let capacity = query.capacity();
    query.consume(39_999, &mut spare);
    query.fit(0, &mut spare);
    assert_eq!(query.capacity(), capacity, "such a buffer would be kept as well");
}
