//! `replay`: recorded runs, had again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use model::{Date, RunId, StrategyName};
use runtime::Role;
use runtime::tape::Tape;
use serde::Serialize;

use super::plugin::narrowest;
use crate::cli::ReplayArgs;
use crate::config::{Config, parse_param};
use crate::exit::{Exit, Failure};
use crate::output::{self, Align, Table, Tone};
use crate::recording::{Folder, Recorded, RecordingError, Torn, folder_of};
use crate::replay::{Again, Answer, CutOff, Different, Loader, Question, ReplayError, What, again, what_if};
use crate::strategies::read_component;

type Days = Vec<(Date, PathBuf)>;

/// What is printed as JSON of a replay.
#[derive(Debug, Serialize)]
struct Same<'a> {
    version: u32,
    from: Date,
    to: Date,
    runs: usize,
    same: usize,
    cut_off: &'a [CutOff],
    different: &'a [Different],
    /// Days that could not be had again.
    failed: &'a [FailedDay],
    /// Runs of these days that have no record.
    not_recorded: u64,
    /// Over the runs as recorded.
    recorded: &'a str,
    /// Over the runs as replayed.
    replayed: &'a str,
}

/// A day that could not be had again; none of its runs is told.
#[derive(Debug, Serialize)]
struct FailedDay {
    day: Date,
    why: String,
}

/// What is printed as JSON of another version.
#[derive(Debug, Serialize)]
struct Other<'a> {
    version: u32,
    from: Date,
    to: Date,
    #[serde(flatten)]
    answer: &'a Answer,
}

/// Does it.
pub fn run(args: &ReplayArgs) -> Result<Exit, Failure> {
    let config = Config::load(args.config.path().as_deref())?;
    let folder = args.from.clone().unwrap_or_else(|| folder_of(&config));
    let days = days(&folder, args)?;
    let mut loader = Loader::new(&folder, Some(config.plugin_cache())).map_err(failed)?;
    if args.with.is_some() || !args.param.is_empty() {
        return other(args, &days, &mut loader).map(|()| Exit::Ok);
    }
    same(args, &days, &mut loader)
}

fn failed(error: impl Into<anyhow::Error>) -> Failure {
    Failure::general(error.into())
}

/// The days that are asked for.
fn days(folder: &Path, args: &ReplayArgs) -> Result<Days, Failure> {
    let all = Folder::days(folder).map_err(failed)?;
    if all.is_empty() {
        return Err(failed(anyhow!("there is no recording in {}", folder.display())).hint(
            "`run` records unless [recording] enabled = false; `simulate --record DIR` makes one, and --from DIR names it",
        ));
    }
    let skip = args.since.map_or(0, |days| all.len().saturating_sub(days as usize));
    let Some(run) = &args.run else { return Ok(all[skip..].to_vec()) };
    let day = run.split_once('@').and_then(|(_, at)| at.get(..10)).and_then(|day| day.parse::<Date>().ok());
    let day = day.ok_or_else(|| {
        Failure::usage(anyhow!(
            "`{run}` is no run: one is written TASK@TIME, such as buy@2026-01-15T16:05:00"
        ))
    })?;
    let found: Days = all[skip..].iter().filter(|(of, _)| *of == day).cloned().collect();
    if found.is_empty() {
        let (first, last) = (all[skip].0, all[all.len() - 1].0);
        if all.iter().any(|(of, _)| *of == day) {
            return Err(failed(anyhow!(
                "{day} is not among the last {} days of the recording, which are {first} to {last}",
                all.len() - skip
            ))
            .hint("leave --since out"));
        }
        return Err(failed(anyhow!(
            "there is no recording of {day}; there are {} days from {first} to {last}",
            all.len() - skip
        )));
    }
    Ok(found)
}

fn bounds(days: &Days) -> (Date, Date) {
    (days[0].0, days[days.len() - 1].0)
}

/// The runs of one day; when its last record is left out, that is told.
fn read(path: &Path) -> Result<Vec<Recorded>, RecordingError> {
    let (runs, torn) = Folder::read(path)?;
    if torn == Torn(true) {
        output::talk(&format!(
            "{}: its last record was not written to its end, and is left out",
            path.display()
        ));
    }
    Ok(runs)
}

fn same(args: &ReplayArgs, days: &Days, loader: &mut Loader) -> Result<Exit, Failure> {
    let progress = output::Progress::new("replay", days.len() as u64);
    let mut done = Again::default();
    let mut failures: Vec<FailedDay> = Vec::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (at, (day, path)) in days.iter().enumerate() {
        match with_day(args, loader, path, &mut known, &done) {
            Ok(with_this) => done = with_this,
            Err(error) => failures.push(FailedDay { day: *day, why: error.to_string() }),
        }
        progress.set(at as u64 + 1, &day.to_string());
    }
    progress.finish();
    if done.runs == 0 && failures.is_empty() {
        return Err(failed(nothing(args, &known)));
    }
    let (recorded, replayed) = done.hashes();
    let (from, to) = bounds(days);
    let answer = Same {
        version: output::JSON_VERSION,
        from,
        to,
        runs: done.runs,
        same: done.same,
        cut_off: &done.cut_off,
        different: &done.different,
        failed: &failures,
        not_recorded: done.not_recorded,
        recorded: &recorded,
        replayed: &replayed,
    };
    if args.json {
        output::json(&answer)?;
    } else {
        show_same(&answer);
    }
    Ok(if done.different.is_empty() && failures.is_empty() { Exit::Ok } else { Exit::General })
}

/// What came of the days before with one more: all of it or nothing.
fn with_day(
    args: &ReplayArgs,
    loader: &mut Loader,
    path: &Path,
    known: &mut BTreeSet<String>,
    done: &Again,
) -> Result<Again, ReplayError> {
    let mut runs = read(path)?;
    known.extend(runs.iter().map(|run| run.tape.info.id.to_string()));
    if let Some(wanted) = &args.run {
        let at = runs.iter().position(|run| run.tape.info.id.as_str() == wanted);
        let strategy = at.map(|at| runs[at].tape.info.origin.strategy.clone());
        runs.truncate(at.map_or(0, |at| at + 1));
        runs.retain(|run| Some(&run.tape.info.origin.strategy) == strategy.as_ref());
    }
    runs.retain(|run| args.strategy.as_ref().is_none_or(|it| *it == run.tape.info.origin.strategy));
    let wanted = |tape: &Tape| args.run.as_ref().is_none_or(|run| tape.info.id.as_str() == run);
    let mut done = done.clone();
    again(loader, runs, wanted, &mut done)?;
    Ok(done)
}

/// Why nothing was replayed, with what there is.
fn nothing(args: &ReplayArgs, known: &BTreeSet<String>) -> anyhow::Error {
    let Some(run) = &args.run else {
        return anyhow!("no run of that strategy is recorded on these days");
    };
    let task = run.split('@').next().unwrap_or_default();
    let mut like: Vec<&str> =
        known.iter().map(String::as_str).filter(|id| id.split('@').next() == Some(task)).collect();
    if like.is_empty() {
        like = known.iter().map(String::as_str).collect();
    }
    let shown = like.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    anyhow!("the run {run} is not recorded; {} of that day are, such as {shown}", like.len())
}

fn show_same(answer: &Same<'_>) {
    let say = |text: String| output::line(&text);
    let cut_off = answer.cut_off.len();
    let and = if cut_off > 0 { format!(", {cut_off} cut off") } else { String::new() };
    say(format!("{} to {}: {} runs, {} the same{and}", answer.from, answer.to, answer.runs, answer.same));
    if cut_off > 0 {
        let calls: usize = answer.cut_off.iter().map(|it| it.calls).sum();
        say(format!(
            "{cut_off} were stopped from outside when they were recorded: of those, the {calls} calls until then \
             are the same, and nothing more can be told"
        ));
    }
    if answer.not_recorded > 0 {
        say(format!("{} runs of these days are not in the recording", answer.not_recorded));
    }
    for Different { run, what, .. } in answer.different {
        say(format!("DIFFERENT {}: {}", output::plain(run.as_str()), output::plain(what)));
    }
    for FailedDay { day, why } in answer.failed {
        say(format!("FAILED {day}: {}", output::plain(why)));
    }
    // Of a run that was cut off there is no hash.
    if answer.runs == cut_off {
        return;
    }
    if answer.recorded == answer.replayed {
        say(format!("hash {}", answer.replayed));
    } else {
        say(format!("hash recorded {}", answer.recorded));
        say(format!("hash replayed {}", answer.replayed));
    }
}

/// Parameters over the recorded ones, by strategy.
fn params(args: &ReplayArgs) -> Result<BTreeMap<StrategyName, BTreeMap<String, String>>, Failure> {
    let mut params: BTreeMap<StrategyName, BTreeMap<String, String>> = BTreeMap::new();
    for text in &args.param {
        let (path, value) = parse_param(text)?;
        let (strategy, key) = path.split_once('.').filter(|(_, key)| !key.is_empty()).ok_or_else(|| {
            Failure::usage(anyhow!("`{text}` is no parameter: one is written STRATEGY.KEY=VALUE"))
        })?;
        if let Some(only) = args.strategy.as_ref().filter(|only| only.as_str() != strategy) {
            return Err(Failure::usage(anyhow!("`{text}` is a parameter of `{strategy}`, not of `{only}`"))
                .hint(format!("write --strategy {strategy}, or --param {only}.KEY=VALUE")));
        }
        params.entry(strategy.into()).or_default().insert(key.to_owned(), value);
    }
    Ok(params)
}

/// Whose runs another version is let into, with which parameters.
fn questions(args: &ReplayArgs, days: &Days) -> Result<Vec<Question>, Failure> {
    let mut params = params(args)?;
    // Each with the role that it had last.
    let mut known: BTreeMap<StrategyName, Role> = BTreeMap::new();
    let mut runs: BTreeSet<String> = BTreeSet::new();
    let mut of_run: Option<StrategyName> = None;
    for (_, path) in days {
        for Recorded { tape, .. } in read(path).map_err(failed)? {
            let (id, strategy) = (tape.info.id, tape.info.origin.strategy);
            if args.run.as_deref() == Some(id.as_str()) {
                of_run = Some(strategy.clone());
            }
            runs.insert(id.to_string());
            known.insert(strategy, tape.grants.role);
        }
    }
    if args.run.is_some() && of_run.is_none() {
        return Err(failed(nothing(args, &runs)));
    }
    let names = || known.keys().map(StrategyName::as_str).collect::<Vec<_>>().join(", ");
    let asked: BTreeSet<StrategyName> = params.keys().chain(&args.strategy).cloned().collect();
    if let Some(stranger) = asked.iter().find(|name| !known.contains_key(*name)) {
        return Err(failed(anyhow!("no run of a strategy `{stranger}` is recorded; there are {}", names())));
    }
    if let Some(own) = &of_run
        && let Some(other) = asked.iter().find(|name| *name != own)
    {
        return Err(Failure::usage(anyhow!("that run is one of `{own}`, not of `{other}`"))
            .hint(format!("write `{own}` in place of `{other}`, or leave the run out and take --since")));
    }
    let until = args.run.as_deref().map(RunId::from);
    let Some(path) = &args.with else {
        let question = |(strategy, params)| Question { strategy, with: None, params, until: until.clone() };
        return Ok(params.into_iter().map(question).collect());
    };
    let bytes = read_component(path).map_err(|error| failed(anyhow!("{}: {error}", path.display())))?;
    let of: Vec<StrategyName> = match of_run {
        Some(own) => vec![own],
        None if asked.is_empty() => fitting(path, &bytes, &known)?,
        None => asked.into_iter().collect(),
    };
    let [strategy] = &of[..] else {
        return Err(Failure::usage(anyhow!("whose place does {} take?", path.display()))
            .hint(format!("name it with --strategy; there are {}", names())));
    };
    let params = params.remove(strategy).unwrap_or_default();
    Ok(vec![Question { strategy: strategy.clone(), with: Some(bytes), params, until }])
}

/// Whose place the component can take: of the only strategy, else of those that had the narrowest role in
/// which it loads.
fn fitting(
    path: &Path,
    bytes: &[u8],
    known: &BTreeMap<StrategyName, Role>,
) -> Result<Vec<StrategyName>, Failure> {
    if known.len() == 1 {
        return Ok(known.keys().cloned().collect());
    }
    let seen = runtime::inspect(bytes).map_err(|refusal| failed(anyhow!("{}: {refusal}", path.display())))?;
    let role = narrowest(&seen);
    Ok(known.iter().filter(|(_, had)| Some(**had) == role).map(|(name, _)| name.clone()).collect())
}

fn other(args: &ReplayArgs, days: &Days, loader: &mut Loader) -> Result<(), Failure> {
    let mut answer = Answer::default();
    for question in questions(args, days)? {
        what_if(loader, days, &question, &mut answer).map_err(failed)?;
    }
    let (from, to) = bounds(days);
    if args.json {
        return output::json(&Other { version: output::JSON_VERSION, from, to, answer: &answer });
    }
    output::line(&format!("{from} to {to}: {} runs with the other version", answer.runs));
    show_other(&answer);
    Ok(())
}

fn show_other(answer: &Answer) {
    let unanswered: u64 = answer.unanswered.iter().map(|it| it.count).sum();
    if answer.is_same() && unanswered == 0 {
        output::line("nothing would have been different");
    } else if answer.is_same() {
        output::line(&format!(
            "no difference was found, but {unanswered} reads could not be answered from the recording"
        ));
    }
    let tone = |what: What| match what {
        What::OnlyBefore => Tone::Bad,
        What::OnlyNow => Tone::Good,
        What::Changed => Tone::Warn,
    };
    let plain = |text: String| (text, Tone::Plain);
    if !answer.orders.is_empty() {
        let headings = ["day", "order", "side", "symbol", "difference"].map(|name| (name, Align::Left));
        let mut table = Table::new(&headings);
        for row in &answer.orders {
            table.row([
                plain(row.day.map_or_else(|| "earlier".to_owned(), |day| day.to_string())),
                plain(format!("{} {}", row.strategy, row.key)),
                plain(row.side.map_or("", |side| side.as_str()).to_owned()),
                plain(row.symbol.as_ref().map_or_else(String::new, ToString::to_string)),
                (row.text.clone(), tone(row.what)),
            ]);
        }
        table.print();
    }
    for row in &answer.alerts {
        let text = |alert: &Option<(runtime::Severity, String)>| {
            alert.as_ref().map_or_else(|| "none".to_owned(), |(_, text)| output::plain(text))
        };
        let (before, now) = (text(&row.before), text(&row.now));
        let key = output::plain(&row.key);
        output::line(&format!("alert {} {} {key}: {before} -> {now}", row.day, row.strategy));
    }
    for run in &answer.quarantined {
        output::line(&format!(
            "in quarantine after {}: it had no run after that",
            output::plain(run.as_str())
        ));
    }
    for row in &answer.ended {
        let (before, now) = (output::plain(&row.before), output::plain(&row.now));
        output::line(&format!("run {}: {before} -> {now}", output::plain(row.run.as_str())));
    }
    if unanswered > 0 {
        output::talk(&format!(
            "{unanswered} reads could not be answered from the recording, and were told so; --json lists them"
        ));
    }
}
