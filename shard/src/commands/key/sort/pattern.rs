//! Patterns of BY and GET: from an element to the key, or the field of a hash, that belongs to it.

use storage::Value;
use storage::number::INTEGER_TEXT_BYTES_MAX;

use crate::exec::Ctx;

/// What stands where a pattern may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// `#`: the element itself.
    Element,
    /// Without an asterisk: no key at all.
    Nothing,
    /// The element in place of the first asterisk.
    Key {
        /// What stands before the element.
        before: Vec<u8>,
        /// What stands behind it.
        after: Vec<u8>,
        /// Behind `->`: the field of the hash at that key. An arrow with nothing behind it is a part of the key.
        field: Option<Vec<u8>>,
    },
}

/// A key to look up, or a field of a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lookup {
    pub(super) key: Vec<u8>,
    field: Option<Vec<u8>>,
}

impl Pattern {
    pub(super) fn parse(text: &[u8]) -> Pattern {
        if text == b"#" {
            return Pattern::Element;
        }
        let Some(star) = text.iter().position(|&byte| byte == b'*') else { return Pattern::Nothing };
        let (before, rest) = (&text[..star], &text[star + 1..]);
        let arrow = rest.windows(2).position(|pair| pair == b"->").filter(|&arrow| arrow + 2 < rest.len());
        let (after, field) = match arrow {
            Some(arrow) => (&rest[..arrow], Some(rest[arrow + 2..].to_vec())),
            None => (rest, None),
        };
        Pattern::Key { before: before.to_vec(), after: after.to_vec(), field }
    }

    /// What to look up for an element, if anything.
    pub(super) fn of(&self, element: &[u8]) -> Option<Lookup> {
        let Pattern::Key { before, after, field } = self else { return None };
        Some(Lookup { key: [before.as_slice(), element, after].concat(), field: field.clone() })
    }

    pub(super) fn names_keys(&self) -> bool {
        matches!(self, Pattern::Key { .. })
    }
}

/// What is there; nothing where the key holds another type.
pub(super) fn look_up(ctx: &mut Ctx<'_>, lookup: &Lookup) -> Option<Vec<u8>> {
    let now = ctx.now();
    match (ctx.read(&*lookup.key)?.value(), &lookup.field) {
        (Value::String(string), None) => Some(string.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec()),
        (Value::Hash(hash), Some(field)) => hash.live_at(now).get(field).map(storage::types::list::Item::to_vec),
        _ => None,
    }
}

/// What is at each, in their order.
pub(super) fn look_up_all(ctx: &mut Ctx<'_>, lookups: &[Lookup]) -> Vec<Option<Vec<u8>>> {
    lookups.iter().map(|lookup| look_up(ctx, lookup)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(pattern: &str) -> Option<(String, Option<String>)> {
        let Lookup { key, field } = Pattern::parse(pattern.as_bytes()).of(b"7")?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the test's own text");
        Some((text(key), field.map(text)))
    }

    #[test]
    fn the_element_takes_the_place_of_the_first_asterisk() {
        assert_eq!(lookup("w_*"), Some(("w_7".into(), None)));
        assert_eq!(lookup("*_*"), Some(("7_*".into(), None)));
        assert_eq!(lookup("o_*_x->f->g"), Some(("o_7_x".into(), Some("f->g".into()))));
        assert_eq!(lookup("o_*->"), Some(("o_7->".into(), None)));
        assert_eq!(lookup("a->b*"), Some(("a->b7".into(), None)));
        assert_eq!(lookup("nosort"), None);
        assert_eq!(Pattern::parse(b"#"), Pattern::Element);
        assert_eq!(Pattern::parse(b"##"), Pattern::Nothing);
    }
}
