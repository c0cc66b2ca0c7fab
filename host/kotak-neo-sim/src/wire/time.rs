//! Instants as the wire writes them.

use model::Timestamp;

/// `22-Jan-2025 14:28:01`, IST.
pub(crate) fn long(at: Timestamp) -> String {
    at.ist().format("%d-%b-%Y %H:%M:%S").to_string()
}

/// `2025/01/22 14:28:01`, IST.
pub(crate) fn slashed(at: Timestamp) -> String {
    at.ist().format("%Y/%m/%d %H:%M:%S").to_string()
}

/// `22-Jan-2025`.
pub(crate) fn day(at: Timestamp) -> String {
    at.ist().format("%d-%b-%Y").to_string()
}

/// `14:28:16`.
pub(crate) fn clock(at: Timestamp) -> String {
    at.ist().format("%H:%M:%S").to_string()
}

/// Seconds since 1970.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    at.nanos().div_euclid(model::time::SECOND)
}
