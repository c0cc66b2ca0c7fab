//! Text and numbers in the strategy's durable `state`. Values are text, so that an operator can read them.

use crate::bindings::tradeagent::strategy::{log, state};

/// The text under `key`; nothing when there is none or it is not text.
pub fn text(key: &str) -> Option<String> {
    String::from_utf8(state::get(key)?).ok()
}

/// Puts text under `key`. False when a limit of the store was reached; that is logged.
pub fn set_text(key: &str, value: &str) -> bool {
    let done = state::set(key, value.as_bytes());
    if !done {
        log::write(log::Level::Warn, &format!("the state has no room for {key}"));
    }
    done
}

/// The number under `key`; nothing when there is none or it is no number.
pub fn number(key: &str) -> Option<i64> {
    text(key)?.parse().ok()
}

/// Puts a number under `key`. False when a limit of the store was reached; that is logged.
pub fn set_number(key: &str, value: i64) -> bool {
    set_text(key, &value.to_string())
}

/// Deletes every key that begins with `prefix` but not with `keep`: the days that are over.
pub fn forget_all_but(prefix: &str, keep: &str) {
    for key in state::keys(prefix) {
        if !key.starts_with(keep) {
            state::delete(&key);
        }
    }
}
