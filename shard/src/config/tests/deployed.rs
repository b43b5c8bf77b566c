//! The configuration file that is delivered says what the table says.

use std::collections::{HashMap, HashSet};

use crate::config::{Config, directives};

const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/tessera.conf"));

/// The lines that are directives, with those that a hash switches off, and whether they are switched on.
fn lines() -> impl Iterator<Item = (&'static str, bool)> {
    FILE.lines().filter_map(|line| match line.strip_prefix('#') {
        None if line.is_empty() => None,
        None => Some((line, true)),
        Some(off) => off.starts_with(|first: char| first.is_ascii_lowercase()).then_some((off, false)),
    })
}

#[test]
fn the_file_loads_and_names_every_directive_once() {
    Config::parse_text(FILE.as_bytes()).unwrap();
    let mut seen = HashSet::new();
    let mut previous = "";
    for (line, _) in lines() {
        let name = line.split(' ').next().unwrap();
        assert!(seen.insert(name) || name == previous, "{name} is there twice");
        assert!(directives::lookup(name.as_bytes()).is_some_and(|directive| directive.name() == name), "{line}");
        previous = name;
    }
    for directive in directives::all().filter(|directive| !directive.is_hidden()) {
        assert!(seen.contains(directive.name()), "{} is missing", directive.name());
    }
}

#[test]
fn what_is_switched_off_are_the_defaults() {
    let defaults = Config::default();
    let mut texts: HashMap<&str, String> = HashMap::new();
    for (line, _) in lines().filter(|(_, on)| !on) {
        let text = texts.entry(line.split(' ').next().unwrap()).or_default();
        *text += &[line, "\n"].concat();
    }
    for (name, text) in texts {
        let default = &defaults.get(&[name])[0].1;
        // Where the default is empty, and for the directory, the file has an example.
        if name == "dir" || default.is_empty() {
            continue;
        }
        let config = Config::parse_text(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(&config.get(&[name])[0].1, default, "{text}");
    }
}
