//! Listpacks against a vector of byte strings, and against bytes that Redis wrote.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

fn pack(elements: &[&[u8]]) -> Vec<u8> {
    let mut listpack = create();
    for element in elements {
        push_back(&mut listpack, element);
    }
    listpack
}

fn texts(listpack: Listpack<'_>) -> Vec<Vec<u8>> {
    listpack.iter().map(Item::to_vec).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The bytes are those of the listpack in the DUMP of a list that redis-server 7.0.15 made of the same elements.
#[test]
fn bytes_are_those_of_redis() {
    let long = [vec![b'x'; 63], vec![b'y'; 64]];
    let mut elements: Vec<Vec<u8>> = [
        0,
        127,
        128,
        -1,
        4095,
        4096,
        -4096,
        -4097,
        32_767,
        32_768,
        -32_768,
        -32_769,
        8_388_607,
        8_388_608,
        -8_388_609,
        2_147_483_647,
        2_147_483_648,
        -2_147_483_649,
        i64::MAX,
        i64::MIN,
    ]
    .map(|number: i64| number.to_string().into_bytes())
    .to_vec();
    elements.extend([&b""[..], b"a", b"01", b"-0", b"+1", &long[0], &long[1]].map(<[u8]>::to_vec));
    let mut expected = from_hex(concat!(
        "050100001b0000017f01c08002dfff02cfff02f1001003d00002f1ffef03f1ff7f03f200800004f1008003f2ff7fff04f2ffff7f04f300",
        "00800005f3ffff7fff05f3ffffff7f05f4000000800000000009f4ffffff7fffffffff09f4ffffffffffffff7f09f400000000000000",
        "8009800181610282303103822d3003822b3103bf",
    ));
    expected.extend_from_slice(&long[0]);
    expected.extend_from_slice(&[0x40, 0xe0, 0x40]);
    expected.extend_from_slice(&long[1]);
    expected.extend_from_slice(&[0x42, 0xff]);
    let slices: Vec<&[u8]> = elements.iter().map(Vec::as_slice).collect();
    let packed = pack(&slices);
    assert_eq!(packed, expected);
    assert_eq!(texts(validate(&packed).unwrap()), elements);
}

/// Heads and lengths of long strings, as redis-server 7.0.15 writes them.
#[test]
fn long_strings_have_the_heads_and_lengths_of_redis() {
    let cases: [(usize, &str, &str); 8] = [
        (125, "e07d", "7f"),
        (126, "e07e", "0180"),
        (127, "e07f", "0181"),
        (4095, "efff", "2081"),
        (4096, "f000100000", "2085"),
        (16_377, "f0f93f0000", "7ffe"),
        (16_378, "f0fa3f0000", "00ffff"),
        (16_379, "f0fb3f0000", "018080"),
    ];
    for (len, head, length) in cases {
        let text = vec![b'z'; len];
        let packed = pack(&[&text, b"end"]);
        let (head, length) = (from_hex(head), from_hex(length));
        assert!(packed[HEADER_BYTES..].starts_with(&head), "head of {len}");
        let behind = HEADER_BYTES + head.len() + len;
        assert!(packed[behind..].starts_with(&length), "length behind {len}");
        assert_eq!(packed[behind + length.len()..], [0x83, b'e', b'n', b'd', 4, END]);
        assert_eq!(stored_bytes(&text), head.len() + len + length.len());
        let view = validate(&packed).unwrap();
        assert_eq!(view.prev(view.last().unwrap()), view.first());
    }
}

#[test]
fn very_long_strings_are_walked_both_ways() {
    for len in [(1 << 21) - 7, (1 << 21) - 6, (1 << 21) - 5] {
        let packed = pack(&[b"first", &vec![b'x'; len], b"last"]);
        let view = validate(&packed).unwrap();
        assert_eq!(view.iter().map(Item::len).collect::<Vec<_>>(), [5, len, 4]);
        assert_eq!(view.iter().rev().map(Item::len).collect::<Vec<_>>(), [4, len, 5]);
    }
}

#[test]
fn an_empty_one_has_no_places() {
    let empty = create();
    let view = validate(&empty).unwrap();
    assert_eq!((view.len(), view.is_empty(), view.bytes_len()), (0, true, EMPTY_BYTES));
    assert_eq!((view.first(), view.last(), view.seek(0), view.seek(-1)), (None, None, None, None));
    assert!(view.iter().next().is_none() && view.iter().next_back().is_none());
}

#[test]
fn items_are_equal_as_texts() {
    assert_eq!(Item::Int(12), Item::Bytes(b"12"));
    assert_ne!(Item::Int(12), Item::Bytes(b"012"));
    assert!(Item::Int(-5).eq_bytes(b"-5") && !Item::Int(-5).eq_bytes(b"5"));
    assert_eq!((Item::Int(-5).len(), Item::Bytes(b"abc").len()), (2, 3));
    assert_eq!((Item::Bytes(b"12").as_int(), Item::Bytes(b"x").as_int()), (Some(12), None));
}

#[test]
fn find_skips_what_it_is_told_to_skip() {
    let packed = pack(&[b"a", b"1", b"b", b"a", b"1", b"b", b"01", b"x"]);
    let view = Listpack::new(&packed);
    let first = view.first().unwrap();
    let index = |cursor: Option<Cursor>| cursor.and_then(|cursor| view.cursors().position(|other| other == cursor));
    assert_eq!(index(view.find(b"a", first, 0)), Some(0));
    assert_eq!(index(view.find(b"a", first, 1)), Some(0));
    assert_eq!(index(view.find(b"a", view.seek(1).unwrap(), 0)), Some(3));
    assert_eq!(index(view.find(b"1", first, 0)), Some(1));
    assert_eq!(index(view.find(b"1", first, 1)), Some(4));
    assert_eq!(index(view.find(b"01", first, 1)), Some(6));
    assert_eq!(index(view.find(b"01", first, 2)), Some(6));
    assert_eq!(index(view.find(b"x", first, 1)), None);
}

/// Strings that read as numbers may come from elsewhere; they are found all the same.
#[test]
fn an_integer_that_was_stored_as_a_string_is_found() {
    let packed = [12, 0, 0, 0, 1, 0, 0x82, b'4', b'2', 3, END];
    let mut packed = packed.to_vec();
    packed[0] = packed.len() as u8;
    let view = validate(&packed).unwrap();
    assert_eq!(view.find(b"42", view.first().unwrap(), 0), view.first());
}

#[test]
fn more_elements_than_the_header_can_count() {
    let mut packed = create();
    for number in 0..70_000 {
        push_back_int(&mut packed, number);
        if matches!(number, 65_533..=65_535) {
            assert_eq!(Listpack::new(&packed).len(), number as usize + 1);
        }
    }
    let view = validate(&packed).unwrap();
    assert_eq!((view.count(), view.len()), (None, 70_000));
    for index in [0_isize, 1, 69_999, -1, -2, -70_000] {
        assert_eq!(view.at(view.seek(index).unwrap()).as_int(), Some(index.rem_euclid(70_000) as i64));
    }
    assert_eq!((view.seek(70_000), view.seek(-70_001)), (None, None));
    let cut = view.seek(69_990).unwrap();
    let tail = split_off(&mut packed, cut);
    assert_eq!((validate(&packed).unwrap().len(), validate(&tail).unwrap().len()), (69_990, 10));
    let first = Listpack::new(&packed).first().unwrap();
    assert_eq!(remove_range(&mut packed, first, 80_000), 69_990);
    assert_eq!(validate(&packed).unwrap().len(), 0);
}

#[test]
fn the_size_limit_is_a_gibibyte() {
    let packed = create();
    assert!(would_fit(&packed, BYTES_MAX - packed.len()));
    assert!(!would_fit(&packed, BYTES_MAX - packed.len() + 1));
    assert!(!would_fit(&packed, usize::MAX));
}

/// What is done to a listpack, and to the vector it is compared with.
#[derive(Clone, Debug)]
enum Op {
    PushBack(Vec<u8>),
    PushBackInt(i64),
    PushFront(Vec<u8>),
    InsertBefore(usize, Vec<u8>),
    InsertAfter(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    ReplaceInt(usize, i64),
    Remove(usize),
    RemoveRange(usize, usize),
    SplitAndAppend(usize),
    CopyItem(usize),
}

fn random_bytes(rng: &mut StdRng) -> Vec<u8> {
    match rng.random_range(0..10) {
        0 => (rng.random::<i64>() >> rng.random_range(0..64)).to_string().into_bytes(),
        1 => vec![rng.random(); rng.random_range(60..140)],
        2 if rng.random_bool(0.1) => vec![rng.random(); rng.random_range(4_080..17_000)],
        _ => {
            let len = rng.random_range(0..20);
            rng.random_iter().take(len).collect()
        }
    }
}

fn random_op(rng: &mut StdRng, len: usize) -> Op {
    let index = if len == 0 { 0 } else { rng.random_range(0..len) };
    let bytes = random_bytes(rng);
    let number = rng.random::<i64>() >> rng.random_range(0..64);
    match rng.random_range(0..13) {
        0 | 1 => Op::PushBack(bytes),
        2 => Op::PushBackInt(number),
        3 => Op::PushFront(bytes),
        _ if len == 0 => Op::PushFront(bytes),
        4 => Op::InsertBefore(index, bytes),
        5 => Op::InsertAfter(index, bytes),
        6 => Op::Replace(index, bytes),
        7 => Op::ReplaceInt(index, number),
        8 | 9 => Op::Remove(index),
        10 => Op::RemoveRange(index, rng.random_range(0..4)),
        11 => Op::SplitAndAppend(index),
        _ => Op::CopyItem(index),
    }
}

fn apply(op: &Op, packed: &mut Vec<u8>, model: &mut Vec<Vec<u8>>) {
    let place = |packed: &[u8], index: usize| Listpack::new(packed).seek(index as isize).unwrap();
    match op {
        Op::PushBack(bytes) => {
            push_back(packed, bytes);
            model.push(bytes.clone());
        }
        Op::PushBackInt(number) => {
            push_back_int(packed, *number);
            model.push(number.to_string().into_bytes());
        }
        Op::PushFront(bytes) => {
            push_front(packed, bytes);
            model.insert(0, bytes.clone());
        }
        Op::InsertBefore(index, bytes) => {
            let place = place(packed, *index);
            assert_eq!(insert_before(packed, place, bytes), place);
            model.insert(*index, bytes.clone());
        }
        Op::InsertAfter(index, bytes) => {
            let place = place(packed, *index);
            let new = insert_after(packed, place, bytes);
            assert!(Listpack::new(packed).at(new).eq_bytes(bytes));
            model.insert(index + 1, bytes.clone());
        }
        Op::Replace(index, bytes) => {
            let place = place(packed, *index);
            replace(packed, place, bytes);
            model[*index].clone_from(bytes);
        }
        Op::ReplaceInt(index, number) => {
            let place = place(packed, *index);
            replace(packed, place, number.to_string().as_bytes());
            model[*index] = number.to_string().into_bytes();
        }
        Op::Remove(index) => {
            let place = place(packed, *index);
            model.remove(*index);
            assert_eq!(remove(packed, place).is_some(), *index < model.len());
        }
        Op::RemoveRange(index, count) => {
            let place = place(packed, *index);
            let end = (index + count).min(model.len());
            assert_eq!(remove_range(packed, place, *count), end - index);
            model.drain(*index..end);
        }
        Op::SplitAndAppend(index) => {
            let place = place(packed, *index);
            let tail = split_off(packed, place);
            assert_eq!(texts(validate(packed).unwrap()), model[..*index]);
            assert_eq!(texts(validate(&tail).unwrap()), model[*index..]);
            append(packed, Listpack::new(&tail));
        }
        Op::CopyItem(index) => {
            let copy = packed.clone();
            push_back_item(packed, Listpack::new(&copy).at(place(&copy, *index)));
            model.push(model[*index].clone());
        }
    }
}

fn check(packed: &[u8], model: &[Vec<u8>], rng: &mut StdRng) {
    let view = validate(packed).unwrap();
    assert_eq!(view.len(), model.len());
    assert_eq!(texts(view), model);
    assert!(view.iter().rev().zip(model.iter().rev()).all(|(item, text)| item.eq_bytes(text)));
    let index = rng.random_range(0..=model.len());
    let from_end = index as isize - model.len() as isize - 1;
    assert_eq!(view.seek(index as isize).map(|place| view.at(place).to_vec()).as_ref(), model.get(index));
    assert_eq!(
        view.seek(from_end).map(|place| view.at(place).to_vec()).as_ref(),
        index.checked_sub(1).map(|at| &model[at])
    );
    if let Some(text) = model.get(index) {
        let found = view.find(text, view.first().unwrap(), 0);
        assert_eq!(found, view.seek(model.iter().position(|other| other == text).unwrap() as isize));
    }
}

#[test]
fn every_edit_does_what_it_does_to_a_vector() {
    for seed in 0..30 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut packed, mut model) = (create(), Vec::new());
        for _ in 0..600 {
            let op = random_op(&mut rng, model.len());
            apply(&op, &mut packed, &mut model);
            check(&packed, &model, &mut rng);
        }
    }
}

/// Bytes from outside: what `validate` lets pass can be read, searched and edited; it lets pass what is well-formed.
#[test]
fn mutated_bytes_are_refused_or_safe() {
    let mut rng = StdRng::seed_from_u64(9);
    let mut passed = 0;
    for _ in 0..30_000 {
        let elements: Vec<Vec<u8>> = (0..rng.random_range(0..6)).map(|_| random_bytes(&mut rng)).collect();
        let slices: Vec<&[u8]> = elements.iter().map(Vec::as_slice).collect();
        let mut bytes = pack(&slices);
        for _ in 0..rng.random_range(1..4) {
            let index = rng.random_range(0..bytes.len());
            match rng.random_range(0..4) {
                0 => bytes[index] = rng.random(),
                1 => bytes[index] ^= 1 << rng.random_range(0..8),
                2 => bytes.truncate(index.max(1)),
                _ => bytes.insert(index, rng.random()),
            }
        }
        if rng.random_bool(0.5) && bytes.len() >= 4 {
            let total = (bytes.len() as u32).to_le_bytes();
            bytes[..4].copy_from_slice(&total);
        }
        let Ok(view) = validate(&bytes) else { continue };
        passed += 1;
        let count = view.len();
        assert_eq!(view.iter().rev().count(), count);
        if let Some(first) = view.first() {
            view.find(b"17", first, 1);
            let mut copy = bytes.clone();
            replace(&mut copy, first, b"other");
            remove_range(&mut copy, first, count);
            assert!(Listpack::new(&copy).is_empty());
        }
    }
    assert!(passed > 1_000, "{passed} mutations were harmless");
}

#[test]
fn items_that_are_there_twice_are_found() {
    for len in [0, 1, 2, 8, 31, 32, 33, 64, 500] {
        let texts: Vec<String> = (0..len).map(|number| format!("item {number}")).collect();
        let mut items: Vec<_> = texts.iter().map(|text| Item::Bytes(text.as_bytes())).collect();
        assert!(all_differ(items.iter().copied()), "{len} items");
        items.push(Item::Int(len));
        assert!(all_differ(items.iter().copied()), "{len} items and a number");
        let number = len.to_string();
        items.insert(0, Item::Bytes(number.as_bytes()));
        assert!(!all_differ(items.iter().copied()), "a number and its text are the same");
        items[0] = items[items.len() / 2];
        assert!(!all_differ(items.iter().copied()), "{len} items, one of them twice");
    }
}
