//! JSON whose numbers stay text, so that money never passes through a float.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The deepest nesting that is read; the wire's answers have five levels.
const DEPTH_MAX: usize = 16;

/// A value. Of two members with one name the last counts.
#[derive(Clone)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// Reads a whole body. Bytes that are not UTF-8 become replacement characters: one broken name must not
    /// hide a book. An error says what the body is instead; it repeats none of it.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err("the body is empty".to_owned());
        }
        if text.starts_with('<') {
            return Err("the body is HTML or XML, not JSON".to_owned());
        }
        let raw: &RawValue = serde_json::from_str(text)
            .map_err(|error| format!("the body is not JSON: {}", position(&error)))?;
        Self::read(raw.get(), 0)
    }

    fn read(text: &str, depth: usize) -> Result<Self, String> {
        if depth > DEPTH_MAX {
            return Err(format!("the body is nested deeper than {DEPTH_MAX} levels"));
        }
        let broken = |error: serde_json::Error| format!("the body is not JSON: {}", position(&error));
        match text.as_bytes().first() {
            Some(b'{') => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(broken)?;
                let members =
                    members.into_iter().map(|(name, raw)| Ok((name, Self::read(raw.get(), depth + 1)?)));
                Ok(Self::Object(members.collect::<Result<_, String>>()?))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
                let items = items.into_iter().map(|raw| Self::read(raw.get(), depth + 1));
                Ok(Self::List(items.collect::<Result<_, String>>()?))
            }
            Some(b'"') => Ok(Self::Text(serde_json::from_str(text).map_err(broken)?)),
            Some(b'n') => Ok(Self::Null),
            Some(b't') => Ok(Self::Bool(true)),
            Some(b'f') => Ok(Self::Bool(false)),
            _ => Ok(Self::Number(text.to_owned())),
        }
    }

    /// A member, unless it is missing or null, or this is no object.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name).filter(|value| !matches!(value, Self::Null)),
            _ => None,
        }
    }

    /// A text, a number as it was written, or `true` or `false`.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// A member's scalar.
    pub(crate) fn scalar_of(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::scalar)
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// Changes every text and number.
    pub(crate) fn map_scalars(&mut self, change: &dyn Fn(&mut String)) {
        match self {
            Self::Text(text) | Self::Number(text) => change(text),
            Self::List(items) => items.iter_mut().for_each(|item| item.map_scalars(change)),
            Self::Object(members) => members.values_mut().for_each(|value| value.map_scalars(change)),
            Self::Null | Self::Bool(_) => {}
        }
    }
}

/// Where it broke: serde's own text may repeat the body.
fn position(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}
