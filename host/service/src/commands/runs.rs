//! `runs`: what ran, what did not, and why.

use super::account::{open, say_source, short};
use crate::cli::RunsArgs;
use crate::control::views::{RunLine, RunsQuery};
use crate::exit::Failure;
use crate::output::{self, Align, Table, Tone};

/// Lists them.
pub fn run(args: &RunsArgs) -> Result<(), Failure> {
    let mut account = open(&args.read)?;
    let query = RunsQuery { day: args.day, limit: args.limit };
    let view = account.access.runs(&account.config, query)?;
    if args.read.json {
        return output::json(&view);
    }
    say_source(view.source);
    if view.runs.is_empty() {
        output::talk("no runs");
        return Ok(());
    }
    table(&view.runs).print();
    if view.more {
        output::talk(&format!(
            "there are more; --limit {} shows them",
            args.limit.saturating_mul(2).min(1000)
        ));
    }
    Ok(())
}

/// Runs for people.
pub fn table(runs: &[RunLine]) -> Table {
    let mut table = Table::new(&[
        ("run", Align::Left),
        ("due", Align::Left),
        ("outcome", Align::Left),
        ("tries", Align::Right),
        ("words", Align::Left),
    ]);
    for run in runs {
        let tone = match run.outcome.as_str() {
            "done" => Tone::Good,
            "running" => Tone::Plain,
            "skipped" | "missed" => Tone::Warn,
            _ => Tone::Bad,
        };
        let words = match run.skipped.len() {
            0 => run.text.clone(),
            count => format!("{} ({count} passed over)", run.text),
        };
        table.row([
            (run.task.clone(), Tone::Plain),
            (short(run.scheduled), Tone::Plain),
            (run.outcome.clone(), tone),
            (run.attempts.to_string(), Tone::Plain),
            (words, Tone::Plain),
        ]);
    }
    table
}
