//! The form field `jData`: a JSON object as text, whose values are texts, null or missing.

use model::{Price, Quantity};
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::reply::Reply;

/// Shape A: an OMS refusal. They come with HTTP 200, with few exceptions.
pub(crate) fn not_ok(status: u16, code: u32, text: &str, stat: &str) -> Reply {
    Reply::json(status, &json!({"stCode": code, "errMsg": text, "stat": stat}))
}

/// The fields of one post.
pub(crate) struct JData(Map<String, Value>);

impl JData {
    /// Reads it, or says what the server says: code 1007 "body invalid".
    pub fn of(call: &Call) -> Result<Self, Reply> {
        let text = call.form().remove("jData").unwrap_or_default();
        match serde_json::from_str(&text) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(not_ok(200, 1007, "body invalid", "bad request")),
        }
    }

    /// A text; none when it is missing or null. Numbers are taken as their text.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A text that is there and not blank.
    pub fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// Whether the flag is `YES`.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("YES"))
    }

    /// A whole number above zero.
    pub fn quantity(&self, name: &str) -> Option<Quantity> {
        let shares: u32 = self.text(name)?.trim().parse().ok()?;
        (shares > 0).then_some(Quantity::new(shares))
    }

    /// A price. Zero is `0` and nothing else: live, `""` and `0.0` are refused (facts 2.1).
    pub fn price(&self, name: &str) -> Option<Price> {
        let text = self.text(name)?;
        let price: Price = text.trim().parse().ok()?;
        let plain_zero = text.trim() == "0";
        (price.is_positive() || (price.is_zero() && plain_zero)).then_some(price)
    }
}
