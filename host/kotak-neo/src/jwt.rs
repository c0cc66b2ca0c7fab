//! The expiry of a token, read and not verified: only its issuer can do that.

use crate::decimal;
use crate::json::Json;

/// The longest claims that are looked at, in bytes of their encoding.
const CLAIMS_BYTES_MAX: usize = 16 * 1024;

/// The `exp` claim in unix seconds.
pub(crate) fn expiry(token: &str) -> Option<i64> {
    let claims = token.split('.').nth(1).filter(|claims| claims.len() <= CLAIMS_BYTES_MAX)?;
    let claims = Json::parse(&base64url(claims)?).ok()?;
    decimal::whole(claims.scalar_of("exp")?).ok()
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}
