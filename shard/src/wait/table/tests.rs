use net::ConnId;

use super::*;
use crate::ids::ClientId;
use crate::spec::CommandId;
use crate::wait::Claim;

fn waiter(slot: u32, seq: u32, keys: &[&str]) -> Waiter {
    let conn = ConnId { slot, generation: 1 };
    Waiter {
        home: ShardId(0),
        head: Head {
            conn,
            client: ClientId(u64::from(slot)),
            seq,
            part: 0,
            command: CommandId(0),
            db: DbId(0),
            first_span: 0,
            spans: 0,
            resp3: false,
            no_touch: false,
            tracks: false,
            is_part: false,
        },
        args: Arc::new(OwnedArgs::default()),
        claim: Claim::default(),
        keys: keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
        is_whole: true,
        is_tried: false,
        signalled_again: false,
        notices_removal: slot.is_multiple_of(2),
    }
}

/// The slots of the clients that wait for a key, in their order.
fn queue(table: &WaitTable, key: &str) -> Vec<u32> {
    let (mut slots, mut after) = (Vec::new(), None);
    while let Some(id) = table.next_for(DbId(0), key.as_bytes(), after) {
        slots.push(table.get(id).expect("it is in a queue").head.conn.slot);
        after = Some(id);
    }
    slots
}

#[test]
fn a_key_is_waited_for_in_the_order_of_coming() {
    let mut table = WaitTable::default();
    let ids: Vec<WaiterId> = [(1, &["a", "b"][..]), (2, &["b"]), (3, &["b", "a", "b"]), (4, &["a"])]
        .into_iter()
        .map(|(slot, keys)| table.add(waiter(slot, 0, keys)))
        .collect();
    table.check_invariants();
    assert_eq!((queue(&table, "a"), queue(&table, "b")), (vec![1, 3, 4], vec![1, 2, 3]));
    assert_eq!(table.keys(), 2);

    table.remove(ids[0]).expect("it waits");
    assert!(table.remove(ids[0]).is_none());
    table.check_invariants();
    assert_eq!((queue(&table, "a"), queue(&table, "b")), (vec![3, 4], vec![2, 3]));
    // A place in a queue outlives whoever had it.
    let behind = table.next_for(DbId(0), b"a", Some(ids[0])).expect("two are left");
    assert_eq!(behind, ids[2]);

    for id in &ids[1..] {
        table.remove(*id).expect("it waits");
        table.check_invariants();
    }
    assert!(table.is_empty() && table.keys() == 0);
}

#[test]
fn a_waiter_is_found_by_its_command() {
    let mut table = WaitTable::default();
    let (first, second) = (table.add(waiter(1, 7, &["a"])), table.add(waiter(1, 8, &["a"])));
    let conn = ConnId { slot: 1, generation: 1 };
    assert_eq!(table.of(ShardId(0), conn, 7), Some(first));
    assert_eq!(table.of(ShardId(0), conn, 8), Some(second));
    assert_eq!(table.of(ShardId(0), conn, 9), None);
    assert_eq!(table.of(ShardId(1), conn, 7), None);
    assert_eq!(table.of(ShardId(0), ConnId { generation: 2, ..conn }, 7), None);
    table.remove(first);
    assert_eq!(table.of(ShardId(0), conn, 7), None);
}

#[test]
fn a_key_is_signalled_once_and_only_if_somebody_waits() {
    let mut table = WaitTable::default();
    table.signal(DbId(0), b"a");
    assert!(!table.has_signals());

    let id = table.add(waiter(1, 0, &["a", "b"]));
    table.signal(DbId(1), b"a");
    assert!(!table.has_signals(), "another database has other keys");
    for key in [b"b", b"a", b"b"] {
        table.signal(DbId(0), key);
    }
    table.check_invariants();
    assert_eq!(table.take_signalled(), Some((DbId(0), b"b".to_vec())));
    table.signal(DbId(0), b"b");
    table.check_invariants();
    assert_eq!(table.take_signalled(), Some((DbId(0), b"a".to_vec())));
    assert_eq!(table.take_signalled(), Some((DbId(0), b"b".to_vec())));
    assert_eq!(table.take_signalled(), None);

    // A signal outlives those it was for, and the queue that comes after them.
    table.signal(DbId(0), b"a");
    table.remove(id);
    table.add(waiter(2, 0, &["a"]));
    table.signal(DbId(0), b"a");
    table.check_invariants();
    assert_eq!(table.take_signalled(), Some((DbId(0), b"a".to_vec())));
    table.check_invariants();
}

#[test]
fn a_database_is_signalled_as_a_whole() {
    let mut table = WaitTable::default();
    table.add(waiter(1, 0, &["a", "b"]));
    let mut other = waiter(2, 0, &["c"]);
    other.head.db = DbId(3);
    table.add(other);
    table.signal(DbId(0), b"b");
    table.signal_all(DbId(0));
    table.check_invariants();
    let mut signalled: Vec<_> = std::iter::from_fn(|| table.take_signalled()).collect();
    signalled.sort();
    assert_eq!(signalled, [(DbId(0), b"a".to_vec()), (DbId(0), b"b".to_vec())]);
}
