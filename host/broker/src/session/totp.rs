//! The one-time code of step one: RFC 6238 with SHA-1, six digits and steps of 30 s.

use std::fmt;
use std::fmt::Write as _;

use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Algorithm, Builder, Secret};
use zeroize::Zeroizing;

/// Seconds of one code.
pub(super) const STEP_SECONDS: i64 = 30;
const DIGITS: usize = 6;
/// 80 bits, the shortest that authenticator apps are given. RFC 4226 asks for 128; a broker may not.
const SHORTEST_SECRET: usize = 10;

/// What makes the codes. The secret is wiped when it is dropped, and is in no `Debug`.
pub struct Totp(totp_rs::Totp);

/// Why a text is no TOTP secret. The text itself is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TotpSecretError {
    /// Not base32.
    #[error(
        "character {at} of the TOTP secret is not base32 (A to Z, 2 to 7); copy it again from the broker's \
         TOTP registration"
    )]
    NotBase32 {
        /// Which, counted from 1.
        at: usize,
    },
    /// Too little of it.
    #[error(
        "the TOTP secret has only {bytes} bytes (at least {SHORTEST_SECRET}); copy it whole from the \
         broker's TOTP registration"
    )]
    TooShort {
        /// How many.
        bytes: usize,
    },
}

impl Totp {
    /// From base32 as people write it: blanks and hyphens, small letters, padding or none.
    pub fn from_base32(text: &SecretString) -> Result<Self, TotpSecretError> {
        let bytes = decode(text.expose_secret())?;
        if bytes.len() < SHORTEST_SECRET {
            return Err(TotpSecretError::TooShort { bytes: bytes.len() });
        }
        let builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS as u8)
            .with_step_duration(STEP_SECONDS as u64)
            .with_secret(Secret::from(bytes.as_slice()));
        Ok(Self(builder.build_noncompliant()))
    }

    /// The code of the `step`-th half minute since 1970.
    pub(super) fn code(&self, step: i64) -> SecretString {
        let seconds = u64::try_from(step * STEP_SECONDS).unwrap_or_default();
        let mut text = String::with_capacity(DIGITS);
        write!(text, "{}", self.0.generate(seconds)).expect("a string takes text");
        text.into()
    }
}

/// Without the secret.
impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Totp(..)")
    }
}

/// RFC 4648 base32. Written here because a decoder that grows or shrinks its buffer leaves copies of the
/// secret behind.
fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, TotpSecretError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8 + 1));
    let mut bits = Zeroizing::new(0_u32);
    let mut held = 0;
    for (at, letter) in text.chars().enumerate() {
        let value = match letter {
            'A'..='Z' => letter as u32 - 'A' as u32,
            'a'..='z' => letter as u32 - 'a' as u32,
            '2'..='7' => letter as u32 - '2' as u32 + 26,
            '=' | '-' => continue,
            _ if letter.is_whitespace() => continue,
            _ => return Err(TotpSecretError::NotBase32 { at: at + 1 }),
        };
        *bits = *bits << 5 | value;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((*bits >> held & 0xff) as u8);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        decode(text).expect("base32").to_vec()
    }

    #[test]
    fn base32_is_read_as_rfc_4648_has_it() {
        for (text, bytes) in [
            ("", ""),
            ("MY======", "f"),
            ("MZXQ====", "fo"),
            ("MZXW6===", "foo"),
            ("MZXW6YQ=", "foob"),
            ("MZXW6YTB", "fooba"),
            ("MZXW6YTBOI======", "foobar"),
        ] {
            assert_eq!(decoded(text), bytes.as_bytes(), "{text}");
        }
    }

    #[test]
    fn a_secret_may_have_blanks_small_letters_and_no_padding() {
        assert_eq!(decoded(" mzxw 6ytb-oi\n"), b"foobar");
        assert_eq!(decode("MZXW6YT1").expect_err("a 1"), TotpSecretError::NotBase32 { at: 8 });
        let short = Totp::from_base32(&"MZXW6YTBOI".to_owned().into()).expect_err("six bytes");
        assert_eq!(short, TotpSecretError::TooShort { bytes: 6 });
    }

    /// RFC 6238, appendix B, SHA-1 rows; the last six of its eight digits.
    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        let totp = Totp::from_base32(&"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned().into()).expect("good");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp.code(seconds / STEP_SECONDS).expose_secret(), code, "{seconds}");
        }
    }

    #[test]
    fn the_secret_is_in_no_text() {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let totp = Totp::from_base32(&secret.to_owned().into()).expect("good");
        assert_eq!(format!("{totp:?}"), "Totp(..)");
        let error = Totp::from_base32(&format!("{secret}!").into()).expect_err("not base32");
        assert!(!error.to_string().contains(&secret[..8]), "{error}");
    }
}
