use super::*;

fn told(bytes: i64, keys: usize) -> Told {
    Told { bytes, keys, ..Told::default() }
}

#[test]
fn the_limit_is_one_for_all_cores() {
    let budget = Budget::new(3);
    budget.set_limit(10_240);
    assert!(!budget.is_complete(), "nobody has told anything");
    for (core, bytes) in [(0, 9_000), (1, 1_000), (2, -500)] {
        let told = Told { bytes, gaps: 100, leaving: 50, keys: 1, volatile_keys: 0 };
        budget.tell(ShardId(core), told);
    }
    assert!(budget.is_complete());
    assert_eq!((budget.in_use(), budget.counted()), (9_200, 9_050));
    assert_eq!(budget.low_mark(), 10_230);
    assert!(budget.is_over(10_241) && !budget.is_over(10_240));
    assert_eq!(budget.high_mark(), 10_400);
    budget.set_limit(20_000);
    assert!(!budget.is_complete(), "their numbers are of before");
    budget.set_limit(0);
    assert!(!budget.is_over(i64::MAX), "there is no limit");
}

#[test]
fn the_smallest_rank_is_next_and_whoever_told_none_before_it() {
    let budget = Budget::new(3);
    assert_eq!(budget.next_in_turn(Eligible::All), None);
    for (core, rank) in [(0, 50), (1, 20), (2, 30)] {
        budget.tell(ShardId(core), told(0, 1));
        budget.tell_rank(ShardId(core), rank);
    }
    assert_eq!(budget.next_in_turn(Eligible::All), Some((ShardId(1), 20)));
    budget.tell(ShardId(1), told(0, 0));
    assert_eq!(budget.next_in_turn(Eligible::All), Some((ShardId(2), 30)), "it has nothing left");
    budget.tell_rank(ShardId(0), NO_RANK);
    assert_eq!(budget.next_in_turn(Eligible::All), Some((ShardId(0), i64::MIN)));
    assert!(budget.ask(ShardId(0)) && !budget.ask(ShardId(0)));
    budget.tell(ShardId(0), told(0, 1));
    assert!(budget.ask(ShardId(0)), "it has looked since");
}

#[test]
fn what_may_go_depends_on_the_policy_of_whoever_asks() {
    let budget = Budget::new(2);
    budget.tell(ShardId(0), Told { keys: 5, volatile_keys: 0, ..Told::default() });
    budget.tell(ShardId(1), Told { keys: 7, volatile_keys: 3, ..Told::default() });
    assert_eq!(
        [Eligible::Nothing, Eligible::Volatile, Eligible::All].map(|eligible| budget.evictable(eligible)),
        [0, 3, 12]
    );
    assert_eq!(budget.next_in_turn(Eligible::Volatile), Some((ShardId(1), i64::MIN)), "the other one has none");
    assert_eq!(budget.next_in_turn(Eligible::Nothing), None);
}

#[test]
fn waste_counts_by_its_least_of_late_and_not_of_small_limits() {
    let mut least = Least::default();
    assert_eq!([900, 300, 500].map(|waste| least.add(waste)), [900, 300, 300]);
    let later: Vec<i64> = (0..SAMPLES_KEPT).map(|_| least.add(700)).collect();
    assert_eq!((later[0], later[SAMPLES_KEPT - 1]), (300, 700), "what was long ago does not count");
    assert_eq!(waste_counted_max(64 << 20), 0);
    assert_eq!(waste_counted_max(128 << 20), 64 << 20);
}

#[test]
fn the_time_over_the_limit_adds_up() {
    let budget = Budget::new(1);
    budget.note_exceeded(false, 5);
    assert_eq!(budget.exceeded_micros(10), (0, 0));
    budget.note_exceeded(true, 10);
    budget.note_exceeded(true, 20);
    assert_eq!(budget.exceeded_micros(30), (20, 20));
    budget.note_exceeded(false, 40);
    assert_eq!(budget.exceeded_micros(50), (0, 30));
    budget.note_exceeded(true, 60);
    budget.reset_exceeded(65);
    assert_eq!(budget.exceeded_micros(70), (5, 5));
}

#[test]
fn the_largest_client_is_told_with_its_core() {
    let budget = Budget::new(3);
    budget.tell_clients(ShardId(0), 100, 60);
    budget.tell_clients(ShardId(1), 200, 90);
    budget.tell_clients(ShardId(2), 90, 90);
    assert_eq!(budget.clients(), 390);
    assert_eq!(budget.largest_client(), (ShardId(1), 90), "of two equals the first");
}

#[test]
fn what_is_on_its_way_does_not_count() {
    let budget = Budget::new(2);
    let mine = Told { bytes: 1000, gaps: 100, leaving: 50, ..Told::default() };
    budget.tell(ShardId(0), mine);
    budget.tell(ShardId(1), Told { bytes: 500, ..Told::default() });
    let counted = budget.counted();
    assert_eq!(budget.counted_if_told(ShardId(0), Told { leaving: 250, ..mine }), counted - 200);
    assert_eq!(budget.counted_if_told(ShardId(1), Told { bytes: 600, ..Told::default() }), counted + 100);
    assert_eq!(budget.counted(), counted, "nothing was told");
    budget.depart(300);
    assert_eq!(budget.counted(), counted - 300);
    budget.arrive(300);
    assert_eq!(budget.counted(), counted);
}
