//! `simulate --report`: one self-contained HTML page, without network.
//!
//! Everything in it is bounded, and what is left out is said. All text is escaped: symbols, reasons and
//! names come from files and strategies.

mod chart;
mod deal;
mod html;
mod page;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use model::{Date, Money, Price, Quantity, Side, Symbol, Timestamp};
use serde::Serialize;

use crate::exit::Failure;

/// What the page shows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReportData {
    /// The page's title.
    pub title: String,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// What fixed chance.
    pub seed: u64,
    /// Parameters, as `strategy.key` and value.
    pub params: Vec<(String, String)>,
    /// Over everything that happened.
    pub trace_hash: String,
    /// Cash and opening positions at the start.
    pub opening: Money,
    /// The account at the end of each day.
    pub equity: Vec<EquityPoint>,
    /// Trades, by time.
    pub trades: Vec<Trade>,
    /// Orders, by time, with what happened to each.
    pub orders: Vec<OrderTrail>,
    /// Charges by kind.
    pub charges_by_kind: Vec<(String, Money)>,
    /// What was passed over.
    pub skipped: Vec<SkipLine>,
    /// How often, by reason: all of it, also where `skipped` is cut.
    pub skips_by_reason: Vec<(String, u64)>,
    /// Daily prices of the symbols traded.
    pub prices: BTreeMap<Symbol, Vec<Ohlc>>,
}

/// The account at the end of a day.
#[derive(Debug, Clone, Serialize)]
pub struct EquityPoint {
    /// The day.
    pub date: Date,
    /// Cash, blocked included.
    pub cash: Money,
    /// Positions at the close.
    pub positions: Money,
    /// Both.
    pub equity: Money,
}

/// A trade.
#[derive(Debug, Clone, Serialize)]
pub struct Trade {
    /// When.
    pub at: Timestamp,
    /// The session.
    pub session: Date,
    /// The order.
    pub order: String,
    /// Who placed it.
    pub strategy: String,
    /// What.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Shares.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// Its charges.
    pub charges: Money,
}

/// An order and what happened to it.
#[derive(Debug, Clone, Serialize)]
pub struct OrderTrail {
    /// Its number.
    pub id: String,
    /// When it was placed.
    pub at: Timestamp,
    /// By whom.
    pub strategy: String,
    /// What.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Shares.
    pub quantity: Quantity,
    /// The first limit.
    pub price: Price,
    /// How it ended.
    pub status: String,
    /// Why it was placed.
    pub reason: String,
    /// What happened, one line each.
    pub trail: Vec<(Timestamp, String)>,
}

/// Something passed over.
#[derive(Debug, Clone, Serialize)]
pub struct SkipLine {
    /// The trading day.
    pub day: Date,
    /// The task.
    pub task: String,
    /// A symbol, or the run.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// A day's prices.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ohlc {
    /// The day.
    pub date: Date,
    /// The first price.
    pub open: Price,
    /// The highest.
    pub high: Price,
    /// The lowest.
    pub low: Price,
    /// The close.
    pub close: Price,
}

/// The page.
pub fn render(data: &ReportData) -> String {
    page::render(data)
}

/// Writes the page to `path`, whole or not at all.
pub fn write(path: &Path, data: &ReportData) -> Result<(), Failure> {
    // A device or a pipe is written into; to rename over it would replace it.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok(std::fs::write(path, render(data))
            .with_context(|| format!("the report {} cannot be written", path.display()))?);
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".part");
    let fresh = Path::new(&fresh);
    let written = std::fs::write(fresh, render(data)).and_then(|()| std::fs::rename(fresh, path));
    if written.is_err() {
        // Half a page is of no use; where it cannot be taken away it is named `.part`.
        let _ = std::fs::remove_file(fresh);
    }
    Ok(written.with_context(|| format!("the report {} cannot be written", path.display()))?)
}
