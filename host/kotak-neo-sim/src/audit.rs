//! What really happened, whatever the wire said about it.

use std::collections::BTreeMap;

use model::BrokerOrderId;
use paper::FullBook;
use serde::Serialize;

use crate::core::Core;
use crate::endpoint::Endpoint;
use crate::session::SessionFacts;

/// The account as the exchange has it, and the calls that led there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Everything that ever happened at the exchange: its orders, its trades, the account.
    pub book: FullBook,
    /// Orders that reached the exchange, by the tag they were sent with, in order of acceptance. An order
    /// without a tag is under the empty text.
    pub accepted: BTreeMap<String, Vec<BrokerOrderId>>,
    /// Orders that were acknowledged and then refused before the exchange, by number, with the reason.
    pub refused: BTreeMap<BrokerOrderId, String>,
    /// Calls by endpoint, whatever they were answered with. A connection of the feed is one.
    pub calls: BTreeMap<Endpoint, u64>,
    /// Logins that were completed through the sim.
    pub logins: u64,
    /// TOTP codes that were taken.
    pub codes: u64,
    /// Every trade session, foreign ones included.
    pub sessions: Vec<SessionFacts>,
    /// Open connections of the feed.
    pub feeds: usize,
    /// How often faults acted.
    pub faults_fired: u64,
}

impl Audit {
    /// How many orders reached the exchange under each tag, those without one left out.
    pub fn by_tag(&self) -> BTreeMap<String, usize> {
        let tagged = self.accepted.iter().filter(|(tag, _)| !tag.is_empty());
        tagged.map(|(tag, orders)| (tag.clone(), orders.len())).collect()
    }

    /// Logins that were completed through the sim.
    pub const fn logins(&self) -> u64 {
        self.logins
    }

    /// TOTP codes that were taken.
    pub const fn codes(&self) -> u64 {
        self.codes
    }

    /// Calls of these endpoints together.
    pub fn calls_of(&self, endpoints: &[Endpoint]) -> u64 {
        endpoints.iter().filter_map(|endpoint| self.calls.get(endpoint)).sum()
    }

    /// Calls that carried the token of a session after it had ended.
    pub fn calls_after_end(&self) -> u64 {
        self.sessions.iter().map(|session| session.calls_after_end).sum()
    }
}

pub(crate) fn audit(core: &mut Core<'_>, faults_fired: u64) -> Audit {
    crate::orders::discover(core);
    let mut accepted: BTreeMap<String, Vec<BrokerOrderId>> = BTreeMap::new();
    let mut refused = BTreeMap::new();
    for (id, order) in &core.state.orders.orders {
        if order.refused {
            refused.insert(id.clone(), order.row.reason.clone());
        } else {
            accepted.entry(order.tag.clone().unwrap_or_default()).or_default().push(id.clone());
        }
    }
    Audit {
        book: core.exchange.full_book(),
        accepted,
        refused,
        calls: core.state.calls.clone(),
        logins: core.state.sessions.logins,
        codes: core.state.sessions.codes,
        sessions: core.state.sessions.facts(),
        feeds: core.state.feeds.len(),
        faults_fired,
    }
}
