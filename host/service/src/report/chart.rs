//! Charts as SVG: the account over days, a symbol's prices with its trades.

use model::{Date, Side};

use super::deal::Deal;
use super::html::{Esc, put};
use super::{EquityPoint, Ohlc};
use crate::output::{money, price};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;
/// Lines across a chart.
const GRID: usize = 4;
/// Dates under a chart.
const DATES: usize = 6;
/// Points of a line: more than the page has pixels show nothing more.
const POINTS_MAX: usize = 2_000;

/// Where values go on the page.
struct Frame {
    height: f64,
    count: usize,
    low: f64,
    high: f64,
}

impl Frame {
    fn new(height: f64, count: usize, values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) =
            values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let room = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-2);
        Self { height, count, low: low - room, high: high + room }
    }

    fn x(&self, index: usize) -> f64 {
        let steps = self.count.saturating_sub(1).max(1) as f64;
        let inner = WIDTH - LEFT - RIGHT;
        if self.count == 1 { LEFT + inner / 2.0 } else { LEFT + index as f64 / steps * inner }
    }

    fn y(&self, value: f64) -> f64 {
        let inner = self.height - TOP - BOTTOM;
        TOP + (self.high - value) / (self.high - self.low) * inner
    }

    fn open(&self, out: &mut String, label: &str) {
        put(
            out,
            format_args!(
                "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\"><title>{}</title>",
                self.height,
                Esc(label),
                Esc(label)
            ),
        );
    }

    fn axes(&self, out: &mut String, dates: impl Fn(usize) -> Date, shown: impl Fn(f64) -> String) {
        for line in 0..=GRID {
            let value = self.low + (self.high - self.low) * line as f64 / GRID as f64;
            let y = self.y(value);
            put(
                out,
                format_args!(
                    "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                     <text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                    WIDTH - RIGHT,
                    LEFT - 6.0,
                    y + 4.0,
                    Esc(shown(value))
                ),
            );
        }
        let labels = DATES.min(self.count);
        for label in 0..labels {
            let index = if labels == 1 { 0 } else { label * (self.count - 1) / (labels - 1) };
            let anchor = match label {
                0 if labels > 1 => "start",
                last if last + 1 == labels && labels > 1 => "end",
                _ => "middle",
            };
            put(
                out,
                format_args!(
                    "<text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                    self.x(index),
                    self.height - 6.0,
                    dates(index).format("%d %b %y")
                ),
            );
        }
    }

    fn line(&self, out: &mut String, class: &str, values: &[f64]) {
        let step = values.len().div_ceil(POINTS_MAX).max(1);
        put(out, format_args!("<polyline class=\"{class}\" points=\""));
        for (index, value) in values.iter().enumerate() {
            if index % step == 0 || index + 1 == values.len() {
                put(out, format_args!("{:.1},{:.1} ", self.x(index), self.y(*value)));
            }
        }
        out.push_str("\"/>");
    }
}

/// A rupee figure without paise, for an axis.
fn rupees(value: f64) -> String {
    let whole = model::Money::from_rupees(value.round() as i64);
    money(whole).trim_end_matches(".00").to_owned()
}

/// Cash and positions together, and cash alone.
pub fn equity(out: &mut String, points: &[EquityPoint]) {
    let equity: Vec<f64> = points.iter().map(|point| point.equity.as_rupees_f64()).collect();
    let frame = Frame::new(300.0, points.len(), equity.iter().copied());
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    let label = format!(
        "Account from {} ({}) to {} ({})",
        first.date,
        money(first.equity),
        last.date,
        money(last.equity)
    );
    out.push_str("<figure>");
    frame.open(out, &label);
    frame.axes(out, |index| points[index].date, rupees);
    frame.line(out, "equity", &equity);
    let dots = points.len() <= 400;
    for (index, point) in points.iter().enumerate().filter(|_| dots) {
        put(
            out,
            format_args!(
                "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>{}: {} (cash {}, positions {})</title></circle>",
                frame.x(index),
                frame.y(point.equity.as_rupees_f64()),
                point.date,
                Esc(money(point.equity)),
                Esc(money(point.cash)),
                Esc(money(point.positions)),
            ),
        );
    }
    out.push_str("</svg><figcaption>");
    put(out, format_args!("{}</figcaption></figure>\n", Esc(label)));
}

/// A symbol's days, with its trades on them.
pub fn prices(out: &mut String, symbol: &str, days: &[Ohlc], deals: &[&Deal]) {
    let values = days
        .iter()
        .flat_map(|day| [day.high, day.low])
        .chain(deals.iter().map(|deal| deal.price()))
        .map(model::Price::as_rupees_f64);
    let frame = Frame::new(220.0, days.len(), values);
    let count = |side| deals.iter().filter(|deal| deal.side == side).count();
    let label = format!("{symbol}: {} bought, {} sold", times(count(Side::Buy)), times(count(Side::Sell)));
    out.push_str("<figure>");
    frame.open(out, &label);
    frame.axes(out, |index| days[index].date, |value| format!("{value:.2}"));
    let step = days.len().div_ceil(POINTS_MAX).max(1);
    for (index, day) in days.iter().enumerate().step_by(step) {
        put(
            out,
            format_args!(
                "<line class=\"range\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"><title>{}: open {} high {} low {} close {}</title></line>",
                frame.y(day.high.as_rupees_f64()),
                frame.y(day.low.as_rupees_f64()),
                day.date,
                day.open,
                day.high,
                day.low,
                day.close,
                x = frame.x(index),
            ),
        );
    }
    let closes: Vec<f64> = days.iter().map(|day| day.close.as_rupees_f64()).collect();
    frame.line(out, "close", &closes);
    for deal in deals {
        // A trade on a day without prices stands at the next one that has some.
        let index = days.partition_point(|day| day.date < deal.session).min(days.len().saturating_sub(1));
        mark(out, frame.x(index), frame.y(deal.price().as_rupees_f64()), deal);
    }
    put(out, format_args!("</svg><figcaption>{}</figcaption></figure>\n", Esc(label)));
}

fn times(count: usize) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

/// A triangle: up and below the price for a buy, down and above it for a sell. Shape, not colour alone,
/// tells them apart.
fn mark(out: &mut String, x: f64, y: f64, deal: &Deal) {
    let (class, points) = match deal.side {
        Side::Buy => {
            ("buy", format!("{x:.1},{y:.1} {:.1},{:.1} {:.1},{:.1}", x - 5.0, y + 9.0, x + 5.0, y + 9.0))
        }
        Side::Sell => {
            ("sell", format!("{x:.1},{y:.1} {:.1},{:.1} {:.1},{:.1}", x - 5.0, y - 9.0, x + 5.0, y - 9.0))
        }
    };
    put(
        out,
        format_args!(
            "<polygon class=\"{class}\" points=\"{points}\"><title>{} {} {} at {} ({})</title></polygon>",
            deal.at.ist().format("%Y-%m-%d %H:%M"),
            deal.side,
            deal.quantity,
            Esc(price(deal.price())),
            Esc(&deal.strategy),
        ),
    );
}
