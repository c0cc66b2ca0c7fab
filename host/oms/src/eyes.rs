//! What the risk rules see.

use journal::TradingState;
use model::risk::{Permitted, RiskView};
use model::{Date, Money, OrderId, Price, Quantity, Side, StrategyName, Symbol};

use crate::book::Book;
use crate::config::MarketView;

/// The book on a trading day, at the market's last prices.
pub(crate) struct Eyes<'a> {
    pub(crate) book: &'a Book,
    pub(crate) view: &'a dyn MarketView,
    pub(crate) day: Date,
}

impl Eyes<'_> {
    /// Value of the open positions at the last price, less what was paid for them. A symbol without a
    /// last price counts at cost.
    pub(crate) fn unrealised(&self) -> Money {
        let gain = |position: &model::Position| {
            self.view
                .last_price(&position.symbol)
                .map_or(Money::ZERO, |last| last * position.quantity - position.cost)
        };
        self.book.ledger.positions(self.day).iter().map(gain).sum()
    }
}

impl RiskView for Eyes<'_> {
    fn permitted(&self) -> Permitted {
        match self.book.trading {
            TradingState::On => Permitted::All,
            TradingState::ExitsOnly => Permitted::Exits,
            TradingState::CancelsOnly => Permitted::Cancels,
        }
    }

    fn last_price(&self, symbol: &Symbol) -> Option<Price> {
        self.view.last_price(symbol)
    }

    fn orders_today(&self) -> u32 {
        self.book.placed.get(&self.day).copied().unwrap_or_default()
    }

    fn open_orders(&self) -> u32 {
        let open = self.book.live.values().filter(|slot| !slot.order.is_final()).count();
        u32::try_from(open).unwrap_or(u32::MAX)
    }

    fn exposure(&self) -> Money {
        let owned: Money = self.book.ledger.positions(self.day).iter().map(|position| position.cost).sum();
        let buys =
            self.book.live.values().map(|slot| &slot.order).filter(|order| order.terms.side == Side::Buy);
        let open: Money = buys
            .map(|order| {
                let reference = if order.terms.price.is_positive() {
                    Price::ZERO
                } else {
                    self.view.last_price(&order.terms.symbol).or(order.terms.trigger).unwrap_or_default()
                };
                order.exposed_value(reference)
            })
            .sum();
        owned + open
    }

    fn daily_loss(&self) -> Money {
        let (realised, charges) = self
            .book
            .days
            .get(&self.day)
            .map_or((Money::ZERO, Money::ZERO), |day| (day.realised, day.charges));
        -(realised - charges + self.unrealised())
    }

    fn sellable(&self, symbol: &Symbol) -> Quantity {
        let owned =
            self.book.ledger.position(symbol, self.day).map_or(Quantity::ZERO, |position| position.quantity);
        owned.saturating_sub(self.book.in_sells(symbol))
    }

    fn settled_sellable(&self, symbol: &Symbol) -> Quantity {
        let owned =
            self.book.ledger.position(symbol, self.day).map_or(Quantity::ZERO, |position| position.settled);
        owned.saturating_sub(self.book.in_sells(symbol))
    }

    fn is_trade_to_trade(&self, symbol: &Symbol) -> bool {
        self.view.instrument(symbol).is_some_and(|instrument| instrument.series.is_trade_to_trade())
    }

    fn unresolved(&self, strategy: &StrategyName, symbol: &Symbol) -> Option<OrderId> {
        let mut orders = self.book.live.values().map(|slot| &slot.order);
        orders
            .find(|order| {
                order.is_unresolved() && order.terms.symbol == *symbol && order.strategy == *strategy
            })
            .map(|order| order.id)
    }
}
