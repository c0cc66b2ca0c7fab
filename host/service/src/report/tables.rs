//! The tables: trades, orders with their trail, charges, what was passed over, days.

use super::deal::Deal;
use super::html::{Esc, cell, figures, number, put, table_foot, table_head, words};
use super::{EquityPoint, OrderTrail, SkipLine};
use crate::output::{Grouping, grouped, money, price};

/// Rows of one table.
pub const ROWS_MAX: usize = 5_000;
/// Lines of one order's trail.
pub const TRAIL_MAX: usize = 60;

/// Says what does not fit.
fn left_out(out: &mut String, shown: usize, all: usize, what: &str) {
    if all > shown {
        put(
            out,
            format_args!(
                "<p class=\"note\">The first {shown} of {all} {what}; the rest is in the journal (--journal FILE).</p>\n"
            ),
        );
    }
}

/// Trades, those of an order and session together.
pub fn trades(out: &mut String, deals: &[Deal]) {
    let shown = deals.len().min(ROWS_MAX);
    left_out(out, shown, deals.len(), "trades");
    let columns = [
        words("first at"),
        words("symbol"),
        words("side"),
        figures("shares"),
        figures("price"),
        figures("value"),
        figures("charges"),
        figures("pieces"),
        words("strategy"),
        words("order"),
    ];
    table_head(out, "t-trades", "trades", &columns);
    for deal in &deals[..shown] {
        out.push_str("<tr>");
        cell(out, deal.at.ist().format("%Y-%m-%d %H:%M:%S"));
        cell(out, &deal.symbol);
        cell(out, deal.side);
        number(out, grouped(&deal.quantity.to_string(), Grouping::Indian));
        number(out, price(deal.price()));
        number(out, money(deal.value));
        number(out, money(deal.charges));
        number(out, deal.pieces);
        cell(out, &deal.strategy);
        cell(out, &deal.order);
        out.push_str("</tr>\n");
    }
    table_foot(out);
}

/// Orders, each with its trail to be unfolded.
pub fn orders(out: &mut String, orders: &[OrderTrail]) {
    let shown = orders.len().min(ROWS_MAX);
    left_out(out, shown, orders.len(), "orders");
    let columns = [
        words("placed"),
        words("order"),
        words("strategy"),
        words("symbol"),
        words("side"),
        figures("shares"),
        figures("limit"),
        words("status"),
        words("why, and what happened"),
    ];
    table_head(out, "t-orders", "orders", &columns);
    for order in &orders[..shown] {
        out.push_str("<tr>");
        cell(out, order.at.ist().format("%Y-%m-%d %H:%M"));
        cell(out, &order.id);
        cell(out, &order.strategy);
        cell(out, &order.symbol);
        cell(out, order.side);
        number(out, order.quantity);
        number(out, price(order.price));
        cell(out, &order.status);
        let reason = if order.reason.is_empty() { "trail" } else { &order.reason };
        put(out, format_args!("<td><details><summary>{}</summary><ol>", Esc(reason)));
        for (at, text) in order.trail.iter().take(TRAIL_MAX) {
            put(
                out,
                format_args!("<li><time>{}</time> {}</li>", at.ist().format("%d %b %H:%M:%S"), Esc(text)),
            );
        }
        out.push_str("</ol>");
        if order.trail.len() > TRAIL_MAX {
            put(out, format_args!("<p class=\"note\">and {} more</p>", order.trail.len() - TRAIL_MAX));
        }
        out.push_str("</details></td></tr>\n");
    }
    table_foot(out);
}

/// Charges by kind.
pub fn charges(out: &mut String, kinds: &[(String, model::Money)]) {
    out.push_str("<table><thead><tr><th scope=\"col\">kind</th><th scope=\"col\" class=\"n\">rupees</th></tr></thead><tbody>");
    for (kind, amount) in kinds {
        put(
            out,
            format_args!(
                "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td></tr>",
                Esc(kind),
                Esc(money(*amount))
            ),
        );
    }
    let total: model::Money = kinds.iter().map(|(_, amount)| *amount).sum();
    put(
        out,
        format_args!(
            "</tbody><tfoot><tr><th scope=\"row\">all</th><td class=\"n\">{}</td></tr></tfoot></table>\n",
            Esc(money(total))
        ),
    );
}

/// What was passed over: by reason all of it, then one by one.
pub fn skips(out: &mut String, by_reason: &[(String, u64)], skipped: &[SkipLine]) {
    if by_reason.is_empty() && skipped.is_empty() {
        out.push_str("<p>Nothing was passed over.</p>\n");
        return;
    }
    out.push_str("<table><thead><tr><th scope=\"col\">reason</th><th scope=\"col\" class=\"n\">times</th></tr></thead><tbody>");
    for (reason, times) in by_reason.iter().take(ROWS_MAX) {
        let times = grouped(&times.to_string(), Grouping::Indian);
        put(
            out,
            format_args!(
                "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td></tr>",
                Esc(reason),
                Esc(times)
            ),
        );
    }
    out.push_str("</tbody></table>\n");
    let all: u64 = by_reason.iter().map(|(_, times)| times).sum();
    let shown = skipped.len().min(ROWS_MAX);
    left_out(out, shown, usize::try_from(all).unwrap_or(usize::MAX).max(skipped.len()), "skips");
    table_head(out, "t-skips", "skips", &[words("day"), words("task"), words("what"), words("why")]);
    for skip in &skipped[..shown] {
        out.push_str("<tr>");
        cell(out, skip.day);
        cell(out, &skip.task);
        cell(out, &skip.subject);
        cell(out, &skip.reason);
        out.push_str("</tr>\n");
    }
    table_foot(out);
}

/// The account day by day.
pub fn days(out: &mut String, points: &[EquityPoint]) {
    let columns =
        [words("day"), figures("cash"), figures("positions"), figures("account"), figures("change")];
    table_head(out, "t-days", "days", &columns);
    let mut before: Option<model::Money> = None;
    for point in points.iter().take(ROWS_MAX) {
        out.push_str("<tr>");
        cell(out, point.date);
        number(out, money(point.cash));
        number(out, money(point.positions));
        number(out, money(point.equity));
        number(out, before.map_or_else(String::new, |before| money(point.equity - before)));
        before = Some(point.equity);
        out.push_str("</tr>\n");
    }
    table_foot(out);
}
