use super::*;

fn matches(pattern: &str, text: &str) -> bool {
    glob_match(pattern.as_bytes(), text.as_bytes(), Case::Sensitive)
}

#[test]
fn elements() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("*", "", false),
        ("*", "a", true),
        ("a*", "a", true),
        ("a**", "a", true),
        ("*a*", "bab", true),
        ("h?llo", "hello", true),
        ("h?llo", "hllo", false),
        ("h[ae]llo", "hallo", true),
        ("h[ae]llo", "hillo", false),
        ("h[^e]llo", "hello", false),
        ("h[b-a]llo", "hallo", true),
        ("a\\*", "a*", true),
        ("a\\*", "ab", false),
        ("a\\", "a\\", true),
        ("[", "a", false),
        ("[a", "a", true),
        ("[^", "a", true),
        ("[]", "a", false),
        ("[^]", "a", true),
        ("[\\]]", "]", true),
        ("[a-]", "-", false),
        ("[a-", "-", true),
        ("*a?c*d", "xxabxabcxxd", true),
        ("a", "ab", false),
        ("ab", "a", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern:?} on {text:?}");
    }
}

#[test]
fn case() {
    assert!(glob_match(b"FOO[a-c]", b"fooB", Case::Insensitive));
    assert!(!glob_match(b"FOO", b"foo", Case::Sensitive));
    assert!(!glob_match(b"[\\A]", b"a", Case::Insensitive));
    assert!(glob_match(b"\\A", b"a", Case::Insensitive));
}

#[test]
fn many_stars_take_no_exponential_time() {
    let pattern = "a*".repeat(5_000) + "b";
    assert!(!matches(&pattern, &"a".repeat(5_000)));
}

/// The definition, by trying everything.
fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|taken| by_definition(rest, &text[taken..])),
        ([], []) => true,
        (_, []) => false,
        (_, [byte, text @ ..]) => {
            match_element(pattern, *byte, Case::Sensitive).is_some_and(|rest| by_definition(rest, text))
        }
    }
}

#[test]
fn agrees_with_the_definition() {
    use rand::{Rng, SeedableRng};
    let mut rng = rand::rngs::SmallRng::seed_from_u64(1);
    for _ in 0..200_000 {
        let mut random = |alphabet: &[u8], max| -> Vec<u8> {
            (0..rng.random_range(0..max)).map(|_| alphabet[rng.random_range(0..alphabet.len())]).collect()
        };
        let (pattern, text) = (random(b"**?ab[]^-\\", 9), random(b"ab-]", 9));
        if !text.is_empty() {
            let expected = by_definition(&pattern, &text);
            assert_eq!(glob_match(&pattern, &text, Case::Sensitive), expected, "{pattern:?} on {text:?}");
        }
    }
}
