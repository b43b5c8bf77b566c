//! Groups: delivery, claims, what is pending.

use super::*;

/// A stream of entries 1-0 to 10-0, and the group `g` with the consumers `a` and `b`.
fn grouped() -> (Stream, ConsumerId, ConsumerId) {
    let mut stream = counted(10);
    assert!(stream.create_group(b"g", StreamId::MIN, None));
    assert!(!stream.create_group(b"g", StreamId::MIN, None));
    let (a, b) = consumers(&mut stream);
    assert_eq!(stream.edit_group(b"g", |group| group.create_consumer(b"a", NOW)), Some(None));
    (stream, a, b)
}

fn consumers(stream: &mut Stream) -> (ConsumerId, ConsumerId) {
    let mut create = |name: &[u8]| stream.edit_group(b"g", |group| group.create_consumer(name, NOW).unwrap()).unwrap();
    (create(b"a"), create(b"b"))
}

fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

fn deliver(stream: &mut Stream, consumer: ConsumerId, count: usize, now: UnixMillis) -> Vec<u64> {
    stream.deliver(b"g", consumer, false, now).unwrap().take(count).map(|entry| entry.id.ms).collect()
}

fn pending(stream: &Stream) -> Vec<(u64, u32, ConsumerId)> {
    let all = stream.group(b"g").unwrap().pending_range(StreamId::MIN, StreamId::MAX);
    all.map(|one| (one.id.ms, one.deliveries, one.consumer)).collect()
}

const fn claim(consumer: ConsumerId, idle_min: i64) -> Claim {
    Claim { consumer, idle_min, delivered: NOW, deliveries: None, just_id: false, force: false }
}

#[test]
fn each_entry_is_delivered_once() {
    let (mut stream, a, b) = grouped();
    assert_eq!(deliver(&mut stream, a, 3, NOW), [1, 2, 3]);
    assert_eq!(deliver(&mut stream, b, 2, later(5)), [4, 5]);
    assert_eq!(pending(&stream), [(1, 1, a), (2, 1, a), (3, 1, a), (4, 1, b), (5, 1, b)]);
    assert_eq!(stream.deliver(b"g", a, true, NOW).unwrap().count(), 5);
    assert_eq!(deliver(&mut stream, a, 9, NOW), [0; 0]);
    let group = stream.group(b"g").unwrap();
    assert_eq!((group.pending_len(), group.last_id(), group.entries_read()), (5, id(10, 0), Some(10)));
    assert_eq!(group.consumer(b).active(), Some(later(5)));
    assert_eq!(group.pending_summary(), PendingSummary { len: 5, bounds: Some((id(1, 0), id(5, 0))) });
    stream.edit_group(b"g", |group| {
        assert!(group.acknowledge(id(2, 0)) && !group.acknowledge(id(2, 0)));
        assert_eq!(group.remove_consumer(b"a"), Some(2));
        assert_eq!((group.remove_consumer(b"a"), group.find_consumer(b"a")), (None, None));
    });
    assert_eq!(pending(&stream), [(4, 1, b), (5, 1, b)]);
    stream.check_invariants();
}

#[test]
fn what_is_delivered_again_after_a_step_back_starts_anew() {
    let (mut stream, a, b) = grouped();
    deliver(&mut stream, a, 3, NOW);
    assert_eq!(stream.deliver_again(b"g", a, StreamId::MIN, NOW).unwrap().count(), 3);
    stream.edit_group(b"g", |group| group.set_last_id(id(1, 0), None)).unwrap();
    assert_eq!(deliver(&mut stream, b, 1, later(9)), [2]);
    assert_eq!(pending(&stream), [(1, 2, a), (2, 1, b), (3, 2, a)]);
    stream.check_invariants();
}

#[test]
fn history_tells_of_deleted_entries() {
    let (mut stream, a, _) = grouped();
    deliver(&mut stream, a, 4, NOW);
    stream.delete(id(3, 0));
    let history: Vec<_> = stream.deliver_again(b"g", a, id(1, 0), later(7)).unwrap().take(2).collect();
    assert_eq!(history.iter().map(|(id, entry)| (id.ms, entry.is_some())).collect::<Vec<_>>(), [(2, true), (3, false)]);
    assert_eq!(pending(&stream), [(1, 1, a), (2, 2, a), (3, 1, a), (4, 1, a)]);
    let group = stream.group(b"g").unwrap();
    assert_eq!(group.pending(id(2, 0)).unwrap().idle(later(10)), 3);
    assert_eq!(group.pending(id(3, 0)).unwrap().idle(later(10)), 10);
}

#[test]
fn claims() {
    let (mut stream, a, b) = grouped();
    deliver(&mut stream, a, 4, NOW);
    stream.delete(id(3, 0));
    let now = later(100);
    let to_b = Claim { delivered: now, ..claim(b, 100) };
    assert_eq!(stream.claim(b"g", id(1, 0), &Claim { idle_min: 101, ..to_b }, now), ClaimOutcome::NotIdle);
    assert_eq!(stream.claim(b"g", id(1, 0), &to_b, now), ClaimOutcome::Claimed);
    assert_eq!(stream.claim(b"g", id(1, 0), &to_b, now), ClaimOutcome::NotIdle);
    assert_eq!(stream.claim(b"g", id(2, 0), &Claim { just_id: true, ..to_b }, now), ClaimOutcome::Claimed);
    assert_eq!(stream.claim(b"g", id(3, 0), &to_b, now), ClaimOutcome::Deleted);
    assert_eq!(stream.claim(b"g", id(3, 0), &to_b, now), ClaimOutcome::NotPending);
    assert_eq!(stream.claim(b"g", id(4, 0), &Claim { deliveries: Some(9), ..to_b }, now), ClaimOutcome::Claimed);
    assert_eq!(stream.claim(b"g", id(5, 0), &to_b, now), ClaimOutcome::NotPending);
    let forced = Claim { force: true, ..to_b };
    assert_eq!(stream.claim(b"g", id(5, 0), &forced, now), ClaimOutcome::Claimed);
    assert_eq!(stream.claim(b"g", id(6, 0), &Claim { just_id: true, ..forced }, now), ClaimOutcome::Claimed);
    assert_eq!(stream.claim(b"g", id(99, 0), &forced, now), ClaimOutcome::NotPending);
    assert_eq!(pending(&stream), [(1, 2, b), (2, 1, b), (4, 9, b), (5, 2, b), (6, 1, b)]);
    let group = stream.group(b"g").unwrap();
    assert_eq!((group.consumer(a).active(), group.consumer(b).active()), (Some(NOW), Some(now)));
    assert_eq!(group.consumer_pending_range(a, StreamId::MIN, StreamId::MAX).count(), 0);
    stream.check_invariants();
}

#[test]
fn automatic_claims_go_on_where_they_ended() {
    let (mut stream, a, b) = grouped();
    deliver(&mut stream, a, 10, NOW);
    stream.delete(id(2, 0));
    let now = later(50);
    let claim = claim(b, 50);
    let first = stream.auto_claim(b"g", StreamId::MIN, 3, &claim, now);
    assert_eq!(first, AutoClaimed { claimed: vec![id(1, 0), id(3, 0)], deleted: vec![id(2, 0)], next: id(4, 0) });
    let second = stream.auto_claim(b"g", first.next, 100, &claim, now);
    assert_eq!((second.claimed.len(), second.next), (7, StreamId::MIN));
    // Ten looks for each one that may be claimed: nothing is idle here, so it ends without any.
    for number in 11..=30 {
        add(&mut stream, id(number, 0), &[("n", "v")]);
    }
    deliver(&mut stream, a, 20, now);
    let none = stream.auto_claim(b"g", StreamId::MIN, 1, &claim, now);
    assert_eq!((none.claimed.len(), none.next), (0, id(12, 0)));
    stream.check_invariants();
}

#[test]
fn the_longest_idle_come_first() {
    let mut stream = counted(2_000);
    stream.create_group(b"g", StreamId::MIN, None);
    let (a, b) = consumers(&mut stream);
    for part in 0..200 {
        // Not in the order of the ids: 7 and 200 have no common divisor.
        deliver(&mut stream, a, 10, later(part * 7 % 200));
    }
    stream.delete(id(1, 0));
    let now = later(1_000);
    let claimed = stream.claim_idle(b"g", 25, &claim(b, 900), now).claimed;
    assert_eq!(claimed.len(), 25);
    assert!(claimed.is_sorted_by_key(|one| (one.delivered, one.id)));
    assert_eq!(claimed[0], Pending { id: id(2, 0), delivered: NOW, deliveries: 1, consumer: a });
    assert_eq!(claimed[24].idle(now), 998);
    assert!(stream.group(b"g").unwrap().pending(id(1, 0)).is_none());
    let rest = stream.claim_idle(b"g", usize::MAX, &claim(b, 900), now).claimed;
    assert_eq!(rest.len(), 101 * 10 - 1 - 25);
    assert!(rest.iter().all(|one| one.idle(now) >= 900));
    assert_eq!(stream.claim_idle(b"g", 10, &claim(b, 900), now).claimed, []);
    assert_eq!(stream.group(b"g").unwrap().consumer(b).pending_len(), 1_009);
    stream.check_invariants();
}

#[test]
fn nothing_is_claimed_twice_at_once() {
    let (mut stream, a, b) = grouped();
    deliver(&mut stream, a, 3, NOW);
    stream.delete(id(1, 0));
    let claimed = stream.claim_idle(b"g", 3, &claim(b, 0), NOW).claimed;
    assert_eq!(claimed.iter().map(|one| one.id.ms).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(pending(&stream), [(2, 2, b), (3, 2, b)]);
}

#[test]
fn references_hold_entries_or_go_with_them() {
    let (mut stream, a, _) = grouped();
    deliver(&mut stream, a, 4, NOW);
    stream.edit_group(b"g", |group| group.acknowledge(id(1, 0))).unwrap();
    let acknowledged = References::Acknowledged;
    assert_eq!(stream.delete_with(id(1, 0), acknowledged), DeleteOutcome::Deleted);
    assert_eq!(stream.delete_with(id(1, 0), acknowledged), DeleteOutcome::Missing);
    assert_eq!(stream.delete_with(id(2, 0), acknowledged), DeleteOutcome::Referenced);
    assert_eq!(stream.delete_with(id(9, 0), acknowledged), DeleteOutcome::Referenced);
    assert_eq!(stream.delete_with(id(2, 0), References::Remove), DeleteOutcome::Deleted);
    assert_eq!(stream.delete_with(id(3, 0), References::Keep), DeleteOutcome::Deleted);
    assert_eq!(pending(&stream), [(3, 1, a), (4, 1, a)]);
    assert_eq!(stream.delete_with(id(3, 0), References::Remove), DeleteOutcome::Missing);
    assert_eq!(pending(&stream), [(4, 1, a)]);

    stream.create_group(b"h", id(4, 0), None);
    assert_eq!(deliver(&mut stream, a, 2, NOW), [5, 6]);
    assert_eq!(stream.acknowledge_and_delete(b"g", id(4, 0), acknowledged), DeleteOutcome::Deleted);
    assert_eq!(stream.acknowledge_and_delete(b"g", id(5, 0), acknowledged), DeleteOutcome::Referenced);
    assert_eq!(stream.acknowledge_and_delete(b"g", id(5, 0), acknowledged), DeleteOutcome::Missing);
    assert_eq!(stream.acknowledge_and_delete(b"g", id(6, 0), References::Keep), DeleteOutcome::Deleted);
    assert_eq!(ids(&stream), [5, 7, 8, 9, 10]);
    stream.check_invariants();
}

#[test]
fn trimming_minds_references() {
    let limits = StreamLimits { block_entries_max: 3, ..StreamLimits::default() };
    let mut stream = Stream::new();
    for number in 1..=12 {
        add_with(&mut stream, id(number, 0), &[("n", "v")], limits);
    }
    stream.create_group(b"g", StreamId::MIN, None);
    let a = stream.edit_group(b"g", |group| group.create_consumer(b"a", NOW).unwrap()).unwrap();
    deliver(&mut stream, a, 10, NOW);
    for number in [1, 2, 3, 4, 6, 8] {
        stream.edit_group(b"g", |group| group.acknowledge(id(number, 0))).unwrap();
    }
    let trim = Trim { to: TrimTo::MaxLen(7), approximate: false, limit: None, references: References::Acknowledged };
    assert_eq!(stream.trim(Trim { approximate: true, ..trim }), 3);
    assert_eq!(stream.trim(trim), 2);
    assert_eq!(ids(&stream), [5, 7, 8, 9, 10, 11, 12]);
    assert_eq!(stream.trim(Trim { to: TrimTo::MinId(id(12, 0)), ..trim }), 1);
    assert_eq!(ids(&stream), [5, 7, 9, 10, 11, 12]);
    stream.check_invariants();
    assert_eq!(stream.trim(Trim { to: TrimTo::MaxLen(3), references: References::Remove, ..trim }), 3);
    assert_eq!(pending(&stream), [(10, 1, a)]);
    assert_eq!(ids(&stream), [10, 11, 12]);
    stream.check_invariants();
}
