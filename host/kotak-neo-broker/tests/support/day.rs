//! A day of chance: orders and faults drawn from one seed, then faults stop and the books must tell.

use broker::session::KeeperConfig;
use journal::{Entry, Journal, TraceHash};
use kotak_neo_broker::MakeTransport;
use kotak_neo_sim::{EmptyShape, Endpoint, Fault, Kind, Spelling};
use model::clock::Rng;
use model::{Fact, ModifyRequest, OrderId, Price, Quantity, Side, Status, Symbol};
use oms::{Blocking, Desk};

use super::*;

/// What one day came to.
#[derive(Debug)]
pub struct Outcome {
    pub trace: String,
    pub placed: usize,
    pub faults: u64,
    pub unknown: usize,
    pub parked: usize,
    pub logins: u64,
}

/// The day's length on the clock, in seconds: faults for most of it, then quiet.
const ROUGH_SECONDS: i64 = 3 * 3_600;
const SYMBOLS: [&str; 3] = ["DEMOALFA", "DEMOBETA", SEEDED_SYMBOL];

pub struct Day<'a> {
    pub stage: &'a Stage,
    pub account: &'a Account1,
    pub desk: &'a Desk,
    rng: Rng,
    late_ms_max: u64,
    keys: Vec<String>,
}

fn draw(rng: &mut Rng, late_ms_max: u64) -> Fault {
    let spelling = [
        Spelling::Http401,
        Spelling::Http403,
        Spelling::Code1003,
        Spelling::Code100022,
        Spelling::Code100021,
        Spelling::Code100008,
        Spelling::Gateway,
        Spelling::GatewayFault,
        Spelling::JwtText,
    ][rng.below(9) as usize];
    let after = rng.below(2) == 1;
    let kind = match rng.below(24) {
        0 | 1 => Kind::Expired { spelling, kills: true },
        2 => Kind::Expired { spelling, kills: false },
        3 => Kind::TokenDies { after_s: 400 },
        4 => Kind::ForeignLogin { after_s: 0 },
        5 => Kind::IpRefusal { code: if after { 1_037 } else { 100_008 } },
        6 => Kind::RateLimited { retry_after_s: None },
        7 | 8 => Kind::ServerError {
            status: [500, 502, 503, 504][rng.below(4) as usize],
            html: rng.below(2) == 1,
            after,
        },
        9..=12 => Kind::Dropped { after },
        13 => Kind::Refused,
        14 => Kind::HtmlBody { after },
        15 => Kind::EmptyBody { after },
        16 => Kind::LateAnswer { ms: 1 + rng.below(late_ms_max) },
        17 => Kind::LateBook { seconds: 1 + rng.below(55) as u32, trades: after },
        18 => Kind::EmptyBook { shape: if after { EmptyShape::NoData } else { EmptyShape::EmptyList } },
        19 => Kind::PartialFills { parts: 2 + rng.below(3) as u32, every_s: 10 },
        20 => Kind::DuplicateFills,
        21 => Kind::FillBeforeAnswer,
        22 => Kind::StrangeStatus { text: "parked for review".to_owned(), seconds: Some(60) },
        _ if after => Kind::AlteredTag { text: None },
        _ => Kind::BlankTag,
    };
    let fault = Fault::new(kind.clone());
    // Where the kind acts everywhere, mostly on orders.
    let fault = if kind.default_on().is_empty() {
        match rng.below(4) {
            0 => fault.on([Endpoint::Orders, Endpoint::Trades, Endpoint::Limits]),
            1 => fault.on([Endpoint::Place, Endpoint::Modify, Endpoint::Cancel]),
            _ => fault.on([Endpoint::Place]),
        }
    } else {
        fault
    };
    fault.nth(1 + rng.below(3)).times(1)
}

impl Day<'_> {
    async fn pass(&self, seconds: i64) {
        self.stage.clock.sleep_until(self.stage.clock.now().plus_seconds(seconds)).await;
    }

    fn key(&mut self) -> Option<OrderId> {
        (!self.keys.is_empty()).then(|| {
            let at = self.rng.below(self.keys.len() as u64) as usize;
            id(DAY1, &self.keys[at])
        })
    }

    /// Errors are outcomes here: what matters is what holds afterwards.
    async fn act(&mut self) {
        match self.rng.below(12) {
            0..=4 => {
                let symbol = SYMBOLS[self.rng.below(3) as usize];
                let side = if symbol == SEEDED_SYMBOL { Side::Sell } else { Side::Buy };
                let bps = self.rng.below(500) as i64 - 250;
                let quantity = 1 + self.rng.below(9) as u32;
                let key = format!("k{}", self.keys.len());
                let terms = limit(self.stage, symbol, side, quantity, bps);
                self.keys.push(key.clone());
                let _ = self.desk.place(&origin(DAY1), request(&key, terms)).await;
                if self.rng.below(4) == 0 {
                    // The same key again, as after a restart.
                    let _ = self
                        .desk
                        .place(&origin(DAY1), request(&key, limit(self.stage, symbol, side, quantity, bps)))
                        .await;
                }
            }
            5 | 6 => {
                let Some(order) = self.key() else { return };
                let Some(view) = self.desk.order(order.as_str()) else { return };
                let change = ModifyRequest {
                    order,
                    key: format!("m{}", self.rng.next_u64()),
                    side: view.terms.side,
                    price: view.terms.price + Price::from_paise(5 * (self.rng.below(9) as i64 - 4)),
                    total_quantity: Quantity::new(view.terms.quantity.get() + self.rng.below(3) as u32),
                };
                let _ = self.desk.modify(&origin(DAY1), change).await;
            }
            7 => {
                let Some(order) = self.key() else { return };
                let _ = self.desk.cancel(&origin(DAY1), order, false, "chance".to_owned()).await;
            }
            8 => {
                let _ = self.desk.refresh().await;
            }
            9 => {
                let _ = self.desk.reconcile().await;
            }
            _ => {
                let fault = draw(&mut self.rng, self.late_ms_max);
                self.stage.sim.faults().add(fault);
            }
        }
    }
}

/// The worst quantity of each order that is not known, by symbol and side.
fn open_shares(desk: &Desk, symbol: &Symbol) -> u32 {
    desk.unresolved()
        .iter()
        .filter(|view| view.terms.symbol == *symbol)
        .map(|view| view.terms.quantity.get())
        .sum()
}

/// Plays the day of `seed`, checks everything that must hold, and answers with its trace.
pub async fn play(
    stage: &Stage,
    base_url: &str,
    transport: MakeTransport,
    journal: Box<dyn Journal>,
    seed: u64,
    (acts, late_ms_max): (u32, u64),
) -> Outcome {
    let account = Account1::open(
        stage,
        base_url,
        transport,
        KeeperConfig { logins_per_day: 50, ..KeeperConfig::default() },
    );
    kotak_neo_broker::load_scrips(&account.broker).await.expect("the scrip master before any fault");
    let mut config = desk_config(Blocking::Local);
    config.limits.max_open_orders = None;
    config.limits.max_orders_per_day = None;
    let desk = desk(stage, &account, journal, config);
    desk.adopt(opening(&stage.calendar, stage.clock.now())).expect("a healthy journal");
    desk.reconcile().await.expect("readable before any fault");
    let mut day = Day {
        stage,
        account: &account,
        desk: &desk,
        rng: Rng::new(seed).fork("day"),
        late_ms_max,
        keys: Vec::new(),
    };
    for _ in 0..acts {
        day.act().await;
        let pause = 1 + day.rng.below((ROUGH_SECONDS / i64::from(acts)) as u64 * 2) as i64;
        day.pass(pause.min(900)).await;
    }
    // Faults stop; a contest, if it came to one, has its cool-down.
    stage.sim.faults().clear();
    day.account.keeper.tend();
    day.pass(20 * 60).await;
    day.account.keeper.tend();
    for _ in 0..20 {
        day.pass(35).await;
        let _ = desk.reconcile().await;
    }
    finish(stage, &account, &desk, &day, seed)
}

fn finish(stage: &Stage, account: &Account1, desk: &Desk, day: &Day<'_>, seed: u64) -> Outcome {
    let audit = stage.sim.audit();
    let alerts = || {
        let rows = desk.with_journal(|journal| journal.last_alerts(20)).expect("alerts");
        rows.into_iter().map(|row| row.alert.text).collect::<Vec<_>>()
    };
    for (tag, count) in by_tag(&audit) {
        assert!(count <= 1, "seed {seed}: tag {tag} stands {count} times at the exchange");
    }
    let open = desk.unresolved();
    let parked = open.iter().filter(|view| view.status == Status::Parked).count();
    assert_eq!(
        parked,
        open.len(),
        "seed {seed}: neither resolved nor parked: {open:#?} {:?}",
        account.keeper.status()
    );
    let book = lock(&stage.exchange).full_book();
    for owned in &book.account.owned {
        let positions = desk.positions(DAY1);
        let ours = positions.iter().find(|view| view.position.symbol == owned.symbol);
        let ours = ours.map_or(0, |view| view.position.quantity.get());
        let slack = open_shares(desk, &owned.symbol);
        assert!(
            ours.abs_diff(owned.quantity.get()) <= slack,
            "seed {seed}: {} in the ledger, {} of {} at the exchange: {:#?}",
            ours,
            owned.quantity,
            owned.symbol,
            alerts()
        );
    }
    let mut hash = TraceHash::default();
    let entries = desk.with_journal(|journal| journal.entries(0, 1_000_000)).expect("entries");
    let mut unclear = 0;
    for recorded in &entries {
        hash.add(&recorded.entry);
        if let Entry::Evidence(evidence) = &recorded.entry
            && matches!(evidence.fact, Fact::Unclear { .. })
        {
            unclear += 1;
        }
    }
    let own = desk.account_orders(DAY1).into_iter().filter(|view| view.strategy.is_some());
    check_evidence(own, &entries, &format!("seed {seed}: "));
    Outcome {
        trace: format!("{}:{}:{}", hash.hex(), book.orders.len(), book.trades.len()),
        placed: day.keys.len(),
        faults: stage.sim.faults().fired(),
        unknown: unclear,
        parked,
        logins: audit.logins,
    }
}
