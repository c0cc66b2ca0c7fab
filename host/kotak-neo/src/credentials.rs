//! Who logs in.

use std::fmt;

use secrecy::SecretString;

/// What a login needs beside a TOTP code (facts 1.1). The TOTP secret is not here: a code is handed in.
#[derive(Clone)]
pub struct Credentials {
    /// The access token of the Neo dashboard; the broker's SDK calls it `consumer_key`.
    pub consumer_key: SecretString,
    /// With the country code: `+91…`.
    pub mobile_number: SecretString,
    /// The unique client code.
    pub ucc: SecretString,
    /// Six digits.
    pub mpin: SecretString,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
