//! The table of reads and the registry, without cores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use net::ConnId;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::ids::{ClientId, ShardId};
use crate::session::places::{Place, Places};

fn place(slot: u32) -> Place {
    Place { core: ShardId(slot as u16 % 4), conn: ConnId { slot, generation: 1 } }
}

#[test]
fn the_table_is_as_a_map_of_sets() {
    let registry = Arc::new(Registry::default());
    let mut table = ReadTable::new(Arc::clone(&registry));
    let mut model: BTreeMap<Vec<u8>, BTreeSet<ClientId>> = BTreeMap::new();
    let mut rng = SmallRng::seed_from_u64(7);
    for _ in 0..20_000 {
        let key = format!("key:{}", rng.random_range(0..300)).into_bytes();
        let client = ClientId(rng.random_range(1..6));
        match rng.random_range(0..10) {
            0..7 => {
                table.add(&key, client);
                model.entry(key).or_default().insert(client);
            }
            7..9 => {
                let expected = model.remove(&key).map(|clients| clients.into_iter().collect::<Vec<_>>());
                assert_eq!(table.remove(&key).map(|readers| readers.as_slice().to_vec()), expected);
            }
            _ => match table.remove_excess(0, &mut rng) {
                None => assert!(model.is_empty()),
                Some((key, readers)) => {
                    let expected = model.remove(&*key).expect("it was added");
                    assert!(expected.iter().eq(readers.as_slice()), "{readers:?}");
                }
            },
        }
        assert_eq!((registry.keys(), table.len()), (model.len(), model.len()));
        assert_eq!(registry.items(), model.values().map(BTreeSet::len).sum());
    }
    table.check_invariants();
    table.clear();
    assert_eq!((registry.keys(), registry.items(), table.is_empty()), (0, 0, true));
}

#[test]
fn a_random_key_is_any_key() {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let mut table = ReadTable::new(Arc::default());
        for n in 0..8_u8 {
            table.add(&[n], ClientId(1));
        }
        seen.insert(table.remove_excess(7, &mut rng).expect("there are eight").0);
        assert_eq!(table.remove_excess(7, &mut rng), None, "no more than are too many");
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn who_is_told_is_judged_when_the_key_changes() {
    let (registry, places) = (Registry::default(), Places::default());
    let (reader, other) = (ClientId(1), ClientId(2));
    let told = |registry: &Registry, writer| registry.reader(reader, writer, &places);
    assert_eq!(told(&registry, None), None, "it does not track");

    let mut mode = Mode::default();
    registry.enter(reader, place(1), &mode);
    assert_eq!(told(&registry, Some(reader)), Some(Target::Own(place(1))));

    mode.no_loop = true;
    registry.enter(reader, place(1), &mode);
    assert_eq!(told(&registry, Some(reader)), None, "it does not want to hear of its own changes");
    assert_eq!(told(&registry, Some(other)), Some(Target::Own(place(1))));

    mode.redirect = Some(other);
    registry.enter(reader, place(1), &mode);
    assert_eq!(told(&registry, None), Some(Target::Broken(place(1))), "the other is not there");
    places.enter(other, place(2));
    assert_eq!(told(&registry, None), Some(Target::Redirected(place(2))));
    places.leave(other);
    assert_eq!(told(&registry, None), Some(Target::Broken(place(1))));

    registry.leave(reader, &mode);
    assert!(!registry.is_active() && told(&registry, None).is_none());
}

#[test]
fn prefixes_are_those_of_all_clients() {
    let (registry, places) = (Registry::default(), Places::default());
    let mode = |prefixes: &[&str]| Mode {
        broadcast: true,
        prefixes: prefixes.iter().map(|prefix| prefix.as_bytes().to_vec()).collect(),
        ..Mode::default()
    };
    let (first, second) = (mode(&["user:", "cart:"]), mode(&["user:", ""]));
    registry.enter(ClientId(1), place(1), &first);
    registry.enter(ClientId(2), place(2), &second);
    assert_eq!((registry.clients(), registry.prefixes()), (2, 3));
    let of = |registry: &Registry, key: &[u8]| {
        let mut seen = Vec::new();
        registry.visit_prefixes(key, |prefix| seen.push(String::from_utf8_lossy(prefix).into_owned()));
        seen
    };
    assert_eq!(of(&registry, b"user:7"), ["", "user:"]);
    assert_eq!(of(&registry, b"use"), [""]);
    let told = registry.subscribers(b"user:", &places);
    assert_eq!(told, [(ClientId(1), false, Target::Own(place(1))), (ClientId(2), false, Target::Own(place(2)))]);
    registry.leave(ClientId(2), &second);
    assert_eq!((registry.prefixes(), of(&registry, b"use").len()), (2, 0));
}

#[test]
fn touched_keys_have_changed_if_the_command_changed_something() {
    let registry = Arc::new(Registry::default());
    let mut keys = KeyTracking::new(Arc::clone(&registry));
    keys.touch(b"a");
    keys.change(b"a");
    keys.settle(true);
    keys.flush();
    assert!(!keys.has_news(), "nobody tracks");

    registry.enter(ClientId(1), place(1), &Mode::default());
    keys.touch(b"a");
    keys.settle(false);
    assert!(!keys.has_news());
    keys.touch(b"a");
    keys.change(b"b");
    keys.settle(true);
    assert_eq!(keys.take_changed(), [(b"b".to_vec(), None), (b"a".to_vec(), None)]);
    keys.table.add(b"c", ClientId(1));
    keys.flush();
    assert!(keys.table.is_empty() && keys.has_news() && keys.take_flushed() && !keys.has_news());
}

#[test]
fn who_reads_a_key_behind_a_change_is_not_told_of_that() {
    let registry = Arc::new(Registry::default());
    registry.enter(ClientId(1), place(1), &Mode::default());
    registry.enter(ClientId(2), place(2), &Mode::default());
    let told = |keys: &mut KeyTracking| {
        let changed = keys.take_changed();
        let readers = |readers: Option<Readers>| readers.map_or_else(Vec::new, |readers| readers.as_slice().to_vec());
        changed.into_iter().map(|(_, of)| readers(of)).collect::<Vec<_>>()
    };
    let mut home = KeyTracking::new(Arc::clone(&registry));
    home.remember_key(ClientId(1), b"a");
    home.change(b"a");
    home.remember_key(ClientId(2), b"a");
    assert_eq!(told(&mut home), [vec![ClientId(1)]], "the other one has read what is there now");
    home.change(b"a");
    assert_eq!(told(&mut home), [vec![ClientId(2)]]);

    // The same of a key that was away meanwhile: read, changed, and read again.
    home.remember_key(ClientId(1), b"a");
    let mut away = home.for_borrowed();
    away.remember_key(ClientId(2), b"a");
    away.change(b"a");
    away.remember_key(ClientId(2), b"a");
    let (changed, reads) = away.take_out(&[b"a".to_vec()]);
    home.take_in(changed, reads);
    assert_eq!(told(&mut home), [vec![ClientId(1), ClientId(2)]]);
    home.change(b"a");
    assert_eq!(told(&mut home), [vec![ClientId(2)]], "whoever read it last has a copy");
}

#[test]
fn messages_are_those_of_redis() {
    let text = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).expect("text"));
    let invalid = Invalid::keys(1, std::iter::once(&b"k"[..]));
    let (v2, v3) = (net::Resp::V2, net::Resp::V3);
    assert_eq!(text(invalid.push(v3)).as_deref(), Some(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"));
    assert_eq!(invalid.push(v2), None);
    let message = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";
    assert_eq!(text(invalid.redirected(v2, true)), Some(format!("{message}*1\r\n$1\r\nk\r\n")));
    assert_eq!(text(Invalid::All.redirected(v2, true)), Some(format!("{message}$-1\r\n")));
    assert_eq!(invalid.redirected(v2, false), None);
    assert_eq!(invalid.redirected(v3, false), invalid.push(v3));
    assert_eq!(text(Invalid::All.push(v3)).as_deref(), Some(">2\r\n$10\r\ninvalidate\r\n_\r\n"));
    let gone = ">2\r\n$21\r\ntracking-redir-broken\r\n:7\r\n";
    assert_eq!(text(broken(v3, ClientId(7))).as_deref(), Some(gone));
    assert_eq!(broken(v2, ClientId(7)), None);
}

#[test]
fn a_broadcast_names_each_key_once_with_its_first_writer() {
    let mut broadcast = Broadcast::default();
    broadcast.add(b"", b"k2", Some(ClientId(1)));
    broadcast.add(b"", b"k1", None);
    broadcast.add(b"", b"k2", Some(ClientId(2)));
    broadcast.add(b"k2", b"k2", Some(ClientId(1)));
    let told: Vec<_> = broadcast.take().collect();
    assert!(broadcast.is_empty());
    assert_eq!(told[0].0, b"");
    assert_eq!(told[0].1, BTreeMap::from([(b"k1".to_vec(), None), (b"k2".to_vec(), Some(ClientId(1)))]));
    assert_eq!(told[1].0, b"k2");
}
