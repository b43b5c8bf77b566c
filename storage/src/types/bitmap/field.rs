//! BITFIELD: integers of 1 to 64 bits at any bit of the string.

/// What BITFIELD does with a value that the field cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The low bits are kept, as machines do.
    #[default]
    Wrap,
    /// The closest value that the field can hold.
    Saturate,
    /// Nothing is changed, and the reply is nil.
    Fail,
}

/// The type of a field: `i1` to `i64`, `u1` to `u63`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldType {
    signed: bool,
    bits: u8,
}

impl FieldType {
    /// A type, or `None` where Redis says "Invalid bitfield type": replies are signed 64-bit integers, so `u64` is not one.
    pub const fn new(signed: bool, bits: u64) -> Option<Self> {
        let bits_max = if signed { 64 } else { 63 };
        if bits >= 1 && bits <= bits_max { Some(Self { signed, bits: bits as u8 }) } else { None }
    }

    /// Its width.
    pub const fn bits(self) -> u64 {
        self.bits as u64
    }

    /// The smallest value of a field.
    pub const fn min(self) -> i64 {
        if self.signed { i64::MIN >> (64 - self.bits) } else { 0 }
    }

    /// The largest value of a field.
    pub const fn max(self) -> i64 {
        if self.signed { i64::MAX >> (64 - self.bits) } else { (u64::MAX >> (64 - self.bits)) as i64 }
    }

    /// What BITFIELD SET stores for a value. For unsigned fields the value is taken as an unsigned number: a negative one
    /// is too large, not too small. So is, for Redis, a value that is so far below a signed field's range that its distance
    /// to the largest value is no `i64`; clients see the difference when it saturates.
    pub fn fit(self, value: i64, overflow: Overflow) -> Option<i64> {
        if overflow == Overflow::Saturate && self.signed && self.bits < 64 && self.max().checked_sub(value).is_none() {
            return Some(self.max());
        }
        let exact = if self.signed { i128::from(value) } else { i128::from(value as u64) };
        self.fit_exact(exact, overflow)
    }

    /// What BITFIELD INCRBY stores for a field that holds `value`.
    pub fn add(self, value: i64, by: i64, overflow: Overflow) -> Option<i64> {
        self.fit_exact(i128::from(value) + i128::from(by), overflow)
    }

    fn fit_exact(self, exact: i128, overflow: Overflow) -> Option<i64> {
        let (min, max) = (self.min(), self.max());
        if exact >= i128::from(min) && exact <= i128::from(max) {
            return Some(exact as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.value_of_low_bits(exact as u64)),
            Overflow::Saturate => Some(if exact < i128::from(min) { min } else { max }),
            Overflow::Fail => None,
        }
    }

    /// The value of which these are the low bits; what stands above the field's width is ignored.
    const fn value_of_low_bits(self, bits: u64) -> i64 {
        let unused = 64 - self.bits;
        if self.signed { (bits << unused) as i64 >> unused } else { (bits << unused >> unused) as i64 }
    }
}

/// The bytes in which a field lies, as far as they exist, and how far its last bit is from the end of nine bytes.
fn place(kind: FieldType, offset: u64, len: usize) -> (std::ops::Range<usize>, u32) {
    let start = usize::try_from(offset / 8).map_or(len, |start| start.min(len));
    let shift = 72 - (offset % 8) - kind.bits();
    (start..len.min(start + 9), shift as u32)
}

/// Nine bytes as a number. A field of 64 bits that does not begin with a byte reaches into nine.
fn window(bytes: &[u8]) -> u128 {
    let mut wide = [0; 16];
    wide[7..7 + bytes.len()].copy_from_slice(bytes);
    u128::from_be_bytes(wide)
}

/// The value of a field; bits beyond the end are zero.
pub fn field(bytes: &[u8], kind: FieldType, offset: u64) -> i64 {
    let (range, shift) = place(kind, offset, bytes.len());
    kind.value_of_low_bits((window(&bytes[range]) >> shift) as u64)
}

/// Writes the low bits of a value to a field. The bytes reach to the end of the field.
pub fn set_field(bytes: &mut [u8], kind: FieldType, offset: u64, value: i64) {
    assert!((offset + kind.bits()).div_ceil(8) <= bytes.len() as u64);
    let (range, shift) = place(kind, offset, bytes.len());
    let target = &mut bytes[range];
    let mask = u128::from(u64::MAX >> (64 - kind.bits())) << shift;
    let filled = window(target) & !mask | u128::from(value as u64) << shift & mask;
    let len = target.len();
    target.copy_from_slice(&filled.to_be_bytes()[7..7 + len]);
}
