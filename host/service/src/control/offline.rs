//! The same answers with the host down: from the journal, read-only; and what the operator may still
//! write into it, under the account lock.

use std::sync::Arc;

use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CancelCall, ModifyCall, NetPosition, PlaceCall,
    SendError,
};
use journal::{Durability, Entry, Journal, JournalError, OperatorAction, SqliteJournal, TradingState};
use model::clock::SharedClock;
use model::{
    BoxFuture, Date, Exchange, Funds, Holding, Instrument, IntentId, OrderId, Price, StrategyName, Symbol,
    Timestamp,
};
use oms::{ChargeRules, Desk, DeskConfig, MarketView, Verdict};

use super::ControlError;
use super::fold::Folded;
use super::live::{self, SHOWN, WAITING_MAX};
use super::views::{
    AlertLine, OrderLine, OrdersQuery, OrdersView, PositionsView, RunLine, RunsQuery, RunsView, Source,
    StatusView, TradingView, TrailView, VERSION,
};
use crate::config::Config;
use crate::exit::Failure;
use crate::lock::{AccountLock, LockError};
use crate::services::Sessions;

/// Days of orders that are read for a status.
const DAYS_BACK: u64 = 7;

/// A journal that no host writes.
pub struct Offline {
    config: Config,
    sessions: Sessions,
    journal: SqliteJournal,
    clock: SharedClock,
}

impl std::fmt::Debug for Offline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offline").field("journal", &self.journal.path()).finish_non_exhaustive()
    }
}

fn sessions(config: &Config) -> Result<Sessions, Failure> {
    Ok(Sessions { calendar: config.calendar()?, exchange: Exchange::Nse, amo: config.amo })
}

impl Offline {
    /// Opens the journal for reading; `None` when there is none yet.
    pub fn open(config: &Config, clock: SharedClock) -> Result<Option<Self>, Failure> {
        let path = config.journal_path();
        match std::fs::metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let error = anyhow::Error::from(error).context(format!("{} cannot be read", path.display()));
                return Err(Failure::from(error).hint("ask as the user that runs the host"));
            }
        }
        let journal = SqliteJournal::open_read_only(&path)?;
        Ok(Some(Self { config: config.clone(), sessions: sessions(config)?, journal, clock }))
    }

    fn account(&self) -> String {
        self.config.account.name.to_string()
    }

    fn fold(&self, since: Date) -> Result<Folded, ControlError> {
        Ok(Folded::new(self.journal.replay(&self.config.account.name, since)?))
    }

    fn recent(&self, today: Date) -> Date {
        today.checked_sub_days(chrono::Days::new(DAYS_BACK)).unwrap_or(today)
    }

    /// The day of a question that names none: that of the newest run where the journal is of another
    /// time than now (a rehearsal), else today.
    fn today(&self) -> Result<Date, ControlError> {
        let today = self.clock.now().ist_date();
        let last = self.journal.last_runs(1)?.first().map(|run| run.day);
        Ok(last.filter(|_| self.config.rehearsal.is_some()).unwrap_or(today))
    }

    /// What is going on.
    pub fn status(&self) -> Result<StatusView, ControlError> {
        let now = self.clock.now();
        let today = self.today()?;
        let folded = self.fold(self.recent(today))?;
        let trading = self.journal.trading_state()?;
        let phase = live::phase(&self.sessions, now);
        let mut waiting = 0;
        for channel in crate::notify::channels(&self.config.notify) {
            waiting = waiting.max(self.journal.undelivered(channel, WAITING_MAX)?.len());
        }
        let why = live::not_trading(None, None, trading, &phase)
            .unwrap_or_else(|| "no host runs; `tradeagent run` starts it".to_owned());
        Ok(StatusView {
            version: VERSION,
            source: Source::Journal,
            account: self.account(),
            broker: self.config.account.broker.as_str().to_owned(),
            session: None,
            host: None,
            trading,
            not_trading: Some(why),
            phase: phase.ok(),
            next_task: None,
            calendar: live::calendar_view(&self.sessions, now),
            unresolved: folded.unresolved(),
            versions: Vec::new(),
            strikes: live::strikes(self.journal.quarantine()?),
            last_runs: self.journal.last_runs(SHOWN)?.iter().map(RunLine::from).collect(),
            positions: folded.positions(today).len(),
            alerts_waiting: waiting,
            last_alerts: self.journal.last_alerts(SHOWN)?.iter().map(AlertLine::from).collect(),
        })
    }

    /// Orders of a day, and those that still work.
    pub fn orders(&self, query: &OrdersQuery) -> Result<OrdersView, ControlError> {
        let day = match query.day {
            Some(day) => day,
            None => self.today()?,
        };
        let folded = self.fold(day)?;
        let orders = if query.unresolved { folded.unresolved() } else { folded.orders(day) };
        Ok(OrdersView { version: VERSION, source: Source::Journal, account: self.account(), day, orders })
    }

    /// One order with everything that is known about it.
    pub fn trail(&self, order: &str) -> Result<TrailView, ControlError> {
        let id = match IntentId::parse(order) {
            Some(id) => Some(id),
            None => self.fold(self.recent(self.today()?))?.order(order).map(|order| order.id),
        };
        let entries = id.map_or_else(|| Ok(Vec::new()), |id| self.journal.trail(id))?;
        live::trail_view(Source::Journal, order, &entries, None)
    }

    /// What the system owns.
    pub fn positions(&self) -> Result<PositionsView, ControlError> {
        let day = self.today()?;
        Ok(live::positions_view(Source::Journal, self.account(), day, &self.fold(day)?.positions(day)))
    }

    /// Runs.
    pub fn runs(&self, query: &RunsQuery) -> Result<RunsView, ControlError> {
        let (runs, more) = live::runs(&self.journal, query)?;
        Ok(RunsView { version: VERSION, source: Source::Journal, account: self.account(), runs, more })
    }

    /// What may be done.
    pub fn trading(&self) -> Result<TradingView, ControlError> {
        let trading = self.journal.trading_state()?;
        Ok(TradingView { version: VERSION, source: Source::Journal, account: self.account(), trading })
    }
}

/// The journal, open for the operator's entry while the account lock keeps a host from starting.
pub struct Writer {
    config: Config,
    sessions: Sessions,
    clock: SharedClock,
    journal: SqliteJournal,
    // Given up after the journal.
    _lock: AccountLock,
}

impl Writer {
    /// Takes the account lock and opens the journal, which is made when there is none: a switch that is
    /// set before the first start holds for it.
    pub fn open(config: &Config, what: &str, clock: SharedClock) -> Result<Self, Failure> {
        let lock = AccountLock::acquire(&config.lock_dir, &config.account.name, what, clock.now());
        let lock = lock.map_err(|error| {
            let held = matches!(error, LockError::Held { .. });
            let failure = Failure::from(error);
            if held {
                failure.hint("that host does not answer on its socket: end its process, then ask again")
            } else {
                failure
            }
        })?;
        std::fs::create_dir_all(&config.state_dir).map_err(|error| {
            anyhow::Error::from(error).context(format!("{} cannot be made", config.state_dir.display()))
        })?;
        let journal = SqliteJournal::open(config.journal_path())?;
        Ok(Self { config: config.clone(), sessions: sessions(config)?, clock, journal, _lock: lock })
    }

    /// Sets what may be done.
    pub fn set_trading(&mut self, state: TradingState, by: &str) -> Result<TradingView, JournalError> {
        let action = OperatorAction::SetTrading { state };
        let entry = Entry::Operator { action, by: by.to_owned(), at: self.clock.now() };
        self.journal.commit(&[entry], Durability::Synced)?;
        let account = self.config.account.name.to_string();
        Ok(TradingView { version: VERSION, source: Source::Journal, account, trading: state })
    }

    /// Sets a strategy free.
    pub fn release(&mut self, strategy: &StrategyName, by: &str) -> Result<(), ControlError> {
        if !self.journal.quarantine()?.iter().any(|(name, _, _)| name == strategy) {
            return Err(ControlError::NotFound(format!("strategy `{strategy}` has no strikes")));
        }
        Ok(self.journal.commit(&live::release(strategy, by, self.clock.now()), Durability::Synced)?)
    }

    /// Takes the operator's word on an unresolved order, by the desk's own rules: a desk stands up on the
    /// journal for this one entry, with a broker that answers nothing.
    pub fn resolve(self, order: OrderId, verdict: Verdict, by: &str) -> Result<OrderLine, Failure> {
        let mut rules = DeskConfig::new(self.config.account.name.clone());
        rules.limits = self.config.limits.clone();
        rules.charges = Some(ChargeRules {
            schedule: model::charges::ChargeSchedule::bundled(),
            tariff: self.config.account.tariff.clone(),
        });
        let view = Arc::new(CalendarOnly(self.sessions));
        let desk = Desk::open(rules, Box::new(self.journal), Arc::new(NoBroker), self.clock, view)
            .map_err(|error| Failure::from(anyhow::Error::from(error)))?;
        let view = desk.resolve(order, verdict, by).map_err(|error| {
            Failure::general(anyhow::anyhow!("{error}"))
                .hint("`tradeagent orders --unresolved` lists what is open")
        })?;
        let open = desk.unresolved().iter().any(|open| open.id == view.id);
        Ok(OrderLine::new(&view, open))
    }
}

/// What a desk needs of the calendar; there are no prices.
pub(super) struct CalendarOnly(pub(super) Sessions);

impl MarketView for CalendarOnly {
    fn last_price(&self, _symbol: &Symbol) -> Option<Price> {
        None
    }

    fn instrument(&self, _symbol: &Symbol) -> Option<Instrument> {
        None
    }

    fn settlement_date(&self, trade: Date) -> Date {
        self.0.calendar.settlement_date(self.0.exchange, trade).unwrap_or(Date::MAX)
    }

    fn session_for(&self, _amo: bool, _now: Timestamp) -> Result<Date, (String, String)> {
        Err(("closed".to_owned(), DOWN.to_owned()))
    }
}

/// No broker: the host is down. Nothing is ever sent here.
pub(super) struct NoBroker;

const DOWN: &str = "the host is down";

fn nothing<T: Send + 'static>() -> BoxFuture<'static, Result<T, CallError>> {
    Box::pin(std::future::ready(Err(CallError::Unavailable(DOWN.to_owned()))))
}

fn refused() -> BoxFuture<'static, Result<Ack, SendError>> {
    let refusal = SendError::Refused { code: "host-down".to_owned(), reason: DOWN.to_owned() };
    Box::pin(std::future::ready(Err(refusal)))
}

impl Broker for NoBroker {
    fn place(&self, _call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        refused()
    }
    fn modify(&self, _call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        refused()
    }
    fn cancel(&self, _call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        refused()
    }
    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        nothing()
    }
    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        nothing()
    }
    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        nothing()
    }
    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        nothing()
    }
    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        nothing()
    }
}
