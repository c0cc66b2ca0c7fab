//! Who asks the source, when, and for whom.

use model::{Symbol, Timestamp};

use super::{LiveMarket, lock};
use crate::live::flight::Landing;
use crate::live::freshness::Moment;
use crate::live::port::{QUOTES_MAX, SourceError};

/// Who waits for a request that was given up asks again himself, so many times.
const ATTEMPTS_MAX: usize = 3;

impl LiveMarket {
    /// Keeps the quotes of these fresh, whoever asks: positions and open orders. Replaces what was pinned.
    pub fn watch(&self, symbols: impl IntoIterator<Item = Symbol>) {
        lock(&self.watch).pin(symbols);
    }

    /// Whose quotes are to be asked for at `now`: what is pinned, the pulse, and what was asked for lately,
    /// where the last answer is `poll_seconds` old; after the end of a session, everything watched once more.
    /// The longest unanswered come first. For a poller: `refresh(&due(now))`, again and again.
    pub fn due(&self, now: Timestamp) -> Vec<Symbol> {
        let mut watched = lock(&self.watch).watched(now, self.options.remember_minutes);
        let pulse: Vec<Symbol> =
            self.options.pulse.iter().filter(|symbol| !watched.contains(symbol)).cloned().collect();
        watched.extend(pulse);
        let quotes = lock(&self.quotes);
        let mut due: Vec<(Option<Timestamp>, Symbol)> = watched
            .into_iter()
            .map(|symbol| (quotes.answered_at(&symbol), symbol))
            .filter(|(answered, symbol)| match self.moment(symbol, now) {
                Some(Moment::Trading { .. }) => is_older(*answered, now, self.options.poll_seconds),
                Some(Moment::Rest(last)) => {
                    last.date == now.ist_date() && answered.is_none_or(|at| at < last.end)
                }
                None => false,
            })
            .collect();
        due.sort_by_key(|(answered, _)| *answered);
        due.into_iter().map(|(_, symbol)| symbol).collect()
    }

    /// Asks for the quotes of `symbols` now, 50 a request. Who asks for what is being asked for already waits
    /// for that answer. Pulse symbols that are due ride along.
    ///
    /// # Errors
    /// The first error of the source; quotes that came before it are kept.
    pub async fn refresh(&self, symbols: &[Symbol]) -> Result<(), SourceError> {
        let mut wanted = symbols.to_vec();
        for _ in 0..ATTEMPTS_MAX {
            let (pilot, others) = self.flights.board(&wanted);
            if let Some(pilot) = pilot {
                let result = self.fetch(pilot.symbols()).await;
                pilot.land(result.clone());
                result?;
            }
            wanted.clear();
            for mut passenger in others {
                match (&mut passenger).await {
                    Landing::Answered(result) => result?,
                    Landing::Abandoned => wanted.append(&mut passenger.symbols),
                }
            }
            if wanted.is_empty() {
                return Ok(());
            }
        }
        Err(SourceError::Unavailable("whoever asked for the same quotes gave up, again and again".into()))
    }

    /// Makes sure that [`crate::Market::quote`] of `symbol` has a quote to judge: asks the source when the one kept is
    /// older than `on_demand_seconds`, or does not do outside the session.
    ///
    /// # Errors
    /// The source's; the quote kept before may still be fresh enough.
    pub async fn ensure_fresh(&self, symbol: &Symbol) -> Result<(), SourceError> {
        let now = self.clock.now();
        lock(&self.watch).note(symbol, now);
        let answered = lock(&self.quotes).answered_at(symbol);
        if !is_older(answered, now, self.options.on_demand_seconds) {
            return Ok(());
        }
        let is_resting = matches!(self.moment(symbol, now), Some(Moment::Rest(_)));
        if is_resting && self.quote_at(symbol, now).is_ok() {
            return Ok(());
        }
        self.refresh(std::slice::from_ref(symbol)).await
    }

    async fn fetch(&self, symbols: &[Symbol]) -> Result<(), SourceError> {
        let mut symbols = symbols.to_vec();
        let now = self.clock.now();
        let pulse: Vec<Symbol> = {
            let quotes = lock(&self.quotes);
            let is_due = |symbol: &&Symbol| {
                !symbols.contains(symbol)
                    && is_older(quotes.answered_at(symbol), now, self.options.poll_seconds)
            };
            self.options.pulse.iter().filter(is_due).cloned().collect()
        };
        // Only into a request that has room: the pulse must not cost one of its own.
        let room = symbols.len().next_multiple_of(QUOTES_MAX) - symbols.len();
        symbols.extend(pulse.into_iter().take(room));
        for batch in symbols.chunks(QUOTES_MAX) {
            let asked_at = self.clock.now();
            let answer = match self.source.quotes(batch).await {
                Ok(answer) => answer,
                Err(SourceError::NoData) => Vec::new(),
                Err(error) => return Err(error),
            };
            lock(&self.quotes).take(batch, answer, asked_at);
        }
        Ok(())
    }
}

fn is_older(answered: Option<Timestamp>, now: Timestamp, seconds: i64) -> bool {
    answered.is_none_or(|at| now.nanos_since(at) >= seconds * model::time::SECOND)
}
