use net::Resp;

use super::longest::{Longest, len};
use crate::exec::testing::{Keyspace, check};

#[test]
fn all_forms_of_the_reply() {
    check(
        r#"
        MSET a ohmytext b mynewtext => OK
        LCS a b => "mytext"
        LCS a b LEN => 6
        LCS a b IDX => ["matches" [[[4 7] [5 8]] [[2 3] [0 1]]] "len" 6]
        LCS a b IDX MINMATCHLEN 4 => ["matches" [[[4 7] [5 8]]] "len" 6]
        LCS a b IDX MINMATCHLEN -4 WITHMATCHLEN => ["matches" [[[4 7] [5 8] 4] [[2 3] [0 1] 2]] "len" 6]
        LCS a missing => ""
        LCS missing b LEN => 0
        LCS missing b IDX => ["matches" [] "len" 0]
        LCS a a => "ohmytext"
        LCS a b LEN IDX => -ERR If you want both the length and indexes, please just use IDX.
        LCS a b FOO => -ERR syntax error
        LCS a b MINMATCHLEN => -ERR syntax error
        LCS a b MINMATCHLEN x => -ERR value is not an integer or out of range
        "#,
    );
}

#[test]
fn a_map_is_a_map_in_resp3() {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        keyspace.resp = Resp::V3;
        keyspace.check(
            r#"
            MSET a ab b b => OK
            LCS a b IDX => {"matches" [[[1 1] [0 0]]] "len" 1}
            "#,
        );
    }
}

#[test]
fn the_table_is_limited() {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        keyspace.configure(|config| config.proto_max_bulk_len = 63);
        keyspace.check(
            r"
            MSET a xxx b yyy => OK
            LCS a b => -ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len
            ",
        );
        keyspace.configure(|config| config.proto_max_bulk_len = 64);
        keyspace.check("LCS a b LEN => 0");
    }
}

/// The whole table, as the definition has it.
fn len_by_definition(first: &[u8], second: &[u8]) -> usize {
    let mut table = vec![vec![0; second.len() + 1]; first.len() + 1];
    for (i, a) in first.iter().enumerate() {
        for (j, b) in second.iter().enumerate() {
            table[i + 1][j + 1] = if a == b { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
        }
    }
    table[first.len()][second.len()]
}

#[test]
fn runs_are_common_to_both_strings() {
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..300 {
        let mut string = || -> Vec<u8> { (0..random(40)).map(|_| b'a' + random(3) as u8).collect() };
        let (first, second) = (string(), string());
        let longest = Longest::find(&first, &second);
        assert_eq!(longest.len(), len_by_definition(&first, &second));
        assert_eq!(len(&first, &second), longest.len());
        assert_eq!(longest.subsequence(&first).len(), longest.len());
        for run in longest.runs() {
            assert_eq!(first[run.first..][..run.len], second[run.second..][..run.len]);
        }
        let order = |pair: &[super::longest::Run]| {
            pair[1].first + pair[1].len <= pair[0].first && pair[1].second + pair[1].len <= pair[0].second
        };
        assert!(longest.runs().windows(2).all(order));
    }
}
