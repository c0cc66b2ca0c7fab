//! Every wrong answer and every fault, through each order endpoint: the order stands exactly once, or
//! provably not at all, or it is known to be unknown; nothing panics, and the books tell in the end.

mod support;

use broker::CallKind;
use broker::session::KeeperConfig;
use kotak_neo_sim::{EmptyShape, Endpoint, Fault, Kind, Spelling};
use model::{ModifyRequest, OrderError, Placed, Price, Quantity, Side, Status, Timestamp};
use oms::{Blocking, Desk};
use support::*;

/// What must be known at once after the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// It went well.
    Done,
    /// It was refused with proof.
    Refused,
    /// It is known to be unknown.
    Unknown,
}

use At::{Done, Refused, Unknown};

/// A fault at the first call of an order endpoint, and what is known after place, modify, cancel.
fn table() -> Vec<(&'static str, Kind, [At; 3])> {
    let expired = |spelling, kills| Kind::Expired { spelling, kills };
    let mut rows: Vec<(&'static str, Kind, [At; 3])> = Vec::new();
    let spellings = [
        Spelling::Http401,
        Spelling::Http403,
        Spelling::Code1003,
        Spelling::Code100022,
        Spelling::Code100021,
        Spelling::Code100008,
        Spelling::Gateway,
        Spelling::GatewayFault,
    ];
    for spelling in spellings {
        // Dead for good: a new login, the whole desk again, and it stands.
        rows.push(("a session that died", expired(spelling, true), [Done; 3]));
    }
    for spelling in spellings.into_iter().filter(|spelling| *spelling != Spelling::Code100008) {
        rows.push(("said to be expired once", expired(spelling, false), [Done; 3]));
    }
    rows.extend([
        // A bare text with no code is no listed proof, though it names the token.
        ("a JWT text", expired(Spelling::JwtText, true), [Unknown; 3]),
        // Orders only: a report goes well, so it is the address and no login follows.
        ("100008 while reports work", expired(Spelling::Code100008, false), [Refused; 3]),
        ("address 100008", Kind::IpRefusal { code: 100_008 }, [Refused; 3]),
        ("address 1037", Kind::IpRefusal { code: 1_037 }, [Refused; 3]),
        ("429", Kind::RateLimited { retry_after_s: None }, [Refused; 3]),
        ("refused connection", Kind::Refused, [Refused; 3]),
    ]);
    for after in [false, true] {
        for status in [500, 502, 503, 504] {
            for html in [false, true] {
                rows.push(("5xx", Kind::ServerError { status, html, after }, [Unknown; 3]));
            }
        }
        rows.push(("dropped", Kind::Dropped { after }, [Unknown; 3]));
        rows.push(("HTML", Kind::HtmlBody { after }, [Unknown; 3]));
        rows.push(("empty body", Kind::EmptyBody { after }, [Unknown; 3]));
    }
    rows.extend([
        ("late beyond patience", Kind::LateAnswer { ms: 60_000 }, [Unknown; 3]),
        ("late within patience", Kind::LateAnswer { ms: 2_000 }, [Done; 3]),
        ("slow body", Kind::SlowBody { chunk_bytes: 8, every_ms: 50 }, [Done; 3]),
        ("foreign login", Kind::ForeignLogin { after_s: 0 }, [Done; 3]),
    ]);
    rows
}

struct Scene {
    stage: Stage,
    account: Account1,
    desk: Desk,
    journal: Shared,
}

impl Scene {
    async fn open() -> Self {
        let clock = Paused::starting_at(Timestamp::at_ist(DAY1, 10, 0));
        let stage = Stage::new(clock, |_| {});
        let account = Account1::open(&stage, IN_PROCESS, stage.in_process(), KeeperConfig::default());
        kotak_neo_broker::load_scrips(&account.broker).await.expect("the scrip master");
        let journal = Shared::default();
        let desk = desk(&stage, &account, Box::new(journal.clone()), desk_config(Blocking::Local));
        desk.adopt(opening(&stage.calendar, stage.clock.now())).expect("a healthy journal");
        desk.reconcile().await.expect("readable books");
        // Well beyond the time within which a dead session means a contest.
        stage.clock.sleep_until(stage.clock.now().plus_minutes(10)).await;
        Self { stage, account, desk, journal }
    }

    async fn place(&self, key: &str, side: Side, quantity: u32, bps: i64) -> Result<Placed, OrderError> {
        let symbol = if side == Side::Sell { SEEDED_SYMBOL } else { "DEMOALFA" };
        let terms = limit(&self.stage, symbol, side, quantity, bps);
        self.desk.place(&origin(DAY1), request(key, terms)).await
    }

    async fn modify(&self, key: &str, quantity: u32) -> Result<Placed, OrderError> {
        let order = id(DAY1, key);
        let view = self.desk.order(order.as_str()).expect("known");
        let request = ModifyRequest {
            order,
            key: format!("{key}-change"),
            side: view.terms.side,
            price: view.terms.price + Price::from_paise(5),
            total_quantity: Quantity::new(quantity),
        };
        self.desk.modify(&origin(DAY1), request).await
    }

    async fn cancel(&self, key: &str) -> Result<Placed, OrderError> {
        self.desk.cancel(&origin(DAY1), id(DAY1, key), false, "test".to_owned()).await
    }

    /// Faults are over; time passes and the books are read until nothing is doubtful.
    async fn settle(&self) {
        self.stage.sim.faults().clear();
        for _ in 0..12 {
            self.stage.clock.sleep_until(self.stage.clock.now().plus_seconds(30)).await;
            let _ = self.desk.reconcile().await;
        }
    }

    /// What holds whatever went wrong.
    fn check(&self, what: &str) {
        let audit = self.stage.sim.audit();
        for (tag, count) in by_tag(&audit) {
            assert!(count <= 1, "{what}: tag {tag} stands {count} times at the exchange");
        }
        let open: Vec<_> =
            self.desk.unresolved().into_iter().filter(|it| it.status != Status::Parked).collect();
        assert!(open.is_empty(), "{what}: neither resolved nor parked: {open:?}");
        assert_eq!(self.desk.trading_state(), journal::TradingState::On, "{what}: {:?}", self.alerts());
        for (symbol, shares) in owned(&self.stage) {
            let ledger = self.desk.positions(DAY1);
            let ours = ledger.iter().find(|view| view.position.symbol == symbol);
            let ours = ours.map_or(Quantity::ZERO, |view| view.position.quantity);
            assert_eq!(ours, shares, "{what}: {symbol} in the ledger and at the exchange");
        }
    }

    fn alerts(&self) -> Vec<String> {
        let rows = self.desk.with_journal(|journal| journal.last_alerts(50)).expect("alerts");
        rows.into_iter().map(|row| row.alert.text).collect()
    }

    fn status(&self, key: &str) -> Status {
        self.desk.order(id(DAY1, key).as_str()).map_or(Status::NotPlaced, |view| view.status)
    }

    fn at_exchange(&self, key: &str) -> usize {
        let tag = id(DAY1, key).to_string();
        by_tag(&self.stage.sim.audit())
            .into_iter()
            .filter(|(known, _)| *known == tag)
            .map(|(_, count)| count)
            .sum()
    }
}

fn owned(stage: &Stage) -> Vec<(model::Symbol, Quantity)> {
    let book = lock(&stage.exchange).full_book();
    book.account.owned.into_iter().map(|owned| (owned.symbol, owned.quantity)).collect()
}

fn known(outcome: &Result<Placed, OrderError>) -> At {
    match outcome {
        Ok(_) => Done,
        Err(OrderError::Unknown(_)) => Unknown,
        Err(_) => Refused,
    }
}

fn run(scene: impl AsyncFnOnce(Scene)) {
    runtime().block_on(async { scene(Scene::open().await).await });
}

#[test]
fn a_place_under_every_fault() {
    for (what, kind, expected) in table() {
        let what = format!("{what} ({kind:?})");
        run(async |scene| {
            scene.stage.sim.faults().add(Fault::new(kind.clone()).on([Endpoint::Place]).nth(1));
            let outcome = scene.place("k", Side::Buy, 5, -200).await;
            assert_eq!(known(&outcome), expected[0], "{what}: {outcome:?}");
            let there = scene.at_exchange("k");
            match expected[0] {
                Done => assert_eq!(there, 1, "{what}"),
                Refused => assert_eq!((there, scene.status("k")), (0, Status::Rejected), "{what}"),
                Unknown => assert_eq!(scene.status("k"), Status::Unknown, "{what}"),
            }
            scene.settle().await;
            scene.check(&what);
            // Known in the end, and as it is.
            let expected = if there == 1 { Status::New } else { scene.status("k") };
            assert_eq!(scene.status("k"), expected, "{what}");
            assert_eq!(there == 0, scene.status("k").is_final(), "{what}: {}", scene.status("k"));
        });
    }
}

#[test]
fn a_modify_under_every_fault() {
    for (what, kind, expected) in table() {
        let what = format!("{what} ({kind:?})");
        run(async |scene| {
            scene.place("k", Side::Buy, 5, -200).await.expect("placed");
            scene.stage.sim.faults().add(Fault::new(kind.clone()).on([Endpoint::Modify]).nth(1));
            let outcome = scene.modify("k", 7).await;
            assert_eq!(known(&outcome), expected[1], "{what}: {outcome:?}");
            scene.settle().await;
            scene.check(&what);
            let row = lock(&scene.stage.exchange).orders().pop().expect("the order");
            let view = scene.desk.order(id(DAY1, "k").as_str()).expect("known");
            assert_eq!(view.terms.quantity, row.terms.quantity, "{what}");
            assert_eq!(view.terms.price, row.terms.price, "{what}");
            assert_eq!(view.status, Status::New, "{what}");
        });
    }
}

#[test]
fn a_cancel_under_every_fault() {
    for (what, kind, expected) in table() {
        let what = format!("{what} ({kind:?})");
        run(async |scene| {
            scene.place("k", Side::Buy, 5, -200).await.expect("placed");
            scene.stage.sim.faults().add(Fault::new(kind.clone()).on([Endpoint::Cancel]).nth(1));
            let outcome = scene.cancel("k").await;
            assert_eq!(known(&outcome), expected[2], "{what}: {outcome:?}");
            scene.settle().await;
            scene.check(&what);
            let row = lock(&scene.stage.exchange).orders().pop().expect("the order");
            assert_eq!(scene.status("k"), row.status, "{what}");
        });
    }
}

/// Faults that spoil what the books show, not the answer.
#[test]
fn a_buy_that_fills_under_every_spoiled_book() {
    let kinds = [
        Kind::LateBook { seconds: 50, trades: false },
        Kind::LateBook { seconds: 50, trades: true },
        Kind::PartialFills { parts: 3, every_s: 20 },
        Kind::DuplicateFills,
        Kind::FillBeforeAnswer,
        Kind::StrangeStatus { text: "parked for review".to_owned(), seconds: Some(90) },
        Kind::AlteredTag { text: None },
        Kind::BlankTag,
    ];
    for kind in kinds {
        for lost in [false, true] {
            let what = format!("{kind:?}, answer lost: {lost}");
            run(async |scene| {
                scene.stage.sim.faults().add(Fault::new(kind.clone()).on([Endpoint::Place]).nth(1));
                if lost {
                    let drop = Kind::Dropped { after: true };
                    scene.stage.sim.faults().add(Fault::new(drop).on([Endpoint::Place]).nth(1));
                }
                let outcome = scene.place("k", Side::Buy, 5, 100).await;
                assert_eq!(known(&outcome), if lost { Unknown } else { Done }, "{what}: {outcome:?}");
                scene.settle().await;
                scene.check(&what);
                assert_eq!(scene.status("k"), Status::Filled, "{what}");
                assert_eq!(scene.at_exchange("k"), 1, "{what}");
            });
        }
    }
}

/// Reads that fail, lie or are empty prove nothing, whatever else is true.
#[test]
fn a_lost_answer_with_every_bad_read_stays_unknown_until_a_good_one() {
    let bad = [
        Kind::ServerError { status: 503, html: true, after: false },
        Kind::Dropped { after: false },
        Kind::HtmlBody { after: false },
        Kind::EmptyBody { after: false },
        Kind::RateLimited { retry_after_s: None },
    ];
    let reads =
        [Endpoint::Orders, Endpoint::Trades, Endpoint::Positions, Endpoint::Holdings, Endpoint::Limits];
    for kind in bad {
        for accepted in [false, true] {
            let what = format!("{kind:?}, accepted: {accepted}");
            run(async |scene| {
                let drop = Kind::Dropped { after: accepted };
                scene.stage.sim.faults().add(Fault::new(drop).on([Endpoint::Place]).nth(1));
                let outcome = scene.place("k", Side::Buy, 5, -200).await;
                assert_eq!(known(&outcome), Unknown, "{what}: {outcome:?}");
                scene.stage.sim.faults().add(Fault::new(kind.clone()).on(reads));
                for _ in 0..8 {
                    scene.stage.clock.sleep_until(scene.stage.clock.now().plus_seconds(60)).await;
                    assert!(scene.desk.reconcile().await.is_err(), "{what}: a failed read is an error");
                    assert_eq!(scene.status("k"), Status::Unknown, "{what}");
                }
                let again = scene.place("other", Side::Buy, 1, -200).await;
                assert!(again.is_err(), "{what}: an unknown order blocks its symbol: {again:?}");
                scene.settle().await;
                scene.check(&what);
                let expected = if accepted { Status::New } else { Status::NotPlaced };
                assert_eq!(scene.status("k"), expected, "{what}");
            });
        }
    }
}

/// An empty book with 200 is evidence only together with trades, positions and funds, three times over the
/// listing lag; an order that is there is not lost by it.
#[test]
fn an_empty_book_does_not_end_an_order() {
    for shape in [EmptyShape::NoData, EmptyShape::EmptyList] {
        run(async |scene| {
            scene.place("k", Side::Buy, 5, -200).await.expect("placed");
            scene.stage.sim.faults().add(Fault::new(Kind::EmptyBook { shape }));
            for _ in 0..8 {
                scene.stage.clock.sleep_until(scene.stage.clock.now().plus_seconds(60)).await;
                let _ = scene.desk.reconcile().await;
                assert_eq!(scene.status("k"), Status::New, "{shape:?}");
            }
            scene.settle().await;
            scene.check("empty book");
            assert_eq!((scene.status("k"), scene.at_exchange("k")), (Status::New, 1));
        });
    }
}

#[test]
fn a_market_order_can_rest_and_a_stop_market_order_is_refused_here() {
    run(async |scene| {
        let mut terms = limit(&scene.stage, "DEMOALFA", Side::Buy, 5, 0);
        (terms.order_type, terms.price) = (model::OrderType::Market, Price::ZERO);
        let placed = scene.desk.place(&origin(DAY1), request("m", terms.clone())).await.expect("taken");
        assert!(!placed.status.is_final());
        terms.order_type = model::OrderType::StopMarket;
        terms.trigger = Some(limit(&scene.stage, "DEMOALFA", Side::Buy, 5, 200).price);
        let refused = scene.desk.place(&origin(DAY1), request("s", terms)).await.expect_err("refused");
        assert!(refused.to_string().contains("SL-M"), "{refused}");
        assert_eq!(scene.at_exchange("s"), 0);
        scene.settle().await;
        scene.check("market order");
    });
}

#[test]
fn a_dead_session_under_every_report_is_renewed_once() {
    run(async |scene| {
        let before = scene.stage.sim.audit().logins;
        let mut deaths = 0;
        for (endpoint, spelling) in [
            (Endpoint::Orders, Spelling::Code100022),
            (Endpoint::Trades, Spelling::JwtText),
            (Endpoint::Positions, Spelling::Http403),
            (Endpoint::Holdings, Spelling::Code100008),
            (Endpoint::Limits, Spelling::GatewayFault),
        ] {
            let kills = Kind::Expired { spelling, kills: true };
            scene.stage.clock.sleep_until(scene.stage.clock.now().plus_minutes(10)).await;
            scene.stage.sim.faults().add(Fault::new(kills.clone()).on([endpoint]).nth(1));
            scene.desk.reconcile().await.expect("read under the next session");
            deaths += 1;
            assert_eq!(scene.stage.sim.audit().logins, before + deaths, "{endpoint:?}");
        }
        // The one call that a dead token still goes with is its logout, before the next login.
        assert_eq!(
            scene.stage.sim.audit().calls_after_end(),
            deaths,
            "no call carried a token known to be dead"
        );
        let told = lock(&scene.account.events).len();
        assert!(told >= 10, "each death and login was told: {told}");
    });
}

/// Nothing is final without a piece of evidence that says so.
#[test]
fn no_final_state_without_evidence() {
    run(async |scene| {
        scene.place("fills", Side::Buy, 5, 100).await.expect("placed");
        scene.place("stands", Side::Buy, 1, -200).await.expect("placed");
        scene.stage.sim.faults().add(Fault::new(Kind::Dropped { after: false }).on([Endpoint::Place]).nth(1));
        let _ = scene.place("lost", Side::Sell, 1, 200).await;
        scene.settle().await;
        let entries = lock(&scene.journal.0).clone();
        let entries = journal::Journal::entries(&entries, 0, 100_000).expect("entries");
        check_evidence(scene.desk.account_orders(DAY1), &entries, "");
    });
}

/// What the order system says about an order that may exist is no proof, whatever the HTTP status.
#[test]
fn a_duplicate_or_an_internal_error_is_never_an_expired_session() {
    for http in [200, 401, 403] {
        for code in ["32", "5204", "1005", "1007"] {
            let said = kotak_neo::Said {
                http,
                code: Some(code.to_owned()),
                stat: Some("Not_Ok".to_owned()),
                text: "exchange session timed out".to_owned(),
                shape: kotak_neo::Shape::A,
                server_time: None,
                login: false,
            };
            let meaning =
                kotak_neo_broker::refusal::meaning(&kotak_neo::Error::Said(Box::new(said)), CallKind::Place);
            assert_eq!(meaning, None, "{code} with HTTP {http}");
        }
    }
}

#[test]
fn the_table_names_a_source_for_each_row() {
    let rows: Vec<_> = kotak_neo_broker::refusal::table().collect();
    assert!(rows.len() > 12);
    for (code, _, _, source) in rows {
        assert!(!code.is_empty() && source.len() > 10, "{code}: {source}");
    }
}
