//! Matching: working orders against the points of the price path.
//!
//! At a point all orders of a symbol that the price reaches are served by price, then by time, within the
//! minute's share of volume (a quarter of it by each point; what is not used is not lost). An order that
//! stood in the book is met at its limit when the path crosses it within a minute. One that has just come,
//! or that the price has jumped over between two minutes, trades at the path's price, which is then the
//! better one. So every fill lies on the path, and none is worse than its limit.

use std::cmp::Reverse;

use market::MinuteBar;
use model::{Date, InstrumentClass, OrderType, Price, Quantity, Side, Symbol, Timestamp, Validity};

use crate::exchange::Exchange;
use crate::order::PaperOrder;
use crate::path::{self, PathPoint};

/// The working orders of one symbol.
#[derive(Debug, Clone)]
pub(crate) struct SymbolBook {
    pub class: InstrumentClass,
    pub orders: Vec<usize>,
    minute: Option<Minute>,
}

/// The minute that is being walked through.
#[derive(Debug, Clone)]
struct Minute {
    number: u32,
    bar: Option<MinuteBar>,
    /// Asked for only when an order is reached.
    share: Option<u64>,
    used: u64,
}

impl SymbolBook {
    pub const fn new(class: InstrumentClass) -> Self {
        Self { class, orders: Vec::new(), minute: None }
    }
}

impl PaperOrder {
    /// By how much the price is better than the limit; none: not reached.
    fn margin(&self, price: Price) -> Option<i64> {
        // Market orders are protected at the far end of the day's band, which their block is counted at.
        let limit = self.limit().unwrap_or(self.basis);
        let margin = match self.terms.side {
            Side::Buy => (limit - price).units(),
            Side::Sell => (price - limit).units(),
        };
        match self.limit() {
            _ if margin < 0 => None,
            None => Some(i64::MAX),
            Some(_) => Some(margin),
        }
    }

    fn is_triggered_by(&self, price: Price) -> bool {
        match (self.terms.trigger, self.terms.side) {
            (None, _) => true,
            (Some(trigger), Side::Buy) => price >= trigger,
            (Some(trigger), Side::Sell) => price <= trigger,
        }
    }
}

impl Exchange {
    /// Serves every working order that may trade at this point.
    pub(crate) fn run_point(&mut self, point: PathPoint, at: Timestamp) {
        let Some(session) = self.trading_session() else { return };
        let date = session.date;
        let trades = [InstrumentClass::WithoutDerivatives, InstrumentClass::WithDerivatives]
            .map(|class| session.open(class) <= at && at < session.close(class));
        let mut live = std::mem::take(&mut self.live);
        for (symbol, book) in &mut live {
            if trades[usize::from(book.class == InstrumentClass::WithDerivatives)] {
                self.run_symbol(symbol, book, date, point, at);
                book.orders.retain(|index| self.orders[*index].is_open());
            }
        }
        live.retain(|_, book| !book.orders.is_empty());
        self.live = live;
    }

    fn run_symbol(
        &mut self,
        symbol: &Symbol,
        book: &mut SymbolBook,
        date: Date,
        point: PathPoint,
        at: Timestamp,
    ) {
        if book.minute.as_ref().is_none_or(|minute| minute.number != point.minute) {
            let bar = self.source.minute(symbol, date, point.minute);
            book.minute = Some(Minute { number: point.minute, bar, share: None, used: 0 });
        }
        let Some(minute) = &mut book.minute else { return };
        // No trade in this minute: no price, nothing to meet.
        let Some(bar) = minute.bar else { return };
        let price = path::price_at(&bar, point.place);
        let reached = self.candidates(&book.orders, price);
        if reached.is_empty() {
            return self.after_point(&book.orders, price, at);
        }
        let share =
            *minute.share.get_or_insert_with(|| self.share_of(bar.volume, symbol, date, point.minute));
        let released = (u128::from(share) * u128::from(point.place + 1) / u128::from(path::POINTS)) as u64;
        let mut budget = released.saturating_sub(minute.used);
        let before = budget;
        for (index, best) in reached {
            let order = &self.orders[index];
            let quantity = take(order.left(), budget);
            let at_limit = order.resting && point.place > 0;
            let fill_price = if at_limit { order.limit().unwrap_or(best) } else { best };
            if !quantity.is_zero() {
                budget -= u64::from(quantity.get());
                self.fill(index, quantity, fill_price, date, at);
            }
        }
        minute.used += before - budget;
        self.after_point(&book.orders, price, at);
    }

    /// Orders that `price` reaches, the most generous limit first, then the oldest.
    fn candidates(&self, orders: &[usize], price: Price) -> Vec<(usize, Price)> {
        let mut reached: Vec<(Reverse<i64>, u64, usize)> = orders
            .iter()
            .filter_map(|&index| {
                let order = &self.orders[index];
                let margin = (order.is_open() && order.triggered).then(|| order.margin(price))??;
                Some((Reverse(margin), order.priority, index))
            })
            .collect();
        reached.sort_unstable();
        reached.into_iter().map(|(_, _, index)| (index, price)).collect()
    }

    /// What a point leaves behind: triggered stops, ended immediate-or-cancel orders, who rests.
    fn after_point(&mut self, orders: &[usize], price: Price, at: Timestamp) {
        for &index in orders {
            let order = &mut self.orders[index];
            if !order.is_open() {
                continue;
            }
            if !order.triggered {
                // It joins the book now and meets the next point, not the one that triggered it.
                if order.is_triggered_by(price) {
                    order.triggered = true;
                    order.status = order.working_status();
                    order.reason = format!("triggered at {price} on {at}");
                }
                continue;
            }
            order.resting = order.margin(price).is_none();
            if order.terms.validity == Validity::Ioc {
                self.end_order(
                    index,
                    model::Status::Canceled,
                    "immediate or cancel: not (fully) matched at once",
                );
            }
        }
    }

    /// One price for all: whoever is strictly better is served from the whole auction's volume, whoever
    /// is at the price from the account's share of it.
    pub(crate) fn run_auction(
        &mut self,
        symbol: &Symbol,
        orders: &[usize],
        price: Price,
        volume: u64,
        (date, minute): (Date, u32),
        at: Timestamp,
    ) {
        let volume = volume.saturating_mul(u64::from(self.config.auction_minutes));
        let mut better = volume;
        let mut level = self.share_of(volume, symbol, date, minute);
        for (index, price) in self.candidates(orders, price) {
            let order = &self.orders[index];
            let budget = if order.margin(price) == Some(0) { &mut level } else { &mut better };
            let quantity = take(order.left(), *budget);
            if !quantity.is_zero() {
                *budget -= u64::from(quantity.get());
                self.fill(index, quantity, price, date, at);
            }
        }
        self.after_point(orders, price, at);
    }

    fn share_of(&self, volume: u64, symbol: &Symbol, date: Date, minute: u32) -> u64 {
        let percent = self.config.volume_share_percent.min(100);
        path::volume_share(volume, percent, self.config.seed, symbol, date, minute)
    }

    /// Whether the order may be carried into a closing auction.
    pub(crate) fn is_carried(order: &PaperOrder) -> bool {
        order.triggered
            && order.terms.validity == Validity::Day
            && matches!(order.terms.order_type, OrderType::Limit | OrderType::StopLimit)
    }
}

fn take(left: Quantity, budget: u64) -> Quantity {
    Quantity::new(u64::from(left.get()).min(budget) as u32)
}
