//! glob
/// Whether `text` matches `pattern`.
pub fn glob_match(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let _ = (pattern, text, case);
    unimplemented!()
}
/// Whether letters match only themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `a` matches only `a`.
    Sensitive,
    /// `a` matches `A`, too (ASCII letters only).
    Insensitive,
}
