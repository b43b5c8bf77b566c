//! How a collection lies in memory, for DEBUG: the hash table behind a large one, the bytes of a packed one, the nodes of
//! a list.

use std::fmt::Write as _;

use super::Value;
use super::hash::HashRepr;
use super::list::{ListRef, NodeContents};
use super::set::SetRepr;
use super::zset::ZSetRef;
use crate::encoding::listpack::{Item, Listpack};

/// Bytes of an element that are shown.
const SHOWN_BYTES_MAX: usize = 40;

/// The shape of a hash table whose members are grouped by where the search for them begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashShape {
    /// Number of members.
    pub members: usize,
    /// Number of segments, each of which grows on its own.
    pub segments: usize,
    /// Number of places where a search may begin, by how many members there are that it begins there for.
    pub places: Vec<usize>,
}

impl HashShape {
    /// Takes in one place, with so many members.
    pub(crate) fn add_place(&mut self, members: usize) {
        if self.places.len() <= members {
            self.places.resize(members + 1, 0);
        }
        self.places[members] += 1;
        self.members += members;
    }
}

impl<'a> Value<'a> {
    /// The hash table behind a large hash, set or sorted set. Visits all of it.
    pub fn hash_shape(self) -> Option<HashShape> {
        match self {
            Self::Hash(hash) => match hash.repr() {
                HashRepr::Large(large) => Some(large.shape()),
                HashRepr::Packed(_) | HashRepr::PackedTtl(_) => None,
            },
            Self::Set(set) => match set.repr() {
                SetRepr::Large(large) => Some(large.shape()),
                SetRepr::Intset(_) | SetRepr::Packed(_) => None,
            },
            Self::SortedSet(ZSetRef::Large(large)) => Some(large.shape()),
            Self::String(_) | Self::List(_) | Self::SortedSet(ZSetRef::Packed(_)) | Self::Stream(_) => None,
        }
    }

    fn listpack(self) -> Option<&'a [u8]> {
        match self {
            Self::List(ListRef::Packed(bytes)) | Self::SortedSet(ZSetRef::Packed(bytes)) => Some(bytes),
            Self::Hash(hash) => match hash.repr() {
                HashRepr::Packed(bytes) | HashRepr::PackedTtl(bytes) => Some(bytes),
                HashRepr::Large(_) => None,
            },
            Self::Set(set) => match set.repr() {
                SetRepr::Packed(bytes) => Some(bytes),
                SetRepr::Intset(_) | SetRepr::Large(_) => None,
            },
            Self::String(_) | Self::List(_) | Self::SortedSet(_) | Self::Stream(_) => None,
        }
    }

    /// A collection that is one listpack, element by element.
    pub fn describe_listpack(self) -> Option<String> {
        let mut text = String::new();
        write_listpack(&mut text, self.listpack()?, "");
        Some(text)
    }

    /// A list that has nodes: what each of them takes, and with `elements` each element, too.
    pub fn describe_nodes(self, elements: bool) -> Option<String> {
        let Self::List(list @ ListRef::Large(_)) = self else { return None };
        let mut text = format!("{} elements in {} nodes\n", list.len(), list.node_count());
        for (number, node) in list.nodes().enumerate() {
            let (kind, bytes) = match &node {
                NodeContents::Listpack(bytes) => ("listpack", bytes),
                NodeContents::Plain(bytes) => ("plain", bytes),
            };
            write_line(&mut text, format_args!("node {number}: {kind}, {} bytes", bytes.len()));
            match node {
                NodeContents::Listpack(bytes) if elements => write_listpack(&mut text, &bytes, "  "),
                NodeContents::Plain(bytes) if elements => write_line(&mut text, format_args!("  {}", shown(&bytes))),
                NodeContents::Listpack(_) | NodeContents::Plain(_) => {}
            }
        }
        Some(text)
    }
}

fn write_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a String takes any text");
}

fn write_listpack(text: &mut String, bytes: &[u8], indent: &str) {
    let listpack = Listpack::new(bytes);
    write_line(text, format_args!("{indent}{} elements in {} bytes", listpack.len(), listpack.bytes_len()));
    for (number, item) in listpack.iter().enumerate() {
        match item {
            Item::Int(integer) => write_line(text, format_args!("{indent}{number}: integer {integer}")),
            Item::Bytes(bytes) => {
                write_line(text, format_args!("{indent}{number}: {} bytes {}", bytes.len(), shown(bytes)));
            }
        }
    }
}

/// The beginning of an element, in a form that does no harm to a terminal.
fn shown(bytes: &[u8]) -> String {
    let more = if bytes.len() > SHOWN_BYTES_MAX { "…" } else { "" };
    format!("\"{}\"{more}", bytes[..bytes.len().min(SHOWN_BYTES_MAX)].escape_ascii())
}

#[cfg(test)]
mod tests;
