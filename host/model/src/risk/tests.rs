use super::*;
use crate::evidence::{Evidence, Fact, Source};
use crate::order::{Action, Intent, IntentId};
use crate::time::{Date, Timestamp};

struct View {
    permitted: Permitted,
    last: Option<Price>,
    orders: u32,
    open: u32,
    exposure: Money,
    loss: Money,
    owned: Quantity,
    settled: Quantity,
    trade_to_trade: bool,
    unresolved: Option<OrderId>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            permitted: Permitted::All,
            last: Some(Price::from_rupees(100)),
            orders: 0,
            open: 0,
            exposure: Money::ZERO,
            loss: Money::ZERO,
            owned: Quantity::new(10),
            settled: Quantity::new(10),
            trade_to_trade: false,
            unresolved: None,
        }
    }
}

impl RiskView for View {
    fn permitted(&self) -> Permitted {
        self.permitted
    }
    fn last_price(&self, _: &Symbol) -> Option<Price> {
        self.last
    }
    fn orders_today(&self) -> u32 {
        self.orders
    }
    fn open_orders(&self) -> u32 {
        self.open
    }
    fn exposure(&self) -> Money {
        self.exposure
    }
    fn daily_loss(&self) -> Money {
        self.loss
    }
    fn sellable(&self, _: &Symbol) -> Quantity {
        self.owned
    }
    fn settled_sellable(&self, _: &Symbol) -> Quantity {
        self.settled
    }
    fn is_trade_to_trade(&self, _: &Symbol) -> bool {
        self.trade_to_trade
    }
    fn unresolved(&self, _: &StrategyName, _: &Symbol) -> Option<OrderId> {
        self.unresolved
    }
}

fn request(side: Side, quantity: u32, rupees: i64) -> PlaceRequest {
    PlaceRequest {
        key: "k".to_owned(),
        terms: OrderTerms::limit("ACME", side, Quantity::new(quantity), Price::from_rupees(rupees)),
        send_by: None,
        reason: String::new(),
    }
}

fn rule(view: &View, limits: &Limits, request: PlaceRequest) -> &'static str {
    match check_place(view, limits, &"s".into(), request) {
        Ok(_) => "ok",
        Err(denied) => denied.rule,
    }
}

#[test]
fn each_limit_denies_one_step_beyond_it_and_not_at_it() {
    let limits = Limits {
        max_order_value: Some(Money::from_rupees(1_000)),
        max_order_quantity: Some(Quantity::new(20)),
        max_orders_per_day: Some(3),
        max_open_orders: Some(2),
        max_price_distance: Some(Percent::new(10)),
        max_exposure: Some(Money::from_rupees(5_000)),
        max_daily_loss: Some(Money::from_rupees(100)),
    };
    let ok = View::default();
    assert_eq!(rule(&ok, &limits, request(Side::Buy, 10, 100)), "ok");
    assert_eq!(rule(&ok, &limits, request(Side::Buy, 11, 100)), "max-order-value");
    assert_eq!(rule(&ok, &limits, request(Side::Buy, 20, 1)), "ok");
    assert_eq!(rule(&ok, &limits, request(Side::Buy, 21, 1)), "max-order-quantity");
    assert_eq!(rule(&ok, &limits, request(Side::Buy, 1, 110)), "ok");
    assert_eq!(rule(&ok, &limits, request(Side::Buy, 1, 111)), "max-price-distance");
    assert_eq!(rule(&ok, &limits, request(Side::Sell, 1, 90)), "ok");
    assert_eq!(rule(&ok, &limits, request(Side::Sell, 1, 89)), "max-price-distance");
    assert_eq!(rule(&View { orders: 2, ..View::default() }, &limits, request(Side::Buy, 1, 1)), "ok");
    assert_eq!(
        rule(&View { orders: 3, ..View::default() }, &limits, request(Side::Buy, 1, 1)),
        "max-orders-per-day"
    );
    assert_eq!(
        rule(&View { open: 2, ..View::default() }, &limits, request(Side::Buy, 1, 1)),
        "max-open-orders"
    );
    let full = View { exposure: Money::from_rupees(4_950), ..View::default() };
    assert_eq!(rule(&full, &limits, request(Side::Buy, 1, 50)), "ok");
    assert_eq!(rule(&full, &limits, request(Side::Buy, 1, 51)), "max-exposure");
    let lost = View { loss: Money::from_rupees(100), ..View::default() };
    assert_eq!(rule(&lost, &limits, request(Side::Buy, 1, 50)), "max-daily-loss");
    let unquoted = View { last: None, ..View::default() };
    assert_eq!(rule(&unquoted, &limits, request(Side::Buy, 1, 50)), "no-last-price");
}

#[test]
fn a_cap_never_holds_up_an_exit() {
    let nothing = Limits {
        max_order_value: Some(Money::ZERO),
        max_order_quantity: Some(Quantity::ZERO),
        max_orders_per_day: Some(0),
        max_open_orders: Some(0),
        max_price_distance: Some(Percent::new(0)),
        max_exposure: Some(Money::ZERO),
        max_daily_loss: Some(Money::ZERO),
    };
    let bad_day = View { loss: Money::from_rupees(1), permitted: Permitted::Exits, ..View::default() };
    assert_eq!(rule(&bad_day, &nothing, request(Side::Sell, 10, 100)), "ok");
    assert_eq!(rule(&bad_day, &nothing, request(Side::Buy, 1, 100)), "exits-only");
    let unquoted = View { last: None, ..View::default() };
    assert_eq!(rule(&unquoted, &nothing, request(Side::Sell, 10, 1)), "ok");
}

#[test]
fn only_owned_shares_are_sold() {
    let view = View::default();
    assert_eq!(rule(&view, &Limits::none(), request(Side::Sell, 10, 100)), "ok");
    assert_eq!(rule(&view, &Limits::none(), request(Side::Sell, 11, 100)), "not-owned");
    let unsettled = View { settled: Quantity::new(4), ..View::default() };
    assert_eq!(rule(&unsettled, &Limits::none(), request(Side::Sell, 5, 100)), "ok");
    let t2t = View { settled: Quantity::new(4), trade_to_trade: true, ..View::default() };
    assert_eq!(rule(&t2t, &Limits::none(), request(Side::Sell, 4, 100)), "ok");
    assert_eq!(rule(&t2t, &Limits::none(), request(Side::Sell, 5, 100)), "trade-to-trade");
}

#[test]
fn the_switch_and_the_unknown_come_first() {
    let id = IntentId::parse("AAAAAAAAAAAAAAAA").expect("an id");
    let blocked = View { unresolved: Some(id), ..View::default() };
    assert_eq!(rule(&blocked, &Limits::none(), request(Side::Sell, 1, 100)), "unresolved-order");
    let killed = View { permitted: Permitted::Cancels, ..View::default() };
    assert_eq!(rule(&killed, &Limits::none(), request(Side::Sell, 1, 100)), "kill-switch");
}

#[test]
fn terms_must_make_sense() {
    let view = View::default();
    let none = Limits::none();
    assert_eq!(rule(&view, &none, request(Side::Buy, 0, 100)), "bad-quantity");
    assert_eq!(rule(&view, &none, request(Side::Buy, 1, 0)), "bad-price");
    let mut stop = request(Side::Buy, 1, 100);
    stop.terms.order_type = OrderType::StopLimit;
    assert_eq!(rule(&view, &none, stop.clone()), "bad-trigger");
    stop.terms.trigger = Some(Price::from_rupees(99));
    assert_eq!(rule(&view, &none, stop), "ok");
    let mut market = request(Side::Buy, 1, 100);
    market.terms.order_type = OrderType::Market;
    assert_eq!(rule(&view, &none, market.clone()), "bad-price");
    market.terms.price = Price::ZERO;
    assert_eq!(rule(&view, &none, market), "ok");
    let mut huge = request(Side::Buy, u32::MAX, 0);
    huge.terms.price = Price::from_units(i64::MAX / 2);
    assert_eq!(rule(&view, &none, huge), "bad-price");
    for key in ["", "a\nb", &"x".repeat(129)] {
        assert_eq!(
            rule(&view, &none, PlaceRequest { key: key.to_owned(), ..request(Side::Buy, 1, 1) }),
            "bad-key"
        );
    }
}

fn working(side: Side, quantity: u32, rupees: i64) -> OrderState {
    let day = Date::from_ymd_opt(2025, 3, 4).expect("a date");
    let id = IntentId::parse("AAAAAAAAAAAAAAAA").expect("an id");
    let intent = Intent {
        id,
        account: "a".into(),
        strategy: "s".into(),
        component: "c".into(),
        run: "r".into(),
        day,
        key: "k".to_owned(),
        at: Timestamp::at_ist(day, 10, 0),
        send_by: None,
        reason: String::new(),
        action: Action::Place { terms: request(side, quantity, rupees).terms, for_session: day },
    };
    let mut order = OrderState::new(&intent).expect("a place");
    let fact = Fact::Acked { broker_id: "1".into() };
    order
        .apply(&Evidence { order: id, intent: id, at: intent.at, source: Source::Answer, fact })
        .expect("no contradiction");
    order
}

fn modify_rule(view: &View, limits: &Limits, order: &OrderState, quantity: u32, rupees: i64) -> &'static str {
    let request = ModifyRequest {
        order: order.id,
        key: "m".to_owned(),
        side: order.terms.side,
        price: Price::from_rupees(rupees),
        total_quantity: Quantity::new(quantity),
    };
    check_modify(view, limits, &"s".into(), order, request).map_or_else(|denied| denied.rule, |_| "ok")
}

#[test]
fn a_modify_is_held_to_what_it_adds() {
    let limits = Limits { max_exposure: Some(Money::from_rupees(1_100)), ..Limits::none() };
    let buy = working(Side::Buy, 10, 100);
    let view = View { exposure: Money::from_rupees(1_000), ..View::default() };
    assert_eq!(modify_rule(&view, &limits, &buy, 10, 110), "ok");
    assert_eq!(modify_rule(&view, &limits, &buy, 10, 111), "max-exposure");
    let exits = View { permitted: Permitted::Exits, ..View::default() };
    assert_eq!(modify_rule(&exits, &limits, &buy, 9, 100), "ok");
    assert_eq!(modify_rule(&exits, &limits, &buy, 10, 101), "exits-only");
    let sell = working(Side::Sell, 10, 100);
    let all_taken = View { owned: Quantity::ZERO, ..View::default() };
    assert_eq!(modify_rule(&all_taken, &limits, &sell, 10, 99), "ok");
    assert_eq!(modify_rule(&all_taken, &limits, &sell, 11, 99), "not-owned");
}

#[test]
fn limits_read_none_and_refuse_unknown_names() {
    let limits: Limits =
        serde_json::from_str(r#"{"max_order_value": 5000, "max_daily_loss": "none"}"#).expect("limits");
    assert_eq!(limits.max_order_value, Some(Money::from_rupees(5_000)));
    assert_eq!(limits.max_daily_loss, None);
    assert_eq!(limits.max_open_orders, Limits::default().max_open_orders);
    assert!(serde_json::from_str::<Limits>(r#"{"max_ordr_value": 1}"#).is_err());
    let text = serde_json::to_string(&Limits::none()).expect("json");
    assert_eq!(serde_json::from_str::<Limits>(&text).expect("limits"), Limits::none());
}
