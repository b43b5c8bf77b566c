//! `bind`: the addresses to listen on.
//!
//! `*` stands for every IPv4 address and `::*` for every IPv6 one. A leading `-` makes an address optional: the server
//! starts without it if the machine does not have it. No address at all means no plain TCP socket.

use crate::config::error::Reason;
use crate::config::value::{How, Words};

/// How many addresses one server listens on at most, as in Redis.
const ADDRESSES_MAX: usize = 16;

/// The addresses to listen on, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bind(pub Vec<String>);

/// One address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindAddress<'a> {
    /// A host name, an address, `*` or `::*`.
    pub host: &'a str,
    /// Whether the server can do without it.
    pub optional: bool,
}

impl Bind {
    /// The addresses in order.
    pub fn addresses(&self) -> impl Iterator<Item = BindAddress<'_>> {
        self.0.iter().map(|address| match address.strip_prefix('-') {
            Some(host) => BindAddress { host, optional: true },
            None => BindAddress { host: address, optional: false },
        })
    }
}

impl Words for Bind {
    const EXPECTS: &'static str = "addresses, each with a leading '-' if it may be missing";

    fn read(&mut self, words: &[&[u8]], _: How) -> Result<(), Reason> {
        if words.len() > ADDRESSES_MAX {
            return Err(Reason::TooManyAddresses);
        }
        let words = if matches!(words, [word] if word.is_empty()) { &[] } else { words };
        let texts = words.iter().map(|word| std::str::from_utf8(word).map(str::to_owned));
        self.0 = texts.collect::<Result<_, _>>().map_err(|_| Reason::NotText)?;
        Ok(())
    }

    fn print(&self) -> String {
        self.0.join(" ")
    }

    fn file_values(&self) -> Vec<String> {
        if self.0.is_empty() { vec!["\"\"".to_owned()] } else { vec![self.print()] }
    }
}
