//! What a test tells a mock host.

use super::data::{self, bars};
use super::{Host, with};
use crate::bindings::tradeagent::strategy::market::{Candles, Instrument, Interval, Quote};
use crate::bindings::tradeagent::strategy::portfolio::{DayAccount, Difference, Holding, Position};
use crate::bindings::tradeagent::strategy::run::Feed;
use crate::bindings::tradeagent::strategy::types::{Date, Instant, Order, OrderError, ReadError};
use crate::price::{Price, Quantity, Rupees};

impl Host {
    /// It is this day, at the same time of day. A new day has no alerts and keys yet; prices and orders stay as
    /// they are.
    ///
    /// ```
    /// use tradeagent_sdk::monitor::{market, types::Date};
    /// let host = tradeagent_sdk::mock::Host::new();
    /// host.day(Date { year: 2026, month: 1, day: 9 });
    /// assert_eq!(market::get_session().unwrap().next_trading_day, Date { year: 2026, month: 1, day: 12 });
    /// ```
    pub fn day(&self, day: Date) {
        let mut world = self.world.borrow_mut();
        let passed = world.now - data::instant(world.day, 0, 0);
        world.now = data::instant(day, 0, 0) + passed;
        world.day = day;
        world.keys.clear();
        world.alerts.clear();
    }

    /// It is so late at the exchange.
    ///
    /// ```
    /// use tradeagent_sdk::monitor::market::{self, Phase};
    /// let host = tradeagent_sdk::mock::Host::new();
    /// host.time(16, 5);
    /// assert_eq!(market::get_session().unwrap().phase, Phase::Closed);
    /// ```
    pub fn time(&self, hour: u8, minute: u8) {
        let mut world = self.world.borrow_mut();
        world.now = data::instant(world.day, hour.into(), minute.into());
    }

    /// Now, to the nanosecond.
    ///
    /// ```
    /// let host = tradeagent_sdk::mock::Host::new();
    /// let later = host.tick().now + 1;
    /// host.now(later);
    /// assert_eq!(host.tick().now, later);
    /// ```
    pub fn now(&self, now: Instant) {
        self.world.borrow_mut().now = now;
    }

    /// There is this instrument.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::market};
    /// let host = mock::Host::new();
    /// host.listed(mock::instrument("TCS", 3_000));
    /// assert_eq!(market::get_instrument("TCS").unwrap().tick, 500);
    /// ```
    pub fn listed(&self, instrument: Instrument) {
        self.world.borrow_mut().instruments.insert(instrument.symbol.clone(), instrument);
    }

    /// The last price of a symbol, traded now; the rest of its quote is the same price, and the previous close
    /// that of its instrument.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::market, price::Price};
    /// let host = mock::Host::new();
    /// host.quote("TCS", Price::rupees(3_000));
    /// assert_eq!(market::get_quote("TCS").unwrap().last, 30_000_000);
    /// ```
    pub fn quote(&self, symbol: &str, last: Price) {
        let quote = {
            let world = self.world.borrow();
            let previous_close = world.instruments.get(symbol).map_or(last.0, |it| it.previous_close);
            Quote {
                symbol: symbol.to_owned(),
                last: last.0,
                at: world.now,
                open: last.0,
                high: last.0,
                low: last.0,
                previous_close,
                volume: 1_000_000,
                extras: Vec::new(),
            }
        };
        self.full_quote(quote);
    }

    /// A quote in full.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::market::{self, Quote}, price::Price};
    /// let host = mock::Host::new();
    /// host.quote("TCS", Price::rupees(3_000));
    /// host.full_quote(Quote { volume: 5, ..market::get_quote("TCS").unwrap() });
    /// assert_eq!(market::get_quote("TCS").unwrap().volume, 5);
    /// ```
    pub fn full_quote(&self, quote: Quote) {
        self.world.borrow_mut().quotes.insert(quote.symbol.clone(), quote);
    }

    /// A symbol's daily closes, oldest first, up to and with the day it is.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::market::{self, Interval}, price::Price};
    /// let host = mock::Host::new();
    /// host.closes("TCS", &[3_010, 3_000, 2_990].map(Price::rupees));
    /// let bars = market::get_candles(&["TCS".to_owned()], Interval::Day, 2).unwrap();
    /// assert_eq!(bars[0].close, [30_000_000, 29_900_000]);
    /// ```
    pub fn closes(&self, symbol: &str, closes: &[Price]) {
        let day = self.world.borrow().day;
        self.candles(Interval::Day, bars(symbol, day, closes));
    }

    /// Bars of a symbol in full.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::{market::{self, Interval}, types::Date}, price::Price};
    /// let host = mock::Host::new();
    /// let bars = mock::bars("TCS", Date { year: 2026, month: 1, day: 2 }, &[Price::rupees(3_000)]);
    /// host.candles(Interval::Day, bars.clone());
    /// assert_eq!(market::get_candles(&["TCS".to_owned()], Interval::Day, 9).unwrap(), [bars]);
    /// ```
    pub fn candles(&self, interval: Interval, candles: Candles) {
        let key = (interval == Interval::Day, candles.symbol.clone());
        self.world.borrow_mut().candles.insert(key, candles);
    }

    /// The system owns so many settled shares, for which this price was paid; the broker holds them.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::portfolio, price::Price};
    /// let host = mock::Host::new();
    /// host.owned("TCS", 10, Price::rupees(3_000));
    /// let position = portfolio::get_positions().unwrap().remove(0);
    /// assert_eq!((position.free, position.cost), (10, 300_000_000));
    /// ```
    pub fn owned(&self, symbol: &str, quantity: u32, paid: Price) {
        let opened = self.world.borrow().session().previous_trading_day;
        self.position(Position {
            symbol: symbol.to_owned(),
            quantity,
            settled: quantity,
            unsettled: 0,
            in_working_sells: 0,
            free: quantity,
            cost: (paid * Quantity(quantity)).0,
            opened,
            extras: Vec::new(),
        });
        let average = paid.0;
        let mut world = self.world.borrow_mut();
        world.holdings.retain(|holding| holding.symbol != symbol);
        world.holdings.push(Holding { symbol: symbol.to_owned(), quantity, average, extras: Vec::new() });
    }

    /// A position in full.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::portfolio::{self, Position}, price::Price};
    /// let host = mock::Host::new();
    /// host.owned("TCS", 10, Price::rupees(3_000));
    /// let mut position = portfolio::get_positions().unwrap().remove(0);
    /// host.position(Position { settled: 0, unsettled: 10, free: 0, ..position });
    /// assert_eq!(portfolio::get_positions().unwrap()[0].free, 0);
    /// ```
    pub fn position(&self, position: Position) {
        self.world.borrow_mut().positions.insert(position.symbol.clone(), position);
    }

    /// What the broker holds, in full.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::portfolio, price::Price};
    /// let host = mock::Host::new();
    /// host.owned("TCS", 10, Price::rupees(3_000));
    /// host.holdings(vec![]);
    /// assert!(portfolio::get_holdings().unwrap().is_empty());
    /// ```
    pub fn holdings(&self, holdings: Vec<Holding>) {
        self.world.borrow_mut().holdings = holdings;
    }

    /// Cash free for new orders.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::portfolio, price::Rupees};
    /// let host = mock::Host::new();
    /// host.funds(Rupees::whole(50_000));
    /// assert_eq!(portfolio::get_funds().unwrap().available, 500_000_000);
    /// ```
    pub fn funds(&self, available: Rupees) {
        self.world.borrow_mut().funds.available = available.0;
    }

    /// What `reconcile` finds.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::portfolio::{self, Difference}};
    /// let host = mock::Host::new();
    /// host.differences(vec![Difference { subject: "TCS".to_owned(), what: "10 owned, 9 held".to_owned() }]);
    /// assert_eq!(portfolio::reconcile().unwrap().len(), 1);
    /// ```
    pub fn differences(&self, differences: Vec<Difference>) {
        self.world.borrow_mut().differences = differences;
    }

    /// The day's account. Without one it counts the orders and has no money in it.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::portfolio::{self, DayAccount}};
    /// let host = mock::Host::new();
    /// host.account(DayAccount { realised: 5, ..portfolio::get_day_account().unwrap() });
    /// assert_eq!(portfolio::get_day_account().unwrap().realised, 5);
    /// ```
    pub fn account(&self, account: DayAccount) {
        self.world.borrow_mut().account = Some(account);
    }

    /// The feeds whose bars a [`Cause::Bar`](crate::Cause::Bar) brings.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::{market::Interval, run::{self, Feed}}};
    /// let host = mock::Host::new();
    /// host.feeds(vec![Feed { symbol: "TCS".to_owned(), interval: Interval::Minute, extras: vec![] }]);
    /// assert_eq!(run::about().feeds.len(), 1);
    /// ```
    pub fn feeds(&self, feeds: Vec<Feed>) {
        self.world.borrow_mut().feeds = feeds;
    }

    /// The operator has set a parameter.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, params::param};
    /// let host = mock::Host::new();
    /// host.param("days", 9);
    /// assert_eq!(param("days", 20_u32), Ok(9));
    /// ```
    pub fn param(&self, name: &str, value: impl ToString) {
        self.world.borrow_mut().params.insert(name.to_owned(), value.to_string());
    }

    /// `state` holds this, from a run before.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, store};
    /// let host = mock::Host::new();
    /// host.kept("count", "3");
    /// assert_eq!(store::number("count"), Some(3));
    /// ```
    pub fn kept(&self, key: &str, value: &str) {
        self.world.borrow_mut().state.insert(key.to_owned(), value.into());
    }

    /// The account has this order, which the strategy has not placed now: one of another strategy, one that is
    /// not ours, or its own of a day before.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, sell::{order_book, selling, types::{Order, OrderRequest}}, price::Price};
    /// let host = mock::Host::new();
    /// host.listed(mock::instrument("TCS", 3_000));
    /// host.owned("TCS", 10, Price::rupees(2_900));
    /// selling::place(&OrderRequest::limit("exit:TCS", "TCS", 10, 31_000_000)).unwrap();
    /// host.order(Order { id: "other".to_owned(), strategy: None, ..host.orders()[0].clone() });
    /// assert_eq!(order_book::get_account_orders().unwrap().len(), 2);
    /// assert_eq!(order_book::get_own_orders().unwrap().len(), 1);
    /// ```
    pub fn order(&self, order: Order) {
        self.world.borrow_mut().orders.insert(0, order);
    }

    /// From now on a read fails: `market.get-quote`, `portfolio.get-positions`, as the contract names them.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, monitor::{portfolio, types::ReadError}};
    /// let host = mock::Host::new();
    /// host.fails("portfolio.get-funds", ReadError::Unavailable("no answer".to_owned()));
    /// assert!(portfolio::get_funds().is_err());
    /// ```
    pub fn fails(&self, call: &str, error: ReadError) {
        self.world.borrow_mut().failing.insert(call.to_owned(), error);
    }

    /// The next order, change or cancellation is answered with this error; told twice, the next two.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, buy::{buying, types::{OrderError, OrderRequest}}};
    /// let host = mock::Host::new();
    /// host.listed(mock::instrument("TCS", 3_000));
    /// host.refuses(OrderError::Other("closed".to_owned()));
    /// let order = OrderRequest::limit("dip:TCS", "TCS", 10, 29_900_000);
    /// assert!(buying::place(&order).is_err() && buying::place(&order).is_ok());
    /// ```
    pub fn refuses(&self, error: OrderError) {
        self.world.borrow_mut().order_errors.push_back(error);
    }
}

/// Reads what the world of this thread holds; for the functions of the host.
pub(super) fn read<T>(
    call: &str,
    f: impl FnOnce(&data::World) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    with(|world| {
        world.may(call)?;
        f(world)
    })
}
