//! What can be told of DEBUG without a server.

use net::OwnedArgs;
use storage::{HashShape, TableStats};

use super::{WORDS, choose, clock, digest, inspect, is_on, shape};
use crate::exec::Run;
use crate::sha1::{Digest, hex};

fn chosen(text: &str) -> Run {
    let args: OwnedArgs = text.split(' ').map(str::as_bytes).collect();
    choose(&args.as_args())
}

#[test]
fn words_are_chosen_by_name_and_number_of_arguments() {
    assert!(matches!(chosen("debug sleep 1"), Run::Everywhere { .. }));
    assert!(matches!(chosen("debug Object key"), Run::AllShards { .. }));
    assert!(matches!(chosen("debug object"), Run::Session(_)), "the one that says so");
    let mut names: Vec<&str> = WORDS.iter().map(|word| word.name).collect();
    names.dedup();
    assert_eq!(names.len(), WORDS.len());
}

#[test]
fn switches_and_times_are_read_as_c_reads_them() {
    assert!(is_on(b"1") && is_on(b"-1") && is_on(b"2x"));
    assert!(!is_on(b"0") && !is_on(b"x") && !is_on(b""));
    assert!((clock::seconds(b"0.25") - 0.25).abs() < 1e-9);
    assert!(clock::seconds(b"x").abs() < 1e-9 && clock::seconds(b"-1").abs() < 1e-9);
}

#[test]
fn a_digest_does_not_depend_on_the_shards() {
    let (one, two): (Digest, Digest) = ([1; 20], [6; 20]);
    let both: Digest = [7; 20];
    let together = digest::of_databases(&[vec![(0, both), (3, one)]]);
    let apart = digest::of_databases(&[vec![(3, one), (0, two)], vec![(0, one)]]);
    assert_eq!(hex(&together), hex(&apart));
    assert_eq!(hex(&digest::of_databases(&[])), "0".repeat(40));
}

#[test]
fn tables_are_described_with_the_words_that_tools_look_for() {
    let stats = TableStats { entries: 3, slots: 14, segments: 1, lines_to_find: vec![2, 1] };
    let text = inspect::describe(&stats, 1);
    assert!(text.contains(" table size: 14\n number of elements: 3\n"), "{text}");
    assert!(text.contains("   1: 2 (66.67%)\n   2: 1 (33.33%)\n[Expires HT]"));
}

#[test]
fn the_table_of_a_key_is_described_as_one_with_chains_would_be() {
    let text = shape::describe(&HashShape { members: 4, segments: 1, places: vec![5, 2, 1] });
    assert!(
        text.starts_with("Hash table 0 stats (main hash table):\n table size: 8\n number of elements: 4\n"),
        "{text}"
    );
    assert!(text.contains(" different slots: 3\n max chain length: 2\n avg chain length (counted): 1.33\n"), "{text}");
    assert!(text.ends_with(":\n   0: 5 (62.50%)\n   1: 2 (25.00%)\n   2: 1 (12.50%)\n"), "{text}");
}
