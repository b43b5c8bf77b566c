//! Whatever bytes a script hands to a decoder, it gets a value or an error, and takes no more memory than the bytes can hold.

use mlua::{Function, Lua, MultiValue, Table, Value};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::{cjson, cmsgpack, structure};
use crate::script::drive::STACK_BYTES;

const INPUTS: u64 = 20_000;

/// A value of Lua takes so many bytes for a byte of input, at most: an empty table for the byte that says so, in the places
/// of a table that has just doubled.
const BYTES_PER_BYTE: usize = 256;
const BYTES_BESIDES: usize = 256 << 10;

struct Libraries {
    lua: Lua,
    raw: Table,
}

impl Libraries {
    fn new() -> Libraries {
        let lua = Lua::new();
        let raw = lua.create_table().expect("memory");
        cjson::add(&lua, &raw).expect("memory");
        cmsgpack::add(&lua, &raw).expect("memory");
        structure::add(&lua, &raw).expect("memory");
        Libraries { lua, raw }
    }

    fn function(&self, library: &str, name: &str) -> Function {
        self.raw.get::<Table>(library).and_then(|library| library.get(name)).expect("there is such a function")
    }

    fn text(&self, bytes: &[u8]) -> Value {
        Value::String(self.lua.create_string(bytes).expect("memory"))
    }

    /// Calls a function, which may fail but not take much memory.
    fn try_call(&self, function: &Function, args: Vec<Value>, input: usize) -> Option<MultiValue> {
        self.lua.gc_collect().expect("nothing has a finalizer");
        let before = self.lua.used_memory();
        let result = function.call::<MultiValue>(MultiValue::from_vec(args)).ok();
        let taken = self.lua.used_memory().saturating_sub(before);
        assert!(taken <= input * BYTES_PER_BYTE + BYTES_BESIDES, "{taken} bytes for {input} of input");
        result
    }
}

/// Bytes that look like what is expected: pieces of it, changed here and there.
fn mutated(rng: &mut SmallRng, pieces: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rng.random_range(1..20) {
        bytes.extend_from_slice(pieces[rng.random_range(0..pieces.len())]);
    }
    for _ in 0..rng.random_range(0..4) {
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..3) {
            0 => bytes[at] = rng.random(),
            1 => bytes.insert(at, rng.random()),
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

#[test]
fn message_pack_of_any_bytes_is_a_value_or_an_error() {
    let libraries = Libraries::new();
    let (unpack, pack) = (libraries.function("cmsgpack", "unpack"), libraries.function("cmsgpack", "pack"));
    let pieces: [&[u8]; 14] = [
        b"\x93\x01\x02\x03",
        b"\x82\xa1a\x01\xa1b\xc0",
        b"\xcb\x3f\xf0\0\0\0\0\0\0",
        b"\xdb\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\x7f\xff\xff\xff",
        b"\xda\0\x02ab",
        b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x91",
        b"\x81",
        b"\xc0",
        b"\xe0",
        b"\xd9\x03abc",
        b"\xdc\0\x02\x01\x02",
    ];
    let mut rng = SmallRng::seed_from_u64(5);
    for _ in 0..INPUTS {
        let bytes = mutated(&mut rng, &pieces);
        let Some(values) = libraries.try_call(&unpack, vec![libraries.text(&bytes)], bytes.len()) else { continue };
        // What was read can be written, but for what is nested too deeply: that is nil.
        let packed = pack.call::<Value>(values);
        assert!(packed.is_ok() || bytes.is_empty(), "{}", bytes.escape_ascii());
    }
}

#[test]
fn json_of_any_bytes_is_a_value_or_an_error() {
    let libraries = Libraries::new();
    let (decode, encode) = (libraries.function("cjson", "decode"), libraries.function("cjson", "encode"));
    let pieces: [&[u8]; 16] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"a\"",
        b"\"\\u00e9\\ud83d\\ude00\"",
        b"1",
        b"-1.5e300",
        b"0x1f",
        b"null",
        b"true",
        b"[1,2,{\"a\":[]}]",
        b" \t",
        b"1e999",
    ];
    let mut rng = SmallRng::seed_from_u64(6);
    let mut valid = 0;
    for _ in 0..INPUTS {
        let bytes = mutated(&mut rng, &pieces);
        let Some(values) = libraries.try_call(&decode, vec![libraries.text(&bytes)], bytes.len()) else { continue };
        valid += 1;
        // NaN and infinity are read and not written.
        if let Ok(Value::String(text)) = encode.call::<Value>(values) {
            let again: Result<Value, _> = decode.call(text);
            assert!(again.is_ok(), "{}", bytes.escape_ascii());
        }
    }
    assert!(valid > 0, "some of it is JSON");
}

#[test]
fn structures_of_any_format_are_values_or_an_error() {
    let libraries = Libraries::new();
    let (unpack, size) = (libraries.function("struct", "unpack"), libraries.function("struct", "size"));
    let formats: [&[u8]; 16] =
        [b"b", b"B", b"h", b"<", b">", b"!4", b"i3", b"I32", b"l", b"d", b"f", b"s", b"c0", b"Bc0", b"x", b"c99999999"];
    let mut rng = SmallRng::seed_from_u64(7);
    for _ in 0..INPUTS {
        let format = mutated(&mut rng, &formats);
        let data: Vec<u8> = (0..rng.random_range(0..64)).map(|_| rng.random()).collect();
        let at = Value::Integer(rng.random_range(-2..70));
        let input = format.len() + data.len();
        libraries.try_call(&unpack, vec![libraries.text(&format), libraries.text(&data), at], input);
        libraries.try_call(&size, vec![libraries.text(&format)], input);
    }
}

/// Every value that is held while another is read takes one of some thousands of places, and room on the script's stack.
#[test]
fn what_nests_too_deeply_is_refused() {
    let of_a_script = std::thread::Builder::new().stack_size(STACK_BYTES);
    of_a_script.spawn(nest_too_deeply).expect("a thread can be started").join().expect("it was refused");
}

fn nest_too_deeply() {
    let libraries = Libraries::new();
    let unpack = libraries.function("cmsgpack", "unpack");
    let decode = libraries.function("cjson", "decode");
    libraries.function("cjson", "decode_max_depth").call::<()>(i32::MAX).expect("any depth can be set");
    libraries.function("cjson", "encode_max_depth").call::<()>(i32::MAX).expect("any depth can be set");
    for piece in [&b"\x91"[..], b"\x81\xa1a", b"\x92\xa1a", b"\x81\x91"] {
        let many = [vec![b'\x01'; 5_000], piece.repeat(20_000)].concat();
        assert!(unpack.call::<MultiValue>(libraries.text(&many)).is_err());
        assert!(unpack.call::<MultiValue>(libraries.text(&piece.repeat(20_000))).is_err());
    }
    for piece in [&b"["[..], b"{\"a\":", b"[1,[2],"] {
        assert!(decode.call::<Value>(libraries.text(&piece.repeat(20_000))).is_err());
    }
    let chunk = "local encode, key = ... local t = {} for i = 1, 20000 do t = {[key] = t} end return pcall(encode, t)";
    for key in [Value::Integer(1), libraries.text(b"a")] {
        let encode = libraries.function("cjson", "encode");
        let ok: bool = libraries.lua.load(chunk).call((encode, key)).expect("the call is a protected one");
        assert!(!ok);
    }
}
