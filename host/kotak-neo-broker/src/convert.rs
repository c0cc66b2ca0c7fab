//! Rows of the broker's books in the port's words.

use broker::{BrokerOrder, BrokerTrade, NetPosition};
use kotak_neo::{
    Amount, HoldingRow, Limits, OrderRow, OrderStatus, OrderType as WireType, PositionRow,
    Product as WireProduct, Side as WireSide, TradeRow, Validity as WireValidity,
};
use model::time::SECOND;
use model::{
    BrokerOrderId, Date, Funds, Holding, Money, OrderTerms, OrderType, Price, Product, Quantity, Side,
    Status, Timestamp, Validity,
};

use crate::directory::Directory;

/// When orders of an instant trade, and when a session is over: told by the calendar.
pub trait TradingDays: Send + Sync + 'static {
    /// The session that an order placed at `at` belongs to; of an after-market order, the one it waits for.
    fn session_of(&self, at: Timestamp, amo: bool) -> Date;
    /// Whether after-market orders are taken at `at`: those that wait have not been sent to the exchange.
    fn takes_amo(&self, at: Timestamp) -> bool;
    /// The end of the session's continuous trading and auctions.
    fn end_of(&self, session: Date) -> Timestamp;
}

/// What rows are read with.
pub(crate) struct Reader<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) days: &'a dyn TradingDays,
    pub(crate) now: Timestamp,
}

const fn price(amount: Amount) -> Price {
    Price::from_units(amount.units())
}

const fn money(amount: Amount) -> Money {
    Money::from_units(amount.units())
}

pub(crate) const fn side(side: WireSide) -> Side {
    match side {
        WireSide::Buy => Side::Buy,
        WireSide::Sell => Side::Sell,
    }
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds.saturating_mul(SECOND))
}

impl Reader<'_> {
    pub(crate) fn order(&self, row: &OrderRow) -> BrokerOrder {
        // The entry comes before every other time; what has none was just put in.
        let at = row.entry_time.or(row.order_time).or(row.broker_time).map_or(self.now, instant);
        let session = self.days.session_of(at, row.amo);
        let order_type = order_type(&row.order_type);
        let triggered = matches!(order_type, OrderType::StopLimit | OrderType::StopMarket);
        BrokerOrder {
            broker_id: BrokerOrderId::from(row.order_no.as_str()),
            tag: row.tag.clone(),
            terms: OrderTerms {
                symbol: self.directory.symbol(&row.segment, &row.trading_symbol, row.token.as_deref()),
                side: side(row.side),
                order_type,
                product: product(&row.product),
                validity: match row.validity {
                    Some(WireValidity::Ioc) => Validity::Ioc,
                    _ => Validity::Day,
                },
                quantity: Quantity::new(row.quantity),
                price: price(row.price),
                trigger: (triggered && row.trigger > Amount::ZERO).then(|| price(row.trigger)),
                amo: row.amo,
            },
            status: self.status(row, session),
            filled: Quantity::new(row.filled),
            average: price(row.average_price),
            at,
            session,
            reason: row.reject_reason.clone().unwrap_or_default(),
        }
    }

    /// The order's state in FIX's words. What the broker calls by a word of which nothing is known is
    /// carried as it came: it counts as working.
    fn status(&self, row: &OrderRow, session: Date) -> Status {
        match &row.status {
            OrderStatus::Complete | OrderStatus::Traded => Status::Filled,
            OrderStatus::Rejected => Status::Rejected,
            OrderStatus::Cancelled if self.ended_with_its_session(row, session) => Status::Expired,
            OrderStatus::Cancelled | OrderStatus::CancelledAfterMarketOrder => Status::Canceled,
            OrderStatus::TriggerPending => Status::PendingTrigger,
            OrderStatus::AfterMarketOrderReqReceived
            | OrderStatus::AmoReqReceived
            | OrderStatus::ModifyAfterMarketOrderReqReceived => Status::QueuedAmo,
            OrderStatus::Other(word) => Status::Other(word.clone()),
            _ if row.filled > 0 => Status::PartiallyFilled,
            _ => Status::New,
        }
    }

    /// The wire has no word for a day order that ended unfilled: the exchange's own cancellation shows by
    /// its time, at or after the session's end.
    fn ended_with_its_session(&self, row: &OrderRow, session: Date) -> bool {
        let updated = row.updated_ns.map(Timestamp::from_nanos).or(row.exchange_time.map(instant));
        !matches!(row.validity, Some(WireValidity::Ioc))
            && updated.is_some_and(|updated| updated >= self.days.end_of(session))
    }

    pub(crate) fn trade(&self, row: &TradeRow) -> BrokerTrade {
        let at = row.fill_time.or(row.exchange_time).or(row.broker_time).map_or(self.now, instant);
        let leg = row.leg.filter(|leg| *leg > 1).map_or_else(String::new, |leg| format!("/{leg}"));
        BrokerTrade {
            trade_id: format!("{}{leg}", row.fill_id),
            broker_id: BrokerOrderId::from(row.order_no.as_str()),
            tag: row.tag.clone(),
            symbol: self.directory.symbol(&row.segment, &row.trading_symbol, row.token.as_deref()),
            side: side(row.side),
            quantity: Quantity::new(row.quantity),
            price: price(row.price),
            at,
            session: at.ist_date(),
        }
    }

    /// The day's part of a position; what was carried over is in the holdings.
    pub(crate) fn position(&self, row: &PositionRow) -> Result<NetPosition, String> {
        let shares = |count: i64| {
            u32::try_from(count).map(Quantity::new).map_err(|_| format!("a position of {count} shares"))
        };
        Ok(NetPosition {
            symbol: self.directory.symbol(&row.segment, &row.trading_symbol, row.token.as_deref()),
            bought: shares(row.filled_buy_quantity)?,
            sold: shares(row.filled_sell_quantity)?,
        })
    }

    pub(crate) fn holding(&self, row: &HoldingRow) -> Holding {
        let segment = row.segment.clone().unwrap_or(kotak_neo::Segment::NseCm);
        Holding {
            symbol: self.directory.symbol(&segment, &row.symbol, row.token.as_deref()),
            quantity: Quantity::new(row.quantity),
            average: row.average_price.map_or(Price::ZERO, price),
        }
    }
}

/// `Net` is what may still be used, `MarginUsed` what is blocked (facts 2.9). At the broker the latter also
/// holds the day's filled buys, so it may show a trace where there is none: then an Unknown waits for the
/// operator instead of being called not placed.
pub(crate) fn funds(limits: &Limits) -> Funds {
    Funds { available: money(limits.net), blocked: limits.margin_used.map_or(Money::ZERO, money) }
}

/// A type of which nothing is known is shown as a limit order: its price is what the row says.
fn order_type(wire: &WireType) -> OrderType {
    match wire {
        WireType::Market => OrderType::Market,
        WireType::StopLimit => OrderType::StopLimit,
        WireType::StopMarket => OrderType::StopMarket,
        WireType::Limit | WireType::Other(_) => OrderType::Limit,
    }
}

fn product(wire: &WireProduct) -> Product {
    if *wire == WireProduct::Mis { Product::Intraday } else { Product::Delivery }
}
