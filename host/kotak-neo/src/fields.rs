//! A row's fields. The wire mixes strings and numbers for one field (facts 2.4-2.9), and writes "nothing" as
//! `""`, `--`, `NA`, null, or by leaving the field out.

use std::fmt::Display;

use crate::amount::Amount;
use crate::decimal;
use crate::json::Json;
use crate::order_number::OrderNumber;
use crate::secrets::bounded;
use crate::time;
use crate::words::Side;

/// Why a row cannot be read; it names the field.
pub(crate) type RowError = String;

/// One object of an answer.
pub(crate) struct Fields<'a>(&'a Json);

impl<'a> Fields<'a> {
    pub(crate) fn of(json: &'a Json) -> Result<Self, RowError> {
        if json.is_object() { Ok(Self(json)) } else { Err("a row is not an object".to_owned()) }
    }

    /// The first of `names` that says something.
    fn scalar(&self, names: &[&str]) -> Result<Option<&'a str>, RowError> {
        for name in names {
            let Some(value) = self.0.get(name) else { continue };
            let text = value.scalar().ok_or_else(|| format!("`{name}` is a list or an object"))?.trim();
            if !matches!(text, "" | "--" | "NA") {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, RowError> {
        self.text_of(&[name])
    }

    pub(crate) fn text_of(&self, names: &[&str]) -> Result<Option<String>, RowError> {
        Ok(self.scalar(names)?.map(bounded))
    }

    /// A text as it came, however long: a token.
    pub(crate) fn whole_text(&self, name: &str) -> Option<String> {
        self.scalar(&[name]).ok().flatten().map(str::to_owned)
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<String, RowError> {
        self.required_text_of(&[name])
    }

    pub(crate) fn required_text_of(&self, names: &[&str]) -> Result<String, RowError> {
        self.text_of(names)?.ok_or_else(|| missing(names[0]))
    }

    pub(crate) fn amount(&self, name: &str) -> Result<Option<Amount>, RowError> {
        let read = |text: &str| Amount::parse(text).map_err(|error| unfit(name, text, error));
        self.scalar(&[name])?.map(read).transpose()
    }

    /// An amount that is zero where the wire gives none.
    pub(crate) fn amount_or_zero(&self, name: &str) -> Result<Amount, RowError> {
        Ok(self.amount(name)?.unwrap_or_default())
    }

    pub(crate) fn required_amount(&self, name: &str) -> Result<Amount, RowError> {
        self.amount(name)?.ok_or_else(|| missing(name))
    }

    pub(crate) fn whole(&self, name: &str) -> Result<Option<i64>, RowError> {
        let read = |text: &str| decimal::whole(text).map_err(|_| unfit(name, text, "not a whole number"));
        self.scalar(&[name])?.map(read).transpose()
    }

    /// A whole number that is zero where the wire gives none, but whose field must be there.
    pub(crate) fn whole_present(&self, name: &str) -> Result<i64, RowError> {
        match self.whole(name)? {
            Some(value) => Ok(value),
            None if self.has(name) => Ok(0),
            None => Err(missing(name)),
        }
    }

    pub(crate) fn quantity(&self, name: &str) -> Result<Option<u32>, RowError> {
        let fit = |value: i64| u32::try_from(value).map_err(|_| unfit(name, value, "not a quantity"));
        self.whole(name)?.map(fit).transpose()
    }

    pub(crate) fn required_quantity(&self, name: &str) -> Result<u32, RowError> {
        self.quantity(name)?.ok_or_else(|| missing(name))
    }

    /// The field is there, even if it says nothing.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    pub(crate) fn order_no(&self, names: &[&str]) -> Result<Option<OrderNumber>, RowError> {
        let read =
            |text: &str| OrderNumber::new(text).map_err(|_| unfit(names[0], text, "not an order number"));
        self.scalar(names)?.map(read).transpose()
    }

    pub(crate) fn required_order_no(&self, name: &str) -> Result<OrderNumber, RowError> {
        self.order_no(&[name])?.ok_or_else(|| missing(name))
    }

    pub(crate) fn side(&self, name: &str) -> Result<Option<Side>, RowError> {
        let read = |text: &str| Side::from_wire(text).ok_or_else(|| unfit(name, text, "neither B nor S"));
        self.scalar(&[name])?.map(read).transpose()
    }

    pub(crate) fn required_side(&self, name: &str) -> Result<Side, RowError> {
        self.side(name)?.ok_or_else(|| missing(name))
    }

    /// Unix seconds from wall-clock text in IST; `None` where it says nothing that can be read.
    pub(crate) fn ist_time(&self, names: &[&str]) -> Result<Option<i64>, RowError> {
        Ok(self.scalar(names)?.and_then(time::ist_text))
    }

    /// A clock's count (seconds, milliseconds, nanoseconds); `None` where it says nothing that can be read.
    pub(crate) fn epoch(&self, name: &str) -> Result<Option<i64>, RowError> {
        Ok(self.scalar(&[name])?.and_then(|text| decimal::whole(text).ok()).filter(|count| *count > 0))
    }
}

fn missing(name: &str) -> RowError {
    format!("`{name}` is missing")
}

fn unfit(name: &str, text: impl Display, why: impl Display) -> RowError {
    let text: String = bounded(&text.to_string()).chars().take(40).collect();
    format!("`{name}` is `{text}`: {why}")
}
