//! Entries for tests, by short names.

use model::{
    Account, Action, BrokerOrderId, ContentHash, Date, Evidence, Fact, Intent, IntentId, LedgerEntry,
    LedgerKind, Money, OrderTerms, Price, Product, Quantity, RunId, Side, Source, Status, StrategyName,
    Timestamp,
};

use crate::port::{Alert, Entry, OperatorAction, RunEnd, RunOutcome, RunStart, Severity, TradingState};

/// A day of March 2025.
pub fn day(day: u32) -> Date {
    Date::from_ymd_opt(2025, 3, day).expect("a day of March")
}

/// `minutes` after 09:15 on a day of March 2025.
pub fn at(on: u32, minutes: i64) -> Timestamp {
    Timestamp::at_ist(day(on), 9, 15).plus_minutes(minutes)
}

/// The account of most tests.
pub fn account() -> Account {
    Account::from("main")
}

/// The identity of `key` on a day of March 2025.
pub fn id(on: u32, key: &str) -> IntentId {
    IntentId::derive(&account(), &StrategyName::from("sell"), day(on), key)
}

fn intent(on: u32, key: &str, action: Action) -> Intent {
    Intent {
        id: id(on, key),
        account: account(),
        strategy: StrategyName::from("sell"),
        component: ContentHash::from("c0ffee"),
        run: RunId::from("sell@09:15"),
        day: day(on),
        key: key.into(),
        at: at(on, 0),
        send_by: Some(at(on, 1)),
        reason: "target \"EMA9\"\nlowered".into(),
        action,
    }
}

/// A decision to sell ten shares, for the session of the same day.
pub fn place(on: u32, key: &str) -> Intent {
    place_for(on, key, on)
}

/// The same for another session.
pub fn place_for(on: u32, key: &str, session: u32) -> Intent {
    let terms = OrderTerms::limit("RELIANCE", Side::Sell, Quantity::new(10), Price::from_paise(12_345));
    intent(on, key, Action::Place { terms, for_session: day(session) })
}

/// A decision to change an order.
pub fn modify(on: u32, key: &str, order: IntentId) -> Intent {
    intent(
        on,
        key,
        Action::Modify { order, price: Price::from_paise(12_005), total_quantity: Quantity::new(8) },
    )
}

/// A decision to cancel an order.
pub fn cancel(on: u32, key: &str, order: IntentId) -> Intent {
    intent(on, key, Action::Cancel { order })
}

/// The first sending of an intent.
pub fn attempt(intent: IntentId) -> Entry {
    Entry::Attempt { intent, number: 1, at: at(4, 0) }
}

/// A fact about the order of a placing intent.
pub fn learnt(order: IntentId, fact: Fact) -> Entry {
    Entry::Evidence(Evidence { order, intent: order, at: at(4, 1), source: Source::Answer, fact })
}

/// Accepted.
pub fn acked() -> Fact {
    Fact::Acked { broker_id: BrokerOrderId::from("250304000001") }
}

/// Seen in the book.
pub fn seen(status: Status, filled: u32) -> Fact {
    Fact::Seen {
        broker_id: BrokerOrderId::from("250304000001"),
        status,
        filled: Quantity::new(filled),
        average: Price::from_paise(12_345),
        price: Price::from_paise(12_345),
        quantity: Quantity::new(10),
        reason: String::new(),
    }
}

/// A fill of so many shares, in the ledger.
pub fn fill(order: IntentId, trade_id: &str, shares: u32) -> Entry {
    line(Side::Sell, shares, LedgerKind::Fill { order, trade_id: trade_id.into() })
}

/// A line of the ledger.
pub fn line(side: Side, shares: u32, why: LedgerKind) -> Entry {
    Entry::Ledger(LedgerEntry {
        account: account(),
        symbol: "RELIANCE".into(),
        side,
        product: Product::Delivery,
        quantity: Quantity::new(shares),
        price: Price::from_paise(12_345),
        charges: Money::from_paise(187),
        at: at(4, 2),
        session: day(4),
        settles: day(5),
        why,
    })
}

/// A run of `task` due `minutes` after the open begins.
pub fn start(task: &str, minutes: i64, attempt: u32) -> Entry {
    Entry::RunStart(RunStart {
        id: RunId::from(format!("{task}@{minutes}")),
        task: task.into(),
        strategy: StrategyName::from(task),
        scheduled: at(4, minutes),
        day: day(4),
        at: at(4, minutes + i64::from(attempt)),
        attempt,
    })
}

/// It ends.
pub fn end(task: &str, minutes: i64, outcome: RunOutcome) -> Entry {
    Entry::RunEnd(RunEnd {
        id: RunId::from(format!("{task}@{minutes}")),
        task: task.into(),
        strategy: StrategyName::from(task),
        scheduled: at(4, minutes),
        day: day(4),
        at: at(4, minutes + 5),
        outcome,
    })
}

/// A value of a strategy's store.
pub fn state(strategy: &str, key: &str, value: Option<&[u8]>) -> Entry {
    Entry::State { strategy: StrategyName::from(strategy), key: key.into(), value: value.map(<[u8]>::to_vec) }
}

/// An alert.
pub fn alert(key: &str) -> Entry {
    Entry::Alert(Alert {
        key: key.into(),
        severity: Severity::Warning,
        source: "desk".into(),
        text: format!("about {key}"),
        at: at(4, 3),
    })
}

/// A channel's answer about an alert.
pub fn delivery(alert: i64, channel: &str, ok: bool) -> Entry {
    Entry::Delivery { alert, channel: channel.into(), ok, at: at(4, 4) }
}

/// The operator acts.
pub fn operator(action: OperatorAction) -> Entry {
    Entry::Operator { action, by: "ops".into(), at: at(4, 5) }
}

/// The switch is set.
pub fn switch(state: TradingState) -> Entry {
    operator(OperatorAction::SetTrading { state })
}

/// Strikes of a strategy, or their end.
pub fn strikes(strategy: &str, strikes: u32, reason: Option<&str>) -> Entry {
    Entry::Quarantine {
        strategy: StrategyName::from(strategy),
        strikes,
        reason: reason.map(str::to_owned),
        at: at(4, 6),
    }
}

/// A note.
pub fn note(text: &str) -> Entry {
    Entry::Note { kind: "host-start".into(), text: text.into(), at: at(4, 7) }
}
