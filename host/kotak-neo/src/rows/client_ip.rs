//! Our address, as the broker sees it.

use crate::fields::{Fields, RowError};
use crate::json::Json;
use crate::time;

/// Our address (facts 1.1, whatsmyip): the one that has to be on the broker's list for orders (facts 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIp {
    /// `ip`.
    pub ip: String,
    /// `time`, read as IST, in unix seconds.
    pub time: Option<i64>,
}

impl ClientIp {
    pub(crate) fn read(json: &Json) -> Result<Self, RowError> {
        let row = Fields::of(json)?;
        Ok(Self {
            ip: row.required_text("ip")?,
            time: row.text("time")?.and_then(|text| time::ist_text(&text)),
        })
    }
}
