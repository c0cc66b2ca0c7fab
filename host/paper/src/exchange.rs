//! The exchange: its state, and the passing of time.
//!
//! Everything happens at one of four kinds of instants: the open, a point of the price path, the end of
//! continuous trading of a class, the end of its session. [`Exchange::advance`] visits them in order, and
//! visits path points only while orders work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use broker::BrokerTrade;
use calendar::{Calendar, Session};
use market::PriceSource;
use model::charges::Charges;
use model::{BrokerOrderId, Date, InstrumentClass, Product, Symbol, Timestamp};

use crate::cash::{Cash, CashKind, CashLine};
use crate::config::PaperConfig;
use crate::matching::SymbolBook;
use crate::order::PaperOrder;
use crate::path::PathPoint;
use crate::shares::Shares;

/// A paper exchange with one account at one broker. Synchronous, without a clock, and deterministic: the
/// same calls at the same instants give the same books to the last digit.
pub struct Exchange {
    pub(crate) source: Arc<dyn PriceSource>,
    pub(crate) calendar: Calendar,
    pub(crate) config: PaperConfig,
    /// The present instant; none before the first [`Exchange::advance`].
    pub(crate) now: Option<Timestamp>,
    /// The session whose instants come next.
    day: Option<Day>,
    /// The session that the books show: the present or the last one.
    pub(crate) book_session: Date,
    /// Every order ever taken, in order of acceptance.
    pub(crate) orders: Vec<PaperOrder>,
    pub(crate) by_id: BTreeMap<BrokerOrderId, usize>,
    /// The first order and trade of the session that the books show.
    pub(crate) orders_from: usize,
    pub(crate) trades_from: usize,
    /// Working orders by symbol.
    pub(crate) live: BTreeMap<Symbol, SymbolBook>,
    /// Orders that wait for their session's open.
    pub(crate) queued: Vec<usize>,
    pub(crate) trades: Vec<PaperTrade>,
    pub(crate) cash: Cash,
    pub(crate) shares: Shares,
    /// Scrips with a delivery sale in the present session: their depository charge is paid.
    pub(crate) sold_today: BTreeSet<Symbol>,
    pub(crate) next_priority: u64,
    pub(crate) numbering: Numbering,
}

/// A trade with what it cost.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PaperTrade {
    /// As the broker shows it.
    #[serde(flatten)]
    pub trade: BrokerTrade,
    /// Delivery or intraday.
    pub product: Product,
    /// Its charges.
    pub charges: Charges,
    /// The day on which it settles.
    pub settles: Date,
}

/// Deterministic numbers, starting anew each day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbering {
    order_day: Option<Date>,
    orders: u32,
    trade_day: Option<Date>,
    trades: u32,
}

impl Numbering {
    /// `yymmdd` of the acceptance and a running number: `250304000017`.
    pub fn order(&mut self, day: Date) -> BrokerOrderId {
        if self.order_day != Some(day) {
            (self.order_day, self.orders) = (Some(day), 0);
        }
        self.orders += 1;
        BrokerOrderId::from(format!("{}{:06}", day.format("%y%m%d"), self.orders))
    }

    /// The same for trades, with a `T` between: `250304T000001`.
    pub fn trade(&mut self, day: Date) -> String {
        if self.trade_day != Some(day) {
            (self.trade_day, self.trades) = (Some(day), 0);
        }
        self.trades += 1;
        format!("{}T{:06}", day.format("%y%m%d"), self.trades)
    }
}

const CLASSES: [InstrumentClass; 2] = [InstrumentClass::WithoutDerivatives, InstrumentClass::WithDerivatives];

#[derive(Debug, Clone, Copy)]
enum DayEvent {
    Open,
    ContinuousEnd(InstrumentClass),
    SessionEnd(InstrumentClass),
    DayEnd,
}

struct Day {
    session: Session,
    events: Vec<(Timestamp, DayEvent)>,
    done: usize,
}

impl Day {
    fn new(session: Session) -> Self {
        let mut events = vec![(session.earliest_open(), DayEvent::Open)];
        for class in CLASSES {
            events.push((session.close(class), DayEvent::ContinuousEnd(class)));
            events.push((session.end(class), DayEvent::SessionEnd(class)));
        }
        events.push((session.latest_end(), DayEvent::DayEnd));
        // Stable: where instants are equal, the order above holds.
        events.sort_by_key(|(at, _)| *at);
        Self { session, events, done: 0 }
    }

    fn next(&self) -> Option<(Timestamp, DayEvent)> {
        self.events.get(self.done).copied()
    }
}

impl Exchange {
    /// An exchange that has not begun: its first [`Exchange::advance`] sets where it starts.
    pub fn new(source: Arc<dyn PriceSource>, calendar: Calendar, config: PaperConfig) -> Self {
        let mut shares = Shares::default();
        for opening in &config.opening {
            shares.add(
                &opening.symbol,
                Product::Delivery,
                opening.quantity,
                opening.price * opening.quantity,
                opening.settles,
            );
        }
        Self {
            source,
            calendar,
            config,
            now: None,
            day: None,
            book_session: Date::MIN,
            orders: Vec::new(),
            by_id: BTreeMap::new(),
            orders_from: 0,
            trades_from: 0,
            live: BTreeMap::new(),
            queued: Vec::new(),
            trades: Vec::new(),
            cash: Cash::default(),
            shares,
            sold_today: BTreeSet::new(),
            next_priority: 0,
            numbering: Numbering::default(),
        }
    }

    /// The present instant; none before the first [`Exchange::advance`].
    pub const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// Lets time pass up to and including `to`. An earlier instant changes nothing.
    pub fn advance(&mut self, to: Timestamp) {
        match self.now {
            None => self.begin(to),
            Some(now) if to <= now => return,
            Some(_) => {}
        }
        loop {
            self.load_day();
            let event = self.day.as_ref().and_then(Day::next).filter(|(at, _)| *at <= to);
            let point = self.next_point().filter(|(at, _)| *at <= to);
            match (event, point) {
                // At the same instant the phase changes first.
                (Some((at, event)), point) if point.is_none_or(|(other, _)| at <= other) => {
                    self.now = Some(at);
                    if let Some(day) = &mut self.day {
                        day.done += 1;
                    }
                    self.run_event(at, event);
                }
                (_, Some((at, point))) => {
                    self.now = Some(at);
                    self.run_point(point, at);
                }
                (_, None) => break,
            }
        }
        self.now = Some(to);
    }

    /// The account starts at `at`, with its opening cash and shares as they stand then.
    fn begin(&mut self, at: Timestamp) {
        let today = at.ist_date();
        // One nanosecond earlier, so that what happens at this very instant is still ahead.
        self.now = Some(at.plus_nanos(-1));
        if let Ok(Some(session)) = self.calendar.session(self.config.exchange, today) {
            let mut day = Day::new(session);
            day.done = day.events.iter().filter(|(event_at, _)| *event_at < at).count();
            self.book_session = if day.done > 0 { today } else { self.session_before(today) };
            self.day = Some(day);
        } else {
            self.book_session = self.session_before(today);
        }
        self.cash.post(CashLine {
            at,
            session: self.book_session,
            kind: CashKind::Opening,
            symbol: None,
            trade_id: None,
            amount: self.config.cash,
        });
    }

    fn session_before(&self, day: Date) -> Date {
        self.calendar.previous_trading_day(self.config.exchange, day).unwrap_or(day)
    }

    /// Makes `day` the first session with instants still ahead; none where the calendar ends.
    fn load_day(&mut self) {
        if self.day.as_ref().is_some_and(|day| day.next().is_some()) {
            return;
        }
        let Some(now) = self.now else { return };
        let mut after = self.day.take().map_or_else(|| now.ist_date(), |day| day.session.date);
        while let Ok(date) = self.calendar.next_trading_day(self.config.exchange, after) {
            if let Ok(Some(session)) = self.calendar.session(self.config.exchange, date) {
                self.day = Some(Day::new(session));
                return;
            }
            after = date;
        }
    }

    /// The session that trades now (between its open and its end), if one does.
    pub(crate) fn trading_session(&self) -> Option<&Session> {
        self.day.as_ref().filter(|day| day.done > 0 && day.next().is_some()).map(|day| &day.session)
    }

    /// The next point of the path, while orders work in a session.
    fn next_point(&self) -> Option<(Timestamp, PathPoint)> {
        if self.live.is_empty() {
            return None;
        }
        let session = self.trading_session()?;
        let open = session.earliest_open();
        let point = PathPoint::after(open, self.now?);
        let at = point.at(open);
        (at < session.latest_close()).then_some((at, point))
    }

    fn run_event(&mut self, at: Timestamp, event: DayEvent) {
        let Some(day) = &self.day else { return };
        let session = day.session.clone();
        match event {
            DayEvent::Open => self.open_session(&session, at),
            DayEvent::ContinuousEnd(class) => self.end_continuous(&session, class),
            DayEvent::SessionEnd(class) => self.end_session(&session, class, at),
            DayEvent::DayEnd => self.square_off(&session, at),
        }
    }
}
