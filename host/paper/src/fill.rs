//! A fill, and the end of an order: what it does to cash, shares and books.

use broker::BrokerTrade;
use model::charges::{Charges, Deal};
use model::{Date, Money, Price, Product, Quantity, Side, Status, Symbol, Timestamp};

use crate::cash::{CashKind, CashLine};
use crate::exchange::{Exchange, PaperTrade};
use crate::order::PaperOrder;
use crate::refusal::Refusal;

impl Exchange {
    /// Books `quantity` shares of an order at `price`.
    pub(crate) fn fill(
        &mut self,
        index: usize,
        quantity: Quantity,
        price: Price,
        session: Date,
        at: Timestamp,
    ) {
        let trade_id = self.numbering.trade(session);
        let order = &mut self.orders[index];
        let (symbol, side, product) = (order.terms.symbol.clone(), order.terms.side, order.terms.product);
        let value = price * quantity;
        order.filled += quantity;
        order.value += value;
        order.status = if order.left().is_zero() { Status::Filled } else { Status::PartiallyFilled };
        let (broker_id, tag) = (order.id.clone(), order.tag.clone());

        let delivers = side == Side::Sell && product == Product::Delivery;
        let first_sale_of_day = delivers && self.sold_today.insert(symbol.clone());
        let charges = self
            .charges(&Deal {
                exchange: self.config.exchange,
                day: session,
                product,
                side,
                value,
                first_sale_of_day,
            })
            .expect("the rates of this session were found when the order was taken");
        let settles = self.settles(session);
        match side {
            Side::Buy => self.shares.add(&symbol, product, quantity, value, settles),
            Side::Sell => self.shares.take(&symbol, product, quantity, settles),
        }
        let signed = if side == Side::Buy { -value } else { value };
        for (kind, amount) in [(CashKind::Trade, signed), (CashKind::Charges, -charges.total())] {
            let (symbol, trade_id) = (Some(symbol.clone()), Some(trade_id.clone()));
            self.cash.post(CashLine { at, session, kind, symbol, trade_id, amount });
        }
        let trade = BrokerTrade { trade_id, broker_id, tag, symbol, side, quantity, price, at, session };
        self.trades.push(PaperTrade { trade, product, charges, settles });
        self.reblock(index, session);
    }

    /// Blocks for what is left of an order. Charges are rounded by fill, so the sum over many fills may
    /// pass what was blocked by paise; an account without those paise loses the rest of its order.
    fn reblock(&mut self, index: usize, session: Date) {
        let order = &self.orders[index];
        let (held, left) = (order.blocked, order.left());
        let needed = if left.is_zero() { Money::ZERO } else { self.still_needs(order, session) };
        self.cash.blocked += needed - held;
        self.orders[index].blocked = needed;
        if !left.is_zero() && self.cash.available() < Money::ZERO {
            self.end_order(index, Status::Canceled, "the charges of many fills used up the cash");
        }
    }

    /// What an order that was taken has to keep blocked: from its own price basis.
    fn still_needs(&self, order: &PaperOrder, session: Date) -> Money {
        // Market orders keep the part of their first block that is not filled yet.
        let basis = order.limit().unwrap_or(order.basis);
        self.needs(order.terms.side, order.terms.product, basis * order.left(), session)
            .unwrap_or(order.blocked)
    }

    /// Cash that a working order of this value must block: a sale needs none.
    pub(crate) fn needs(
        &self,
        side: Side,
        product: Product,
        value: Money,
        session: Date,
    ) -> Result<Money, Refusal> {
        let deal = Deal {
            exchange: self.config.exchange,
            day: session,
            product,
            side,
            value,
            first_sale_of_day: true,
        };
        let charges = self.charges(&deal)?;
        Ok(if side == Side::Buy { value + charges.total() } else { Money::ZERO })
    }

    fn charges(&self, deal: &Deal) -> Result<Charges, Refusal> {
        self.config
            .charges
            .charges(&self.config.tariff, deal)
            .map_err(|error| Refusal::Calendar(error.to_string()))
    }

    /// When a trade of `session` settles; the day after where the calendar ends.
    fn settles(&self, session: Date) -> Date {
        self.calendar
            .settlement_date(self.config.exchange, session)
            .unwrap_or_else(|_| session.succ_opt().unwrap_or(session))
    }

    /// Ends an order and frees what it blocked.
    pub(crate) fn end_order(&mut self, index: usize, status: Status, reason: &str) {
        let order = &mut self.orders[index];
        order.status = status;
        order.reason = reason.to_owned();
        self.cash.blocked -= std::mem::take(&mut order.blocked);
    }

    /// Shares in working and queued sells of a symbol.
    pub(crate) fn in_sells(&self, symbol: &Symbol, product: Product, except: Option<usize>) -> Quantity {
        let working = self.live.get(symbol).map(|book| book.orders.as_slice()).unwrap_or_default();
        working
            .iter()
            .chain(&self.queued)
            .filter(|index| Some(**index) != except)
            .map(|index| &self.orders[*index])
            .filter(|order| {
                order.is_open()
                    && order.terms.side == Side::Sell
                    && order.terms.product == product
                    && order.terms.symbol == *symbol
            })
            .map(PaperOrder::left)
            .sum()
    }
}
