//! Values in the strategy's durable `state`: text, numbers, and anything that serde knows, as JSON. All of it is text,
//! so that an operator can read it, and a version that knows one field more can too (`#[serde(default)]`): `state`
//! carries over to it.
//!
//! A component that uses [`load`] and [`save`] is about 58 kB larger for it; text and numbers cost nothing.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TaskError;
use crate::host::state;
use crate::log;

/// Why a value was not kept or cannot be read.
///
/// ```
/// use tradeagent_sdk::store::{StateError, load};
/// let host = tradeagent_sdk::mock::Host::new();
/// host.kept("days", "nine");
/// let error = load::<u32>("days").unwrap_err();
/// assert!(matches!(&error, StateError::Malformed { key, .. } if key == "days"));
/// assert!(error.to_string().starts_with("the state's days cannot be read: "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateError {
    /// A limit of the store was reached and nothing was written.
    NoRoom {
        /// The key.
        key: String,
    },
    /// The value is not of this type: another version of the strategy may have written it.
    Malformed {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom { key } => write!(f, "the state has no room for {key}"),
            Self::Malformed { key, reason } => write!(f, "the state's {key} cannot be read: {reason}"),
        }
    }
}

impl std::error::Error for StateError {}

impl From<StateError> for TaskError {
    fn from(error: StateError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The value under `key`; nothing when there is none.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tradeagent_sdk::store;
///
/// #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
/// struct Seen {
///     days: u32,
///     symbols: Vec<String>,
/// }
///
/// let host = tradeagent_sdk::mock::Host::new();
/// let mut seen: Seen = store::load("seen").unwrap().unwrap_or_default();
/// seen.days += 1;
/// store::save("seen", &seen).unwrap();
/// assert_eq!(host.state("seen").as_deref(), Some(r#"{"days":1,"symbols":[]}"#));
/// assert_eq!(store::load("seen"), Ok(Some(seen)));
/// ```
///
/// # Errors
/// [`StateError::Malformed`], when it is not of this type. To begin anew then is the strategy's decision.
pub fn load<T: DeserializeOwned>(key: &str) -> Result<Option<T>, StateError> {
    let Some(value) = state::get(key) else { return Ok(None) };
    let malformed =
        |error: serde_json::Error| StateError::Malformed { key: key.to_owned(), reason: error.to_string() };
    serde_json::from_slice(&value).map(Some).map_err(malformed)
}

/// Puts a value under `key`; see [`load`].
///
/// ```
/// let host = tradeagent_sdk::mock::Host::new();
/// tradeagent_sdk::store::save("last", &("TCS", 30_000_000)).unwrap();
/// assert_eq!(host.state("last").as_deref(), Some(r#"["TCS",30000000]"#));
/// ```
///
/// # Errors
/// [`StateError::NoRoom`] when a limit of the store was reached; [`StateError::Malformed`] when JSON has no way to
/// write such a value, such as a map whose keys are no text.
pub fn save<T: Serialize>(key: &str, value: &T) -> Result<(), StateError> {
    let text = serde_json::to_vec(value)
        .map_err(|error| StateError::Malformed { key: key.to_owned(), reason: error.to_string() })?;
    if state::set(key, &text) { Ok(()) } else { Err(StateError::NoRoom { key: key.to_owned() }) }
}

/// The text under `key`; nothing when there is none or it is not text.
///
/// ```
/// let host = tradeagent_sdk::mock::Host::new();
/// host.kept("phase", "waiting");
/// assert_eq!(tradeagent_sdk::store::text("phase").as_deref(), Some("waiting"));
/// ```
pub fn text(key: &str) -> Option<String> {
    String::from_utf8(state::get(key)?).ok()
}

/// Puts text under `key`. False when a limit of the store was reached; that is logged.
///
/// ```
/// let host = tradeagent_sdk::mock::Host::new();
/// assert!(tradeagent_sdk::store::set_text("phase", "waiting"));
/// assert!(!tradeagent_sdk::store::set_text("phase", &"x".repeat(100_000)));
/// assert_eq!(host.logs()[0].1, "the state has no room for phase");
/// ```
pub fn set_text(key: &str, value: &str) -> bool {
    let done = state::set(key, value.as_bytes());
    if !done {
        log::write(log::Level::Warn, &format!("the state has no room for {key}"));
    }
    done
}

/// The number under `key`; nothing when there is none or it is no number.
///
/// ```
/// let host = tradeagent_sdk::mock::Host::new();
/// assert_eq!(tradeagent_sdk::store::number("count"), None);
/// ```
pub fn number(key: &str) -> Option<i64> {
    text(key)?.parse().ok()
}

/// Puts a number under `key`. False when a limit of the store was reached; that is logged.
///
/// ```
/// let host = tradeagent_sdk::mock::Host::new();
/// tradeagent_sdk::store::set_number("count", 3);
/// assert_eq!(tradeagent_sdk::store::number("count"), Some(3));
/// ```
pub fn set_number(key: &str, value: i64) -> bool {
    set_text(key, &value.to_string())
}

/// Deletes every key that begins with `prefix` but not with `keep`: the days that are over.
///
/// ```
/// use tradeagent_sdk::store::{forget_all_but, text};
/// let host = tradeagent_sdk::mock::Host::new();
/// host.kept("day:2026-01-02:TCS", "1");
/// host.kept("day:2026-01-05:TCS", "2");
/// forget_all_but("day:", "day:2026-01-05:");
/// assert_eq!((text("day:2026-01-02:TCS"), text("day:2026-01-05:TCS").as_deref()), (None, Some("2")));
/// ```
pub fn forget_all_but(prefix: &str, keep: &str) {
    for key in state::keys(prefix) {
        if !key.starts_with(keep) {
            state::delete(&key);
        }
    }
}
