//! From a key to its hash slot, and from a slot to its shard.
//!
//! A slot is the CRC16 of the key's hash tag, or of the whole key, modulo 16,384, as the Redis Cluster specification has
//! it. The hash tag is what stands between the first `{` and the first `}` behind it, if that is not empty; keys that
//! share one are on one shard. Slot `s` of `n` shards belongs to shard `s mod n`. That is computed: a table of all slots
//! would be as large as the cache that the data path has for everything.

use crate::ids::ShardId;

/// Number of hash slots.
pub const SLOTS: usize = 16_384;

/// CRC16 of the XMODEM kind: polynomial 0x1021, initial value 0, nothing reflected. Table `k` has what a byte does to the
/// CRC when `k` more bytes follow it, so eight bytes cost eight independent looks instead of a chain of eight.
const CRC16: [[u16; 256]; 8] = {
    let mut tables = [[0u16; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { (crc << 1) ^ 0x1021 } else { crc << 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[table - 1][byte];
            tables[table][byte] = (crc << 8) ^ tables[0][(crc >> 8) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
};

/// CRC16 of `bytes`.
fn crc16(bytes: &[u8]) -> u16 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut crc = 0u16;
    for eight in eights {
        let [high, low] = crc.to_be_bytes();
        let mut mixed = *eight;
        mixed[0] ^= high;
        mixed[1] ^= low;
        crc = 0;
        for (table, byte) in CRC16.iter().rev().zip(mixed) {
            crc ^= table[usize::from(byte)];
        }
    }
    rest.iter().fold(crc, |crc, &byte| (crc << 8) ^ CRC16[0][usize::from((crc >> 8) as u8 ^ byte)])
}

/// Whether a hash tag may begin in `key`. Most keys have none, and that is seen eight bytes at a time: 0x7f added to the
/// lower seven bits of a byte carries into its highest bit unless they are all zero.
#[inline]
fn has_open_brace(key: &[u8]) -> bool {
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
    let has_zero = |word: u64| !((((word & LOW) + LOW) | word) | LOW) != 0;
    let (eights, rest) = key.as_chunks::<8>();
    let opens = |eight: &[u8; 8]| has_zero(u64::from_ne_bytes(*eight) ^ u64::from_ne_bytes([b'{'; 8]));
    eights.iter().any(opens) || rest.contains(&b'{')
}

/// The part of `key` that decides its slot.
#[inline]
pub fn hash_tag(key: &[u8]) -> &[u8] {
    if !has_open_brace(key) {
        return key;
    }
    let Some(open) = key.iter().position(|&b| b == b'{') else { return key };
    match key[open + 1..].iter().position(|&b| b == b'}') {
        None | Some(0) => key,
        Some(len) => &key[open + 1..open + 1 + len],
    }
}

/// The hash slot of `key`, below [`SLOTS`].
pub fn key_slot(key: &[u8]) -> u16 {
    crc16(hash_tag(key)) % SLOTS as u16
}

/// Which shard owns which slot.
#[derive(Clone, Debug)]
pub struct SlotMap {
    shards: u32,
}

impl SlotMap {
    /// Slots dealt out in turn to `shards` shards.
    pub fn new(shards: usize) -> Self {
        assert!((1..=SLOTS).contains(&shards), "a server has a shard, and each of them a slot");
        Self { shards: shards as u32 }
    }

    /// The shard that owns `key`.
    #[inline]
    pub fn owner(&self, key: &[u8]) -> ShardId {
        if self.shards == 1 {
            return ShardId(0);
        }
        ShardId((u32::from(key_slot(key)) % self.shards) as u16)
    }

    /// Number of shards.
    pub fn shards(&self) -> usize {
        self.shards as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis_cluster() {
        assert_eq!(key_slot(b"123456789"), 0x31C3);
        assert_eq!(key_slot(b"foo"), 12182);
        assert_eq!(key_slot(b""), 0);
        assert_eq!(key_slot(b"{user1000}.following"), key_slot(b"user1000"));
        assert_eq!(hash_tag(b"foo{}{bar}"), b"foo{}{bar}");
        assert_eq!(hash_tag(b"foo{{bar}}zap"), b"{bar");
        assert_eq!(hash_tag(b"foo{bar}{zap}"), b"bar");
        assert_eq!(hash_tag(b"foo{bar"), b"foo{bar");
    }

    #[test]
    fn a_brace_is_seen_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for len in 0..20 {
                let mut key = vec![byte; len];
                assert_eq!(has_open_brace(&key), key.contains(&b'{'), "{key:?}");
                for at in 0..len {
                    key[at] = b'{';
                    assert!(has_open_brace(&key), "{key:?}");
                    key[at] = byte;
                }
            }
        }
    }

    #[test]
    fn every_shard_has_its_slots() {
        for shards in [1, 2, 3, 7] {
            let map = SlotMap::new(shards);
            for n in 0..1000 {
                let key = format!("key:{n}");
                assert_eq!(usize::from(map.owner(key.as_bytes()).0), usize::from(key_slot(key.as_bytes())) % shards);
            }
        }
    }

    #[test]
    fn eight_bytes_at_once_give_the_same_crc() {
        let bytes: Vec<u8> = (0..100u8).map(|i| i.wrapping_mul(37) ^ 0xa5).collect();
        for len in 0..bytes.len() {
            let mut crc = 0u16;
            for &byte in &bytes[..len] {
                crc ^= u16::from(byte) << 8;
                for _ in 0..8 {
                    crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
                }
            }
            assert_eq!(crc16(&bytes[..len]), crc, "{len} bytes");
        }
    }
}
