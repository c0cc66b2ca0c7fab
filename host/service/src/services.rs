//! Host functions end here: reads go to market, calendar and journal, acts to the desk.

use std::collections::BTreeMap;
use std::sync::Arc;

use calendar::{AmoWindow, Calendar, CalendarError, Phase};
use journal::{Alert, Durability, Entry, Severity as JournalSeverity};
use market::{Candles, InstrumentFilter, Interval, LiveMarket, Market, MarketError, Quote};
use model::clock::SharedClock;
use model::{
    BoxFuture, Date, DayAccount, Difference, Exchange, Funds, Holding, Instrument, InstrumentClass,
    ModifyRequest, OrderError, OrderId, OrderView, Origin, PlaceRequest, Placed, PositionView, Price,
    ReadError, StrategyName, Symbol, Timestamp,
};
use oms::{Desk, MarketView};
use runtime::{Services, SessionView, Severity};

/// What the exchange trades when: the calendar, and the broker's after-market window.
#[derive(Clone)]
pub struct Sessions {
    /// The calendar.
    pub calendar: Calendar,
    /// Which exchange's.
    pub exchange: Exchange,
    /// When the broker takes after-market orders.
    pub amo: AmoWindow,
}

/// What the desk needs to know of market and calendar, from a [`Market`].
pub struct DeskView {
    /// Prices and instruments.
    pub market: Arc<dyn Market>,
    /// Sessions.
    pub sessions: Sessions,
    /// Now.
    pub clock: SharedClock,
}

impl MarketView for DeskView {
    fn last_price(&self, symbol: &Symbol) -> Option<Price> {
        self.market.quote(symbol, self.clock.now()).ok().map(|quote| quote.last)
    }

    fn instrument(&self, symbol: &Symbol) -> Option<Instrument> {
        self.market.instrument(symbol, self.clock.now()).ok()
    }

    fn settlement_date(&self, trade: Date) -> Date {
        // Beyond the calendar the host does not trade, so a fill there is one that was found late; a
        // date that never comes keeps its shares out of `settled` until the operator has a calendar.
        self.sessions.calendar.settlement_date(self.sessions.exchange, trade).unwrap_or(Date::MAX)
    }

    fn session_for(&self, amo: bool, now: Timestamp) -> Result<Date, (String, String)> {
        let Sessions { calendar, exchange, amo: window } = &self.sessions;
        if amo {
            return calendar
                .amo_session(*exchange, now, *window)
                .map_err(|not_now| (not_now.phase.to_string(), not_now.reason));
        }
        let date = now.ist_date();
        match calendar.session(*exchange, date) {
            Err(beyond) => Err(("closed".to_owned(), beyond.to_string())),
            Ok(None) => Err(("closed".to_owned(), format!("{exchange} does not trade on {date}"))),
            Ok(Some(session)) => {
                let phases = [InstrumentClass::WithoutDerivatives, InstrumentClass::WithDerivatives]
                    .map(|class| session.phase_at(class, now));
                if phases.contains(&Phase::Continuous) {
                    Ok(date)
                } else {
                    Err((
                        phases[0].to_string(),
                        "orders are taken in continuous trading; outside it use an after-market order"
                            .to_owned(),
                    ))
                }
            }
        }
    }
}

/// The implementation of the runtime's port.
#[derive(Clone)]
pub struct HostServices {
    /// The order desk.
    pub desk: Desk,
    /// Prices and instruments.
    pub market: Arc<dyn Market>,
    /// Asked for a fresh quote before it is read; none where prices come from stored data.
    pub quotes: Option<Arc<LiveMarket>>,
    /// Sessions.
    pub sessions: Sessions,
    /// Now.
    pub clock: SharedClock,
    /// Orders a day that a strategy's grant allows, where it has such a bound.
    pub orders_per_day: BTreeMap<StrategyName, u32>,
}

impl HostServices {
    /// Holds a strategy to the orders a day of its grant. The same key again is not another order.
    fn check_orders_per_day(&self, origin: &Origin, key: &str) -> Result<(), OrderError> {
        let Some(limit) = self.orders_per_day.get(&origin.strategy) else { return Ok(()) };
        let today = self.desk.own_orders(&origin.strategy, origin.day);
        let placed = today.iter().filter(|order| order.placed_at.ist_date() == origin.day).count();
        if placed < *limit as usize || today.iter().any(|order| order.key == key) {
            return Ok(());
        }
        Err(OrderError::Denied {
            rule: "granted-orders-per-day",
            reason: format!("{placed} orders were placed on {}, and the grant allows {limit}", origin.day),
        })
    }
}

fn read_error(error: MarketError) -> ReadError {
    match error {
        MarketError::Unknown { .. } => ReadError::NotFound(error.to_string()),
        MarketError::Stale { .. }
        | MarketError::StaleQuote { .. }
        | MarketError::SilentFeed { .. }
        | MarketError::StaleHistory { .. }
        | MarketError::TooEarly { .. } => ReadError::Stale(error.to_string()),
        MarketError::NoQuote { .. } => ReadError::Unavailable(error.to_string()),
        MarketError::TooMany { .. } | MarketError::NoMinutes => ReadError::Denied(error.to_string()),
    }
}

impl HostServices {
    fn calendar_error(error: impl std::fmt::Display) -> ReadError {
        ReadError::Unavailable(error.to_string())
    }
}

impl Services for HostServices {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn instruments(&self, filter: &InstrumentFilter) -> Result<Vec<Instrument>, ReadError> {
        self.market.instruments(filter, self.clock.now()).map_err(read_error)
    }

    fn instrument(&self, symbol: &Symbol) -> Result<Instrument, ReadError> {
        self.market.instrument(symbol, self.clock.now()).map_err(read_error)
    }

    fn quote<'a>(&'a self, symbol: &'a Symbol) -> BoxFuture<'a, Result<Quote, ReadError>> {
        Box::pin(async move {
            if let Some(live) = &self.quotes
                && let Err(error) = live.ensure_fresh(symbol).await
            {
                // What is kept may still be fresh enough; if not, the next line says so.
                tracing::debug!(%error, %symbol, "no fresh quote");
            }
            self.market.quote(symbol, self.clock.now()).map_err(read_error)
        })
    }

    fn candles(&self, symbols: &[Symbol], interval: Interval, n: u32) -> Result<Vec<Candles>, ReadError> {
        self.market.candles(symbols, interval, n, self.clock.now()).map_err(read_error)
    }

    fn session(&self, origin: &Origin) -> Result<SessionView, ReadError> {
        let Sessions { calendar, exchange, amo } = &self.sessions;
        let now = self.clock.now();
        let session = calendar.session(*exchange, origin.day).map_err(Self::calendar_error)?;
        let phases = session.as_ref().map_or_else(Vec::new, |session| {
            [InstrumentClass::WithoutDerivatives, InstrumentClass::WithDerivatives]
                .into_iter()
                .flat_map(|class| session.phases(class).iter().cloned().map(move |window| (class, window)))
                .collect()
        });
        Ok(SessionView {
            trading_day: origin.day,
            is_trading_day: session.is_some(),
            phase: session
                .as_ref()
                .map_or(Phase::Closed, |session| session.phase_at(InstrumentClass::WithoutDerivatives, now)),
            phases,
            next_trading_day: calendar
                .next_trading_day(*exchange, origin.day)
                .map_err(Self::calendar_error)?,
            // On the first day that the calendar knows there is no day before it to name; the day itself
            // says that much and lets the first session trade.
            previous_trading_day: match calendar.previous_trading_day(*exchange, origin.day) {
                Err(CalendarError::BeforeKnown { .. }) => origin.day,
                other => other.map_err(Self::calendar_error)?,
            },
            for_session: calendar.amo_session(*exchange, now, *amo).ok(),
        })
    }

    fn positions(&self, origin: &Origin) -> Result<Vec<PositionView>, ReadError> {
        Ok(self.desk.positions(origin.day))
    }

    fn holdings<'a>(&'a self, _origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Holding>, ReadError>> {
        Box::pin(self.desk.holdings())
    }

    fn funds<'a>(&'a self, _origin: &'a Origin) -> BoxFuture<'a, Result<Funds, ReadError>> {
        Box::pin(self.desk.funds())
    }

    fn reconcile<'a>(&'a self, _origin: &'a Origin) -> BoxFuture<'a, Result<Vec<Difference>, ReadError>> {
        Box::pin(self.desk.reconcile())
    }

    fn day_account<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<DayAccount, ReadError>> {
        Box::pin(async move { self.desk.day_account(origin.day) })
    }

    fn order(&self, _origin: &Origin, id: &str) -> Result<OrderView, ReadError> {
        self.desk.order(id).ok_or_else(|| ReadError::NotFound(format!("there is no order {id}")))
    }

    fn own_orders(&self, origin: &Origin) -> Result<Vec<OrderView>, ReadError> {
        Ok(self.desk.own_orders(&origin.strategy, origin.day))
    }

    fn account_orders<'a>(&'a self, origin: &'a Origin) -> BoxFuture<'a, Result<Vec<OrderView>, ReadError>> {
        Box::pin(async move { Ok(self.desk.account_orders(origin.day)) })
    }

    fn place<'a>(
        &'a self,
        origin: &'a Origin,
        request: PlaceRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        match self.check_orders_per_day(origin, &request.key) {
            Ok(()) => Box::pin(self.desk.place(origin, request)),
            Err(denied) => Box::pin(std::future::ready(Err(denied))),
        }
    }

    fn modify<'a>(
        &'a self,
        origin: &'a Origin,
        request: ModifyRequest,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        Box::pin(self.desk.modify(origin, request))
    }

    fn cancel<'a>(
        &'a self,
        origin: &'a Origin,
        order: OrderId,
        any_stale: bool,
        reason: String,
    ) -> BoxFuture<'a, Result<Placed, OrderError>> {
        Box::pin(self.desk.cancel(origin, order, any_stale, reason))
    }

    fn state_get(&self, origin: &Origin, key: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.desk
            .with_journal(|journal| journal.state_get(&origin.strategy, key))
            .map_err(|error| ReadError::Unavailable(error.to_string()))
    }

    fn state_keys(&self, origin: &Origin, prefix: &str) -> Result<Vec<String>, ReadError> {
        self.desk
            .with_journal(|journal| journal.state_keys(&origin.strategy, prefix))
            .map_err(|error| ReadError::Unavailable(error.to_string()))
    }

    fn alert(&self, origin: &Origin, key: &str, severity: Severity, text: &str) -> bool {
        let alert = Alert {
            key: format!("{}:{}:{key}", origin.strategy, origin.day),
            severity: match severity {
                Severity::Info => JournalSeverity::Info,
                Severity::Warning => JournalSeverity::Warning,
                Severity::Critical => JournalSeverity::Critical,
            },
            source: origin.strategy.to_string(),
            text: text.to_owned(),
            at: self.clock.now(),
        };
        self.desk.with_journal(|journal| {
            if journal.has_alert(&alert.key).unwrap_or(false) {
                return false;
            }
            match journal.commit(&[Entry::Alert(alert)], Durability::Synced) {
                Ok(()) => true,
                Err(error) => {
                    tracing::error!(%error, "an alert could not be kept");
                    false
                }
            }
        })
    }

    fn log(&self, origin: &Origin, level: tracing::Level, message: &str) {
        let strategy = origin.strategy.as_str();
        let run = origin.run.as_str();
        match level {
            tracing::Level::ERROR => tracing::error!(target: "strategy", strategy, run, "{message}"),
            tracing::Level::WARN => tracing::warn!(target: "strategy", strategy, run, "{message}"),
            tracing::Level::INFO => tracing::info!(target: "strategy", strategy, run, "{message}"),
            _ => tracing::debug!(target: "strategy", strategy, run, "{message}"),
        }
    }
}
