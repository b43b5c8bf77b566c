use super::*;

const NOW: UnixMillis = UnixMillis(1_700_000_123_456);
const SETTINGS: LfuSettings = LfuSettings { log_factor: 10, decay_minutes: 1 };

const fn later(minutes: i64) -> UnixMillis {
    UnixMillis(NOW.0 + minutes * 60_000)
}

#[test]
fn idle_time_counts_seconds() {
    let access = Access::lru(NOW);
    assert_eq!(access.idle_millis(NOW), 0);
    assert_eq!(access.idle_millis(UnixMillis(NOW.0 + 7_000)), 7_000);
    assert_eq!(Access::lru_idle(NOW, 100).idle_millis(NOW), 100_000);
    // The clock has wrapped since.
    let wrapped = UnixMillis((NOW.0 / 1_000 / (1 << 24) + 1) * (1 << 24) * 1_000);
    let before = Access::lru(UnixMillis(wrapped.0 - 5_000));
    assert_eq!(before.idle_millis(UnixMillis(wrapped.0 + 6_000)), 10_000);
}

#[test]
fn counters_rise_slowly_and_decay() {
    let access = Access::lfu_new(NOW);
    assert_eq!(access.frequency(NOW, SETTINGS), LFU_COUNTER_INITIAL);
    assert_eq!(access.frequency(later(3), SETTINGS), 2);
    assert_eq!(access.frequency(later(300), SETTINGS), 0);
    assert_eq!(access.frequency(later(300), LfuSettings { decay_minutes: 0, ..SETTINGS }), LFU_COUNTER_INITIAL);
    assert_eq!(access.frequency(later(9), LfuSettings { decay_minutes: 4, ..SETTINGS }), 3);
    assert_eq!(access.lfu_used(NOW, SETTINGS, 0.999).frequency(NOW, SETTINGS), 6);
    assert_eq!(Access::lfu(NOW, 15).lfu_used(NOW, SETTINGS, 0.01).frequency(NOW, SETTINGS), 15);
    assert_eq!(Access::lfu(NOW, 15).lfu_used(NOW, SETTINGS, 0.009).frequency(NOW, SETTINGS), 16);
    assert_eq!(Access::lfu(NOW, 255).lfu_used(NOW, SETTINGS, 0.0).frequency(NOW, SETTINGS), 255);
}

#[test]
fn counters_follow_the_logarithm() {
    use rand::{Rng, SeedableRng};
    let mut rng = rand::rngs::SmallRng::seed_from_u64(1);
    let mut access = Access::lfu_new(NOW);
    for _ in 0..100_000 {
        access = access.lfu_used(NOW, SETTINGS, rng.random());
    }
    // Redis's documentation: 100,000 uses make about 142 with a factor of 10.
    assert!((130..160).contains(&access.frequency(NOW, SETTINGS)));
}
