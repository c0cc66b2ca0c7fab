//! What the open and the end of a session do to the books.

use calendar::{ClosingPrice, Session};
use model::charges::Charges;
use model::{
    Date, InstrumentClass, Money, OrderTerms, OrderType, Price, Product, Quantity, Side, Status, Symbol,
    Timestamp, Validity,
};

use crate::cash::{CashKind, CashLine};
use crate::exchange::Exchange;
use crate::matching::SymbolBook;
use crate::order::PaperOrder;

impl Exchange {
    /// Turns the books over, re-bases shares, releases the queue and runs the opening auction.
    pub(crate) fn open_session(&mut self, session: &Session, at: Timestamp) {
        let date = session.date;
        self.book_session = date;
        self.sold_today.clear();
        self.shares.prune(date);
        while self.orders.get(self.orders_from).is_some_and(|order| order.session < date) {
            self.orders_from += 1;
        }
        self.trades_from = self.trades.len();
        self.apply_corporate_actions(date, at);
        self.release_queue(date);
        let mut live = std::mem::take(&mut self.live);
        for (symbol, book) in &mut live {
            if let Some(bar) = self.source.minute(symbol, date, 0) {
                self.run_auction(symbol, &book.orders, bar.open, bar.volume, (date, 0), at);
                book.orders.retain(|index| self.orders[*index].is_open());
            }
        }
        live.retain(|_, book| !book.orders.is_empty());
        self.live = live;
    }

    /// Shares become what the factor says, at unchanged cost; a fraction is paid out at the session's first
    /// price (the last close where there is none). Queued orders carry prices of before: they are cancelled.
    fn apply_corporate_actions(&mut self, date: Date, at: Timestamp) {
        let owned = self.shares.all().map(|(symbol, ..)| symbol.clone());
        let queued = self.queued.iter().map(|index| self.orders[*index].symbol().clone());
        let symbols: std::collections::BTreeSet<Symbol> = owned.chain(queued).collect();
        for symbol in symbols {
            let Some(factor) = self.source.corporate_action(&symbol, date) else { continue };
            let rest = self.shares.rebase(&symbol, factor.numerator, factor.denominator);
            self.pay_fraction(&symbol, rest, factor.numerator, date, at);
            for index in self.queued.clone() {
                if *self.orders[index].symbol() == symbol {
                    self.end_order(
                        index,
                        Status::Canceled,
                        "corporate action: prices are re-based from this session on",
                    );
                }
            }
        }
        self.queued.retain(|index| self.orders[*index].is_open());
    }

    fn pay_fraction(&mut self, symbol: &Symbol, rest: i64, whole: i64, session: Date, at: Timestamp) {
        let price = self
            .source
            .minute(symbol, session, 0)
            .map(|bar| bar.open)
            .or_else(|| {
                self.source.instrument_on(symbol, session).map(|instrument| instrument.previous_close)
            })
            .unwrap_or_default();
        let amount = Money::from_units(price.units()).scale(rest, whole.max(1)).round_to_paisa();
        if amount.is_positive() {
            let symbol = Some(symbol.clone());
            self.cash.post(CashLine {
                at,
                session,
                kind: CashKind::Fraction,
                symbol,
                trade_id: None,
                amount,
            });
        }
    }

    /// Sends queued after-market orders of this session to the exchange, which judges them by today's rules.
    fn release_queue(&mut self, date: Date) {
        let (due, later) = self.queued.iter().partition(|index| self.orders[**index].session <= date);
        let due: Vec<usize> = due;
        self.queued = later;
        for index in due {
            let terms = self.orders[index].terms.clone();
            let judged = self.judge_release(&terms, date);
            match judged {
                Err(refusal) => {
                    let reason = format!("{}: {refusal}", refusal.code());
                    self.end_order(index, Status::Rejected, &reason);
                }
                Ok(class) => {
                    let order = &mut self.orders[index];
                    order.session = date;
                    order.status = order.working_status();
                    order.reason.clear();
                    self.live
                        .entry(terms.symbol)
                        .or_insert_with(|| SymbolBook::new(class))
                        .orders
                        .push(index);
                }
            }
        }
    }

    /// Market, stop and immediate orders end with continuous trading. Where a closing auction follows,
    /// unmatched limits are carried into it.
    pub(crate) fn end_continuous(&mut self, session: &Session, class: InstrumentClass) {
        let auction = matches!(session.closing_price(class), ClosingPrice::Auction { .. });
        self.end_orders(class, |order| {
            (!auction || !Self::is_carried(order)).then(|| "continuous trading has ended".to_owned())
        });
    }

    /// The closing auction, where there is one; then every order of the class ends.
    pub(crate) fn end_session(&mut self, session: &Session, class: InstrumentClass, at: Timestamp) {
        if let ClosingPrice::Auction { reference, band_percent } = session.closing_price(class) {
            let minute_of =
                |at: Timestamp| (at.nanos_since(session.open(class)) / model::time::MINUTE) as u32;
            let window = minute_of(reference.start)..minute_of(reference.end);
            let last = minute_of(session.close(class)).saturating_sub(1);
            let books: Vec<(Symbol, Vec<usize>)> = self
                .live
                .iter()
                .filter(|(_, book)| book.class == class)
                .map(|(symbol, book)| (symbol.clone(), book.orders.clone()))
                .collect();
            for (symbol, orders) in books {
                self.close_symbol(&symbol, orders, session.date, window.clone(), band_percent, last, at);
            }
        }
        self.end_orders(class, |_| Some("the session has ended".to_owned()));
    }

    #[expect(clippy::too_many_arguments, reason = "facts of one auction, used once")]
    fn close_symbol(
        &mut self,
        symbol: &Symbol,
        orders: Vec<usize>,
        date: Date,
        window: std::ops::Range<u32>,
        band_percent: u32,
        last: u32,
        at: Timestamp,
    ) {
        let Some(reference) = self.reference_price(symbol, date, window) else { return };
        let bps = i64::from(band_percent) * 100;
        let (low, high) = (reference.plus_bps(-bps), reference.plus_bps(bps));
        let within = |price: Price| low <= price && price <= high;
        let mut eligible = Vec::new();
        for index in orders {
            if self.orders[index].limit().is_some_and(within) {
                eligible.push(index);
            } else {
                let reason = format!("its limit is outside the closing auction's band of {low} to {high}");
                self.end_order(index, Status::Expired, &reason);
            }
        }
        let Some(price) = self.source.auction_price(symbol, date).filter(|price| within(*price)) else {
            return;
        };
        let volume = self.source.minute(symbol, date, last).map_or(0, |bar| bar.volume);
        self.run_auction(symbol, &eligible, price, volume, (date, last), at);
    }

    /// Volume-weighted average of the typical prices of the minutes; the last close where none has volume.
    fn reference_price(&self, symbol: &Symbol, date: Date, minutes: std::ops::Range<u32>) -> Option<Price> {
        let (mut value, mut volume, mut last) = (0_i128, 0_i128, None);
        for bar in minutes.filter_map(|minute| self.source.minute(symbol, date, minute)) {
            let typical = (bar.high + bar.low + bar.close).units() / 3;
            value += i128::from(typical) * i128::from(bar.volume);
            volume += i128::from(bar.volume);
            last = Some(bar.close);
        }
        if volume > 0 { Some(Price::from_units((value / volume) as i64)) } else { last }
    }

    fn end_orders(&mut self, class: InstrumentClass, why: impl Fn(&PaperOrder) -> Option<String>) {
        let mut live = std::mem::take(&mut self.live);
        for book in live.values_mut().filter(|book| book.class == class) {
            for &index in &book.orders {
                if self.orders[index].is_open()
                    && let Some(reason) = why(&self.orders[index])
                {
                    self.end_order(index, Status::Expired, &reason);
                }
            }
            book.orders.retain(|index| self.orders[*index].is_open());
        }
        live.retain(|_, book| !book.orders.is_empty());
        self.live = live;
    }

    /// The broker sells intraday shares that are still there at the end, at the closing price. Without a
    /// price they stay for the next session's end.
    pub(crate) fn square_off(&mut self, session: &Session, at: Timestamp) {
        let left: Vec<(Symbol, Quantity)> = self
            .shares
            .all()
            .filter(|(_, product, ..)| *product == Product::Intraday)
            .map(|(symbol, _, quantity, _)| (symbol.clone(), quantity))
            .collect();
        for (symbol, quantity) in left {
            let Some(price) = self.source.auction_price(&symbol, session.date) else { continue };
            let terms = OrderTerms {
                symbol,
                side: Side::Sell,
                order_type: OrderType::Market,
                product: Product::Intraday,
                validity: Validity::Day,
                quantity,
                price: Price::ZERO,
                trigger: None,
                amo: false,
            };
            let index = self.book(None, terms, session.date, Price::ZERO, Money::ZERO, at);
            self.orders[index].reason = "intraday position squared off by the broker".to_owned();
            self.fill(index, quantity, price, session.date, at);
        }
    }

    /// Charges of every trade so far.
    pub(crate) fn charges_so_far(&self) -> Charges {
        let mut sum = Charges::default();
        self.trades.iter().for_each(|trade| sum += trade.charges);
        sum
    }
}
