//! What a trade costs beyond its price: taxes, exchange and depository fees, brokerage.
//!
//! Statutory rates are data, dated and versioned ([`ChargeSchedule`]); what the broker takes is the
//! operator's configuration ([`Tariff`]). Every item is rounded half up to the paisa for itself, as on a
//! contract note; STT, which a note rounds to the rupee per day and scrip, is kept to the paisa here, so
//! that a fill can be accounted for alone.
//!
//! GST is on brokerage, exchange charge, SEBI fee and DP charge; not on STT and stamp duty.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::instrument::Exchange;
use crate::order::{Product, Side};
use crate::price::Money;
use crate::time::Date;

/// A share of a value, in parts per billion (`0.1 %` is 1,000,000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(i64);

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From parts per billion; `None` when negative or above one.
    pub const fn from_ppb(ppb: i64) -> Option<Self> {
        if ppb >= 0 && ppb <= 1_000_000_000 { Some(Self(ppb)) } else { None }
    }

    /// In parts per billion.
    pub const fn ppb(self) -> i64 {
        self.0
    }

    /// This share of `value`, rounded half up to the paisa.
    pub fn of(self, value: Money) -> Money {
        // One rounding, not two: straight to paise, in 128 bits.
        let product = i128::from(value.units()) * i128::from(self.0);
        let per_paisa = 1_000_000_000 * i128::from(crate::price::UNITS_PER_PAISA);
        let half = per_paisa / 2 * product.signum();
        Money::from_paise(((product + half) / per_paisa) as i64)
    }
}

/// The statutory rates of one exchange from one day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// Where.
    pub exchange: Exchange,
    /// The first day they hold.
    pub from: Date,
    /// Securities transaction tax on a delivery buy and on a delivery sale.
    pub stt_delivery: Rate,
    /// Securities transaction tax on an intraday sale.
    pub stt_intraday_sale: Rate,
    /// The exchange's transaction charge, with its investor protection fund's (IPFT).
    pub exchange_charge: Rate,
    /// SEBI's turnover fee.
    pub sebi: Rate,
    /// Stamp duty on a delivery buy.
    pub stamp_delivery_buy: Rate,
    /// Stamp duty on an intraday buy.
    pub stamp_intraday_buy: Rate,
    /// GST on services.
    pub gst: Rate,
}

/// Dated rates, with a version to write next to figures that were made by them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeSchedule {
    /// Names the edition of the table.
    pub version: String,
    /// In any order; of those of an exchange the latest that has begun holds.
    pub rates: Vec<Rates>,
}

/// Why charges cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChargeError {
    /// The table begins later.
    #[error(
        "charge table {version} knows no {exchange} rates for {day}: add a row that begins on or before that day"
    )]
    NoRates {
        /// The table.
        version: String,
        /// Where.
        exchange: Exchange,
        /// When.
        day: Date,
    },
}

/// What the broker takes on executed value: a share of it within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// The share.
    pub rate: Rate,
    /// At least this, on every fill of a value above zero.
    #[serde(default)]
    pub min: Money,
    /// At most this; none: no cap.
    #[serde(default)]
    pub max: Option<Money>,
}

impl Fee {
    /// No fee.
    pub const NONE: Self = Self { rate: Rate::ZERO, min: Money::ZERO, max: None };

    fn of(&self, value: Money) -> Money {
        let fee = self.rate.of(value).max(self.min);
        self.max.map_or(fee, |max| fee.min(max))
    }
}

/// What the broker takes: configured, since it differs by broker and plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// Its name, for reports.
    pub name: String,
    /// Brokerage on delivery.
    pub delivery: Fee,
    /// Brokerage on intraday.
    pub intraday: Fee,
    /// Depository charge, once per scrip and day on a delivery sale, before GST.
    pub dp: Fee,
}

impl Default for Tariff {
    fn default() -> Self {
        Self::none_brokerage()
    }
}

impl Tariff {
    /// The default: no brokerage and no depository charge, only what the state and the exchange take.
    /// It flatters every real account: configure the broker's plan before trusting a profit.
    pub fn none_brokerage() -> Self {
        Self { name: "none".to_owned(), delivery: Fee::NONE, intraday: Fee::NONE, dp: Fee::NONE }
    }

    /// Kotak Securities "Trade Free": 0.25 % on delivery, nothing on intraday, DP 0.04 % and at least
    /// Rs 20 (the broker's public pages, 2026).
    pub fn kotak_trade_free() -> Self {
        Self {
            name: "kotak-trade-free".to_owned(),
            delivery: Fee { rate: Rate(2_500_000), ..Fee::NONE },
            intraday: Fee::NONE,
            dp: Fee { rate: Rate(400_000), min: Money::from_rupees(20), max: None },
        }
    }
}

/// An executed trade, as far as charges depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deal {
    /// Where.
    pub exchange: Exchange,
    /// The session.
    pub day: Date,
    /// Delivery or intraday, as the order said.
    pub product: Product,
    /// Buy or sell.
    pub side: Side,
    /// Quantity times price.
    pub value: Money,
    /// No delivery sale of this scrip came before it on this day: the DP charge falls on it.
    pub first_sale_of_day: bool,
}

/// The charges of one trade, each to the paisa.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Charges {
    /// Securities transaction tax.
    pub stt: Money,
    /// Exchange transaction charge with IPFT.
    pub exchange: Money,
    /// SEBI turnover fee.
    pub sebi: Money,
    /// Stamp duty.
    pub stamp: Money,
    /// Goods and services tax.
    pub gst: Money,
    /// Depository charge.
    pub dp: Money,
    /// Brokerage.
    pub brokerage: Money,
}

impl Charges {
    /// The sum of all.
    pub fn total(&self) -> Money {
        self.by_kind().iter().map(|(_, amount)| *amount).sum()
    }

    /// Each with its name, in the order of a contract note.
    pub const fn by_kind(&self) -> [(&'static str, Money); 7] {
        [
            ("brokerage", self.brokerage),
            ("stt", self.stt),
            ("exchange", self.exchange),
            ("sebi", self.sebi),
            ("stamp", self.stamp),
            ("gst", self.gst),
            ("dp", self.dp),
        ]
    }
}

impl std::ops::AddAssign for Charges {
    fn add_assign(&mut self, other: Self) {
        self.stt += other.stt;
        self.exchange += other.exchange;
        self.sebi += other.sebi;
        self.stamp += other.stamp;
        self.gst += other.gst;
        self.dp += other.dp;
        self.brokerage += other.brokerage;
    }
}

impl fmt::Display for Charges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.total())?;
        for (name, amount) in self.by_kind() {
            if !amount.is_zero() {
                write!(f, " {name} {amount}")?;
            }
        }
        Ok(())
    }
}

impl ChargeSchedule {
    /// The table that comes with this version: NSE from 2024-10-01, with the split of 2026-03-01
    /// (NSE/FA/73061: same total), and BSE groups A and B. STT and stamp duty are unchanged in it
    /// (Finance Act 2026 left equity alone; stamp duty stands since 2020-07-01).
    pub fn bundled() -> Self {
        let rates = |exchange, from: (i32, u32, u32), exchange_charge| Rates {
            exchange,
            from: NaiveDate::from_ymd_opt(from.0, from.1, from.2).expect("a constant date"),
            stt_delivery: Rate(1_000_000),
            stt_intraday_sale: Rate(250_000),
            exchange_charge: Rate(exchange_charge),
            sebi: Rate(1_000),
            stamp_delivery_buy: Rate(150_000),
            stamp_intraday_buy: Rate(30_000),
            gst: Rate(180_000_000),
        };
        Self {
            version: "2026-11".to_owned(),
            rates: vec![
                rates(Exchange::Nse, (2024, 10, 1), 29_700 + 1_000),
                rates(Exchange::Nse, (2026, 3, 1), 30_699 + 1),
                rates(Exchange::Bse, (2024, 10, 1), 37_500),
            ],
        }
    }

    /// The rates that hold on `day`.
    pub fn rates_on(&self, exchange: Exchange, day: Date) -> Result<&Rates, ChargeError> {
        self.rates
            .iter()
            .filter(|rates| rates.exchange == exchange && rates.from <= day)
            .max_by_key(|rates| rates.from)
            .ok_or_else(|| ChargeError::NoRates { version: self.version.clone(), exchange, day })
    }

    /// The charges of one trade. Charges are by fill: the sum over the fills of an order may differ by
    /// a paisa or two from those of one trade of the same value.
    pub fn charges(&self, tariff: &Tariff, deal: &Deal) -> Result<Charges, ChargeError> {
        let rates = self.rates_on(deal.exchange, deal.day)?;
        if !deal.value.is_positive() {
            return Ok(Charges::default());
        }
        let (stt, stamp, fee) = match (deal.product, deal.side) {
            (Product::Delivery, Side::Buy) => (rates.stt_delivery, rates.stamp_delivery_buy, tariff.delivery),
            (Product::Delivery, Side::Sell) => (rates.stt_delivery, Rate::ZERO, tariff.delivery),
            (Product::Intraday, Side::Buy) => (Rate::ZERO, rates.stamp_intraday_buy, tariff.intraday),
            (Product::Intraday, Side::Sell) => (rates.stt_intraday_sale, Rate::ZERO, tariff.intraday),
        };
        let delivers = deal.product == Product::Delivery && deal.side == Side::Sell;
        let dp = if delivers && deal.first_sale_of_day { tariff.dp.of(deal.value) } else { Money::ZERO };
        let brokerage = fee.of(deal.value);
        let exchange = rates.exchange_charge.of(deal.value);
        let sebi = rates.sebi.of(deal.value);
        Ok(Charges {
            stt: stt.of(deal.value),
            exchange,
            sebi,
            stamp: stamp.of(deal.value),
            gst: rates.gst.of(brokerage + exchange + sebi + dp),
            dp,
            brokerage,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> Date {
        NaiveDate::from_ymd_opt(year, month, day).expect("a date")
    }

    fn round_trip(tariff: &Tariff, exchange: Exchange, product: Product, day: Date) -> Charges {
        let schedule = ChargeSchedule::bundled();
        let mut sum = Charges::default();
        for side in [Side::Buy, Side::Sell] {
            let value = Money::from_rupees(100_000);
            let deal = Deal { exchange, day, product, side, value, first_sale_of_day: true };
            sum += schedule.charges(tariff, &deal).expect("rates");
        }
        sum
    }

    #[test]
    fn a_lakh_each_side_costs_what_the_contract_note_says() {
        let none = Tariff::none_brokerage();
        for on in [day(2025, 6, 2), day(2026, 2, 27), day(2026, 3, 2)] {
            let delivery = round_trip(&none, Exchange::Nse, Product::Delivery, on);
            let shown: Vec<String> =
                delivery.by_kind().iter().map(|(name, m)| format!("{name} {m}")).collect();
            assert_eq!(
                shown.join(", "),
                "brokerage 0.00, stt 200.00, exchange 6.14, sebi 0.20, stamp 15.00, gst 1.14, dp 0.00"
            );
            assert_eq!(delivery.total().to_string(), "222.48");
            assert_eq!(round_trip(&none, Exchange::Nse, Product::Intraday, on).total().to_string(), "35.48");
        }
    }

    #[test]
    fn a_plan_with_brokerage_pays_gst_on_it_and_on_the_depository_charge() {
        let sum = round_trip(&Tariff::kotak_trade_free(), Exchange::Nse, Product::Delivery, day(2026, 5, 4));
        assert_eq!((sum.brokerage, sum.dp), (Money::from_rupees(500), Money::from_rupees(40)));
        // 222.48 + 500 brokerage + 90 GST on it + 40 DP + 7.20 GST on that.
        assert_eq!(sum.total().to_string(), "859.68");
    }

    #[test]
    fn the_depository_charge_falls_once_a_day_and_only_on_delivery_sales() {
        let (schedule, tariff) = (ChargeSchedule::bundled(), Tariff::kotak_trade_free());
        for (product, side, first, dp) in [
            (Product::Delivery, Side::Sell, true, 20),
            (Product::Delivery, Side::Sell, false, 0),
            (Product::Delivery, Side::Buy, true, 0),
            (Product::Intraday, Side::Sell, true, 0),
        ] {
            let value = Money::from_rupees(1_000);
            let deal = Deal {
                exchange: Exchange::Nse,
                day: day(2026, 5, 4),
                product,
                side,
                value,
                first_sale_of_day: first,
            };
            let charges = schedule.charges(&tariff, &deal).expect("rates");
            assert_eq!(charges.dp, Money::from_rupees(dp), "{product} {side} {first}");
        }
    }

    #[test]
    fn fees_keep_their_bounds() {
        let fee = Fee { rate: Rate(300_000), min: Money::from_rupees(1), max: Some(Money::from_rupees(20)) };
        for (value, charged) in [(1_000, "1.00"), (50_000, "15.00"), (1_000_000, "20.00")] {
            assert_eq!(fee.of(Money::from_rupees(value)).to_string(), charged);
        }
        assert_eq!(Rate::from_ppb(-1), None);
        assert_eq!(Rate::from_ppb(1_000_000_001), None);
    }

    #[test]
    fn each_item_is_rounded_once_and_half_up() {
        // 0.015 % of 33.33 rupees is 0.0049995; of 33.34 it is 0.005001.
        let stamp = Rate(150_000);
        assert_eq!(stamp.of(Money::from_paise(3_333)), Money::ZERO);
        assert_eq!(stamp.of(Money::from_paise(3_334)), Money::from_paise(1));
    }

    #[test]
    fn bse_has_its_own_charge_and_an_unknown_day_is_said() {
        let bse = round_trip(&Tariff::default(), Exchange::Bse, Product::Delivery, day(2026, 5, 4));
        assert_eq!(bse.exchange.to_string(), "7.50");
        let error =
            ChargeSchedule::bundled().rates_on(Exchange::Nse, day(2024, 9, 30)).expect_err("too early");
        assert!(error.to_string().contains("2024-09-30"), "{error}");
    }

    #[test]
    fn the_table_travels_as_json() {
        let table = ChargeSchedule::bundled();
        let text = serde_json::to_string(&table).expect("json");
        assert_eq!(serde_json::from_str::<ChargeSchedule>(&text).expect("back"), table);
        assert!(serde_json::from_str::<Tariff>(r#"{"name":"x","delivery":{},"typo":1}"#).is_err());
    }
}
