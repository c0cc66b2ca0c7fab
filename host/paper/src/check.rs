//! What an order is checked for, in the order in which an exchange would.

use calendar::Phase;
use model::{
    Date, Instrument, InstrumentClass, OrderTerms, OrderType, Price, Product, Quantity, Side, Timestamp,
    Validity,
};

use crate::exchange::Exchange;
use crate::refusal::Refusal;

/// Form, lot, freeze, tick; and the day's band where it is known.
pub(crate) fn terms(terms: &OrderTerms, instrument: &Instrument, band: bool) -> Result<(), Refusal> {
    form(terms, instrument)?;
    let (quantity, lot, freeze) = (terms.quantity, instrument.lot, instrument.freeze);
    if quantity.is_zero() {
        return Err(Refusal::Quantity(quantity, "an order is for at least one share"));
    }
    if lot.get() > 1 && quantity.get() % lot.get() != 0 {
        return Err(Refusal::Lot { quantity, lot });
    }
    if !freeze.is_zero() && quantity > freeze {
        return Err(Refusal::Freeze { quantity, freeze });
    }
    let limit = terms.price.is_positive().then_some(terms.price);
    for price in limit.into_iter().chain(terms.trigger) {
        if !instrument.tick.allows(price) {
            return Err(Refusal::Tick { price, tick: instrument.tick });
        }
        let (low, high) = instrument.band;
        if band && !(low <= price && price <= high) {
            return Err(Refusal::Band { price, low, high });
        }
    }
    Ok(())
}

fn form(terms: &OrderTerms, instrument: &Instrument) -> Result<(), Refusal> {
    let has_limit = matches!(terms.order_type, OrderType::Limit | OrderType::StopLimit);
    let is_stop = matches!(terms.order_type, OrderType::StopLimit | OrderType::StopMarket);
    let wrong = match terms.trigger {
        _ if has_limit && !terms.price.is_positive() => Some("a limit order needs a price above zero"),
        _ if !has_limit && !terms.price.is_zero() => Some("a market order has no price: send zero"),
        None if is_stop => Some("a stop order needs a trigger"),
        Some(_) if !is_stop => Some("only stop orders have a trigger"),
        Some(trigger) if !trigger.is_positive() => Some("a trigger is above zero"),
        Some(_) if terms.validity == Validity::Ioc => {
            Some("a stop order stands for the day: it cannot be immediate")
        }
        Some(trigger) if has_limit && terms.side == Side::Buy && trigger > terms.price => {
            Some("the limit of a stop buy is not below its trigger")
        }
        Some(trigger) if has_limit && terms.side == Side::Sell && trigger < terms.price => {
            Some("the limit of a stop sale is not above its trigger")
        }
        _ if terms.product == Product::Intraday && instrument.series.is_trade_to_trade() => {
            Some("trade-to-trade shares are for delivery only")
        }
        _ if terms.product == Product::Intraday && terms.amo => {
            Some("after-market orders are for delivery only")
        }
        _ => None,
    };
    wrong.map_or(Ok(()), |why| Err(Refusal::Price(why)))
}

/// The price that a market order is protected at, and its block counted at: the far end of the band.
pub(crate) fn market_basis(terms: &OrderTerms, instrument: &Instrument) -> Price {
    let (low, high) = instrument.band;
    match terms.side {
        Side::Buy if high.is_positive() => high,
        Side::Buy => instrument.previous_close.plus_bps(2_000),
        Side::Sell => low,
    }
}

impl Exchange {
    /// Shares to sell are there, and may be sold on `session`.
    pub(crate) fn check_shares(
        &self,
        terms: &OrderTerms,
        left: Quantity,
        instrument: &Instrument,
        session: Date,
        except: Option<usize>,
    ) -> Result<(), Refusal> {
        if terms.side == Side::Buy {
            return Ok(());
        }
        let taken = self.in_sells(&terms.symbol, terms.product, except);
        let free = self.shares.owned(&terms.symbol, terms.product).saturating_sub(taken);
        if left > free {
            return Err(Refusal::Holdings { symbol: terms.symbol.clone(), wanted: left, free });
        }
        let credited = self.shares.settled(&terms.symbol, terms.product, session).saturating_sub(taken);
        if instrument.series.is_trade_to_trade() && left > credited {
            return Err(Refusal::TradeToTrade { symbol: terms.symbol.clone(), wanted: left, free: credited });
        }
        Ok(())
    }

    /// A queued order meets the rules of its session.
    pub(crate) fn judge_release(&self, terms: &OrderTerms, date: Date) -> Result<InstrumentClass, Refusal> {
        let symbol = &terms.symbol;
        let instrument =
            self.source.instrument_on(symbol, date).ok_or_else(|| Refusal::Symbol(symbol.clone()))?;
        self::terms(terms, &instrument, true)?;
        // The order itself has left the queue, so it is not counted against itself.
        self.check_shares(terms, terms.quantity, &instrument, date, None)?;
        self.needs(terms.side, terms.product, terms.value(instrument.previous_close), date)?;
        Ok(instrument.class())
    }

    /// Continuous trading of the class, or a refusal that names the phase.
    pub(crate) fn check_phase(
        &self,
        what: &'static str,
        class: InstrumentClass,
        now: Timestamp,
    ) -> Result<Date, Refusal> {
        let session = self
            .calendar
            .session(self.config.exchange, now.ist_date())
            .map_err(|error| Refusal::Calendar(error.to_string()))?;
        let phase = session.as_ref().map_or(Phase::Closed, |session| session.phase_at(class, now));
        match (phase, session) {
            (Phase::Continuous, Some(session)) => Ok(session.date),
            (phase, _) => Err(Refusal::Phase { what, phase: phase.to_string(), hint: hint(phase) }),
        }
    }

    /// The session that an after-market order placed now waits for.
    pub(crate) fn check_amo(&self, now: Timestamp) -> Result<Date, Refusal> {
        self.calendar
            .amo_session(self.config.exchange, now, self.config.amo_window)
            .map_err(|error| Refusal::AmoWindow(error.to_string()))
    }
}

const fn hint(phase: Phase) -> &'static str {
    match phase {
        Phase::PreOpen | Phase::PreOpenLimitOnly | Phase::PreOpenMatching | Phase::PreOpenBuffer => {
            "pre-open orders are not modelled by this paper exchange; wait for continuous trading"
        }
        Phase::PostClose => {
            "post-close orders are not modelled by this paper exchange; place an after-market order"
        }
        Phase::ClosingAuctionReference
        | Phase::ClosingAuctionEntry
        | Phase::ClosingAuctionLimitOnly
        | Phase::ClosingAuctionMatching => {
            "orders of continuous trading are carried into the closing auction, others are not modelled"
        }
        Phase::Closed | Phase::Continuous => {
            "wait for continuous trading, or place an after-market order in its window"
        }
    }
}
