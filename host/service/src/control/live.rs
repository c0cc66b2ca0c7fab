//! The socket's questions answered by a running desk.

use std::sync::Arc;

use journal::{Durability, Entry, OperatorAction, TradingState};
use model::clock::SharedClock;
use model::{Account, InstrumentClass, IntentId, OrderError, OrderId, StrategyName, Timestamp};
use oms::{Desk, Verdict};
use runtime::STRIKES_MAX;

use super::views::{
    AlertLine, CalendarView, HostView, NextTask, OrderLine, OrdersQuery, OrdersView, PositionLine,
    PositionsView, RunLine, RunsQuery, RunsView, SessionLine, Source, StatusView, StrikesView, TradingView,
    TrailView, VERSION,
};
use super::{ControlError, ControlHost, fold};
use crate::hotswap::VersionsView;
use crate::services::Sessions;

/// Runs and alerts that `status` shows.
pub(super) const SHOWN: u32 = 5;
/// Alerts waiting are counted up to here.
pub(super) const WAITING_MAX: u32 = 1_000;
/// Runs that are told at most.
pub(super) const RUNS_MAX: u32 = 1_000;

/// When the next task is due, told by the scheduler.
pub type NextDue = Arc<dyn Fn(Timestamp) -> Option<NextTask> + Send + Sync>;

/// How the broker session stands, told by the keeper.
pub type SessionTeller = Arc<dyn Fn(Timestamp) -> SessionLine + Send + Sync>;

/// How the versions of the strategies stand on a trading day.
pub type VersionsTeller = Arc<dyn Fn(model::Date) -> Vec<VersionsView> + Send + Sync>;

/// A running host, for the socket.
pub struct LiveHost {
    /// The account.
    pub account: Account,
    /// `paper`, `paper-remote` or `kotak-neo`.
    pub broker: &'static str,
    /// How the broker session stands; none on paper.
    pub session: Option<SessionTeller>,
    /// The desk, and through it the journal.
    pub desk: Desk,
    /// The calendar.
    pub sessions: Sessions,
    /// Now.
    pub clock: SharedClock,
    /// Whether that clock is simulated.
    pub rehearsal: bool,
    /// When the host began.
    pub since: Timestamp,
    /// When the next task is due.
    pub next_due: NextDue,
    /// How the strategies' versions stand, told by the scheduler.
    pub versions: VersionsTeller,
    /// Channels through which alerts leave.
    pub channels: Vec<&'static str>,
}

fn denied(error: OrderError) -> ControlError {
    match error {
        OrderError::Desk(why) => ControlError::Failed(why),
        OrderError::Denied { rule: "no-such-order", reason } => ControlError::NotFound(reason),
        OrderError::Denied { reason, .. } => ControlError::Denied(reason),
        other => ControlError::Denied(other.to_string()),
    }
}

/// What the calendar says today.
pub(super) fn calendar_view(sessions: &Sessions, now: Timestamp) -> CalendarView {
    CalendarView {
        version: sessions.calendar.version().to_owned(),
        known_until: sessions.calendar.known_until(),
        warnings: sessions.calendar.warnings(now.ist_date()),
    }
}

/// The market's phase, or why there is none.
pub(super) fn phase(sessions: &Sessions, now: Timestamp) -> Result<String, String> {
    match sessions.calendar.session(sessions.exchange, now.ist_date()) {
        Ok(Some(session)) => {
            Ok(session.phase_at(InstrumentClass::WithoutDerivatives, now).as_str().to_owned())
        }
        Ok(None) => Ok("closed".to_owned()),
        Err(beyond) => Err(beyond.to_string()),
    }
}

/// Why nothing is traded, in one sentence, or that not all is.
pub(super) fn not_trading(
    halted: Option<String>,
    no_session: Option<String>,
    trading: TradingState,
    phase: &Result<String, String>,
) -> Option<String> {
    if let Some(why) = halted {
        return Some(format!("the desk has stopped: {why}"));
    }
    if no_session.is_some() {
        return no_session;
    }
    match trading {
        TradingState::CancelsOnly => {
            return Some(
                "the kill switch is on: only cancellations; `tradeagent kill-switch off` ends it".to_owned(),
            );
        }
        TradingState::ExitsOnly => {
            return Some("exits only: nothing is bought; `tradeagent kill-switch off` ends it".to_owned());
        }
        TradingState::On => {}
    }
    phase.as_ref().err().cloned()
}

/// Strategies with strikes.
pub(super) fn strikes(rows: Vec<(StrategyName, u32, String)>) -> Vec<StrikesView> {
    rows.into_iter()
        .map(|(strategy, strikes, reason)| StrikesView {
            strategy,
            strikes,
            quarantined: strikes >= STRIKES_MAX,
            reason,
        })
        .collect()
}

/// The runs that `query` asks for, from a journal.
pub(super) fn runs(
    journal: &dyn journal::Journal,
    query: &RunsQuery,
) -> Result<(Vec<RunLine>, bool), ControlError> {
    let limit = query.limit.clamp(1, RUNS_MAX);
    let mut rows = match query.day {
        Some(day) => journal.runs(day)?,
        None => journal.last_runs(limit + 1)?,
    };
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    Ok((rows.iter().map(RunLine::from).collect(), more))
}

/// The entries that set a strategy free.
pub(super) fn release(strategy: &StrategyName, by: &str, at: Timestamp) -> [Entry; 2] {
    [
        Entry::Quarantine { strategy: strategy.clone(), strikes: 0, reason: None, at },
        Entry::Operator {
            action: OperatorAction::Unquarantine { strategy: strategy.clone() },
            by: by.to_owned(),
            at,
        },
    ]
}

impl LiveHost {
    fn line(&self, view: &model::OrderView, unresolved: &[model::OrderView]) -> OrderLine {
        OrderLine::new(view, unresolved.iter().any(|open| open.id == view.id))
    }

    fn account(&self) -> String {
        self.account.to_string()
    }
}

impl ControlHost for LiveHost {
    fn status(&self) -> Result<StatusView, ControlError> {
        let now = self.clock.now();
        let unresolved = self.desk.unresolved();
        let trading = self.desk.trading_state();
        let phase = phase(&self.sessions, now);
        let session = self.session.as_ref().map(|tell| tell(now));
        let no_session = session.as_ref().and_then(|session| session.reason.clone());
        let (rows, last_runs, alerts, waiting) = self.desk.with_journal(|journal| {
            let mut waiting = 0;
            for channel in &self.channels {
                waiting = waiting.max(journal.undelivered(channel, WAITING_MAX)?.len());
            }
            let alerts = journal.last_alerts(SHOWN)?;
            Ok::<_, journal::JournalError>((
                journal.quarantine()?,
                journal.last_runs(SHOWN)?,
                alerts,
                waiting,
            ))
        })?;
        Ok(StatusView {
            version: VERSION,
            source: Source::Host,
            account: self.account(),
            broker: self.broker.to_owned(),
            session,
            host: Some(HostView {
                pid: std::process::id(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                since: self.since,
                now,
                rehearsal: self.rehearsal,
            }),
            trading,
            not_trading: not_trading(self.desk.halted(), no_session, trading, &phase),
            phase: phase.ok(),
            next_task: (self.next_due)(now),
            calendar: calendar_view(&self.sessions, now),
            unresolved: unresolved.iter().map(|view| OrderLine::new(view, true)).collect(),
            versions: (self.versions)(now.ist_date()),
            strikes: strikes(rows),
            last_runs: last_runs.iter().map(RunLine::from).collect(),
            positions: self.desk.positions(now.ist_date()).len(),
            alerts_waiting: waiting,
            last_alerts: alerts.iter().map(AlertLine::from).collect(),
        })
    }

    fn orders(&self, query: &OrdersQuery) -> Result<OrdersView, ControlError> {
        let today = self.clock.now().ist_date();
        let day = query.day.unwrap_or(today);
        let unresolved = self.desk.unresolved();
        let orders = if query.unresolved {
            unresolved.iter().map(|view| OrderLine::new(view, true)).collect()
        } else if (0..=5).contains(&(today - day).num_days()) || day > today {
            let views = self.desk.account_orders(day);
            views.iter().map(|view| self.line(view, &unresolved)).collect()
        } else {
            // The desk forgets after a week; the journal does not.
            let entries = self.desk.with_journal(|journal| journal.replay(&self.account, day))?;
            fold::Folded::new(entries).orders(day)
        };
        Ok(OrdersView { version: VERSION, source: Source::Host, account: self.account(), day, orders })
    }

    fn trail(&self, order: &str) -> Result<TrailView, ControlError> {
        let known = self.desk.order(order);
        let id = known.as_ref().map_or(order, |view| view.id.as_str());
        let entries = match IntentId::parse(id) {
            Some(id) => self.desk.with_journal(|journal| journal.trail(id))?,
            None => Vec::new(),
        };
        trail_view(Source::Host, order, &entries, known.as_ref())
    }

    fn positions(&self) -> Result<PositionsView, ControlError> {
        let day = self.clock.now().ist_date();
        Ok(positions_view(Source::Host, self.account(), day, &self.desk.positions(day)))
    }

    fn runs(&self, query: &RunsQuery) -> Result<RunsView, ControlError> {
        let (runs, more) = self.desk.with_journal(|journal| runs(journal, query))?;
        Ok(RunsView { version: VERSION, source: Source::Host, account: self.account(), runs, more })
    }

    fn trading(&self) -> Result<TradingView, ControlError> {
        let trading = self.desk.trading_state();
        Ok(TradingView { version: VERSION, source: Source::Host, account: self.account(), trading })
    }

    fn set_trading(&self, state: TradingState, by: &str) -> Result<TradingView, ControlError> {
        self.desk.set_trading_state(state, by).map_err(denied)?;
        self.trading()
    }

    fn resolve(&self, order: OrderId, verdict: Verdict, by: &str) -> Result<OrderLine, ControlError> {
        let view = self.desk.resolve(order, verdict, by).map_err(denied)?;
        Ok(self.line(&view, &self.desk.unresolved()))
    }

    fn release(&self, strategy: &StrategyName, by: &str) -> Result<(), ControlError> {
        let at = self.clock.now();
        self.desk.with_journal(|journal| {
            let struck = journal.quarantine()?;
            if !struck.iter().any(|(name, _, _)| name == strategy) {
                return Err(ControlError::NotFound(format!("strategy `{strategy}` has no strikes")));
            }
            Ok(journal.commit(&release(strategy, by, at), Durability::Synced)?)
        })
    }
}

/// Positions for a reader.
pub(super) fn positions_view(
    source: Source,
    account: String,
    day: model::Date,
    positions: &[model::PositionView],
) -> PositionsView {
    PositionsView {
        version: VERSION,
        source,
        account,
        day,
        positions: positions.iter().map(PositionLine::from).collect(),
        cost: positions.iter().map(|view| view.position.cost).sum(),
    }
}

/// An order and its trail; from the entries alone when the desk does not know it any more.
pub(super) fn trail_view(
    source: Source,
    asked: &str,
    entries: &[journal::Recorded],
    known: Option<&model::OrderView>,
) -> Result<TrailView, ControlError> {
    let folded = fold::Folded::new(entries.to_vec());
    let intent = entries.iter().find_map(|recorded| match &recorded.entry {
        Entry::Intent(intent) => Some(intent),
        _ => None,
    });
    let state = intent.and_then(|intent| folded.order(intent.order().as_str()));
    let order = match (known, state) {
        (Some(view), state) => OrderLine::new(view, state.is_some_and(model::OrderState::is_unresolved)),
        (None, Some(state)) => fold::order_line(state),
        (None, None) => {
            return Err(ControlError::NotFound(format!(
                "there is no order {asked}: `tradeagent orders --day DATE` lists them"
            )));
        }
    };
    Ok(TrailView {
        version: VERSION,
        source,
        order,
        run: intent.map(|intent| intent.run.clone()),
        component: intent.map(|intent| intent.component.clone()),
        trail: fold::trail(entries),
    })
}
