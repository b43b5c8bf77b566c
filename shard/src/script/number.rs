//! Numbers as text, the way C's `%.Ng` writes them: Lua and its libraries show every number so.
//!
//! `N` significant digits are rounded; trailing zeros go; the exponent is written out (`1e+20`) when it is below -4 or not
//! below `N`.

/// `value` with `digits` significant digits, appended to `out`.
pub fn write_g(out: &mut Vec<u8>, value: f64, digits: usize) {
    debug_assert!(digits > 0);
    if !value.is_finite() {
        let sign = if value.is_sign_negative() { "-" } else { "" };
        let name = if value.is_nan() { "nan" } else { "inf" };
        out.extend_from_slice(sign.as_bytes());
        out.extend_from_slice(name.as_bytes());
        return;
    }
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("this notation has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent of a double is a small number");
    if exponent < -4 || exponent >= digits as i32 {
        out.extend_from_slice(without_zeros(mantissa).as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
    } else {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        out.extend_from_slice(without_zeros(&format!("{value:.decimals$}")).as_bytes());
    }
}

/// An integer in decimal, appended to `out`.
pub fn write_integer(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0; 20];
    let len = net::resp::reply::format_i64(value, &mut digits);
    out.extend_from_slice(&digits[..len]);
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn g(value: f64, digits: usize) -> String {
        let mut out = Vec::new();
        write_g(&mut out, value, digits);
        String::from_utf8(out).expect("numbers are ASCII")
    }

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        assert_eq!(g(0.1, 17), "0.10000000000000001");
        assert_eq!(g(1e300, 17), "1.0000000000000001e+300");
        assert_eq!(g(-0.0, 17), "-0");
        assert_eq!(g(1e14, 14), "1e+14");
        assert_eq!(g(99_999_999_999_999.0, 14), "99999999999999");
        assert_eq!(g(0.000_1, 14), "0.0001");
        assert_eq!(g(0.000_01, 14), "1e-05");
        assert_eq!(g(9.999_99, 3), "10");
        assert_eq!(g(123_456_789_012_345_680.0, 14), "1.2345678901235e+17");
        assert_eq!(g(1.5, 17), "1.5");
        assert_eq!(g(f64::NEG_INFINITY, 17), "-inf");
    }
}
