//! Who may take over, and when: a candidate on a real account, and an order that nobody knows the fate of.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use journal::{Entry, Journal as _, MemoryJournal};
use market::demo::{DAY0, DAY1};
use model::clock::SharedClock;
use model::{
    Action, ContentHash, Intent, IntentId, OrderTerms, Price, Quantity, Side, StrategyName, Symbol, Timestamp,
};
use oms::{Blocking, Verdict};
use runtime::{Profile, StrategyHandle, Turns};

use super::*;
use crate::clock::ManualClock;
use crate::config::{Config, PositionConfig};
use crate::runner::Runner;
use crate::schedule::Task;
use crate::scheduler::Run;
use crate::strategies::load_one;
use crate::wiring::{Link, PaperMarket, Ways, World};

mod compared;

/// The shipped seller on the demo's market, in a slot, with a clock moved by hand.
struct Stage {
    world: World,
    config: Config,
    clock: Arc<ManualClock>,
    runner: Runner,
    task: Task,
    slot: Arc<Slot>,
    handle: StrategyHandle,
    events: Arc<Mutex<Vec<SwapEvent>>>,
    minute: i64,
    _folder: tempfile::TempDir,
}

const SELL: &str = "sell";

fn minute(minute: i64) -> Timestamp {
    Timestamp::at_ist(DAY1, 10, 0).plus_minutes(minute)
}

impl Stage {
    fn with(entries: &[Entry]) -> Self {
        Self::keeping(entries, Standings::default())
    }

    fn keeping(entries: &[Entry], standings: Standings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config { state_dir: folder.path().to_owned(), ..Config::default() };
        config.account.positions = vec![PositionConfig::seeded()];
        let paper = PaperMarket::load(&config, None).expect("the demo's market");
        let clock = ManualClock::at(minute(0));
        let mut journal = MemoryJournal::new();
        for entry in entries {
            journal.commit(std::slice::from_ref(entry), journal::Durability::Synced).expect("kept");
        }
        let ways = Ways {
            clock: Arc::clone(&clock) as SharedClock,
            blocking: Blocking::Inline,
            profile: Profile::Live,
            turns: Turns::Whole,
            cache: None,
            seed: 1,
            book: None,
        };
        let link = Link::paper(&config, &paper, &ways).expect("an exchange");
        let mut world = World::build(&config, link, Box::new(journal), ways).expect("a world");
        let events: Arc<Mutex<Vec<SwapEvent>>> = Arc::default();
        let told = Arc::clone(&events);
        let around = Surroundings {
            desk: world.desk.clone(),
            services: Arc::clone(&world.services),
            quiet: Arc::clone(&world.quiet),
            standings,
            machine: crate::clock::system(),
            observer: Arc::new(move |_, event| told.lock().expect("lock").push(event.clone())),
            lifts_quarantine: false,
        };
        let runner = Runner {
            account: world.account.clone(),
            desk: world.desk.clone(),
            sessions: world.sessions.clone(),
            clock: Arc::clone(&clock) as SharedClock,
            mode: runtime::Mode::Paper,
        };
        let live = world.strategies.remove(SELL).expect("the shipped seller");
        let task = config.tasks.iter().find(|task| task.name == SELL).expect("its task").clone();
        let handle = StrategyHandle::spawn(Arc::clone(&world.services));
        let slot = Arc::new(Slot::new(live, around));
        Self { world, config, clock, runner, task, slot, handle, events, minute: 0, _folder: folder }
    }

    /// The shipped seller under another name, with this profit to take.
    fn offer(&self, number: u8, vouched: &Arc<AtomicBool>) -> ContentHash {
        self.offer_from(number, vouched, std::path::Path::new("new.wasm"))
    }

    fn bytes(&self, number: u8) -> Vec<u8> {
        let mut bytes = bundle::find(SELL).expect("shipped").bytes.to_vec();
        bytes.extend([0, 5, 3, b's', b'a', b'v', number]);
        bytes
    }

    fn offer_from(&self, number: u8, vouched: &Arc<AtomicBool>, path: &std::path::Path) -> ContentHash {
        let bytes = self.bytes(number);
        let name = StrategyName::from(SELL);
        let strategy =
            load_one(&self.world.runtime, &name, &self.config.strategies[&name], &bytes).expect("loads");
        let hash = strategy.hash.clone();
        let vouched = Arc::clone(vouched);
        let vouch: Vouch = Arc::new(move |_| {
            if vouched.load(Ordering::Relaxed) { Ok(()) } else { Err("nobody vouches for it".to_owned()) }
        });
        let noticed = self.clock_now();
        self.slot.offer(Candidate { strategy, path: path.to_owned(), vouch, noticed }, DAY1);
        hash
    }

    fn clock_now(&self) -> Timestamp {
        minute(self.minute)
    }

    async fn tick(&mut self) {
        self.minute += 1;
        let at = self.clock_now();
        self.clock.set(at);
        assert!(self.runner.take(&self.task, at, 1).expect("the journal works"));
        let run = Run {
            runner: self.runner.clone(),
            task: self.task.clone(),
            scheduled: at,
            attempt: 1,
            slot: Arc::clone(&self.slot),
            handle: self.handle.clone(),
        };
        let outcome = run.run().await.expect("the journal works");
        assert_eq!(outcome_name(&outcome), "done", "{outcome:?}");
        run.follow().await;
    }
}

fn outcome_name(outcome: &journal::RunOutcome) -> &'static str {
    match outcome {
        journal::RunOutcome::Done { .. } => "done",
        _ => "another",
    }
}

#[tokio::test]
async fn a_candidate_runs_in_shadow_until_somebody_vouches_for_it() {
    let mut stage = Stage::with(&[]);
    let before = stage.slot.live().hash;
    let vouched = Arc::new(AtomicBool::new(false));
    let hash = stage.offer(1, &vouched);
    for _ in 0..3 {
        stage.tick().await;
    }
    assert_eq!(stage.slot.live().hash, before, "the live one goes on");
    let view = stage.slot.view(DAY1);
    let candidate = view.candidate.expect("it waits");
    assert_eq!((&candidate.hash, candidate.shadow_ticks), (&hash, 3));
    assert_eq!(candidate.why, "nobody vouches for it");
    // The same strategy: what it would have done is what was done, and was done once.
    assert_eq!((candidate.shadow.same, candidate.shadow.different), (1, 0), "{:?}", candidate.shadow);
    let orders = stage.world.desk.own_orders(&SELL.into(), DAY1);
    assert_eq!(orders.len(), 1, "nothing of a shadow is sent: {orders:?}");
    vouched.store(true, Ordering::Relaxed);
    stage.tick().await;
    assert_eq!(stage.slot.live().hash, hash);
    assert!(stage.slot.view(DAY1).candidate.is_none());
    let events = stage.events.lock().expect("lock").clone();
    assert!(
        matches!(&events[..], [SwapEvent::Waits { .. }, SwapEvent::Live { before: was, .. }] if *was == before),
        "{events:?}"
    );
    assert_eq!(stage.world.desk.own_orders(&SELL.into(), DAY1).len(), 1, "the same key places nothing twice");
    let kept = stage.world.desk.with_journal(|journal| journal.entries(0, u32::MAX)).expect("entries");
    let noted = kept.iter().any(|recorded| {
        matches!(&recorded.entry, Entry::Note { kind, text, .. } if kind == "version-live" && text.contains(hash.as_str()))
    });
    assert!(noted, "the journal tells when which version came in");
}

/// An order that was about to be sent when the host died.
fn order_of_unknown_fate() -> (IntentId, Vec<Entry>) {
    let account = Config::default().account.name;
    let strategy = StrategyName::from(SELL);
    let id = IntentId::derive(&account, &strategy, DAY0, "lost");
    let at = Timestamp::at_ist(DAY1, 9, 30);
    let terms =
        OrderTerms::limit(Symbol::from("DEMOBETA"), Side::Buy, Quantity::new(1), Price::from_paise(10_000));
    let intent = Intent {
        id,
        account,
        strategy,
        component: ContentHash::from("0"),
        run: "sell@9:30".into(),
        day: DAY0,
        key: "lost".to_owned(),
        at,
        send_by: None,
        reason: "a test".to_owned(),
        action: Action::Place { terms, for_session: DAY1 },
    };
    (id, vec![Entry::Intent(intent), Entry::Attempt { intent: id, number: 1, at }])
}

#[tokio::test]
async fn nothing_takes_over_while_an_order_of_its_strategy_is_unknown() {
    let (lost, entries) = order_of_unknown_fate();
    let mut stage = Stage::with(&entries);
    assert_eq!(stage.world.desk.unresolved().len(), 1, "the stage is set");
    let before = stage.slot.live().hash;
    let hash = stage.offer(1, &Arc::new(AtomicBool::new(true)));
    stage.tick().await;
    assert_eq!(stage.slot.live().hash, before);
    let why = stage.slot.view(DAY1).candidate.expect("it waits").why;
    assert!(why.contains(&lost.to_string()) && why.contains("is not known yet"), "{why}");
    stage.world.desk.resolve(lost, Verdict::NotPlaced, "the operator").expect("resolved");
    stage.tick().await;
    assert_eq!(stage.slot.live().hash, hash);
}

#[tokio::test]
async fn the_file_of_the_live_version_takes_a_candidate_back() {
    let mut stage = Stage::with(&[]);
    let live = stage.slot.live().hash;
    stage.offer(1, &Arc::new(AtomicBool::new(false)));
    stage.slot.withdraw(std::path::Path::new("new.wasm"), Some(&live));
    stage.tick().await;
    let view = stage.slot.view(DAY1);
    assert_eq!((view.live, view.candidate), (live, None));
}

#[tokio::test]
async fn a_shadow_begins_with_the_state_as_it_was_and_keeps_its_own() {
    let stage = Stage::with(&[]);
    let name = StrategyName::from(SELL);
    let write = |key: &str, value: &[u8]| {
        let (strategy, key, value) = (name.clone(), key.to_owned(), Some(value.to_vec()));
        let entry = Entry::State { strategy, key, value };
        let kept = |journal: &mut dyn journal::Journal| journal.commit(&[entry], journal::Durability::Synced);
        stage.world.desk.with_journal(kept).expect("kept");
    };
    write("day", b"before");
    let state = stage.slot.state().expect("readable");
    let shadow = shadow::Shadow::beside(Arc::clone(&stage.world.quiet), &[], state);
    // What the live version writes in the tick that both do is none of the shadow's.
    write("day", b"after");
    write("done", b"yes");
    let strategy = stage.slot.live();
    let origin = stage.runner.info(&stage.task, &strategy, minute(1), 1).origin;
    let read = |key: &str| runtime::Services::state_get(&shadow, &origin, key).expect("readable");
    assert_eq!((read("day"), read("done")), (Some(b"before".to_vec()), None));
    shadow.keep(vec![("day".to_owned(), None), ("dawn".to_owned(), Some(vec![1]))]);
    assert_eq!((read("day"), read("dawn")), (None, Some(vec![1])));
    assert_eq!(runtime::Services::state_keys(&shadow, &origin, "d").expect("readable"), ["dawn"]);
}

#[tokio::test]
async fn a_version_that_has_passed_its_trial_begins_without_the_strikes_of_those_before() {
    let name = StrategyName::from(SELL);
    let strikes = |strikes| {
        let reason = Some("a trap".to_owned());
        Entry::Quarantine { strategy: name.clone(), strikes, reason, at: minute(0) }
    };
    let mut stage = Stage::with(&[strikes(2)]);
    stage.offer(1, &Arc::new(AtomicBool::new(true)));
    let quarantine = |stage: &Stage| stage.world.desk.with_journal(|journal| journal.quarantine());
    for _ in 0..TRIAL_TICKS {
        assert_eq!(quarantine(&stage).expect("readable").len(), 1);
        stage.tick().await;
    }
    let left: Vec<_> =
        quarantine(&stage).expect("readable").into_iter().filter(|(_, strikes, _)| *strikes > 0).collect();
    assert!(left.is_empty(), "{left:?}");

    // In quarantine there is no tick to wait for: it says what to do.
    let stage = Stage::with(&[strikes(3)]);
    stage.offer(1, &Arc::new(AtomicBool::new(true)));
    let why = stage.slot.view(DAY1).candidate.expect("it waits").why;
    assert!(why.contains("`tradeagent plugin release sell`"), "{why}");
}

#[tokio::test]
async fn where_no_operator_is_the_next_version_ends_the_quarantine() {
    let reason = Some("a trap".to_owned());
    let struck = Entry::Quarantine { strategy: SELL.into(), strikes: 3, reason, at: minute(0) };
    let mut stage = Stage::with(&[struck]);
    let slot = Arc::get_mut(&mut stage.slot).expect("nobody else has it");
    slot.around.lifts_quarantine = true;
    let quarantined = |stage: &Stage| stage.runner.quarantined(&stage.task).expect("readable");
    // A version that nobody vouches for brings no tick.
    stage.offer(1, &Arc::new(AtomicBool::new(false)));
    assert!(quarantined(&stage).is_some());
    let hash = stage.offer(2, &Arc::new(AtomicBool::new(true)));
    assert_eq!(quarantined(&stage), None);
    let told = stage.events.lock().expect("lock").last().cloned();
    assert_eq!(told, Some(SwapEvent::Waits { hash: hash.clone(), why: "for its next tick".to_owned() }));
    stage.tick().await;
    assert_eq!(stage.slot.live().hash, hash);
}

#[tokio::test]
async fn what_has_passed_its_trial_is_what_the_next_start_begins_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = Config { state_dir: folder.path().to_owned(), ..Config::default() };
    config.plugin_dir = folder.path().join("components");
    std::fs::create_dir(&config.plugin_dir).expect("made");
    let standings = Standings::of(&config);
    let dropped = config.plugin_dir.join("sell.wasm");
    let configured = folder.path().join("configured.wasm");
    let first = bundle::find(SELL).expect("shipped").bytes.to_vec();
    std::fs::write(&configured, &first).expect("written");
    let name = StrategyName::from(SELL);
    let mut settings = config.strategies[&name].clone();
    settings.component = crate::config::Component::File(configured.clone());
    config.strategies = std::collections::BTreeMap::from([(name.clone(), settings)]);

    let mut stage = Stage::keeping(&[], standings.clone());
    let begins = |stage: &Stage| {
        standings.load(&stage.world.runtime, &config, false).expect("it loads")[&name].hash.clone()
    };
    assert_eq!(begins(&stage), runtime::hash_of(&first));
    let bytes = stage.bytes(1);
    std::fs::write(&dropped, &bytes).expect("written");
    let hash = stage.offer_from(1, &Arc::new(AtomicBool::new(true)), &dropped);
    stage.tick().await;
    assert_eq!(stage.slot.live().hash, hash);
    assert_eq!(begins(&stage), hash, "what is in `state` by now was written by the one on trial");
    for _ in 1..TRIAL_TICKS {
        stage.tick().await;
    }
    assert_eq!(begins(&stage), hash);
    // A damaged copy is not begun with.
    let copy = folder.path().join("live").join(format!("sell.{}.wasm", hash.as_str()));
    std::fs::write(&copy, b"damaged").expect("written");
    assert_eq!(begins(&stage), runtime::hash_of(&first));
}

#[tokio::test]
async fn a_file_that_says_what_it_said_before_says_nothing_new() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { state_dir: folder.path().to_owned(), ..Config::default() };
    let mut stage = Stage::keeping(&[], Standings::of(&config));
    let vouched = Arc::new(AtomicBool::new(true));
    let [one, other] = ["one.wasm", "other.wasm"].map(std::path::Path::new);
    let live = |stage: &mut Stage, number, path| stage.offer_from(number, &vouched, path);
    let first = live(&mut stage, 1, one);
    for _ in 0..TRIAL_TICKS {
        stage.tick().await;
    }
    let second = live(&mut stage, 2, other);
    for _ in 0..TRIAL_TICKS {
        stage.tick().await;
    }
    assert_eq!(stage.slot.live().hash, second);
    assert!(stage.slot.knows(one, &first), "it was written again as it was");
    assert!(!stage.slot.knows(other, &first), "the other file goes back to it");
    stage.slot.file_is_gone(one);
    assert!(!stage.slot.knows(one, &first), "it is there again");
    stage.slot.ban(first.clone(), "a test".to_owned());
    assert!(
        Standings::of(&config).standing(&SELL.into()).is_refused(&first),
        "remembered by the next process"
    );
}
