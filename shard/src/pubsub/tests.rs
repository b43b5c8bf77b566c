//! The registry, the table and the frames.

use std::sync::Arc;

use net::ConnId;

use super::{Kind, Published, Registry, Space, SubscriberTable};
use crate::ids::ShardId;

fn client(slot: u32) -> ConnId {
    ConnId { slot, generation: 7 }
}

fn tables(cores: u16) -> (Arc<Registry>, Vec<SubscriberTable>) {
    let registry = Arc::new(Registry::default());
    let table = |core| SubscriberTable::new(ShardId(core), Arc::clone(&registry));
    let tables = (0..cores).map(table).collect();
    (registry, tables)
}

fn subscribe(table: &mut SubscriberTable, kind: Kind, name: &str, client: ConnId) {
    let name = table.shared_name(kind, name.as_bytes());
    table.expect(kind, &name);
    table.admit(kind, &name, Some(client));
}

#[test]
fn a_core_is_told_of_from_before_the_first_to_after_the_last() {
    let (registry, mut tables) = tables(3);
    let cores = |channel: &str| registry.cores_of(Space::Channels, channel.as_bytes());
    let name: Arc<[u8]> = Arc::from(&b"news"[..]);
    let before = registry.version();
    tables[2].expect(Kind::Channel, &name);
    assert_ne!(registry.version(), before);
    assert_eq!(cores("news"), [ShardId(2)], "its subscriber is on its way");
    assert_eq!(registry.receivers(Space::Channels, b"news"), 0);
    tables[2].admit(Kind::Channel, &name, Some(client(1)));
    tables[2].expect(Kind::Channel, &name);
    tables[2].remove(Kind::Channel, b"news", client(1));
    assert_eq!(cores("news"), [ShardId(2)], "another one is on its way");
    tables[2].admit(Kind::Channel, &name, None);
    assert!(cores("news").is_empty(), "it was gone before it came");
    assert!(tables[2].is_empty() && registry.is_silent());
}

#[test]
fn patterns_and_channels_of_one_space_are_heard_together() {
    let (registry, mut tables) = tables(3);
    subscribe(&mut tables[0], Kind::Channel, "news.art", client(0));
    subscribe(&mut tables[1], Kind::Pattern, "news.*", client(1));
    subscribe(&mut tables[1], Kind::Pattern, "*art", client(1));
    subscribe(&mut tables[2], Kind::ShardChannel, "news.art", client(2));
    assert_eq!(registry.cores_of(Space::Channels, b"news.art"), [ShardId(0), ShardId(1)]);
    assert_eq!(registry.receivers(Space::Channels, b"news.art"), 3);
    assert_eq!(tables[1].receivers(Space::Channels, b"news.art"), 2);
    assert_eq!(registry.cores_of(Space::Channels, b"news.tea"), [ShardId(1)]);
    assert_eq!(registry.cores_of(Space::ShardChannels, b"news.art"), [ShardId(2)], "patterns are not for these");
    assert_eq!(registry.names(Kind::Pattern), 2);
    tables[1].remove(Kind::Pattern, b"*art", client(1));
    tables[1].remove(Kind::Pattern, b"*art", client(1));
    assert_eq!(registry.receivers(Space::Channels, b"news.art"), 2);
}

#[test]
fn a_message_is_framed_once_for_all() {
    let message = Published::new(Space::Channels, b"ch", b"hello");
    assert_eq!(message.frame(), b">3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$5\r\nhello\r\n");
    assert_eq!(message.channel(), b"ch");
    let mut head = b"left over".to_vec();
    let rest = message.pattern_frame(b"c*", &mut head);
    assert_eq!([&head, rest].concat(), b">4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$2\r\nch\r\n$5\r\nhello\r\n");
    let message = Published::new(Space::ShardChannels, b"", b"");
    assert_eq!(message.frame(), b">3\r\n$8\r\nsmessage\r\n$0\r\n\r\n$0\r\n\r\n");
    assert_eq!(message.channel(), b"");
}
