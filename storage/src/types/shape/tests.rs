//! Shapes count what is there.

use crate::encoding::members::MemberTable;
use crate::encoding::ranked::Ranked;
use crate::types::OwnedValue;
use crate::types::list::{End, List, ListLimits};
use crate::types::zset::ZSet;

fn list(elements: &[&[u8]], limits: ListLimits) -> OwnedValue {
    let mut list = List::new();
    list.push(End::Tail, elements.iter().copied(), limits);
    OwnedValue::List(list)
}

#[test]
fn every_member_is_in_one_place() {
    let (mut table, mut ranked) = (MemberTable::default(), Ranked::default());
    for number in 0..5000_usize {
        let member = format!("member:{number}");
        table.insert(member.as_bytes());
        ranked.insert(member.as_bytes(), number as f64);
        if !number.is_power_of_two() {
            continue;
        }
        for shape in [table.shape(), ranked.shape()] {
            let members: usize = shape.places.iter().enumerate().map(|(members, places)| members * places).sum();
            assert_eq!((shape.members, members), (number + 1, number + 1));
            assert!(shape.segments >= 1 && shape.places.iter().sum::<usize>() >= shape.segments);
        }
    }
    assert!(table.shape().segments > 10, "it has split many times");
    assert_eq!(
        OwnedValue::SortedSet(ZSet::Large(Box::new(ranked))).as_value().hash_shape().map(|s| s.members),
        Some(5000)
    );
}

#[test]
fn packed_collections_are_told_element_by_element() {
    let value = list(&[b"one", b"-7", b"\x1b[2J"], ListLimits::default());
    let text = value.as_value().describe_listpack().expect("a short list is a listpack");
    assert!(text.starts_with("3 elements in "), "{text}");
    assert!(text.ends_with("0: 3 bytes \"one\"\n1: integer -7\n2: 4 bytes \"\\x1b[2J\"\n"), "{text}");
    assert_eq!((value.as_value().describe_nodes(true), value.as_value().hash_shape()), (None, None));
}

#[test]
fn nodes_are_told_with_their_elements_or_without() {
    let long = [b'x'; 100];
    let value = list(&[b"one", b"two", &long], ListLimits::new(2, 0));
    let text = value.as_value().describe_nodes(false).expect("it has nodes");
    assert!(text.starts_with("3 elements in 2 nodes\nnode 0: listpack, "), "{text}");
    assert_eq!(text.lines().count(), 3);
    let text = value.as_value().describe_nodes(true).expect("it has nodes");
    assert!(text.contains("  1: 3 bytes \"two\"\n") && text.contains("100 bytes \"xxxx"), "{text}");
    assert!(text.lines().all(|line| line.len() < 80), "{text}");
    assert_eq!(value.as_value().describe_listpack(), None);
}
