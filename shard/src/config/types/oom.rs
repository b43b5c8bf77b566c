//! `oom-score-adj-values`: how expendable a master, a replica and a background child are to the kernel.
//!
//! There is no background child here; its value is kept and printed for files that are shared with Redis.

use crate::config::error::Reason;
use crate::config::number;
use crate::config::value::{How, Words};

/// The farthest the values may be from 0: the kernel's -1000 to 1000, reachable from either end.
const ADJUSTMENT_MAX: i64 = 2000;

/// The values for a master, a replica and a background child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OomScores(pub [i32; 3]);

impl Words for OomScores {
    const EXPECTS: &'static str = "three numbers: master, replica, background child";

    fn read(&mut self, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let words: [&[u8]; 3] = words.try_into().map_err(|_| Reason::WrongNumberOfArguments)?;
        let mut scores = [0; 3];
        for (score, word) in scores.iter_mut().zip(words) {
            let number = number::lenient(word).filter(|number| number.abs() <= ADJUSTMENT_MAX);
            *score = number.ok_or(Reason::OomScoreRange)? as i32;
        }
        self.0 = scores;
        Ok(())
    }

    fn print(&self) -> String {
        let [master, replica, child] = self.0;
        format!("{master} {replica} {child}")
    }
}
