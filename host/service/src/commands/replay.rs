//! `replay`: recorded runs, had again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use model::{Date, StrategyName};
use serde::Serialize;

use crate::cli::ReplayArgs;
use crate::config::{Config, parse_param};
use crate::exit::{Exit, Failure};
use crate::output::{self, Align, Table, Tone};
use crate::recording::{Folder, Torn, folder_of};
use crate::replay::{Again, Answer, Different, Loader, Question, What, again, what_if};
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
    cut_off: &'a [model::RunId],
    different: &'a [Different],
    /// Over the runs as recorded.
    recorded: &'a str,
    /// Over the runs as replayed.
    replayed: &'a str,
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

fn same(args: &ReplayArgs, days: &Days, loader: &mut Loader) -> Result<Exit, Failure> {
    let progress = output::Progress::new("replay", days.len() as u64);
    let mut done = Again::default();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (at, (day, path)) in days.iter().enumerate() {
        let (mut runs, torn) = Folder::read(path).map_err(failed)?;
        if torn == Torn(true) {
            output::talk(&format!(
                "{}: its last record was not written to its end, and is left out",
                path.display()
            ));
        }
        known.extend(runs.iter().map(|run| run.tape.info.id.to_string()));
        if let Some(wanted) = &args.run {
            let at = runs.iter().position(|run| run.tape.info.id.as_str() == wanted);
            let strategy = at.map(|at| runs[at].tape.info.origin.strategy.clone());
            runs.truncate(at.map_or(0, |at| at + 1));
            runs.retain(|run| Some(&run.tape.info.origin.strategy) == strategy.as_ref());
        }
        runs.retain(|run| args.strategy.as_ref().is_none_or(|it| *it == run.tape.info.origin.strategy));
        let wanted =
            |tape: &runtime::tape::Tape| args.run.as_ref().is_none_or(|run| tape.info.id.as_str() == run);
        again(loader, runs, wanted, &mut done).map_err(failed)?;
        progress.set(at as u64 + 1, &day.to_string());
    }
    progress.finish();
    if done.runs == 0 {
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
        recorded: &recorded,
        replayed: &replayed,
    };
    if args.json {
        output::json(&answer)?;
    } else {
        show_same(&answer);
    }
    Ok(if done.different.is_empty() { Exit::Ok } else { Exit::General })
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
    say(format!("{} to {}: {} runs, {} the same", answer.from, answer.to, answer.runs, answer.same));
    if !answer.cut_off.is_empty() {
        say(format!(
            "{} were stopped by real time when they were recorded; they are the same as far as they went",
            answer.cut_off.len()
        ));
    }
    for Different { run, what, .. } in answer.different {
        say(format!("DIFFERENT {run}: {}", output::plain(what)));
    }
    if answer.recorded == answer.replayed {
        say(format!("hash {}", answer.replayed));
    } else {
        say(format!("hash recorded {}", answer.recorded));
        say(format!("hash replayed {}", answer.replayed));
    }
}

/// Whose runs another version is let into, with which parameters.
fn questions(args: &ReplayArgs, days: &Days) -> Result<Vec<Question>, Failure> {
    let mut params: BTreeMap<StrategyName, BTreeMap<String, String>> = BTreeMap::new();
    for text in &args.param {
        let (path, value) = parse_param(text)?;
        let (strategy, key) = path.split_once('.').filter(|(_, key)| !key.is_empty()).ok_or_else(|| {
            Failure::usage(anyhow!("`{text}` is no parameter: one is written STRATEGY.KEY=VALUE"))
        })?;
        params.entry(strategy.into()).or_default().insert(key.to_owned(), value);
    }
    let mut known: BTreeSet<StrategyName> = BTreeSet::new();
    for (_, path) in days {
        let (runs, _) = Folder::read(path).map_err(failed)?;
        known.extend(runs.iter().map(|run| run.tape.info.origin.strategy.clone()));
    }
    let names = || known.iter().map(StrategyName::as_str).collect::<Vec<_>>().join(", ");
    let asked: BTreeSet<&StrategyName> = params.keys().chain(&args.strategy).collect();
    if let Some(stranger) = asked.iter().find(|name| !known.contains(**name)) {
        return Err(failed(anyhow!("no run of a strategy `{stranger}` is recorded; there are {}", names())));
    }
    let Some(path) = &args.with else {
        let question = |(strategy, params)| Question { strategy, with: None, params };
        return Ok(params.into_iter().map(question).collect());
    };
    let mut of = if asked.is_empty() { known.iter().collect() } else { asked };
    let (Some(strategy), None) = (of.pop_first().cloned(), of.pop_first()) else {
        return Err(Failure::usage(anyhow!("whose place does {} take?", path.display()))
            .hint(format!("name it with --strategy; there are {}", names())));
    };
    let bytes = read_component(path).map_err(|error| failed(anyhow!("{}: {error}", path.display())))?;
    let params = params.remove(&strategy).unwrap_or_default();
    Ok(vec![Question { strategy, with: Some(bytes), params }])
}

fn other(args: &ReplayArgs, days: &Days, loader: &mut Loader) -> Result<(), Failure> {
    if args.run.is_some() {
        return Err(Failure::usage(anyhow!("another version is let into whole days, not into one run"))
            .hint("leave the run out, and take --since"));
    }
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
    if answer.is_same() {
        output::line("nothing would have been different");
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
        output::line(&format!("alert {} {} {}: {before} -> {now}", row.day, row.strategy, row.key));
    }
    for row in &answer.ended {
        output::line(&format!("run {}: {} -> {}", row.run, row.before, output::plain(&row.now)));
    }
    let unanswered: u64 = answer.unanswered.iter().map(|it| it.count).sum();
    if unanswered > 0 {
        output::talk(&format!(
            "{unanswered} reads could not be answered from the recording, and were told so; --json lists them"
        ));
    }
}
