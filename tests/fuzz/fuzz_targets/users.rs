//! Files of users out of any bytes: they load or are refused, and what loads is written so that it makes the same users again, in
//! such a file and in the configuration.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shard::acl::{DEFAULT_USER, load_file};
use shard::config::Config;

fuzz_target!(|text: &[u8]| {
    let Ok(users) = load_file("users.acl", text, false) else {
        return;
    };
    let written = users.file_text();
    let again = load_file("users.acl", &written, false).expect("what was written loads");
    assert_eq!(again.file_text(), written);
    let lines: Vec<u8> = users.config_lines().iter().flat_map(|line| [b"user ", line.as_slice(), b"\n"].concat()).collect();
    let described = Config::parse_text(&lines).expect("lines are well formed").described_users().expect("and describe users");
    for user in users.iter().filter(|user| user.name != DEFAULT_USER) {
        assert_eq!(described.get(&user.name).expect("it has a line").rules(), user.rules());
    }
});
