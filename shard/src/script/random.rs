//! The numbers of `math.random`: the same sequence in every life of a server, as in Redis.
//!
//! The generator is the linear congruence of `drand48`: 48 bits of state, of which the upper 31 are the next number. It goes
//! on from script to script.

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
const STATE_MASK: u64 = (1 << 48) - 1;
/// The state before anything was asked of it.
const INITIAL: u64 = 0x1234_ABCD_330E;
/// The low bits of the state after seeding.
const SEED_LOW: u64 = 0x330E;
/// The largest number: what makes fractions of numbers, too.
const NUMBER_MAX: i64 = i32::MAX as i64;

/// The generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rand48(u64);

impl Default for Rand48 {
    fn default() -> Rand48 {
        Rand48(INITIAL)
    }
}

impl Rand48 {
    /// The generator of `seed`.
    pub fn seeded(seed: i32) -> Rand48 {
        Rand48(u64::from(seed as u32) << 16 | SEED_LOW)
    }

    /// The next fraction, from 0 up to but not including 1.
    pub fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & STATE_MASK;
        let number = (self.0 >> 17) as i64;
        (number % NUMBER_MAX) as f64 / NUMBER_MAX as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_redis() {
        let mut random = Rand48::default();
        let shown: Vec<String> = (0..5).map(|_| format!("{:.14}", random.fraction())).collect();
        let expected =
            ["0.39646477363839", "0.84048536971234", "0.35333609737146", "0.44658343468168", "0.31869277233197"];
        assert_eq!(shown, expected);
        assert_eq!(format!("{:.14}", Rand48::seeded(5).fraction()), "0.52483957937213");
    }
}
