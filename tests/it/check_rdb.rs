//! `--check-rdb`: the verdicts of `redis-check-rdb`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::support::server::program;
use crate::support::{Launch, Server, Target};

/// Whether a file is found sound, and what is said.
fn verdict(mut command: Command, file: &Path) -> (bool, String) {
    let output = command.arg(file).output().expect("the program runs");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn check(file: &Path) -> (bool, String) {
    let mut command = Command::new(program(Target::Tessera(1)));
    command.arg("--check-rdb");
    verdict(command, file)
}

/// Redis's own program, if it is installed.
fn checker_of_redis() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join("redis-check-rdb")).find(|path| path.is_file())
}

/// What is said of the counts.
fn counts(said: &str) -> Vec<&str> {
    let from = said.find("[info]").expect("it is said");
    said[from..].lines().collect()
}

fn saved() -> (Server, PathBuf) {
    let server = Launch::new(Target::Tessera(2)).start();
    let mut client = server.client();
    for line in ["SET alpha one", "SET beta two PX 100000000", "SELECT 7", "RPUSH list a b c", "HSET hash f v", "SAVE"]
    {
        client.must(line);
    }
    let file = server.dir().join("dump.rdb");
    (server, file)
}

/// A file that is sound, and others that are not, as they were made from it.
#[test]
fn files_are_judged_as_by_redis() {
    let (server, sound) = saved();
    let bytes = fs::read(&sound).expect("it was saved");
    let find = |text: &[u8]| bytes.windows(text.len()).position(|part| part == text).expect("it is in the file");
    let with = |at: usize, byte: u8| {
        let mut changed = bytes.clone();
        changed[at] = byte;
        changed
    };
    let cases = [
        (bytes.clone(), "[info] 4 keys read"),
        (bytes[..bytes.len() - 5].to_vec(), "Unexpected EOF reading RDB file"),
        (with(bytes.len() - 2, !bytes[bytes.len() - 2]), "RDB CRC error"),
        (with(0, b'r'), "Wrong signature trying to load DB from file"),
        (with(5, b'9'), "Can't handle RDB format version 9010"),
        (with(find(b"\x05alpha") - 1, 60), "Invalid object type: 60"),
        (bytes[..4].to_vec(), "Unexpected EOF reading RDB file"),
    ];
    for (place, (content, expected)) in cases.iter().enumerate() {
        let file = server.dir().join(format!("{place}.rdb"));
        fs::write(&file, content).expect("the directory is ours");
        let (is_sound, said) = check(&file);
        assert_eq!(is_sound, place == 0, "{said}");
        assert!(said.contains(expected), "{said}");
        if let Some(program) = checker_of_redis() {
            let (of_redis, said_by_redis) = verdict(Command::new(program), &file);
            assert_eq!(is_sound, of_redis);
            assert!(said_by_redis.contains(expected), "{said_by_redis}");
        }
    }
    let (is_sound, said) = check(&sound);
    assert!(is_sound && said.contains("\\o/ RDB looks OK! \\o/"), "{said}");
    assert_eq!(counts(&said), ["[info] 4 keys read", "[info] 1 expires", "[info] 0 already expired"]);
}

#[test]
fn a_value_that_cannot_be_read_is_named() {
    let (server, file) = saved();
    let mut bytes = fs::read(&file).expect("it was saved");
    let hash = b"\x04hash";
    let at = bytes.windows(hash.len()).position(|part| part == hash).expect("the key is in the file");
    // A listpack that says it is longer than it is.
    bytes[at + hash.len() + 1] ^= 0x40;
    let damaged = server.dir().join("damaged.rdb");
    fs::write(&damaged, bytes).expect("the directory is ours");
    let (is_sound, said) = check(&damaged);
    assert!(!is_sound && said.contains("[additional info] While doing: read-object-value"), "{said}");
    assert!(said.contains("[additional info] Reading key 'hash'") && said.contains("(hash-listpack)"), "{said}");
    assert!(!check(&server.dir().join("none.rdb")).0);
}
