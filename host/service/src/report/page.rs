//! The page as a whole.

use std::collections::BTreeMap;

use model::{Money, Side, Symbol};

use super::deal::{Deal, deals};
use super::html::{Esc, put};
use super::{EquityPoint, ReportData, chart, tables};
use crate::output::{Grouping, grouped, money};

/// Symbols that get a chart.
pub const CHARTS_MAX: usize = 40;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

pub fn render(data: &ReportData) -> String {
    let mut out = String::with_capacity(1 << 18);
    put(
        &mut out,
        format_args!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\
             <title>{title}</title><style>\n{STYLE}</style></head><body>\n\
             <a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header><h1>{title}</h1>\
             <p>{} to {} · {} sessions · seed {} · paper trading, no real money</p>\n",
            data.from,
            data.to,
            data.equity.len(),
            data.seed,
            title = Esc(&data.title),
        ),
    );
    nav(&mut out);
    out.push_str("</header>\n<main id=\"main\">\n");
    let deals = deals(&data.trades);
    summary(&mut out, data, &deals);
    section(&mut out, "account", "Account", |out| {
        if data.equity.is_empty() {
            out.push_str("<p>There was no session.</p>\n");
        } else {
            chart::equity(out, &data.equity);
            tables::days(out, &data.equity);
        }
    });
    section(&mut out, "charts", "Trades on prices", |out| charts(out, data, &deals));
    section(&mut out, "trades", "Trades", |out| tables::trades(out, &deals));
    section(&mut out, "orders", "Orders", |out| tables::orders(out, &data.orders));
    section(&mut out, "charges", "Charges", |out| tables::charges(out, &data.charges_by_kind));
    section(&mut out, "skipped", "Passed over", |out| {
        tables::skips(out, &data.skips_by_reason, &data.skipped)
    });
    section(&mut out, "settings", "Settings", |out| settings(out, data));
    put(
        &mut out,
        format_args!(
            "</main>\n<footer>tradeagent {} · trace <code>{}</code></footer>\n<script>\n{SCRIPT}</script></body></html>\n",
            env!("CARGO_PKG_VERSION"),
            Esc(&data.trace_hash)
        ),
    );
    out
}

fn nav(out: &mut String) {
    out.push_str("<nav aria-label=\"Sections\">");
    for (id, name) in [
        ("account", "Account"),
        ("charts", "Trades on prices"),
        ("trades", "Trades"),
        ("orders", "Orders"),
        ("charges", "Charges"),
        ("skipped", "Passed over"),
        ("settings", "Settings"),
    ] {
        put(out, format_args!("<a href=\"#{id}\">{name}</a> "));
    }
    out.push_str("</nav>\n");
}

fn section(out: &mut String, id: &str, name: &str, body: impl FnOnce(&mut String)) {
    put(out, format_args!("<section id=\"{id}\" aria-labelledby=\"h-{id}\"><h2 id=\"h-{id}\">{name}</h2>\n"));
    body(out);
    out.push_str("</section>\n");
}

fn whole(count: usize) -> String {
    grouped(&count.to_string(), Grouping::Indian)
}

/// The deepest fall from a height, as money and as a share of that height.
pub fn drawdown(points: &[EquityPoint]) -> (Money, f64) {
    let mut height = Money::from_units(i64::MIN);
    let mut worst = (Money::ZERO, 0.0);
    for point in points {
        height = height.max(point.equity);
        let fall = height - point.equity;
        let share = if height.is_positive() { fall.as_rupees_f64() / height.as_rupees_f64() } else { 0.0 };
        if share > worst.1 {
            worst = (fall, share);
        }
    }
    worst
}

fn summary(out: &mut String, data: &ReportData, deals: &[Deal]) {
    let last = data.equity.last().map_or(data.opening, |point| point.equity);
    let change = last - data.opening;
    let percent = if data.opening.is_positive() {
        format!("{:+.2} %", change.as_rupees_f64() / data.opening.as_rupees_f64() * 100.0)
    } else {
        "–".to_owned()
    };
    let (fall, share) = drawdown(&data.equity);
    let count = |side| deals.iter().filter(|deal| deal.side == side).count();
    let charges: Money = data.charges_by_kind.iter().map(|(_, amount)| *amount).sum();
    out.push_str("<dl class=\"cards\">");
    for (name, value, note) in [
        ("Account at the end", money(last), format!("began with {}", money(data.opening))),
        ("Change", money(change), percent),
        ("Deepest fall", money(fall), format!("{:.2} %", share * 100.0)),
        (
            "Trades",
            whole(deals.len()),
            format!("{} buys, {} sells", whole(count(Side::Buy)), whole(count(Side::Sell))),
        ),
        ("Orders", whole(data.orders.len()), String::new()),
        ("Charges", money(charges), String::new()),
    ] {
        put(
            out,
            format_args!(
                "<div><dt>{name}</dt><dd>{}</dd><dd class=\"note\">{}</dd></div>",
                Esc(value),
                Esc(note)
            ),
        );
    }
    out.push_str("</dl>\n");
}

fn charts(out: &mut String, data: &ReportData, deals: &[Deal]) {
    let mut by_symbol: BTreeMap<&Symbol, (Money, Vec<&Deal>)> = BTreeMap::new();
    for deal in deals {
        let (value, of_symbol) = by_symbol.entry(&deal.symbol).or_default();
        *value += deal.value;
        of_symbol.push(deal);
    }
    if by_symbol.is_empty() {
        out.push_str("<p>Nothing was traded.</p>\n");
        return;
    }
    // Those in which most was traded come first.
    let mut symbols: Vec<(&Symbol, Money, Vec<&Deal>)> =
        by_symbol.into_iter().map(|(symbol, (value, deals))| (symbol, value, deals)).collect();
    symbols.sort_by_key(|(symbol, value, _)| (std::cmp::Reverse(*value), *symbol));
    let (charted, rest): (Vec<_>, Vec<_>) = symbols
        .into_iter()
        .partition(|(symbol, ..)| data.prices.get(*symbol).is_some_and(|days| !days.is_empty()));
    let mut left: Vec<&str> = rest.iter().map(|(symbol, ..)| symbol.as_str()).collect();
    for (index, (symbol, _, deals)) in charted.iter().enumerate() {
        match data.prices.get(*symbol) {
            Some(days) if index < CHARTS_MAX => chart::prices(out, symbol.as_str(), days, deals),
            _ => left.push(symbol.as_str()),
        }
    }
    if !left.is_empty() {
        left.sort_unstable();
        put(
            out,
            format_args!(
                "<details><summary>{} symbols without a chart (at most {CHARTS_MAX} are drawn, those traded most)</summary><p>{}</p></details>\n",
                left.len(),
                Esc(left.join(", "))
            ),
        );
    }
}

fn settings(out: &mut String, data: &ReportData) {
    if data.params.is_empty() {
        out.push_str("<p>Every parameter at its default.</p>\n");
        return;
    }
    out.push_str(
        "<table><thead><tr><th scope=\"col\">parameter</th><th scope=\"col\">value</th></tr></thead><tbody>",
    );
    for (key, value) in &data.params {
        // A universe of thousands of symbols says nothing more than its beginning.
        let short: String = value.chars().take(400).collect();
        let more = if short.len() < value.len() { "…" } else { "" };
        put(out, format_args!("<tr><th scope=\"row\">{}</th><td>{}{more}</td></tr>", Esc(key), Esc(short)));
    }
    out.push_str("</tbody></table>\n");
}
