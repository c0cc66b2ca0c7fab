//! Cash and shares to the paisa.

use model::charges::{ChargeSchedule, Deal, Tariff};
use model::{Money, Quantity, Side, Timestamp};

use super::market_table::*;
use crate::{CashKind, Exchange};

/// What the cash must be, from the trades alone.
fn recomputed(exchange: &Exchange, opening: Money) -> Money {
    let schedule = ChargeSchedule::bundled();
    let mut cash = opening;
    let mut sold = std::collections::BTreeSet::new();
    for row in exchange.all_trades() {
        let trade = &row.trade;
        let value = trade.price * trade.quantity;
        let delivers = trade.side == Side::Sell && row.product == model::Product::Delivery;
        let deal = Deal {
            exchange: model::Exchange::Nse,
            day: trade.session,
            product: row.product,
            side: trade.side,
            value,
            first_sale_of_day: delivers && sold.insert((trade.session, trade.symbol.clone())),
        };
        let charges = schedule.charges(&exchange.config.tariff, &deal).expect("rates");
        assert_eq!(charges, row.charges);
        cash += (if trade.side == Side::Buy { -value } else { value }) - charges.total();
    }
    cash
}

/// Buys, sells and cancels over two days.
pub(super) fn busy_days(exchange: &mut Exchange) {
    for (hour, terms) in [
        (10, buy(130, "101")),
        (11, sell(4, "99")),
        (12, buy(10, "95")),
        (13, sell(3, "100")),
        (14, market_order(Side::Buy, "ACME", 7)),
    ] {
        exchange.advance(at(hour, 0));
        exchange.order_now(terms);
    }
    exchange.advance(at(16, 0));
    exchange.order_now(amo(limit(Side::Sell, "ACME", 50, "100")));
    exchange.order_now(amo(buy(20, "102.35")));
    exchange.advance(at(16, 0).plus_minutes(24 * 60));
}

#[test]
fn the_account_adds_up_to_the_paisa() {
    for tariff in [Tariff::none_brokerage(), Tariff::kotak_trade_free()] {
        let mut exchange = exchange_at(table(), Timestamp::at_ist(session(), 8, 0));
        exchange.config.tariff = tariff;
        busy_days(&mut exchange);
        let account = exchange.account();
        assert!(exchange.all_trades().len() > 6);
        assert_eq!(account.cash, recomputed(&exchange, Money::from_rupees(100_000)));
        assert_eq!(account.cash, account.lines.iter().map(|line| line.amount).sum());
        let charged: Money =
            account.lines.iter().filter(|line| line.kind == CashKind::Charges).map(|line| line.amount).sum();
        assert_eq!(charged, -account.charges.total());
        assert!(account.blocked.is_zero());
        let acme = account.owned.iter().find(|owned| owned.symbol.as_str() == "ACME").expect("bought");
        assert_eq!(
            (acme.quantity.get(), acme.settled.get()),
            (130 + 7 - 50 + 20, 87),
            "the last 20 settle tomorrow"
        );
    }
}

#[test]
fn working_buys_block_cash_with_charges_and_fills_take_only_their_own() {
    let mut exchange = exchange_at(table(), at(10, 0));
    let id = exchange.order_now(buy(100, "99"));
    // 9,900 and its charges: STT 9.90, stamp 1.49, exchange 0.30, SEBI 0.01, GST 0.06.
    assert_eq!(exchange.funds().blocked.to_string(), "9911.76");
    assert_eq!((exchange.funds().available + exchange.funds().blocked), Money::from_rupees(100_000));
    exchange.change(&id, "101", 50).expect("a good change");
    assert_eq!(exchange.funds().blocked.to_string(), "5056.01");
    exchange.advance(at(10, 0).plus_seconds(40));
    let row = exchange.row(&id);
    assert_eq!((row.filled.get(), row.average), (50, price("100")));
    assert!(exchange.funds().blocked.is_zero());
    assert_eq!(exchange.funds().available.to_string(), "94994.06", "at the price paid, not at the limit");
}

#[test]
fn holdings_lag_a_day_and_positions_tell_today() {
    let mut exchange = exchange_at(table(), at(10, 0));
    exchange.order_now(buy(5, "100"));
    exchange.order_now(sell(4, "100"));
    exchange.advance(at(18, 0));
    let shown = |exchange: &Exchange| -> Vec<String> {
        exchange.holdings().iter().map(|h| format!("{} {}@{}", h.symbol, h.quantity, h.average)).collect()
    };
    assert_eq!(shown(&exchange), ["HELD 10@90.00"], "as in the morning; BETRADE comes tomorrow");
    let net: Vec<_> =
        exchange.positions().into_iter().map(|p| (p.symbol.to_string(), p.bought, p.sold)).collect();
    assert_eq!(
        net,
        [
            ("ACME".to_owned(), Quantity::new(5), Quantity::ZERO),
            ("HELD".to_owned(), Quantity::ZERO, Quantity::new(4))
        ]
    );
    exchange.advance(at(9, 15).plus_minutes(24 * 60));
    assert_eq!(shown(&exchange), ["ACME 5@100.00", "BETRADE 10@90.00", "HELD 6@90.00"]);
    assert!(exchange.positions().is_empty() && exchange.trades().is_empty());
}

#[test]
fn numbers_start_anew_each_day_and_never_meet() {
    let mut exchange = exchange_at(table(), at(10, 0));
    assert_eq!(exchange.order_now(buy(1, "100")).as_str(), "250603000001");
    assert_eq!(exchange.order_now(buy(1, "100")).as_str(), "250603000002");
    exchange.advance(at(10, 1));
    assert_eq!(exchange.trades()[1].trade_id, "250603T000002");
    exchange.advance(at(10, 0).plus_minutes(24 * 60));
    assert_eq!(exchange.order_now(buy(1, "100")).as_str(), "250604000001");
}

#[test]
fn worth_is_cash_and_shares() {
    let exchange = exchange_at(table(), at(10, 0));
    assert_eq!(exchange.worth(|_| Some(price("100"))), Money::from_rupees(102_000));
    assert_eq!(exchange.worth(|_| None), Money::from_rupees(101_800), "at cost without a price");
}
