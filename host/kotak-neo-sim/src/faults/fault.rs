//! One fault: what, where, and at which calls.

use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

use super::kind::Kind;

/// A fault as a script or a test sets it. Calls are counted from the moment it is set, and only those of
/// its endpoints, within its instants.
///
/// ```
/// use kotak_neo_sim::{Endpoint, Fault, Kind};
///
/// // The answer to the third order is lost after the order was accepted.
/// let lost = Fault::new(Kind::Dropped { after: true }).on([Endpoint::Place]).nth(3);
/// // One read in ten fails.
/// let shaky = Fault::new(Kind::ServerError { status: 503, html: true, after: false })
///     .on([Endpoint::Orders, Endpoint::Trades])
///     .percent(10);
/// # let _ = (lost, shaky);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: Kind,
    /// At which endpoints; empty: where the kind acts by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Endpoint>,
    /// Only at the so-manieth matching call, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::bounds::ordinal")]
    pub nth: Option<u64>,
    /// At every so-manieth matching call.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::bounds::ordinal")]
    pub every: Option<u64>,
    /// At a rate, in percent of the matching calls, drawn from the sim's seed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::bounds::percent")]
    pub percent: Option<u32>,
    /// Not before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::script::instant")]
    pub from: Option<Timestamp>,
    /// Not from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::script::instant")]
    pub until: Option<Timestamp>,
    /// At most so often.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::bounds::ordinal")]
    pub times: Option<u64>,
}

impl Fault {
    /// At every call of the endpoints where the kind acts by default, until it is removed.
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            on: Vec::new(),
            nth: None,
            every: None,
            percent: None,
            from: None,
            until: None,
            times: None,
        }
    }

    /// Only at these endpoints.
    #[must_use]
    pub fn on(mut self, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        self.on = endpoints.into_iter().collect();
        self
    }

    /// Only at the `n`-th matching call, counted from 1.
    #[must_use]
    pub const fn nth(mut self, n: u64) -> Self {
        self.nth = Some(n);
        self
    }

    /// At every `n`-th matching call.
    #[must_use]
    pub const fn every(mut self, n: u64) -> Self {
        self.every = Some(n);
        self
    }

    /// At `percent` of the matching calls.
    #[must_use]
    pub const fn percent(mut self, percent: u32) -> Self {
        self.percent = Some(percent);
        self
    }

    /// At most `times` times.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Only from `from` on, and before `until`.
    #[must_use]
    pub const fn between(mut self, from: Timestamp, until: Timestamp) -> Self {
        (self.from, self.until) = (Some(from), Some(until));
        self
    }

    /// Whether a call of `endpoint` at `now` counts.
    pub(crate) fn matches(&self, endpoint: Endpoint, now: Timestamp) -> bool {
        let on: &[Endpoint] = if self.on.is_empty() { self.kind.default_on() } else { &self.on };
        (on.is_empty() || on.contains(&endpoint))
            && self.from.is_none_or(|from| from <= now)
            && self.until.is_none_or(|until| now < until)
    }
}
