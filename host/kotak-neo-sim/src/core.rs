//! What a call works on: the state of the sim, the exchange, the market, at one instant.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::clock::{Rng, SharedClock};
use model::{Date, Exchange as Place, Instrument, Symbol, Timestamp};
use paper::Exchange;

use crate::config::{MarketData, SimConfig};
use crate::endpoint::Endpoint;
use crate::faults::{FaultList, Kind};
use crate::feed::Feeds;
use crate::orders::OrderTable;
use crate::session::Sessions;
use crate::universe::Universe;

/// Everything that changes, except for the exchange.
pub(crate) struct State {
    pub sessions: Sessions,
    pub orders: OrderTable,
    pub feeds: Feeds,
    pub faults: Arc<Mutex<FaultList>>,
    pub calls: BTreeMap<Endpoint, u64>,
    pub rng: Rng,
    /// A completed login ends the sessions before it.
    pub one_session: bool,
    /// Codes of this clock are taken as well.
    pub code_clock: Option<SharedClock>,
}

/// All of it at one instant, while a call is served.
pub(crate) struct Core<'a> {
    pub now: Timestamp,
    pub config: &'a SimConfig,
    pub market: &'a dyn MarketData,
    pub universe: &'a Universe,
    pub exchange: &'a mut Exchange,
    pub state: &'a mut State,
}

impl Core<'_> {
    /// Counts a call of `endpoint` and tells which faults it meets.
    pub fn meet(&mut self, endpoint: Endpoint) -> Vec<Kind> {
        self.state.faults.lock().unwrap_or_else(PoisonError::into_inner).meet(endpoint, self.now)
    }

    /// Lets sessions end and other programs log in, up to now.
    pub fn pass_sessions(&mut self) {
        let State { sessions, one_session, rng, .. } = &mut *self.state;
        sessions.pass(self.now, *one_session, &self.config.credentials.ucc, rng);
    }

    /// The session that the books show: today's from its open on, else the last one.
    pub fn book_session(&self) -> Date {
        let today = self.now.ist_date();
        let calendar = &self.config.calendar;
        match calendar.session(Place::Nse, today) {
            Ok(Some(session)) if session.earliest_open() <= self.now => today,
            _ => calendar.previous_trading_day(Place::Nse, today).unwrap_or(today),
        }
    }

    /// The instrument as it stands today (or on the next session, while there is none today).
    pub fn instrument(&self, symbol: &Symbol) -> Option<Instrument> {
        let today = self.now.ist_date();
        self.market.instrument_on(symbol, today).or_else(|| {
            let next = self.config.calendar.next_trading_day(Place::Nse, today).ok()?;
            self.market.instrument_on(symbol, next)
        })
    }

    /// The instant of an event as it may be shown: never later than now.
    pub fn shown(&self, at: Timestamp) -> Timestamp {
        at.min(self.now)
    }
}
