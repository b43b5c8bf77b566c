//! The options of SORT and SORT_RO.

use net::Args;

use super::pattern::{Lookup, Pattern};
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::CommandError;
use crate::exec::error::SYNTAX;

/// Whose options are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// SORT's.
    Sort,
    /// SORT_RO's: there is no STORE.
    ReadOnly,
}

/// What the client asks for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) source: Vec<u8>,
    /// Some BY had no asterisk: the elements stay in their order, whatever other BY there is.
    pub(super) unsorted: bool,
    /// The last BY with an asterisk.
    pub(super) by: Option<Pattern>,
    /// LIMIT: offset and count.
    pub(super) limit: Option<(i64, i64)>,
    pub(super) gets: Vec<Pattern>,
    pub(super) descending: bool,
    pub(super) alpha: bool,
    pub(super) store: Option<Vec<u8>>,
}

impl Request {
    pub(super) fn parse(args: &Args<'_>, kind: Kind) -> Result<Request, CommandError> {
        let mut request = Request {
            source: args.at(1).to_vec(),
            unsorted: false,
            by: None,
            limit: None,
            gets: Vec::new(),
            descending: false,
            alpha: false,
            store: None,
        };
        let mut words = args.from(2);
        while let Some(word) = words.next() {
            if is_word(word, "ASC") {
                request.descending = false;
            } else if is_word(word, "DESC") {
                request.descending = true;
            } else if is_word(word, "ALPHA") {
                request.alpha = true;
            } else if is_word(word, "LIMIT") {
                let (offset, count) = (words.next().ok_or(SYNTAX)?, words.next().ok_or(SYNTAX)?);
                request.limit = Some((parse_i64(offset)?, parse_i64(count)?));
            } else if is_word(word, "STORE") && kind == Kind::Sort {
                request.store = Some(words.next().ok_or(SYNTAX)?.to_vec());
            } else if is_word(word, "BY") {
                let pattern = Pattern::parse(words.next().ok_or(SYNTAX)?);
                request.unsorted |= !pattern.names_keys();
                request.by = Some(pattern).filter(Pattern::names_keys).or(request.by);
            } else if is_word(word, "GET") {
                request.gets.push(Pattern::parse(words.next().ok_or(SYNTAX)?));
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(request)
    }

    /// Whether it needs keys that its arguments do not tell.
    pub(super) fn names_keys(&self) -> bool {
        self.by.is_some() && !self.unsorted || self.gets.iter().any(Pattern::names_keys)
    }

    /// What to look up for the elements that are returned, in the order of the rows.
    pub(super) fn values_wanted(&self, elements: &[Vec<u8>]) -> Vec<Lookup> {
        elements.iter().flat_map(|element| self.gets.iter().filter_map(move |get| get.of(element))).collect()
    }

    /// The rows of the reply, of the elements and of what was looked up for them.
    pub(super) fn rows(&self, elements: Vec<Vec<u8>>, values: Vec<Option<Vec<u8>>>) -> Vec<Option<Vec<u8>>> {
        if self.gets.is_empty() {
            return elements.into_iter().map(Some).collect();
        }
        let mut values = values.into_iter();
        let mut rows = Vec::with_capacity(elements.len() * self.gets.len());
        for element in &elements {
            for get in &self.gets {
                rows.push(match get {
                    Pattern::Element => Some(element.clone()),
                    Pattern::Nothing => None,
                    Pattern::Key { .. } => values.next().expect("each was looked up"),
                });
            }
        }
        rows
    }
}

/// Where the target stands: behind the last STORE that is one, where the other options are passed with their arguments.
pub(super) fn store_place(args: &Args<'_>) -> Option<usize> {
    let (mut place, mut found) = (2, None);
    while place < args.len() {
        let word = args.at(place);
        if is_word(word, "LIMIT") {
            place += 2;
        } else if is_word(word, "BY") || is_word(word, "GET") {
            place += 1;
        } else if is_word(word, "STORE") && place + 1 < args.len() {
            found = Some(place + 1);
            place += 1;
        }
        place += 1;
    }
    found
}
