//! The account, computed a second time: from fills alone, with charges by formulas of this file.

use std::collections::BTreeMap;

use serde_json::Value;

/// Paise of a text such as `-1234.56`.
pub fn paise(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("an amount as text, not {value}"));
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (rupees, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    assert!(rest.len() <= 4, "{text} has at most four decimals");
    let units: i64 = format!("{rest:0<4}").parse().expect("decimals");
    assert_eq!(units % 100, 0, "{text} is whole paise");
    sign * (rupees.parse::<i64>().expect("rupees") * 100 + units / 100)
}

/// A text of the answer.
pub fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is a text in {value}"))
}

/// A number of the answer.
pub fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_else(|| panic!("{name} is a number in {value}"))
}

/// A list of the answer.
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is a list in {value}"))
}

/// `value` paise times `numerator / denominator`, half up to the paisa.
fn share(value: i64, numerator: i64, denominator: i64) -> i64 {
    let product = i128::from(value) * i128::from(numerator);
    i64::try_from((2 * product + i128::from(denominator)) / (2 * i128::from(denominator))).expect("an amount")
}

/// What a delivery trade on NSE of `value` paise costs without brokerage, each item to the paisa:
/// STT 0.1 % on both sides; Rs 307 a crore to the exchange and its investor protection fund; Rs 10 a crore
/// to SEBI; stamp duty 0.015 % on a buy; GST of 18 % on the two fees.
pub fn charges(value: i64, buys: bool) -> i64 {
    const CRORE: i64 = 10_000_000;
    let stt = share(value, 1, 1_000);
    let exchange = share(value, 307, CRORE);
    let sebi = share(value, 10, CRORE);
    let stamp = if buys { share(value, 15, 100_000) } else { 0 };
    stt + exchange + sebi + stamp + share(exchange + sebi, 18, 100)
}

/// One ledger line that moved money.
#[derive(Debug, Clone)]
pub struct Fill {
    pub at: i64,
    pub session: String,
    pub order: String,
    pub symbol: String,
    pub buys: bool,
    pub quantity: i64,
    pub price: i64,
    pub charges: i64,
}

impl Fill {
    /// Price times quantity, in paise.
    pub const fn value(&self) -> i64 {
        self.price * self.quantity
    }

    /// What it does to the cash.
    pub const fn cash(&self) -> i64 {
        if self.buys { -self.value() - self.charges } else { self.value() - self.charges }
    }
}

/// The trades of an answer, each held to the charges of this file.
pub fn fills(answer: &Value) -> Vec<Fill> {
    list(answer, "fills")
        .iter()
        .filter(|line| line["order"].is_string())
        .map(|line| {
            let fill = Fill {
                at: number(line, "at"),
                session: word(line, "session").to_owned(),
                order: word(line, "order").to_owned(),
                symbol: word(line, "symbol").to_owned(),
                buys: word(line, "side") == "buy",
                quantity: number(line, "quantity"),
                price: paise(&line["price"]),
                charges: paise(&line["charges"]),
            };
            assert!(fill.quantity > 0 && fill.price > 0, "{line}");
            assert_eq!(fill.charges, charges(fill.value(), fill.buys), "charges of {line}");
            fill
        })
        .collect()
}

/// Walks through every ledger line and insists that nothing is sold that is not owned; answers with the
/// shares owned at the end.
pub fn owned(answer: &Value) -> BTreeMap<String, i64> {
    let mut owned: BTreeMap<String, i64> = BTreeMap::new();
    for line in list(answer, "fills") {
        let held = owned.entry(word(line, "symbol").to_owned()).or_default();
        let quantity = number(line, "quantity");
        *held += if word(line, "side") == "buy" { quantity } else { -quantity };
        assert!(*held >= 0, "sold without owning: {line}");
    }
    owned.retain(|_, quantity| *quantity > 0);
    owned
}

/// Holds every day of a simulation to its fills: cash is what was there less what was bought, plus what
/// was sold, less charges; equity is cash and positions. Answers with the number of days.
pub fn balances_every_day(answer: &Value) -> usize {
    let fills = fills(answer);
    let opening = paise(&answer["opening_cash"]);
    let days = list(answer, "days");
    for day in days {
        let date = word(day, "date");
        let moved: i64 = fills.iter().filter(|fill| fill.session.as_str() <= date).map(Fill::cash).sum();
        let cash = paise(&day["cash"]);
        assert_eq!(cash, opening + moved, "cash at the end of {date}");
        assert_eq!(
            paise(&day["equity"]),
            cash + paise(&day["positions_value"]),
            "equity at the end of {date}"
        );
        let blocked = paise(&day["blocked"]);
        assert!((0..=cash).contains(&blocked), "{blocked} of {cash} are blocked at the end of {date}");
    }
    days.len()
}

/// For tables in which an order is found by its number.
pub fn by_id(answer: &Value) -> BTreeMap<&str, &Value> {
    list(answer, "orders").iter().map(|order| (word(order, "id"), order)).collect()
}
