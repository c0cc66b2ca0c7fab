//! A market order by API becomes a limit a little beyond the last price, which can rest (facts 5).

use model::{Instrument, Price, Side};

/// The limit that protects a market order: shares under 100 rupees 2 %, up to 500 1 %, above 0.5 %, on the
/// tick and within the day's band.
pub(crate) fn protected_limit(side: Side, last: Price, instrument: &Instrument) -> Price {
    let bps = match last.units() / model::price::UNITS_PER_RUPEE {
        ..100 => 200,
        100..=500 => 100,
        _ => 50,
    };
    let (low, high) = instrument.band;
    match side {
        Side::Buy => {
            let limit = instrument.tick.round_down(last.plus_bps(bps));
            if high.is_positive() { limit.min(high) } else { limit }
        }
        Side::Sell => instrument.tick.round_up(last.plus_bps(-bps)).max(low),
    }
}

#[cfg(test)]
mod tests {
    use model::{Exchange, Quantity, Series, Tick};

    use super::*;

    #[test]
    fn the_limit_is_a_little_beyond_the_price() {
        let price = |text: &str| text.parse::<Price>().expect("a price");
        let instrument = Instrument {
            symbol: "X".into(),
            exchange: Exchange::Nse,
            isin: String::new(),
            series: Series("EQ".to_owned()),
            tick: Tick::new(Price::from_paise(5)).expect("positive"),
            lot: Quantity::new(1),
            freeze: Quantity::ZERO,
            band: (price("45"), price("1000.40")),
            previous_close: price("50"),
            has_derivatives: false,
        };
        for (side, last, limit) in [
            (Side::Buy, "50", "51"),
            (Side::Sell, "50", "49"),
            (Side::Buy, "100", "101"),
            (Side::Buy, "500", "505"),
            (Side::Sell, "800", "796"),
            (Side::Buy, "1000", "1000.40"),
            (Side::Sell, "45.50", "45"),
        ] {
            assert_eq!(protected_limit(side, price(last), &instrument), price(limit), "{side} at {last}");
        }
    }
}
