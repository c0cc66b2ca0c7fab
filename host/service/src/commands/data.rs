//! `data import` and `data info`.

use anyhow::Context as _;
use calendar::Calendar;
use market::{Dataset, ImportError, ImportOptions, ImportReport, Summary, import};
use serde::Serialize;

use crate::cli::{ImportArgs, InfoArgs};
use crate::exit::Failure;
use crate::output::{self, Progress};

/// Refused lines, gaps and factors that a terminal gets; `--json` has more.
const LISTED: usize = 20;

/// Reads files into a folder.
pub fn import(args: &ImportArgs) -> Result<(), Failure> {
    let options = ImportOptions { symbol: args.symbol.clone() };
    let mut bar: Option<Progress> = None;
    let report = import::import(&args.files, &args.into, &options, &Calendar::bundled(), |progress| {
        let bar = bar.get_or_insert_with(|| Progress::new("import", progress.files as u64));
        let file =
            progress.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        bar.set(progress.files_done as u64, &format!("{file}, {} rows", progress.rows));
    })
    .map_err(|error| failed(error, args))?;
    if let Some(bar) = bar {
        bar.finish();
    }
    if args.json {
        return output::json_versioned(&report);
    }
    show_import(&report, args);
    Ok(())
}

fn failed(error: ImportError, args: &ImportArgs) -> Failure {
    let failure = Failure::from(anyhow::Error::from(error));
    match failure.exit {
        crate::exit::Exit::Permission => {
            failure.hint(format!("check the permissions of the files and of {}", args.into.display()))
        }
        _ => failure,
    }
}

fn count(number: u64) -> String {
    output::grouped(&number.to_string(), output::Grouping::Indian)
}

fn show_import(report: &ImportReport, args: &ImportArgs) {
    let say = |text: String| output::line(&text);
    say(format!(
        "{} files: {} rows of {} symbols in {} sessions",
        count(report.files),
        count(report.rows),
        count(report.symbols),
        count(report.sessions)
    ));
    for (what, number) in [
        ("rows were there already, unchanged", report.unchanged),
        ("rows of a second series of the same day were left out", report.superseded),
        ("lines are not of shares", report.not_equity),
    ] {
        if number > 0 {
            say(format!("{} {what}", count(number)));
        }
    }
    say(format!(
        "{} now holds {} symbols in {} sessions, {} adjustment factors",
        args.into.display(),
        count(report.symbols_stored),
        count(report.sessions_stored),
        count(report.factors)
    ));
    show_gaps(&report.gaps);
    if report.rejected_total > 0 {
        say(format!("{} lines were refused:", count(report.rejected_total)));
        for line in report.rejected.iter().take(LISTED) {
            say(format!("  {}:{}: {}", output::plain(&line.file), line.line, output::plain(&line.reason)));
        }
        if report.rejected_total > LISTED as u64 {
            say("by reason:".to_owned());
            for (reason, number) in import::reasons(&report.rejected).into_iter().take(LISTED) {
                say(format!("  {:>8} {}", count(number), output::plain(&reason)));
            }
            output::talk("`--json` lists them");
        }
    }
}

fn show_gaps(gaps: &[market::summary::Gap]) {
    if gaps.is_empty() {
        return;
    }
    let shown: Vec<String> = gaps
        .iter()
        .take(LISTED)
        .map(|gap| {
            let note = if gap.in_calendar { "" } else { " (before it; not in the calendar)" };
            format!("{} {}{note}", gap.exchange, gap.date)
        })
        .collect();
    let rest = gaps.len().saturating_sub(LISTED);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    output::line(&format!("sessions without a file: {}{rest}", shown.join(", ")));
}

/// Tells what a data folder holds.
pub fn info(args: &InfoArgs) -> Result<(), Failure> {
    let data = Dataset::load(&args.dir, &Calendar::bundled())
        .with_context(|| format!("{} cannot be read as a data folder", args.dir.display()))
        .map_err(|error| Failure::from(error).hint("`tradeagent data import FILES… --into DIR` makes one"))?;
    let summary = data.summary();
    if args.json {
        #[derive(Serialize)]
        struct Answer<'a> {
            dir: String,
            #[serde(flatten)]
            summary: &'a Summary,
        }
        return output::json_versioned(Answer { dir: args.dir.display().to_string(), summary: &summary });
    }
    show_info(&summary);
    Ok(())
}

fn show_info(summary: &Summary) {
    let say = |text: String| output::line(&text);
    let span = match (summary.first, summary.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    say(format!("{} sessions{span}", count(summary.sessions)));
    say(format!("{} symbols, {} daily rows", count(summary.symbols), count(summary.rows)));
    if summary.minutes > 0 {
        say(format!(
            "{} minute bars of {} symbols",
            count(summary.minutes),
            count(summary.symbols_with_minutes)
        ));
    }
    say(format!(
        "{} files; {} lines not of shares, {} refused",
        count(summary.files),
        count(summary.not_equity),
        count(summary.rejected)
    ));
    show_gaps(&summary.gaps);
    if summary.beyond_calendar {
        say("the data reach outside of the calendar: there may be gaps that it does not know".to_owned());
    }
    for (what, factors) in [
        ("adjustment factors from previous closes", &summary.factors),
        ("breaks inferred from opens", &summary.inferred_factors),
    ] {
        say(format!("{} {what}", count(factors.len() as u64)));
        let rows: Vec<Vec<String>> = factors
            .iter()
            .take(LISTED)
            .map(|row| {
                let factor = row.factor;
                vec![
                    row.symbol.to_string(),
                    factor.session.to_string(),
                    format!("{:.6}", factor.numerator as f64 / factor.denominator as f64),
                ]
            })
            .collect();
        if !rows.is_empty() {
            output::table(&["symbol", "from", "factor"], &rows);
        }
        if factors.len() > LISTED {
            output::talk(&format!("and {} more; `--json` lists them", factors.len() - LISTED));
        }
    }
}
