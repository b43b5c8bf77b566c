//! `--check-aof`: the verdicts of `redis-check-aof`, and what `--fix` leaves.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use storage::log::{Manifest, Members, put_group, put_record};

use crate::support::Target;
use crate::support::server::program;

/// A directory for one test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("tessera-check-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("the directory for temporary files is writable");
        Directory(path)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("the directory is ours");
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Whatever is left is in the directory for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether a file is found valid, and what is said.
fn check(file: &Path, fix: bool) -> (bool, String) {
    let mut command = Command::new(program(Target::Tessera(1)));
    command.arg("--check-aof").args(fix.then_some("--fix")).arg(file);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program runs");
    // One that asks nothing has ended already.
    let _ = child.stdin.take().expect("it is piped").write_all(b"y\ny\ny\n");
    let output = child.wait_with_output().expect("it ends");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn records(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        put_record(&mut out, line.split(' ').map(str::as_bytes).collect::<Vec<_>>().into_iter());
    }
    out
}

#[test]
fn a_file_is_valid_up_to_the_last_whole_record() {
    let directory = Directory::new("single");
    let whole = records(&["SET a 1", "MULTI", "SET b 2", "EXEC"]);
    let file = directory.put("log.aof", &whole);
    let (valid, said) = check(&file, false);
    assert!(valid && said.contains(&format!("size={0}, ok_up_to={0}", whole.len())), "{said}");
    let first = records(&["SET a 1"]).len();
    for end in [first + 3, whole.len() - 2, whole.len() - records(&["EXEC"]).len()] {
        let file = directory.put("log.aof", &whole[..end]);
        let (valid, said) = check(&file, false);
        assert!(!valid && said.contains("is not valid. Use the --fix option to try fixing it."), "{said}");
        let (valid, said) = check(&file, true);
        assert!(valid && said.contains("Successfully truncated AOF"), "{said}");
        assert_eq!(fs::metadata(&file).expect("it is there").len(), first as u64);
        assert!(check(&file, false).0);
    }
    let (valid, said) = check(&directory.0.join("none"), false);
    assert!(!valid && said.contains("Cannot open file"), "{said}");
}

#[test]
fn logs_of_shards_are_valid_up_to_the_last_complete_epoch() {
    let directory = Directory::new("shards");
    let mut manifest = Manifest::default();
    let (_, names) = manifest.begin_generation("log", 2);
    let group = |epoch, members: &[usize], lines: &[&str]| {
        let mut out = Vec::new();
        put_group(&mut out, epoch, &Members::of(members.iter().copied()), &records(lines));
        out
    };
    let first = group(1, &[0, 1], &["SET a 1"]);
    let second = group(2, &[0], &["SET a 2"]);
    let files = [[first.clone(), second.clone()].concat(), first.clone()];
    let paths: Vec<PathBuf> = names.iter().zip(&files).map(|(name, bytes)| directory.put(name, bytes)).collect();
    let manifest = directory.put("log.manifest", manifest.to_text().as_bytes());
    let (valid, said) = check(&manifest, false);
    assert!(valid && said.contains("The last epoch that all shards have is 2"), "{said}");
    // An epoch that only one of its shards has.
    directory.put(&names[1], &first[..first.len() - 1]);
    assert!(!check(&manifest, false).0);
    let (valid, said) = check(&manifest, true);
    assert!(valid && said.contains("All AOF files and manifest are valid"), "{said}");
    assert!(paths.iter().all(|path| fs::metadata(path).expect("it is there").len() == 0));
    // Damage in the middle is named, and given up with all behind it.
    let mut damaged = files[0].clone();
    damaged[first.len() - 3] ^= 1;
    directory.put(&names[0], &damaged);
    directory.put(&names[1], &first);
    let (valid, said) = check(&manifest, false);
    assert!(!valid && said.contains("it is damaged at offset 0"), "{said}");
    assert!(check(&manifest, true).0 && check(&manifest, false).0);
}

#[test]
fn what_is_torn_can_be_cut_if_no_record_stands_behind_it() {
    let directory = Directory::new("torn");
    let whole = records(&["SET a 1", "SET b 2"]);
    let manifest = "file log.1.incr.aof seq 1 type i\nfile log.2.incr.aof seq 2 type i\n";
    let manifest = directory.put("log.manifest", manifest.as_bytes());
    let torn = directory.put("log.1.incr.aof", &whole[..whole.len() - 1]);
    directory.put("log.2.incr.aof", &records(&["SET c 3"]));
    let (valid, said) = check(&manifest, true);
    assert!(!valid && said.contains("because it is not the last file"), "{said}");
    directory.put("log.2.incr.aof", b"#a line that is no record\r\n");
    let (valid, said) = check(&manifest, true);
    assert!(valid && said.contains("Successfully truncated"), "{said}");
    assert_eq!(fs::read(torn).expect("it is there"), records(&["SET a 1"]));
}
