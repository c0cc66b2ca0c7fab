//! The folder of daily bars, and the work that keeps it up to date before the buy strategy decides.

use std::collections::BTreeSet;
use std::path::PathBuf;

use calendar::Calendar;
use kotak_neo_broker::MarketSource;
use market::Dataset;
use market::live::{CloseReport, Listed, Readiness, UpdateOptions, UpdateProgress, UpdateReport};
use model::{Exchange, Symbol};
use serde::Serialize;

use super::{Connection, bars_of};
use crate::config::{Config, KotakNeoConfig};
use crate::exit::Failure;

/// The name of the task, and of the work it does.
pub const DATA_UPDATE: &str = "data-update";

/// Where bars are kept, and of which shares.
#[derive(Debug, Clone)]
pub struct DataFolder {
    /// The folder: `[data] dir`, or `data` in the state folder.
    pub dir: PathBuf,
    /// The shares that strategies see; none: every share that NSE lists.
    pub universe: Option<BTreeSet<Symbol>>,
    /// Daily bars wanted of each.
    pub bars: usize,
}

/// What an update did.
#[derive(Debug, Serialize)]
pub struct DataUpdate {
    /// From the broker's history.
    pub history: UpdateReport,
    /// The day's bars from quotes; none while no session of the day is over.
    pub close: Option<CloseReport>,
    /// What is there now.
    pub readiness: Option<Readiness>,
}

impl DataFolder {
    /// As the configuration has it.
    pub fn of(config: &Config, kotak: &KotakNeoConfig) -> Self {
        let granted: Vec<&Option<BTreeSet<Symbol>>> =
            config.strategies.values().map(|strategy| &strategy.grants.symbols).collect();
        // One strategy that may trade everything needs the bars of everything.
        let universe = granted
            .iter()
            .all(|symbols| symbols.is_some())
            .then(|| granted.into_iter().flatten().flatten().cloned().collect::<BTreeSet<Symbol>>());
        Self {
            dir: config.data.dir.clone().unwrap_or_else(|| config.state_dir.join("data")),
            universe: universe.filter(|symbols| !symbols.is_empty()),
            bars: kotak.history_bars as usize,
        }
    }

    pub(super) fn load(&self, calendar: &Calendar) -> Result<Dataset, Failure> {
        bars_of(&self.dir, calendar)
    }
}

impl Connection {
    /// The shares whose bars are kept, as the broker lists them today.
    fn listed(&self) -> Vec<Listed> {
        let directory = self.broker.directory();
        match &self.data.universe {
            Some(symbols) => symbols
                .iter()
                .map(|symbol| match directory.get(symbol) {
                    Some(listing) => Listed::from(&listing.instrument),
                    None => Listed::by_name(symbol.clone()),
                })
                .collect(),
            None => directory
                .instruments()
                .filter(|instrument| instrument.exchange == Exchange::Nse)
                .map(Listed::from)
                .collect(),
        }
    }

    /// Fills what is missing from the broker's history, and adds the day's bar from quotes when its session
    /// is over. Logs in when there is no session.
    ///
    /// # Errors
    /// In a sentence; what was read until then is kept.
    pub async fn run_update(
        &self,
        mut progress: impl FnMut(UpdateProgress<'_>) + Send,
    ) -> Result<DataUpdate, String> {
        self.prepare().await?;
        let shares = self.listed();
        let source = MarketSource::new(self.broker.clone());
        let calendar = &self.sessions.calendar;
        let options = UpdateOptions { bars: self.data.bars, ..UpdateOptions::default() };
        let close = self.close_of_the_day(&shares, &source).await?;
        let history = market::live::update(
            &self.data.dir,
            &shares,
            calendar,
            &source,
            self.clock.as_ref(),
            options,
            &mut progress,
        )
        .await
        .map_err(|error| error.to_string())?;
        self.reload();
        let symbols: Vec<Symbol> = shares.into_iter().map(|share| share.symbol).collect();
        let readiness = self.market.readiness(&symbols, self.clock.now());
        Ok(DataUpdate { history, close, readiness })
    }

    async fn close_of_the_day(
        &self,
        shares: &[Listed],
        source: &MarketSource,
    ) -> Result<Option<CloseReport>, String> {
        let now = self.clock.now();
        let (calendar, exchange) = (&self.sessions.calendar, self.sessions.exchange);
        let Ok(Some(session)) = calendar.session(exchange, now.ist_date()) else { return Ok(None) };
        if now < session.latest_end() {
            return Ok(None);
        }
        let clock = self.clock.as_ref();
        market::live::close(&self.data.dir, shares, session.date, calendar, source, clock)
            .await
            .map(Some)
            .map_err(|error| error.to_string())
    }

    /// The scheduled work: fails when the bars do not reach the last session, with the count.
    pub(super) async fn update_data(&self) -> Result<String, String> {
        let update = self.run_update(|_| {}).await?;
        let summary = update.summary();
        match &update.readiness {
            Some(readiness) if readiness.lacking() > 0 => Err(readiness.to_string()),
            _ => Ok(summary),
        }
    }
}

impl DataUpdate {
    /// In a sentence or two.
    pub fn summary(&self) -> String {
        let mut parts = vec![self.history.to_string()];
        parts.extend(self.close.as_ref().map(ToString::to_string));
        parts.extend(self.readiness.as_ref().map(ToString::to_string));
        parts.join(". ")
    }
}
