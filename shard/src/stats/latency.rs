//! Latency events: what LATENCY shows.
//!
//! An event is a kind of work that can hold a core up (`command`, `fast-command`, `expire-cycle`). Each keeps its last
//! samples, one a second, of which the worst counts, and the worst time ever. A core records its own; LATENCY merges
//! those of all cores.

use std::collections::VecDeque;

/// Samples kept of each event.
pub const LATENCY_SAMPLES_MAX: usize = 160;

/// What can hold a core up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatencyEvent {
    /// A command that is not declared fast.
    Command,
    /// A command that is declared fast.
    FastCommand,
    /// One slice of the expiry sweep.
    ExpireCycle,
    /// One slice of eviction.
    EvictionCycle,
}

impl LatencyEvent {
    /// All of them.
    pub const ALL: [LatencyEvent; 4] =
        [LatencyEvent::Command, LatencyEvent::FastCommand, LatencyEvent::ExpireCycle, LatencyEvent::EvictionCycle];

    /// Its name in commands and replies.
    pub const fn name(self) -> &'static str {
        match self {
            LatencyEvent::Command => "command",
            LatencyEvent::FastCommand => "fast-command",
            LatencyEvent::ExpireCycle => "expire-cycle",
            LatencyEvent::EvictionCycle => "eviction-cycle",
        }
    }

    /// The event of this name, in any case of letters.
    pub fn named(name: &[u8]) -> Option<LatencyEvent> {
        LatencyEvent::ALL.into_iter().find(|event| event.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

/// The worst latency of one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencySample {
    /// The second, since 1970.
    pub second: i64,
    /// The latency.
    pub millis: u64,
}

/// The samples of one event, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatencySeries {
    samples: VecDeque<LatencySample>,
    worst_millis: u64,
}

impl LatencySeries {
    /// Adds a sample of now.
    pub fn record(&mut self, sample: LatencySample) {
        self.worst_millis = self.worst_millis.max(sample.millis);
        match self.samples.back_mut() {
            Some(last) if last.second == sample.second => last.millis = last.millis.max(sample.millis),
            _ => {
                if self.samples.len() == LATENCY_SAMPLES_MAX {
                    self.samples.pop_front();
                }
                self.samples.push_back(sample);
            }
        }
    }

    /// Adds what another core saw.
    pub fn merge(&mut self, other: &LatencySeries) {
        let mut all: Vec<LatencySample> = self.samples.iter().chain(&other.samples).copied().collect();
        all.sort_by_key(|sample| sample.second);
        let worst = self.worst_millis.max(other.worst_millis);
        *self = LatencySeries::default();
        for sample in all {
            self.record(sample);
        }
        self.worst_millis = worst;
    }

    /// The samples, oldest first.
    pub fn samples(&self) -> &VecDeque<LatencySample> {
        &self.samples
    }

    /// The worst ever.
    pub fn worst_millis(&self) -> u64 {
        self.worst_millis
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
}

/// The series of all events.
#[derive(Clone, Debug, Default)]
pub struct LatencyLog([LatencySeries; LatencyEvent::ALL.len()]);

impl LatencyLog {
    /// Records an event that took `millis`.
    pub fn record(&mut self, event: LatencyEvent, second: i64, millis: u64) {
        self.0[event as usize].record(LatencySample { second, millis });
    }

    /// The samples of `event`.
    pub fn of(&self, event: LatencyEvent) -> &LatencySeries {
        &self.0[event as usize]
    }

    /// Adds what another core saw.
    pub fn merge(&mut self, other: &LatencyLog) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| own.merge(other));
    }

    /// Forgets the samples of `event`; whether there were any.
    pub fn reset(&mut self, event: LatencyEvent) -> bool {
        !std::mem::take(&mut self.0[event as usize]).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_keeps_its_worst_and_cores_are_merged_in_time() {
        let (mut one, mut two) = (LatencySeries::default(), LatencySeries::default());
        for (second, millis) in [(1, 5), (1, 9), (3, 2)] {
            one.record(LatencySample { second, millis });
        }
        for (second, millis) in [(2, 7), (3, 4)] {
            two.record(LatencySample { second, millis });
        }
        one.merge(&two);
        let pairs: Vec<_> = one.samples().iter().map(|sample| (sample.second, sample.millis)).collect();
        assert_eq!(pairs, [(1, 9), (2, 7), (3, 4)]);
        assert_eq!(one.worst_millis(), 9);
    }

    #[test]
    fn only_the_last_samples_are_kept() {
        let mut series = LatencySeries::default();
        for second in 0..1000 {
            series.record(LatencySample { second, millis: 1000 - second as u64 });
        }
        assert_eq!(series.samples().len(), LATENCY_SAMPLES_MAX);
        assert_eq!(series.samples()[0].second, 1000 - LATENCY_SAMPLES_MAX as i64);
        assert_eq!(series.worst_millis(), 1000);
    }
}
