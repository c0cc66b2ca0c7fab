//! The broker's quotes and daily bars, as the live market wants them.

use kotak_neo::{Amount, CandleQuery, Instrument, Interval, Quote, QuoteFilter};
use market::live::{DailyBar, HistorySource, LiveQuote, QuoteSource, SourceError};
use model::time::SECOND;
use model::{BoxFuture, Date, Price, Symbol, Timestamp};

use crate::adapter::{KotakBroker, ReadFailure};
use crate::limits::{Busy, Turn};

/// The account's market data.
#[derive(Clone)]
pub struct MarketSource {
    broker: KotakBroker,
}

impl MarketSource {
    /// Over the account's session and limits.
    pub const fn new(broker: KotakBroker) -> Self {
        Self { broker }
    }
}

fn source_error(failure: ReadFailure) -> SourceError {
    match failure {
        ReadFailure::NoSession(why) => SourceError::SessionExpired(why),
        ReadFailure::Busy(Busy::Paused { .. }) => SourceError::RateLimited,
        ReadFailure::Busy(busy) => SourceError::Unavailable(busy.to_string()),
        ReadFailure::Call(error) if error.is_rate_limited() => SourceError::RateLimited,
        ReadFailure::Call(error) if error.is_session_expired() => {
            SourceError::SessionExpired(error.to_string())
        }
        ReadFailure::Call(error) if error.http().is_some_and(|http| (400..500).contains(&http)) => {
            SourceError::Refused(error.to_string())
        }
        ReadFailure::Call(error) => SourceError::Unavailable(error.to_string()),
    }
}

const fn price(amount: Amount) -> Price {
    Price::from_units(amount.units())
}

fn volume(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

impl HistorySource for MarketSource {
    fn daily<'a>(
        &'a self,
        symbol: &'a Symbol,
        from: Date,
        to: Date,
    ) -> BoxFuture<'a, Result<Vec<DailyBar>, SourceError>> {
        Box::pin(async move {
            let inner = &self.broker.inner;
            let Some(instrument) = inner.directory.load().get(symbol).map(|listing| listing.named()) else {
                return Err(SourceError::Refused(format!("{symbol} is not in today's scrip master")));
            };
            let query = CandleQuery { instrument, interval: Interval::Day, from, to };
            let candles = inner
                .read(Turn::Report, |session| {
                    let query = &query;
                    async move { session.client.candles(query).await }
                })
                .await
                .map_err(source_error)?;
            let bar = |candle: &kotak_neo::Candle| DailyBar {
                date: instant(candle.time).ist_date(),
                open: price(candle.open),
                high: price(candle.high),
                low: price(candle.low),
                close: price(candle.close),
                volume: volume(candle.volume),
            };
            Ok(candles.iter().map(bar).collect())
        })
    }
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds.saturating_mul(SECOND))
}

impl QuoteSource for MarketSource {
    fn quotes<'a>(&'a self, symbols: &'a [Symbol]) -> BoxFuture<'a, Result<Vec<LiveQuote>, SourceError>> {
        Box::pin(async move {
            let inner = &self.broker.inner;
            let directory = inner.directory.load_full();
            let known: Vec<(Symbol, Instrument)> = symbols
                .iter()
                .filter_map(|symbol| Some((symbol.clone(), directory.get(symbol)?.named())))
                .collect();
            if known.is_empty() {
                return Ok(Vec::new());
            }
            let instruments: Vec<Instrument> = known.iter().map(|(_, named)| named.clone()).collect();
            let quotes = inner
                .read(Turn::Quote, |session| {
                    let instruments = &instruments;
                    async move { session.client.quotes(instruments, QuoteFilter::All).await }
                })
                .await
                .map_err(source_error)?;
            let symbol_of = |quote: &Quote| {
                let same = |(_, named): &&(Symbol, Instrument)| {
                    named.token == quote.token
                        && quote.segment.as_ref().is_none_or(|segment| *segment == named.segment)
                };
                known.iter().find(same).map(|(symbol, _)| symbol.clone())
            };
            Ok(quotes.iter().filter_map(|quote| live(symbol_of(quote)?, quote)).collect())
        })
    }
}

/// A quote without a last price is none.
fn live(symbol: Symbol, quote: &Quote) -> Option<LiveQuote> {
    let of_day = |pick: fn(&kotak_neo::Ohlc) -> Option<Amount>| {
        quote.ohlc.as_ref().and_then(pick).map_or(Price::ZERO, price)
    };
    Some(LiveQuote {
        symbol,
        last: quote.last_price.map(price).filter(|last| last.is_positive())?,
        open: of_day(|day| day.open),
        high: of_day(|day| day.high),
        low: of_day(|day| day.low),
        previous_close: of_day(|day| day.close),
        volume: quote.volume.map_or(0, volume),
        exchange_time: quote.updated.map(instant),
    })
}
