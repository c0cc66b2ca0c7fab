//! Tokens shaped like the broker's: three parts of base64url, readable claims, a signature that nobody
//! checks but us, by comparing the whole.

use model::Timestamp;
use model::clock::Rng;
use serde_json::json;

/// A token with `scope` (`View` or `Trade`) that ends at `exp`.
pub(crate) fn token(scope: &str, ucc: &str, issued: Timestamp, exp: Timestamp, rng: &mut Rng) -> String {
    let seconds = |at: Timestamp| at.nanos().div_euclid(model::time::SECOND);
    let claims = json!({
        "scope": [scope],
        "exp": seconds(exp),
        "jti": uuid(rng),
        "iat": seconds(issued),
        "iss": "login-service",
        "sub": uuid(rng),
        "ucc": ucc,
        "nap": "",
        "fetchcachingrule": 0,
        "categorisation": "",
    });
    let signature: Vec<u8> = (0..4).flat_map(|_| rng.next_u64().to_be_bytes()).collect();
    let header = json!({"alg": "RS256", "typ": "JWT"});
    [header.to_string().as_bytes(), claims.to_string().as_bytes(), &signature].map(base64url).join(".")
}

/// A version-4 shaped identifier.
pub(crate) fn uuid(rng: &mut Rng) -> String {
    let (a, b) = (rng.next_u64(), rng.next_u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        (b >> 48) & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            text.push(char::from(LETTERS[(word >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_has_no_padding() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("\u{3ff}?>", "z78_Pg"),
        ] {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_token_has_three_parts_and_differs_from_the_next() {
        let mut rng = Rng::new(1);
        let at = Timestamp::default();
        let one = token("Trade", "X", at, at, &mut rng);
        assert_eq!(one.split('.').count(), 3);
        assert!(one.starts_with("eyJ"));
        assert_ne!(one, token("Trade", "X", at, at, &mut rng));
        assert_eq!(uuid(&mut rng).len(), 36);
    }
}
