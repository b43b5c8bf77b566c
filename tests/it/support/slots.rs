//! Which shard owns a key, computed apart from the server: CRC16 (XMODEM) of the hash tag or the whole key, modulo
//! 16,384 slots, and slot modulo the number of shards.

/// Slots of the keyspace.
pub const SLOTS: u16 = 16_384;

/// The slot of `key`.
pub fn slot(key: &[u8]) -> u16 {
    crc16(tag(key)) % SLOTS
}

/// The shard of `key` in a server with `shards` shards.
pub fn shard(key: &[u8], shards: u16) -> u16 {
    slot(key) % shards
}

/// A key that begins with `prefix` and lives on `shard` of `shards`.
pub fn key_on(prefix: &str, shard: u16, shards: u16) -> String {
    let mut keys = (0..u32::MAX).map(|n| format!("{prefix}:{n}"));
    keys.find(|key| self::shard(key.as_bytes(), shards) == shard).expect("slots are even among so many keys")
}

/// The part of a key between the first `{` and the next `}`, if it is not empty; else the key.
fn tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&byte| byte == b'{') else { return key };
    let inner = &key[open + 1..];
    match inner.iter().position(|&byte| byte == b'}') {
        Some(0) | None => key,
        Some(len) => &inner[..len],
    }
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 })
    })
}

#[test]
fn slots_are_those_of_redis_cluster() {
    // The check value of CRC16/XMODEM, and slots that any cluster reports for these keys.
    assert_eq!(crc16(b"123456789"), 0x31c3);
    assert_eq!(slot(b"foo"), 12_182);
    assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
    assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
    assert_eq!(slot(b"foo{{bar}}zap"), crc16(b"{bar") % SLOTS);
}
