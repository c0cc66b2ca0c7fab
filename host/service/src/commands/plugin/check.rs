//! `plugin check`: what a component is, what it may do, and whether a day with it comes out the same.
//!
//! It trades two made-up days three times: as the host would, once more, and with a new instance at each
//! tick. What a strategy keeps outside `state` is lost with an instance, and then the third differs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use journal::{Entry, MemoryJournal, RunOutcome};
use market::demo::{DAY0, DAY1};
use model::{StrategyName, Timestamp};
use oms::Blocking;
use runtime::{Grants, Limits, Profile, Role, Runtime, RuntimeOptions, Turns};
use serde::Serialize;

use super::{examine, world_of};
use crate::cli::CheckArgs;
use crate::clock::ManualClock;
use crate::config::{Component, Config, PositionConfig};
use crate::exit::Failure;
use crate::output;
use crate::simulate::{Driver, Simulation, collect};
use crate::wiring::{Link, PaperMarket, Ways, World};

/// What a strategy may be allowed to do, by the interface that it imports for it.
const ACTS: [(&str, &str); 3] = [("buying", "buy"), ("selling", "sell"), ("cancelling", "cancel orders")];
/// What every strategy may do, by interface.
const READS: [(&str, &str); 6] = [
    ("market", "see the market"),
    ("portfolio", "see what the system owns"),
    ("order-book", "see orders"),
    ("state", "keep a state"),
    ("notify", "alert the operator"),
    ("config", "read its parameters"),
];

/// A longer last word is cut where it is shown.
const WORD_MAX: usize = 500;

/// How the days went.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Days {
    /// Runs by outcome.
    runs: BTreeMap<String, u64>,
    orders: usize,
    fills: usize,
    /// The last word of the strategy.
    last_summary: Option<String>,
    /// Why runs failed or were stopped: the first reason.
    trouble: Option<String>,
}

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    file: String,
    hash: model::ContentHash,
    bytes: usize,
    contract: Option<String>,
    world: Role,
    /// In plain words.
    may: Vec<&'static str>,
    may_not: Vec<&'static str>,
    days: Days,
    /// The same days came out the same twice.
    deterministic: bool,
    /// And with a new instance at each tick.
    restart_safe: bool,
    /// Where it began to differ.
    difference: Option<String>,
}

/// Checks a file.
pub fn check(args: &CheckArgs) -> Result<(), Failure> {
    let path = args.file.display();
    let seen = examine(&args.file).map_err(|failure| {
        failure.hint(
            "build it with `cargo build --release --target wasm32-wasip2`, or make one by `tradeagent plugin new`",
        )
    })?;
    let role = world_of(&args.file, &seen, args.world)?;
    let cache = match &args.config {
        Some(path) => Config::load(Some(path))?.plugin_cache(),
        None => Config::default().plugin_cache(),
    };
    compile(args, role, Profile::Deterministic, &cache)?;
    let progress = output::Progress::new("check", 3);
    let mut tries = Vec::new();
    for (done, fresh_instances) in [false, false, true].into_iter().enumerate() {
        tries.push(trade(args, role, fresh_instances, &cache)?);
        progress.set(done as u64 + 1, "days");
    }
    progress.finish();
    if args.config.is_some() {
        // The days were traded with code that counts instructions; the service's own is bounded by time. A component
        // in Python takes seconds to compile, which a start or a new version then need not wait for.
        compile(args, role, Profile::Live, &cache)?;
    }
    let imports = |interface: &str| {
        seen.imports.iter().any(|name| name.split(['/', '@']).nth(1).is_some_and(|it| it == interface))
    };
    let words = |table: &[(&str, &'static str)], wanted: bool| -> Vec<&'static str> {
        table.iter().filter(|(name, _)| imports(name) == wanted).map(|(_, words)| *words).collect()
    };
    let (first, again, fresh) = (&tries[0], &tries[1], &tries[2]);
    let of_again = difference(first, again);
    let of_fresh = difference(first, fresh);
    let answer = Answer {
        version: output::JSON_VERSION,
        file: path.to_string(),
        hash: seen.hash,
        bytes: seen.bytes,
        contract: seen.contract,
        world: role,
        may: [words(&ACTS, true), words(&READS, true)].concat(),
        may_not: words(&ACTS, false),
        days: days(first),
        deterministic: of_again.is_none(),
        restart_safe: of_again.is_none() && of_fresh.is_none(),
        difference: of_again.or(of_fresh),
    };
    if args.json {
        output::json(&answer)?;
    } else {
        show(&answer);
    }
    verdict(&answer)
}

fn verdict(answer: &Answer) -> Result<(), Failure> {
    let bad = |what: String, hint: &str| Err(Failure::general(anyhow!(what)).hint(hint));
    let difference = answer.difference.as_deref().unwrap_or_default();
    if !answer.deterministic {
        return bad(
            format!("two equal days came out differently: {difference}"),
            "this should be impossible for a component: please report it, with the file",
        );
    }
    if !answer.restart_safe {
        return bad(
            format!("with a new instance at each tick the days came out differently: {difference}"),
            "an instance may be thrown away between two ticks (a restart, a reload): what has to survive belongs in \
             `state`, an order's key is built from what it is for and not from a count, and the order of a hash map is \
             another in each instance",
        );
    }
    if answer.days.runs.contains_key("trapped") || !answer.days.runs.contains_key("done") {
        let reason = answer.days.trouble.as_deref().unwrap_or("it was never due");
        return bad(
            format!("its runs do not do their work: {reason}"),
            if answer.days.runs.contains_key("trapped") {
                "mend it and build it again; what it writes to its log is in `tradeagent simulate`"
            } else {
                "`--param NAME=VALUE` gives it a parameter; its log is in `tradeagent simulate`"
            },
        );
    }
    Ok(())
}

/// What is whole in its form and makes no sense within is found out when it is compiled.
fn compile(args: &CheckArgs, role: Role, profile: Profile, cache: &Path) -> Result<(), Failure> {
    let path = args.file.display();
    let options = RuntimeOptions { cache_dir: Some(cache.to_owned()), ..RuntimeOptions::new(profile) };
    let runtime = Runtime::new(options).map_err(|error| Failure::general(error.into()))?;
    let bytes =
        crate::strategies::read_component(&args.file).with_context(|| format!("{path} cannot be read"))?;
    runtime.load(&bytes, Grants::of(role), Limits::default()).map(drop).map_err(|error| {
        Failure::general(anyhow!("{path}: {error}")).hint(
            "the file is damaged, or uses what the host has not: build it again with \
             `cargo build --release --target wasm32-wasip2`",
        )
    })
}

/// Two made-up days with the component, and nothing else.
fn trade(args: &CheckArgs, role: Role, fresh_instances: bool, cache: &Path) -> Result<Tried, Failure> {
    let name = StrategyName::from("checked");
    let mut config = Config::default();
    config.account.positions = vec![PositionConfig::seeded()];
    // The times of the built-in strategy in its role; a trader has none, and sees each minute.
    let model = if role == Role::Trader { "sell" } else { role.as_str() };
    let mut strategy = config
        .strategies
        .remove(model)
        .ok_or_else(|| Failure::general(anyhow!("there is no built-in strategy for the role {role}")))?;
    strategy.role = role;
    strategy.component = Component::File(args.file.clone());
    config.tasks.retain(|task| task.name == model);
    for task in &mut config.tasks {
        task.strategy = name.clone();
    }
    config.strategies = BTreeMap::from([(name, strategy)]);
    let params: Vec<String> = args.param.iter().map(|param| format!("checked.{param}")).collect();
    config.apply_params(&params)?;
    let paper = PaperMarket::load(&config, None)?;
    let clock = ManualClock::at(Timestamp::at_ist(DAY0, 0, 0));
    let ways = Ways {
        clock: clock.clone(),
        blocking: Blocking::Inline,
        profile: Profile::Deterministic,
        turns: Turns::Whole,
        cache: Some(cache.to_owned()),
        seed: 1,
        book: None,
    };
    let link = Link::paper(&config, &paper, &ways)?;
    let world = World::build(&config, link, Box::new(MemoryJournal::new()), ways)?;
    let desk = world.desk.clone();
    let mut driver = Driver::of(world, &config, Arc::clone(&paper.market) as _, clock)?;
    driver.fresh_instances = fresh_instances;
    let rows = driver.run(&[DAY0, DAY1], |_, _| {}).map_err(|error| Failure::general(error.into()))?;
    let entries = desk.with_journal(|journal| journal.entries(0, u32::MAX))?;
    let entries = || entries.iter().map(|recorded| &recorded.entry);
    Ok(Tried {
        words: entries().filter_map(word).collect(),
        trouble: entries().find_map(trouble),
        simulation: collect(&desk, rows)?,
    })
}

/// What a run or an alert said.
fn word(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Alert(alert) => Some(format!("alert {}: {}", alert.key, alert.text)),
        Entry::RunEnd(end) => Some(format!("run of {}: {:?}", end.scheduled, end.outcome)),
        _ => None,
    }
}

/// Why a run failed or was stopped.
fn trouble(entry: &Entry) -> Option<String> {
    let Entry::RunEnd(end) = entry else { return None };
    match &end.outcome {
        RunOutcome::Failed { reason } | RunOutcome::Trapped { reason } => Some(reason.clone()),
        _ => None,
    }
}

fn days(Tried { simulation, trouble, .. }: &Tried) -> Days {
    let runs = simulation.runs.values().next().cloned().unwrap_or_default();
    Days {
        trouble: trouble.clone(),
        runs,
        orders: simulation.orders.len(),
        fills: simulation.fills.iter().filter(|fill| fill.order.is_some()).count(),
        last_summary: simulation.last_summary.values().next().cloned(),
    }
}

/// Two days, and what runs and alerts said on them.
struct Tried {
    simulation: Simulation,
    words: Vec<String>,
    trouble: Option<String>,
}

/// The first thing in which two tries of the same days differ.
fn difference(Tried { simulation: one, words, .. }: &Tried, other: &Tried) -> Option<String> {
    let differs = words.iter().zip(&other.words).find(|(here, there)| here != there);
    let said = match differs {
        Some((here, there)) => Some(format!("{here}; and: {there}")),
        None if words.len() != other.words.len() => Some("the number of runs and alerts".to_owned()),
        None => None,
    };
    let other = &other.simulation;
    for (at, order) in one.orders.iter().enumerate() {
        let Some(twin) = other.orders.get(at) else {
            return Some(format!("order {} ({} {}) is missing", order.id, order.key, order.at));
        };
        if order != twin {
            return Some(format!("order {} ({} {}) is another: {}", order.id, order.key, order.at, twin.key));
        }
    }
    if let Some(more) = other.orders.get(one.orders.len()) {
        return Some(format!("there is one order more: {} at {}", more.key, more.at));
    }
    if one.fills != other.fills {
        return Some("the fills".to_owned());
    }
    if one.runs != other.runs {
        return Some(format!("how the runs ended: {:?} and {:?}", one.runs, other.runs));
    }
    said
}

fn show(answer: &Answer) {
    let say = |what: &str, text: &str| output::line(&format!("{what:<14} {}", output::plain(text)));
    say("file", &answer.file);
    say("hash", answer.hash.as_str());
    say("size", &format!("{} bytes", answer.bytes));
    say("world", &format!("{}, contract {}", answer.world, answer.contract.as_deref().unwrap_or("unnamed")));
    say("may", &answer.may.join(", "));
    say(
        "may not",
        &if answer.may_not.is_empty() { "nothing more".to_owned() } else { answer.may_not.join(", ") },
    );
    let runs: Vec<String> =
        answer.days.runs.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let Days { orders, fills, .. } = &answer.days;
    say("two days", &format!("runs: {}; {orders} orders, {fills} fills", runs.join(", ")));
    if let Some(trouble) = &answer.days.trouble {
        say("trouble", trouble);
    }
    if let Some(summary) = &answer.days.last_summary {
        let shown = summary.get(..summary.floor_char_boundary(WORD_MAX)).unwrap_or_default();
        let more = if shown.len() < summary.len() { " …" } else { "" };
        say("its last word", &format!("{shown}{more}"));
    }
    let yes = |well: bool| if well { "yes" } else { "NO" };
    say("deterministic", yes(answer.deterministic));
    say("restart-safe", yes(answer.restart_safe));
}
