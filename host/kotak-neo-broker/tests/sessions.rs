//! Sessions end to end: the incident, a thousand callers, a night.

mod support;

use broker::session::{KeeperConfig, KeeperState, SessionEvent};
use broker::{Broker as _, CallError};
use kotak_neo_broker::Rates;
use kotak_neo_sim::{Endpoint, Fault, Kind, Spelling};
use model::{OrderError, Side, Status, Timestamp};
use oms::Blocking;
use support::*;

/// As many calls at once as a test wants.
const UNHURRIED: Rates = Rates { overall: 100_000, cancel_reserve: 10_000, quotes: 100_000 };

fn stage_at(hour: u32, minute: u32) -> Stage {
    Stage::new(Paused::starting_at(Timestamp::at_ist(DAY1, hour, minute)), |_| {})
}

/// The report's morning: login 09:15:06, the token dead at 09:15:19 because another program logged in, and
/// again after each login of ours.
#[test]
fn the_incident_is_a_contest_and_not_a_fight() {
    runtime().block_on(async {
        let stage = stage_at(9, 15);
        let account = Account1::open(&stage, IN_PROCESS, stage.in_process(), KeeperConfig::default());
        let desk = desk(&stage, &account, Box::new(Shared::default()), desk_config(Blocking::Local));
        stage.sim.faults().add(Fault::new(Kind::ForeignLogin { after_s: 13 }));
        kotak_neo_broker::load_scrips(&account.broker).await.expect("the first session works");
        let day = origin(DAY1);
        let mut refusals = 0;
        // Twenty minutes of a host that works every ten seconds.
        for turn in 0..120 {
            let _ = desk.refresh().await;
            account.keeper.tend();
            let terms = limit(&stage, "DEMOALFA", Side::Buy, 1, -200);
            if let Err(OrderError::Denied { rule, reason }) =
                desk.place(&day, request(&format!("k{turn}"), terms)).await
            {
                assert_eq!(rule, "session");
                assert!(reason.contains("another program is logged in to this account"), "{reason}");
                refusals += 1;
            }
            stage.clock.sleep_until(stage.clock.now().plus_seconds(10)).await;
            let logins = stage.sim.audit().logins;
            if turn < 80 {
                assert!(logins <= 3, "{logins} logins within {} s", turn * 10);
            }
        }
        assert!(refusals > 60, "trading stopped: {refusals} orders were denied");
        let events = lock(&account.events).clone();
        let contested: Vec<_> =
            events.iter().filter(|event| matches!(event, SessionEvent::Contested { .. })).collect();
        assert!(!contested.is_empty(), "{events:?}");
        let status = account.keeper.status();
        let sentence = status.sentence().expect("a reason").to_owned();
        assert!(sentence.contains("another program is logged in"), "{sentence}");

        // The other program goes away: within two cool-downs the host is back by itself.
        stage.sim.faults().clear();
        let mut recovered = false;
        for _ in 0..240 {
            stage.clock.sleep_until(stage.clock.now().plus_seconds(15)).await;
            account.keeper.tend();
            recovered |= lock(&account.events).contains(&SessionEvent::Recovered);
        }
        assert!(recovered, "{:?}", account.keeper.status());
        assert_eq!(account.keeper.status().state, KeeperState::Open);
        let placed = desk.place(&day, request("after", limit(&stage, "DEMOALFA", Side::Buy, 1, -200))).await;
        assert_eq!(placed.expect("trading goes on").status, Status::New);
        let audit = stage.sim.audit();
        assert!(audit.logins <= 6, "{} logins in all", audit.logins);
        for (tag, count) in by_tag(&audit) {
            assert_eq!(count, 1, "{tag}");
        }
    });
}

#[test]
fn a_thousand_calls_on_a_dead_token_make_one_login() {
    runtime().block_on(async {
        let stage = stage_at(10, 0);
        let config = KeeperConfig::default();
        let account = Account1::with_rates(&stage, IN_PROCESS, stage.in_process(), config, UNHURRIED);
        account.broker.orders().await.expect("the first session");
        stage.clock.sleep_until(stage.clock.now().plus_minutes(10)).await;
        let kills = Kind::Expired { spelling: Spelling::Code100022, kills: true };
        stage.sim.faults().add(Fault::new(kills).on([Endpoint::Orders]).nth(1));
        let before = stage.sim.audit();
        let generation = account.keeper.current().expect("a session").generation;
        let calls: Vec<_> = (0..1_000)
            .map(|number| {
                let broker = account.broker.clone();
                tokio::spawn(async move {
                    match number % 3 {
                        0 => broker.orders().await.map(drop),
                        1 => broker.trades().await.map(drop),
                        _ => broker.funds().await.map(drop),
                    }
                })
            })
            .collect();
        // One caller goes away in the middle.
        calls[0].abort();
        calls[500].abort();
        let mut done = 0;
        for call in calls {
            match call.await {
                Ok(outcome) => {
                    outcome.expect("every caller gets his answer");
                    done += 1;
                }
                Err(error) => assert!(error.is_cancelled()),
            }
        }
        assert!(done >= 998);
        let after = stage.sim.audit();
        assert_eq!(after.logins - before.logins, 1, "exactly one login");
        let now = account.keeper.current().expect("a session").generation;
        assert_eq!(now.get(), generation.get() + 1);
        let dead = after.calls_after_end();
        account.broker.orders().await.expect("read");
        assert_eq!(stage.sim.audit().calls_after_end(), dead, "no call carries the old token afterwards");
    });
}

#[test]
fn midnight_is_no_contest_and_no_login_follows_before_the_hour() {
    runtime().block_on(async {
        let stage = stage_at(23, 58);
        let account = Account1::open(&stage, IN_PROCESS, stage.in_process(), KeeperConfig::default());
        account.broker.orders().await.expect("the evening's session");
        for _ in 0..60 {
            stage.clock.sleep_until(stage.clock.now().plus_minutes(6)).await;
            let read = account.broker.orders().await;
            if stage.clock.now() > Timestamp::at_ist(DAY1.succ_opt().expect("a day"), 0, 0) {
                assert!(
                    matches!(&read, Err(CallError::SessionExpired(why)) if why.contains("no login before")),
                    "{read:?}"
                );
            }
        }
        assert_eq!(stage.sim.audit().logins, 1);
        // A task that is due may log in; from the daily hour on everybody may.
        let due = account.keeper.due();
        account.broker.orders().await.expect("a task is due");
        drop(due);
        assert_eq!(stage.sim.audit().logins, 2);
        let events = lock(&account.events).clone();
        assert!(!events.iter().any(|event| matches!(event, SessionEvent::Contested { .. })), "{events:?}");
    });
}

#[test]
fn bad_logins_are_told_apart_and_bounded() {
    let wrong: [(Kind, u64, &str); 5] = [
        (Kind::WrongMpin, 1, "refused the credentials"),
        (Kind::WrongTotp, 2, "refused the credentials"),
        (Kind::NoData, 10, ""),
        (Kind::DataNull, 10, ""),
        (Kind::ServerError { status: 503, html: true, after: false }, 10, ""),
    ];
    for (kind, most, words) in wrong {
        runtime().block_on(async {
            let stage = stage_at(10, 0);
            let account = Account1::open(&stage, IN_PROCESS, stage.in_process(), KeeperConfig::default());
            let everywhere = Fault::new(kind.clone()).on([Endpoint::Login, Endpoint::Validate]);
            let fault = if kind.default_on().is_empty() { everywhere } else { Fault::new(kind.clone()) };
            stage.sim.faults().add(fault);
            for _ in 0..30 {
                assert!(
                    account.broker.orders().await.is_err(),
                    "{kind:?}: a failed login is never a good one"
                );
                assert!(account.keeper.current().is_none(), "{kind:?}");
                stage.clock.sleep_until(stage.clock.now().plus_seconds(60)).await;
            }
            let codes = stage.sim.audit().codes;
            assert!(codes <= most.max(10) * 2, "{kind:?}: {codes} codes");
            if !words.is_empty() {
                let status = account.keeper.status();
                assert!(status.sentence().expect("a reason").contains(words), "{kind:?}: {status:?}");
                assert!(codes <= most, "{kind:?}: {codes} codes: nobody hammers");
            }
        });
    }
}
