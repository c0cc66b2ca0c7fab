//! At which price and how many.

use tradeagent_sdk::buy::market::Instrument;
use tradeagent_sdk::price::{round_down, scale};

use crate::screen::Candidate;
use crate::settings::Settings;

/// A limit order to place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub price: i64,
    pub quantity: u32,
}

/// Why there is no order for a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unsized {
    /// The limit would not be in the next session's band.
    Band,
    /// One lot costs more than `capital_per_position`.
    Capital,
    /// The liquidity share is less than one lot, or than `order_value_min`.
    Liquidity,
    /// The free cash is less than that.
    Cash,
}

/// The limit: the close and `limit_above_close`, down to the tick, inside the next session's band.
///
/// The next band is not published when we ask. It is measured from today's close with the widths of today's
/// band, which is measured from the previous close: `close x band_high / previous_close`. An instrument
/// without a band is not bound.
pub fn limit(close: i64, instrument: &Instrument, settings: &Settings) -> Option<i64> {
    let wanted = settings.limit_above_close.above(close);
    let previous = instrument.previous_close;
    let bound = previous > 0 && instrument.band_high > 0;
    let highest = if bound { scale(close, instrument.band_high, previous) } else { wanted };
    let lowest = if bound { scale(close, instrument.band_low, previous) } else { 0 };
    let price = round_down(wanted.min(highest), instrument.tick);
    (price > 0 && price >= lowest).then_some(price)
}

/// Price and quantity for a candidate with `cash` left.
///
/// # Errors
/// Why there is no order.
pub fn terms(
    candidate: &Candidate,
    instrument: &Instrument,
    cash: i64,
    settings: &Settings,
) -> Result<Terms, Unsized> {
    let price = limit(candidate.close, instrument, settings).ok_or(Unsized::Band)?;
    let lot = i64::from(instrument.lot.max(1));
    let whole_lots = |shares: i64| shares.max(0) / lot * lot;

    let by_capital = whole_lots(settings.capital.0 / price);
    if by_capital == 0 {
        return Err(Unsized::Capital);
    }
    let volume = i64::try_from(candidate.volume).unwrap_or(i64::MAX);
    let by_liquidity = whole_lots(settings.liquidity_at(candidate.close).of(volume));
    if by_liquidity == 0 || by_liquidity.saturating_mul(price) < settings.order_value_min.0 {
        return Err(Unsized::Liquidity);
    }
    // What one share takes, charges included.
    let by_cash = whole_lots(cash / settings.cash_buffer.above(price).max(1));
    if by_cash == 0 || by_cash.saturating_mul(price) < settings.order_value_min.0 {
        return Err(Unsized::Cash);
    }
    let mut quantity = by_capital.min(by_liquidity).min(by_cash);
    if instrument.freeze > 0 {
        quantity = quantity.min(whole_lots(i64::from(instrument.freeze)));
    }
    match u32::try_from(quantity) {
        Ok(quantity) if quantity > 0 => Ok(Terms { price, quantity }),
        _ => Err(Unsized::Liquidity),
    }
}

/// What an order takes of the cash, charges included.
pub fn cost(terms: Terms, settings: &Settings) -> i64 {
    settings.cash_buffer.above(terms.price.saturating_mul(i64::from(terms.quantity)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradeagent_sdk::params::Params;
    use tradeagent_sdk::price::RUPEE;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Settings::from_params(Params::from_pairs(pairs)).expect("good parameters")
    }

    /// A lakh for each position, and no order under 5,000 rupees.
    const LAKH: [(&str, &str); 2] = [("capital_per_position", "100000"), ("order_value_min", "5000")];

    /// Previous close 100, band 20 per cent, tick 0.05.
    fn instrument() -> Instrument {
        Instrument {
            symbol: "X".to_owned(),
            exchange: "NSE".to_owned(),
            isin: String::new(),
            series: "EQ".to_owned(),
            tick: 500,
            lot: 1,
            freeze: 0,
            band_low: 80 * RUPEE,
            band_high: 120 * RUPEE,
            previous_close: 100 * RUPEE,
            trade_to_trade: false,
            has_derivatives: false,
            extras: Vec::new(),
        }
    }

    fn candidate(close: i64, volume: u64) -> Candidate {
        Candidate { symbol: "X".to_owned(), close, rsi: 20.0, above_trend: true, volume, turnover: 0 }
    }

    #[test]
    fn the_limit_is_a_percent_up_and_down_to_the_tick() {
        assert_eq!(limit(1_234_500, &instrument(), &settings(&[])), Some(1_246_500));
    }

    #[test]
    fn the_limit_stays_inside_the_band_that_the_close_implies() {
        let narrow = Instrument { band_low: 995_000, band_high: 1_005_000, ..instrument() };
        // Half a per cent above 110 rupees is 110.55.
        assert_eq!(limit(110 * RUPEE, &narrow, &settings(&[])), Some(1_105_500));
        let unbound = Instrument { band_low: 0, band_high: 0, ..instrument() };
        assert_eq!(limit(110 * RUPEE, &unbound, &settings(&[])), Some(1_111_000));
        // A tick that is wider than the band leaves no valid price.
        let coarse = Instrument { tick: 20 * RUPEE, ..narrow };
        assert_eq!(limit(110 * RUPEE, &coarse, &settings(&[])), None);
    }

    #[test]
    fn the_least_of_capital_liquidity_and_cash_counts() {
        let cash = 1_000_000 * RUPEE;
        let quantity = |close: i64, volume, cash| {
            terms(&candidate(close * RUPEE, volume), &instrument(), cash, &settings(&LAKH))
                .map(|it| it.quantity)
        };
        assert_eq!(quantity(100, 1_000_000, cash), Ok(990), "100,000 / 101");
        assert_eq!(quantity(100, 1_000, cash), Ok(200), "20 % of the volume");
        assert_eq!(quantity(600, 1_000, cash), Ok(100), "10 %");
        assert_eq!(quantity(1_000, 1_000, cash), Ok(50), "5 %");
        assert_eq!(quantity(5_000, 800, cash), Ok(16), "2 %");
        assert_eq!(quantity(100, 1_000_000, 10_201 * RUPEE), Ok(100), "101 and one per cent a share");
        assert_eq!(quantity(100, 1_000_000, 4_000 * RUPEE), Err(Unsized::Cash));
        assert_eq!(quantity(100, 100, cash), Err(Unsized::Liquidity));
        assert_eq!(quantity(130_000, 1_000_000, cash), Err(Unsized::Capital));
    }

    #[test]
    fn an_order_is_no_larger_than_the_freeze_quantity_and_whole_lots() {
        let odd = Instrument { freeze: 500, lot: 75, ..instrument() };
        let cash = 1_000_000 * RUPEE;
        let got = terms(&candidate(100 * RUPEE, 1_000_000), &odd, cash, &settings(&LAKH));
        assert_eq!(got.map(|it| it.quantity), Ok(450));
    }
}
