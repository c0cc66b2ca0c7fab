//! Answers as JSON, and back.

use model::{OrderError, OrderId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::TapeError;

/// A value as JSON.
pub fn encode<T: Serialize>(value: &T) -> String {
    super::text(value)
}

/// A value from JSON.
///
/// # Errors
/// When the text is not one of `T`.
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, TapeError> {
    serde_json::from_str(text).map_err(|error| TapeError(error.to_string()))
}

/// Bytes of a strategy's state: as text where they are text, which they mostly are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

const TEXT: &str = "t:";
const HEX: &str = "x:";

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write as _;
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(&format!("{TEXT}{text}")),
            Err(_) => {
                let mut hex = HEX.to_owned();
                for byte in &self.0 {
                    // Writing to a String cannot fail.
                    let _ = write!(hex, "{byte:02x}");
                }
                serializer.serialize_str(&hex)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(text) = text.strip_prefix(TEXT) {
            return Ok(Self(text.as_bytes().to_vec()));
        }
        let bad = || serde::de::Error::custom("bytes are written `t:text` or `x:hex`");
        let hex = text.strip_prefix(HEX).ok_or_else(bad)?.as_bytes();
        let bytes: Option<Vec<u8>> =
            hex.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
        bytes.map(Self).ok_or_else(bad)
    }
}

/// An [`OrderError`] whose rule is a text of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are those of the error")]
pub enum Refused {
    /// By a rule here.
    Denied { rule: String, reason: String },
    /// By the broker.
    Refused { code: String, reason: String },
    /// Nobody knows yet.
    Unknown(OrderId),
    /// Not at this hour.
    NotNow { phase: String, reason: String },
    /// The desk cannot.
    Desk(String),
}

impl From<OrderError> for Refused {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Denied { rule, reason } => Self::Denied { rule: rule.to_owned(), reason },
            OrderError::Refused { code, reason } => Self::Refused { code, reason },
            OrderError::Unknown(order) => Self::Unknown(order),
            OrderError::NotNow { phase, reason } => Self::NotNow { phase, reason },
            OrderError::Desk(why) => Self::Desk(why),
        }
    }
}

impl From<Refused> for OrderError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Denied { rule, reason } => Self::Denied { rule: rule_named(rule), reason },
            Refused::Refused { code, reason } => Self::Refused { code, reason },
            Refused::Unknown(order) => Self::Unknown(order),
            Refused::NotNow { phase, reason } => Self::NotNow { phase, reason },
            Refused::Desk(why) => Self::Desk(why),
        }
    }
}

/// The rule of that name. The model knows its rules by constants; a name from a file is made one of them,
/// once each, and a file that names more rules than there could be is told "other".
fn rule_named(name: String) -> &'static str {
    use std::collections::BTreeSet;
    use std::sync::{Mutex, PoisonError};
    const RULES_MAX: usize = 256;
    static RULES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut rules = RULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = rules.get(name.as_str()) {
        return known;
    }
    if rules.len() >= RULES_MAX {
        return "other";
    }
    let rule: &'static str = Box::leak(name.into_boxed_str());
    rules.insert(rule);
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive() {
        for bytes in [&b""[..], b"text", "t:x:\"\u{e9}".as_bytes(), &[0, 255, 128, 7]] {
            let kept = encode(&Bytes(bytes.to_vec()));
            assert_eq!(decode::<Bytes>(&kept), Ok(Bytes(bytes.to_vec())), "{kept}");
        }
        assert!(decode::<Bytes>("\"x:0g\"").is_err());
        assert!(decode::<Bytes>("\"plain\"").is_err());
    }

    #[test]
    fn a_refusal_survives() {
        let denied = OrderError::Denied { rule: "key-reused", reason: "why".to_owned() };
        let kept = encode(&Refused::from(denied.clone()));
        assert_eq!(decode::<Refused>(&kept).map(OrderError::from), Ok(denied));
    }
}
