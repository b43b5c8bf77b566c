//! Ertl's estimator: the cardinality from a histogram of register values.

use super::{PATTERN_BITS, REGISTERS, VALUE_MAX};

/// 1 / (2 ln 2).
const ALPHA_INFINITE: f64 = 0.721_347_520_444_481_7;

/// The cardinality; `histogram[v]` is the number of registers of value `v`.
pub(super) fn cardinality(histogram: &[u32; VALUE_MAX + 1]) -> u64 {
    let registers = REGISTERS as f64;
    let saturated = (registers - f64::from(histogram[VALUE_MAX])) / registers;
    let mut sum = registers * tau(saturated);
    for &count in histogram[1..=PATTERN_BITS as usize].iter().rev() {
        sum = (sum + f64::from(count)) * 0.5;
    }
    sum += registers * sigma(f64::from(histogram[0]) / registers);
    (ALPHA_INFINITE * registers * registers / sum).round() as u64
}

/// x + the sum of x^(2^k) * 2^(k-1): what registers that were never hit stand for.
fn sigma(mut x: f64) -> f64 {
    if same(x, 1.0) {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight += weight;
        if same(before, sum) {
            return sum;
        }
    }
}

/// (1 - x - the sum of (1 - x^(2^-k))^2 * 2^-k) / 3: what registers at their largest value stand for.
fn tau(mut x: f64) -> f64 {
    if same(x, 0.0) || same(x, 1.0) {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * weight;
        if same(before, sum) {
            return sum / 3.0;
        }
    }
}

/// The series have converged when a term changes nothing, to the last bit.
#[allow(clippy::float_cmp, reason = "it is meant to be exact")]
fn same(left: f64, right: f64) -> bool {
    left == right
}
