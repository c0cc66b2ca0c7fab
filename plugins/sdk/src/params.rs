//! The operator's parameters, read with defaults and checked. A name that nobody asked for is an error: a
//! mistyped limit must not be a limit that is off.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::TaskError;
use crate::host::config;
use crate::price::{Percent, Price, Quantity, Rupees, parse_decimal};

/// A type that a parameter can have.
///
/// ```
/// use tradeagent_sdk::{params::Param, price::Percent};
/// assert_eq!(Percent::parse("2.5"), Some(Percent(250)));
/// ```
pub trait Param: Sized {
    /// What is expected, for the error.
    const WHAT: &'static str;

    /// The value of a text; nothing when it is none.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! param {
    ($($ty:ty: $what:literal, $parse:expr;)*) => {$(
        impl Param for $ty {
            const WHAT: &'static str = $what;
            fn parse(text: &str) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(text)
            }
        }
    )*};
}

param! {
    u32: "a whole number", |text| text.parse().ok();
    u64: "a whole number", |text| text.parse().ok();
    f64: "a number", |text| text.parse().ok().filter(|value: &f64| value.is_finite());
    bool: "true or false", |text| text.parse().ok();
    String: "text", |text| Some(text.to_owned());
    Rupees: "an amount in rupees such as 20 or 99.95", |text| parse_decimal(text, 4).map(Rupees);
    Price: "a price such as 99.95", |text| text.parse().ok();
    Quantity: "a number of shares", |text| text.parse().ok();
    Percent: "a percentage such as 1 or 2.5", |text| parse_decimal(text, 2).map(Percent);
}

/// One parameter, `default` when the operator has not set it.
///
/// ```
/// let host = tradeagent_sdk::mock::Host::new();
/// assert_eq!(tradeagent_sdk::params::param("days", 20_u32), Ok(20));
/// ```
///
/// # Errors
/// `config`, naming the parameter, when its value is not of that type.
pub fn param<T: Param>(name: &str, default: T) -> Result<T, TaskError> {
    config::get(name).map_or(Ok(default), |text| parse(name, &text))
}

fn parse<T: Param>(name: &str, text: &str) -> Result<T, TaskError> {
    T::parse(text.trim())
        .ok_or_else(|| TaskError::Config(format!("parameter {name} = \"{text}\": expected {}", T::WHAT)))
}

/// All parameters of this strategy: ask for each, then call [`Params::done`].
///
/// ```
/// use tradeagent_sdk::{params::Params, price::Percent};
/// let host = tradeagent_sdk::mock::Host::new();
/// host.param("fall", "2.5");
/// let params = Params::read();
/// let fall = params.within("fall", Percent::whole(5), Percent(1)..=Percent::whole(100))?;
/// let on = params.get("on", true)?;
/// params.done()?;
/// assert_eq!((fall, on), (Percent(250), true));
/// # Ok::<(), tradeagent_sdk::TaskError>(())
/// ```
#[derive(Debug)]
pub struct Params {
    values: BTreeMap<String, String>,
    asked: RefCell<BTreeSet<String>>,
}

impl Params {
    /// Those of the operator's config.
    ///
    /// ```
    /// let host = tradeagent_sdk::mock::Host::new();
    /// assert!(tradeagent_sdk::params::Params::read().done().is_ok(), "none is set");
    /// ```
    pub fn read() -> Self {
        Self::from_pairs(config::all())
    }

    /// These; for tests.
    ///
    /// ```
    /// let params = tradeagent_sdk::params::Params::from_pairs([("days".to_owned(), "9".to_owned())]);
    /// assert_eq!(params.get("days", 20_u32), Ok(9));
    /// ```
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { values: pairs.into_iter().collect(), asked: RefCell::default() }
    }

    /// One parameter, `default` when the operator has not set it.
    ///
    /// ```
    /// let params = tradeagent_sdk::params::Params::from_pairs([("days".to_owned(), "nine".to_owned())]);
    /// assert!(params.get("days", 20_u32).is_err());
    /// ```
    ///
    /// # Errors
    /// `config`, naming the parameter, when its value is not of that type.
    pub fn get<T: Param>(&self, name: &str, default: T) -> Result<T, TaskError> {
        self.asked.borrow_mut().insert(name.to_owned());
        self.values.get(name).map_or(Ok(default), |text| parse(name, text))
    }

    /// The same, within bounds.
    ///
    /// ```
    /// let params = tradeagent_sdk::params::Params::from_pairs([("days".to_owned(), "0".to_owned())]);
    /// assert!(params.within("days", 20_u32, 1..=50).is_err());
    /// ```
    ///
    /// # Errors
    /// `config`, naming the parameter and its bounds.
    pub fn within<T: Param + PartialOrd + Display>(
        &self,
        name: &str,
        default: T,
        bounds: RangeInclusive<T>,
    ) -> Result<T, TaskError> {
        let value = self.get(name, default)?;
        if bounds.contains(&value) {
            return Ok(value);
        }
        let (low, high) = (bounds.start(), bounds.end());
        Err(TaskError::Config(format!("parameter {name} = {value}: expected {low} to {high}")))
    }

    /// To be called when all parameters have been asked for.
    ///
    /// ```
    /// let params = tradeagent_sdk::params::Params::from_pairs([("dayz".to_owned(), "9".to_owned())]);
    /// assert_eq!(params.get("days", 20_u32), Ok(20));
    /// assert!(params.done().is_err(), "nobody asked for `dayz`");
    /// ```
    ///
    /// # Errors
    /// `config`, naming a parameter that the operator has set and this strategy does not have.
    pub fn done(self) -> Result<(), TaskError> {
        let asked = self.asked.into_inner();
        let Some(unknown) = self.values.keys().find(|name| !asked.contains(*name)) else { return Ok(()) };
        let known = asked.into_iter().collect::<Vec<_>>().join(", ");
        Err(TaskError::Config(format!("there is no parameter {unknown}; there are: {known}")))
    }
}

/// Checks that a README's table (`| \`name\` | default | ...`) names every parameter that `read` asks for, no
/// other, and the defaults that hold. For a strategy's own tests.
///
/// ```
/// use tradeagent_sdk::{TaskError, params::{Params, assert_documented}};
/// fn read(params: Params) -> Result<u32, TaskError> {
///     let days = params.get("days", 20)?;
///     params.done()?;
///     Ok(days)
/// }
/// assert_documented("| parameter | default | |\n|---|---|---|\n| `days` | 20 | the days |", read);
/// ```
///
/// # Panics
/// When it does not.
pub fn assert_documented<T: std::fmt::Debug>(readme: &str, read: impl Fn(Params) -> Result<T, TaskError>) {
    let table = readme.lines().skip_while(|line| !line.starts_with("| parameter |"));
    let rows = table.filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let pairs = rows.filter_map(|(name, rest)| Some((name.to_owned(), rest.split_once('|')?.0)));
    let plain = |text: &str| text.trim().trim_matches('`').to_owned();
    let pairs: BTreeMap<String, String> = pairs.map(|(name, value)| (name, plain(value))).collect();
    let names = pairs.keys().cloned().collect::<Vec<_>>().join(", ");
    let defaults = format!("{:?}", read(Params::from_pairs([])));
    assert_eq!(format!("{:?}", read(Params::from_pairs(pairs))), defaults, "the documented defaults");
    let stranger = [("?".to_owned(), String::new())];
    let Err(TaskError::Config(text)) = read(Params::from_pairs(stranger)) else { panic!("`?` is accepted") };
    assert_eq!(text, format!("there is no parameter ?; there are: {names}"), "the documented names");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params::from_pairs(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn reads_values_and_defaults() {
        let p = params(&[("price", "99.95"), ("share", "2.5"), ("on", "true")]);
        assert_eq!(p.get("price", Rupees(0)), Ok(Rupees(999_500)));
        assert_eq!(p.get("share", Percent(0)), Ok(Percent(250)));
        assert_eq!(p.get("on", false), Ok(true));
        assert_eq!(p.within("days", 9_u32, 1..=50), Ok(9));
        assert_eq!(p.done(), Ok(()));
    }

    #[test]
    fn a_bad_value_names_the_parameter() {
        let p = params(&[("days", "nine")]);
        let Err(TaskError::Config(text)) = p.get("days", 9_u32) else { panic!("no config error") };
        assert_eq!(text, "parameter days = \"nine\": expected a whole number");
        let p = params(&[("days", "0")]);
        let Err(TaskError::Config(text)) = p.within("days", 9_u32, 1..=50) else { panic!("no config error") };
        assert_eq!(text, "parameter days = 0: expected 1 to 50");
    }

    #[test]
    fn a_name_that_nobody_asked_for_is_an_error() {
        let p = params(&[("dayz", "9")]);
        assert_eq!(p.get("days", 9_u32), Ok(9));
        let Err(TaskError::Config(text)) = p.done() else { panic!("no config error") };
        assert_eq!(text, "there is no parameter dayz; there are: days");
    }
}
