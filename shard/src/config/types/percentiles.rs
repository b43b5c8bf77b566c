//! `latency-tracking-info-percentiles`: the percentiles that `INFO latencystats` shows.

use crate::config::error::Reason;
use crate::config::value::{How, Words};

/// Percentiles between 0 and 100, in the order given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Percentiles(pub Vec<f64>);

impl Words for Percentiles {
    const EXPECTS: &'static str = "percentiles between 0 and 100";

    fn read(&mut self, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let words = if matches!(words, [word] if word.is_empty()) { &[] } else { words };
        let mut percentiles = Vec::with_capacity(words.len());
        for word in words {
            let text = std::str::from_utf8(word).map_err(|_| Reason::PercentileNotNumber)?;
            let number: f64 = text.parse().map_err(|_| Reason::PercentileNotNumber)?;
            if number.is_nan() {
                return Err(Reason::PercentileNotNumber);
            }
            if !(0.0..=100.0).contains(&number) {
                return Err(Reason::PercentileRange);
            }
            percentiles.push(number);
        }
        self.0 = percentiles;
        Ok(())
    }

    fn print(&self) -> String {
        self.0.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
    }

    fn file_values(&self) -> Vec<String> {
        if self.0.is_empty() { vec!["\"\"".to_owned()] } else { vec![self.print()] }
    }
}
