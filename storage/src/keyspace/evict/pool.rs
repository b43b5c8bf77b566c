//! The best candidates seen so far.

use super::{Candidate, Usefulness};

/// Candidates that a pool holds at most.
const CANDIDATES_MAX: usize = 64;

/// The best candidates seen so far, of all databases of a shard.
#[derive(Debug)]
pub struct Pool {
    usefulness: Usefulness,
    /// Largest rank first: the next to go is the last.
    candidates: Vec<Candidate>,
}

impl Pool {
    /// An empty pool, for candidates that are judged like that.
    pub const fn new(usefulness: Usefulness) -> Self {
        Self { usefulness, candidates: Vec::new() }
    }

    /// How its candidates are judged.
    pub const fn usefulness(&self) -> Usefulness {
        self.usefulness
    }

    /// Number of candidates.
    pub const fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The smallest rank in it.
    pub fn smallest(&self) -> Option<i64> {
        self.candidates.last().map(|candidate| candidate.rank)
    }

    /// Takes the next candidate out.
    pub fn pop(&mut self) -> Option<Candidate> {
        self.candidates.pop()
    }

    /// Forgets all candidates.
    pub fn clear(&mut self) {
        self.candidates.clear();
    }

    /// Whether there is room for a candidate of this rank.
    pub(super) fn wants(&self, rank: i64) -> bool {
        self.len() < CANDIDATES_MAX || self.candidates.first().is_some_and(|worst| rank < worst.rank)
    }

    /// Puts a candidate in its place, and the one of the largest rank out if there is no room. A key that is there already
    /// takes the place of itself.
    pub(super) fn offer(&mut self, candidate: Candidate) {
        let is_same = |other: &Candidate| other.hash == candidate.hash && other.database == candidate.database;
        if let Some(old) = self.candidates.iter().position(is_same) {
            self.candidates.remove(old);
        } else if self.len() == CANDIDATES_MAX {
            self.candidates.remove(0);
        }
        let place = self.candidates.partition_point(|other| other.rank > candidate.rank);
        self.candidates.insert(place, candidate);
    }
}
