//! `market`: what can be known of prices and sessions now.

use model::ReadError;

use super::{Host, answer, answer_list};
use crate::bindings::tradeagent::strategy::{market, types};

/// The most bars of one symbol in one call, as the contract says.
const BARS_MAX: u32 = 5_000;

impl market::Host for Host {
    fn get_instruments(
        &mut self,
        filter: market::InstrumentFilter,
    ) -> wasmtime::Result<Result<Vec<market::Instrument>, types::ReadError>> {
        self.enter()?;
        answer_list(self.services.instruments(&filter.into()))
    }

    fn get_instrument(
        &mut self,
        symbol: String,
    ) -> wasmtime::Result<Result<market::Instrument, types::ReadError>> {
        self.enter()?;
        answer(self.services.instrument(&symbol.into()))
    }

    async fn get_quote(
        &mut self,
        symbol: String,
    ) -> wasmtime::Result<Result<market::Quote, types::ReadError>> {
        self.enter()?;
        answer(self.services.quote(&symbol.into()).await)
    }

    fn get_candles(
        &mut self,
        symbols: Vec<String>,
        interval: market::Interval,
        n: u32,
    ) -> wasmtime::Result<Result<Vec<market::Candles>, types::ReadError>> {
        self.enter()?;
        let limit = self.limits.candle_bars;
        if n == 0 || n > BARS_MAX {
            return answer::<Vec<market::Candles>, _, _, _>(Err(ReadError::Denied(format!(
                "{n} bars a symbol were asked for; 1 to {BARS_MAX} can be"
            ))));
        }
        if symbols.len().saturating_mul(n as usize) > limit {
            return answer::<Vec<market::Candles>, _, _, _>(Err(ReadError::Denied(format!(
                "{} symbols with {n} bars each are more than the {limit} bars of one call: ask for fewer symbols at a time",
                symbols.len()
            ))));
        }
        let symbols: Vec<model::Symbol> = symbols.into_iter().map(Into::into).collect();
        answer_list(self.services.candles(&symbols, interval.into(), n))
    }

    fn get_session(&mut self) -> wasmtime::Result<Result<market::Session, types::ReadError>> {
        self.enter()?;
        answer(self.services.session(self.origin()))
    }
}
