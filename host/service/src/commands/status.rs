//! `status`: what is going on, and an exit code that says whether it is well.

use journal::TradingState;

use super::account::{open, say_source, short};
use crate::cli::StatusArgs;
use crate::control::views::{SessionLine, StatusView};
use crate::exit::{Exit, Failure};
use crate::hotswap::VersionsView;
use crate::output::{self, Tone, tinted};

/// Tells it. Exit 11 when an order's outcome is unknown, 12 when the kill switch is on (or exits only);
/// the former goes before the latter.
pub fn run(args: &StatusArgs) -> Result<Exit, Failure> {
    let mut account = open(&args.read)?;
    let status = account.access.status(&account.config)?;
    if args.read.json {
        output::json(&status)?;
    } else {
        say_source(status.source);
        show(&status);
    }
    Ok(exit(&status))
}

fn exit(status: &StatusView) -> Exit {
    if !status.unresolved.is_empty() {
        Exit::UnknownOrders
    } else if status.trading != TradingState::On {
        Exit::KillSwitchOn
    } else {
        Exit::Ok
    }
}

fn show(status: &StatusView) {
    say("account", Tone::Bold, &format!("{} ({})", status.account, status.broker));
    match &status.host {
        Some(host) => {
            let time = if host.rehearsal {
                format!(", rehearsing: its clock shows {}", host.now)
            } else {
                String::new()
            };
            say(
                "host",
                Tone::Good,
                &format!("{} as process {} since {}{time}", host.version, host.pid, host.since),
            );
        }
        None => say("host", Tone::Warn, "none runs"),
    }
    if let Some(session) = &status.session {
        show_session(session);
    }
    let (tone, word) = match status.trading {
        TradingState::On => (Tone::Good, "on"),
        TradingState::ExitsOnly => (Tone::Warn, "exits only"),
        TradingState::CancelsOnly => (Tone::Bad, "cancels only: the kill switch is on"),
    };
    say("trading", tone, word);
    if let Some(why) = &status.not_trading {
        say("", Tone::Warn, why);
    }
    if let Some(phase) = &status.phase {
        say("market", Tone::Plain, phase);
    }
    if let Some(next) = &status.next_task {
        say("next", Tone::Plain, &format!("{} at {}", next.task, next.at));
    }
    let calendar = &status.calendar;
    say("calendar", Tone::Plain, &format!("{}, known until {}", calendar.version, calendar.known_until));
    for warning in &calendar.warnings {
        say("", Tone::Warn, warning);
    }
    say("positions", Tone::Plain, &format!("in {} symbols", status.positions));
    status.versions.iter().for_each(versions);
    for strikes in &status.strikes {
        let (tone, what) = if strikes.quarantined {
            (Tone::Bad, format!("quarantined; `tradeagent plugin release {}` ends it", strikes.strategy))
        } else {
            (Tone::Warn, format!("{} strikes", strikes.strikes))
        };
        say("strategy", tone, &format!("{}: {what}: {}", strikes.strategy, strikes.reason));
    }
    if status.alerts_waiting > 0 {
        say("outbox", Tone::Warn, &format!("{} alerts have not left yet", status.alerts_waiting));
    }
    for alert in &status.last_alerts {
        let tone = match alert.severity {
            journal::Severity::Info => Tone::Plain,
            journal::Severity::Warning => Tone::Warn,
            journal::Severity::Critical => Tone::Bad,
        };
        say("alert", tone, &format!("{} {}: {}", short(alert.at), alert.source, alert.text));
    }
    for order in &status.unresolved {
        let text = format!(
            "{} {} {} {} at {}: look it up at the broker, then `tradeagent orders resolve {}`",
            order.status, order.side, order.quantity, order.symbol, order.price, order.id
        );
        say("unknown", Tone::Bad, &text);
    }
    if !status.last_runs.is_empty() {
        output::line("");
        super::runs::table(&status.last_runs).print();
    }
}

fn show_session(session: &SessionLine) {
    let tone = if session.reason.is_some() { Tone::Bad } else { Tone::Good };
    let mut facts = vec![format!("{}, generation {}", session.state, session.generation)];
    if let (Some(opened), Some(seconds)) = (session.opened, session.age_seconds) {
        facts.push(format!("since {} ({} min)", short(opened), seconds / 60));
    }
    facts.push(format!("{} logins today, {} of them renewals", session.logins, session.renewals));
    if session.probes > 0 {
        facts.push(format!("{} probes", session.probes));
    }
    if let Some(skew) = session.skew_ms {
        facts.push(format!("clock skew {:.1} s", skew as f64 / 1_000.0));
    }
    output::line(&format!(
        "{}{}",
        tinted(Tone::Dim, &format!("{:<11}", "session")),
        tinted(tone, &output::plain(&facts.join(", ")))
    ));
}

fn say(what: &str, tone: Tone, text: &str) {
    output::line(&format!(
        "{}{}",
        tinted(Tone::Dim, &format!("{what:<11}")),
        tinted(tone, &output::plain(text))
    ));
}

/// Versions that are not simply live.
fn versions(view: &VersionsView) {
    let short = |hash: &model::ContentHash| hash.as_str().chars().take(12).collect::<String>();
    let name = &view.strategy;
    if view.trial_ticks_left > 0 {
        let text =
            format!("{} is live, on trial for {} ticks more", short(&view.live), view.trial_ticks_left);
        say("version", Tone::Warn, &format!("{name}: {text}"));
    }
    if let Some(candidate) = &view.candidate {
        let text = format!("{} waits: {}", short(&candidate.hash), candidate.why);
        say("version", Tone::Warn, &format!("{name}: {text}"));
        let shadow = &candidate.shadow;
        output::line(&format!(
            "  in shadow: {} ticks; {} orders alike, {} different, {} alerts",
            candidate.shadow_ticks, shadow.same, shadow.different, shadow.alerts
        ));
        for difference in &shadow.differences {
            output::line(&format!("    {}", output::plain(difference)));
        }
    }
    if let Some(last) = &view.last {
        say("version", Tone::Plain, &format!("{name}: {last}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::views::{CalendarView, OrderLine, Source};

    fn status() -> StatusView {
        StatusView {
            version: 1,
            source: Source::Journal,
            account: "main".into(),
            broker: "paper".into(),
            session: None,
            host: None,
            trading: TradingState::On,
            not_trading: None,
            phase: None,
            next_task: None,
            calendar: CalendarView {
                version: "v".into(),
                known_until: "2026-12-31".parse().expect("a date"),
                warnings: Vec::new(),
            },
            unresolved: Vec::new(),
            versions: Vec::new(),
            strikes: Vec::new(),
            last_runs: Vec::new(),
            positions: 0,
            alerts_waiting: 0,
            last_alerts: Vec::new(),
        }
    }

    #[test]
    fn the_exit_code_is_the_worst_news() {
        let mut status = status();
        assert_eq!(exit(&status), Exit::Ok);
        status.trading = TradingState::ExitsOnly;
        assert_eq!(exit(&status), Exit::KillSwitchOn);
        let view = model::OrderView {
            id: "X".into(),
            strategy: None,
            key: String::new(),
            broker_id: None,
            terms: model::OrderTerms::limit(
                "TCS",
                model::Side::Buy,
                model::Quantity::new(1),
                model::Price::from_rupees(1),
            ),
            status: model::Status::Parked,
            filled: model::Quantity::ZERO,
            average: model::Price::ZERO,
            for_session: "2026-01-15".parse().expect("a date"),
            placed_at: model::Timestamp::default(),
            reason: String::new(),
        };
        status.unresolved.push(OrderLine::new(&view, true));
        assert_eq!(exit(&status), Exit::UnknownOrders);
    }
}
