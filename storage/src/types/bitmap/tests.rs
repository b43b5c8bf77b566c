//! Bit by bit models of all of it.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

fn random_bytes(rng: &mut SmallRng, len_max: usize) -> Vec<u8> {
    let len = rng.random_range(0..=len_max);
    // Long runs of one value are what BITPOS skips over.
    let filler = [0, 0xff, 0x5a][rng.random_range(0..3)];
    let noise = [0.0, 0.02, 1.0][rng.random_range(0..3)];
    (0..len).map(|_| if rng.random_bool(noise) { rng.random() } else { filler }).collect()
}

/// The bits of a range by Redis's rules, one at a time.
fn model_range(first: i64, last: i64, unit: Unit, bytes: usize) -> Vec<u64> {
    let width = if unit == Unit::Byte { 8 } else { 1 };
    let total = bytes as i64 * 8 / width;
    let first = if first < 0 { (first + total).max(0) } else { first };
    let last = if last < 0 { (last + total).max(0) } else { last };
    (0..bytes as u64 * 8).filter(|&at| (first..=last).contains(&(at as i64 / width))).collect()
}

#[test]
fn bits_are_numbered_from_the_most_significant() {
    let mut bytes = [0; 2];
    assert!(!set_bit(&mut bytes, 7, true));
    assert!(!set_bit(&mut bytes, 8, true));
    assert_eq!(bytes, [0x01, 0x80]);
    assert!(bit(&bytes, 7) && bit(&bytes, 8) && !bit(&bytes, 9));
    assert!(set_bit(&mut bytes, 7, false));
    assert_eq!(bytes, [0x00, 0x80]);
    assert!(!bit(&bytes, 16) && !bit(&bytes, u64::MAX));
}

#[test]
fn count_and_position_agree_with_a_look_at_each_bit() {
    let mut rng = SmallRng::seed_from_u64(1);
    for round in 0..8_000 {
        let len_max: i64 = if round % 10 == 0 { 3_000 } else { 300 };
        let bytes = random_bytes(&mut rng, len_max as usize);
        let unit = if rng.random() { Unit::Byte } else { Unit::Bit };
        let reach = if unit == Unit::Byte { len_max + 20 } else { len_max * 8 + 100 };
        let (first, last) = (rng.random_range(-reach..reach), rng.random_range(-reach..reach));
        let model = model_range(first, last, unit, bytes.len());
        let range = BitRange::new(first, last, unit, bytes.len());
        assert_eq!(range.is_some(), !model.is_empty(), "{first} {last} {unit:?} {}", bytes.len());
        let Some(range) = range else { continue };
        assert_eq!((Some(&range.start()), range.end()), (model.first(), model[model.len() - 1] + 1));
        assert_eq!(count(&bytes, range), model.iter().filter(|at| bit(&bytes, **at)).count() as u64);
        for wanted in [false, true] {
            assert_eq!(position(&bytes, wanted, range), model.iter().copied().find(|at| bit(&bytes, *at) == wanted));
        }
    }
}

#[test]
fn ends_from_behind_in_the_wrong_order_count_nothing() {
    assert_eq!(BitRange::for_count(-10, -20, Unit::Byte, 3), None);
    assert_eq!(BitRange::new(-10, -20, Unit::Byte, 3), BitRange::new(0, 0, Unit::Byte, 3));
    assert_eq!(BitRange::new(i64::MIN, i64::MAX, Unit::Bit, 3), BitRange::whole(3));
    assert_eq!(BitRange::new(0, -1, Unit::Byte, 0), None);
    assert_eq!(BitRange::whole(0), None);
}

#[test]
fn fields_agree_with_a_look_at_each_bit() {
    let mut rng = SmallRng::seed_from_u64(2);
    for _ in 0..50_000 {
        let mut bytes = random_bytes(&mut rng, 30);
        let signed = rng.random();
        let kind = FieldType::new(signed, rng.random_range(1..=if signed { 64 } else { 63 })).expect("it is one");
        let offset = rng.random_range(0..300);
        let bits = (offset..offset + kind.bits()).fold(0_u64, |value, at| value << 1 | u64::from(bit(&bytes, at)));
        let negative = signed && bits >> (kind.bits() - 1) == 1;
        let model = i128::from(bits) - if negative { 1 << kind.bits() } else { 0 };
        assert_eq!(i128::from(field(&bytes, kind, offset)), model);

        bytes.resize(bytes.len().max((offset + kind.bits()).div_ceil(8) as usize), 0);
        let before = bytes.clone();
        let value = kind.fit(rng.random(), Overflow::Wrap).expect("wrapping always gives a value");
        set_field(&mut bytes, kind, offset, value);
        assert_eq!(field(&bytes, kind, offset), value);
        for at in (0..offset).chain(offset + kind.bits()..bytes.len() as u64 * 8) {
            assert_eq!(bit(&bytes, at), bit(&before, at));
        }
    }
}

#[test]
fn overflow_is_judged_as_redis_does() {
    let kind = |signed, bits| FieldType::new(signed, bits).expect("it is one");
    let (u8_, i8_, i64_, u63) = (kind(false, 8), kind(true, 8), kind(true, 64), kind(false, 63));
    assert_eq!((i8_.min(), i8_.max(), u8_.min(), u8_.max()), (-128, 127, 0, 255));
    assert_eq!((i64_.min(), i64_.max(), u63.max()), (i64::MIN, i64::MAX, i64::MAX));
    let all = |what: &dyn Fn(Overflow) -> Option<i64>| [Overflow::Wrap, Overflow::Saturate, Overflow::Fail].map(what);
    assert_eq!(all(&|overflow| u8_.add(250, 10, overflow)), [Some(4), Some(255), None]);
    assert_eq!(all(&|overflow| u8_.add(5, -10, overflow)), [Some(251), Some(0), None]);
    assert_eq!(all(&|overflow| i8_.add(120, 10, overflow)), [Some(-126), Some(127), None]);
    assert_eq!(all(&|overflow| i8_.add(-120, -10, overflow)), [Some(126), Some(-128), None]);
    assert_eq!(all(&|overflow| i64_.add(i64::MAX, 1, overflow)), [Some(i64::MIN), Some(i64::MAX), None]);
    assert_eq!(all(&|overflow| i64_.add(i64::MIN, -1, overflow)), [Some(i64::MAX), Some(i64::MIN), None]);
    assert_eq!(all(&|overflow| u63.add(i64::MAX, i64::MAX, overflow)), [Some(i64::MAX - 1), Some(i64::MAX), None]);
    assert_eq!(all(&|overflow| u8_.fit(-1, overflow)), [Some(255), Some(255), None]);
    assert_eq!(all(&|overflow| i8_.fit(-129, overflow)), [Some(127), Some(-128), None]);
    // Far below the range is too large, as in Redis.
    let i63 = kind(true, 63);
    assert_eq!(all(&|overflow| i63.fit(i63.min() - 1, overflow)), [Some(i63.max()), Some(i63.max()), None]);
    assert_eq!(i8_.fit(i64::MIN + 128, Overflow::Saturate), Some(-128));
    assert_eq!(i8_.fit(i64::MIN + 127, Overflow::Saturate), Some(127));
    for (signed, bits) in [(false, 64), (false, 0), (true, 0), (true, 65), (true, u64::MAX)] {
        assert_eq!(FieldType::new(signed, bits), None);
    }
}

#[test]
fn combining_agrees_with_a_look_at_each_bit() {
    let mut rng = SmallRng::seed_from_u64(3);
    for round in 0..600 {
        let count = rng.random_range(1..6);
        let len_max = if round % 20 == 0 { 10_000 } else { 60 };
        let sources: Vec<Vec<u8>> = (0..count).map(|_| random_bytes(&mut rng, len_max)).collect();
        let slices: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
        let len = sources.iter().map(Vec::len).max().unwrap_or(0);
        use Operation::{And, AndOr, Diff, Diff1, Not, One, Or, Xor};
        for operation in [And, Or, Xor, Not, Diff, Diff1, AndOr, One] {
            let used = if operation == Not { &slices[..1] } else { &slices[..] };
            let len = if operation == Not { used[0].len() } else { len };
            let result = combine(operation, used);
            assert_eq!(result.len(), len);
            for at in 0..len as u64 * 8 {
                let set = used.iter().filter(|source| bit(source, at)).count();
                let first = bit(used[0], at);
                let others = set > usize::from(first);
                let model = match operation {
                    And => set == used.len(),
                    Or => set > 0,
                    Xor => set % 2 == 1,
                    Not => !first,
                    Diff => first && !others,
                    Diff1 => !first && others,
                    AndOr => first && others,
                    One => set == 1,
                };
                assert_eq!(bit(&result, at), model, "{operation:?} at {at}");
            }
        }
    }
    assert_eq!(combine(Operation::Or, &[]), []);
}
