//! Small values as they may be written in the file.

use std::fmt;
use std::path::PathBuf;

use model::charges::{Fee, Rate, Tariff};
use model::{Money, Price};
use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

/// A parameter: text, number or truth, handed to the strategy as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar(pub String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true or false")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_bool<E: Error>(self, truth: bool) -> Result<Scalar, E> {
                Ok(Scalar(truth.to_string()))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A share in percent, exact to four decimals.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Price")]
struct PercentRate(Rate);

impl TryFrom<Price> for PercentRate {
    type Error = String;
    fn try_from(percent: Price) -> Result<Self, String> {
        // A ten-thousandth of a percent is a thousand parts per billion.
        percent
            .units()
            .checked_mul(1_000)
            .and_then(Rate::from_ppb)
            .map(Self)
            .ok_or_else(|| format!("{percent} is not a percentage between 0 and 100"))
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeeTable {
    percent: PercentRate,
    #[serde(default)]
    min: Money,
    #[serde(default)]
    max: Option<Money>,
}

impl FeeTable {
    const fn fee(self) -> Fee {
        Fee { rate: self.percent.0, min: self.min, max: self.max }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TariffTable {
    name: String,
    delivery: Option<FeeTable>,
    intraday: Option<FeeTable>,
    dp: Option<FeeTable>,
}

/// The broker's plan: a known name, or a table of fees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TariffConfig(pub Tariff);

impl<'de> Deserialize<'de> for TariffConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;
        impl<'de> Visitor<'de> for NameOrTable {
            type Value = TariffConfig;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"none\", \"kotak-trade-free\", or a table with name, delivery, intraday and dp")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<TariffConfig, E> {
                match name {
                    "none" => Ok(TariffConfig(Tariff::none_brokerage())),
                    "kotak-trade-free" => Ok(TariffConfig(Tariff::kotak_trade_free())),
                    other => Err(E::unknown_variant(other, &["none", "kotak-trade-free"])),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TariffConfig, A::Error> {
                let table = TariffTable::deserialize(MapAccessDeserializer::new(map))?;
                let fee = |fee: Option<FeeTable>| fee.map_or(Fee::NONE, FeeTable::fee);
                Ok(TariffConfig(Tariff {
                    name: table.name,
                    delivery: fee(table.delivery),
                    intraday: fee(table.intraday),
                    dp: fee(table.dp),
                }))
            }
        }
        deserializer.deserialize_any(NameOrTable)
    }
}

/// The share of a minute's volume that one may take: whole percents from 1 to 100, written as 0.01 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "f64")]
pub struct VolumeShare(pub u32);

impl TryFrom<f64> for VolumeShare {
    type Error = String;
    fn try_from(share: f64) -> Result<Self, String> {
        let percent = (share * 100.0).round();
        if (1.0..=100.0).contains(&percent) && (share * 100.0 - percent).abs() < 1e-6 {
            Ok(Self(percent as u32))
        } else {
            Err(format!("{share} is not a share: write 0.01 to 1.00 in steps of 0.01"))
        }
    }
}

/// `builtin:NAME`, or a path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Component {
    /// One that comes with the program.
    Builtin(String),
    /// A file.
    File(PathBuf),
}

impl From<String> for Component {
    fn from(text: String) -> Self {
        match text.strip_prefix("builtin:") {
            Some(name) => Self::Builtin(name.to_owned()),
            None => Self::File(PathBuf::from(text)),
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "builtin:{name}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A clock time: `18:00` or `18:00:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ClockTime(pub chrono::NaiveTime);

impl TryFrom<String> for ClockTime {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        chrono::NaiveTime::parse_from_str(&text, "%H:%M")
            .or_else(|_| chrono::NaiveTime::parse_from_str(&text, "%H:%M:%S"))
            .map(Self)
            .map_err(|_| format!("`{text}` is not a time of day: write such as \"15:45\""))
    }
}

/// A moment in Mumbai: `2026-01-15T15:55` or with seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Moment(pub chrono::NaiveDateTime);

impl TryFrom<String> for Moment {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|format| chrono::NaiveDateTime::parse_from_str(&text, format).ok())
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a moment in Mumbai: write such as \"2026-01-15T15:55\""))
    }
}
