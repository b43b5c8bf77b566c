//! A histogram of latencies in nanoseconds: power-of-two ranges of 16 linear buckets each, so a value is known to about
//! 6 %, from 1 microsecond to some 17 minutes, in 4 KiB.

/// Linear buckets of each power of two, as a power of two.
const SUB_BITS: u32 = 4;
/// Values are kept in units of 1,024 ns.
const UNIT_BITS: u32 = 10;
const BUCKETS: usize = 32 << SUB_BITS;

/// Latencies.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    /// Counts one latency.
    pub fn record(&mut self, nanos: u64) {
        self.counts[bucket(nanos >> UNIT_BITS)] += 1;
        self.total += 1;
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(other.counts.iter()) {
            *count += more;
        }
        self.total += other.total;
    }

    /// Number of latencies.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The latency in nanoseconds that `percentile` of 100 do not pass (the upper end of its bucket).
    pub fn percentile(&self, percentile: f64) -> u64 {
        let wanted = ((percentile / 100.0 * self.total as f64).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return (highest(bucket) + 1) << UNIT_BITS;
            }
        }
        0
    }

    /// Cumulative counts at the ends of power-of-two ranges, in microseconds, for LATENCY HISTOGRAM: those ranges where the
    /// count grows. The ranges are of 1,024 ns and named by their upper ends to two digits, as Redis names them.
    pub fn cumulative_micros(&self) -> Vec<(u64, u64)> {
        let mut rows = Vec::new();
        let (mut seen, mut next) = (0, 0);
        for power in 0..32 {
            let before = seen;
            while next < BUCKETS && highest(next) < 1 << power {
                seen += self.counts[next];
                next += 1;
            }
            let end = 1u64 << (power + UNIT_BITS);
            if seen > before {
                rows.push(((end + end / 128 - 1) / 1000, seen));
            }
        }
        rows
    }
}

fn bucket(value: u64) -> usize {
    if value < 1 << SUB_BITS {
        return value as usize;
    }
    let power = value.ilog2();
    let sub = (value >> (power - SUB_BITS)) & ((1 << SUB_BITS) - 1);
    ((((power - SUB_BITS + 1) as usize) << SUB_BITS) + sub as usize).min(BUCKETS - 1)
}

fn highest(bucket: usize) -> u64 {
    let (range, sub) = (bucket >> SUB_BITS, (bucket & ((1 << SUB_BITS) - 1)) as u64);
    if range == 0 {
        return sub;
    }
    (((1 << SUB_BITS) + sub + 1) << (range - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_in_its_bucket() {
        for value in (0..100_000).chain((1..30).map(|p| (1u64 << p) + 12_345)) {
            let bucket = bucket(value);
            assert!(value <= highest(bucket), "{value}");
            assert!(bucket == 0 || value > highest(bucket - 1), "{value}");
        }
    }

    #[test]
    fn percentiles_of_a_known_set() {
        let mut histogram = Histogram::default();
        (1..=1000).for_each(|micros| histogram.record(micros * 1000));
        let half = histogram.percentile(50.0) as f64;
        assert!((half / 500_000.0 - 1.0).abs() < 0.08, "{half}");
        let rows = histogram.cumulative_micros();
        assert_eq!(rows.last(), Some(&(1056, 1000)));
        assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056]);
    }
}
