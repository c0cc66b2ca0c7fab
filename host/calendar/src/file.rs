//! The data file as it is written. Meaning is checked in [`crate::check`].

use chrono::NaiveTime;
use model::{Date, Exchange, InstrumentClass};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::phase::Phase;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub version: Spanned<String>,
    pub known_from: Spanned<FileDate>,
    pub known_until: Spanned<FileDate>,
    pub sources: Vec<String>,
    pub template: Vec<Template>,
    #[serde(default)]
    pub closed: Vec<Entry>,
    #[serde(default)]
    pub special: Vec<Special>,
    #[serde(default)]
    pub settlement_holiday: Vec<Entry>,
}

/// Ordinary hours from a date on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    pub from: Spanned<FileDate>,
    #[serde(default = "both")]
    pub exchanges: Vec<Exchange>,
    #[serde(rename = "source")]
    pub _source: String,
    #[serde(default)]
    pub block_deals: Vec<Spanned<FileSpan>>,
    pub derivatives: Option<Spanned<FileDerivatives>>,
    pub hours: Vec<FileHours>,
}

/// A dated entry that says why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub date: Spanned<FileDate>,
    #[serde(default = "both")]
    pub exchanges: Vec<Exchange>,
    pub reason: String,
}

/// A session on a day that would be closed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Special {
    pub date: Spanned<FileDate>,
    #[serde(default = "both")]
    pub exchanges: Vec<Exchange>,
    pub kind: FileKind,
    pub reason: String,
    pub times: Spanned<FileTimes>,
    #[serde(default)]
    pub hours: Vec<FileHours>,
}

/// Why a special session is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FileKind {
    Special,
    Muhurat,
}

/// Where the hours of a special session come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FileTimes {
    Template,
    Given,
    Unknown,
}

/// The windows of one or more classes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileHours {
    pub classes: Spanned<Vec<InstrumentClass>>,
    pub closing_price: Spanned<FileClosingPrice>,
    pub phases: Spanned<Vec<Spanned<FilePhase>>>,
}

/// How a closing price is found; `start` and `end` bound the averaged trades.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileClosingPrice {
    pub method: FileMethod,
    pub start: FileTime,
    pub end: FileTime,
    pub band_percent: Option<u32>,
}

/// See [`crate::ClosingPrice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FileMethod {
    Vwap,
    Auction,
}

/// One phase.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilePhase {
    pub phase: Phase,
    pub start: FileTime,
    pub end: FileTime,
    pub random_end_from: Option<FileTime>,
}

/// A stretch of a day.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSpan {
    pub start: FileTime,
    pub end: FileTime,
}

/// Hours of equity derivatives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileDerivatives {
    pub start: FileTime,
    pub end: FileTime,
    pub expiring_index_end: Option<FileTime>,
}

fn both() -> Vec<Exchange> {
    vec![Exchange::Nse, Exchange::Bse]
}

/// A bare TOML date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileDate(pub Date);

impl<'de> Deserialize<'de> for FileDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = toml::value::Datetime::deserialize(deserializer)?;
        let (Some(date), None, None) = (written.date, written.time, written.offset) else {
            return Err(D::Error::custom(format!("expected a date like 2026-01-26, found {written}")));
        };
        Date::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("there is no day {written}")))
    }
}

/// A time of day, written `"09:15"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileTime(pub NaiveTime);

impl<'de> Deserialize<'de> for FileTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&written, "%H:%M")
            .or_else(|_| NaiveTime::parse_from_str(&written, "%H:%M:%S"))
            .map(Self)
            .map_err(|_| {
                D::Error::custom(format!("expected a time of day like \"09:15\", found \"{written}\""))
            })
    }
}
