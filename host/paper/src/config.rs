//! What a paper account begins with, and how the exchange treats it.

use calendar::AmoWindow;
use model::charges::{ChargeSchedule, Tariff};
use model::{Date, Exchange, Money, Price, Quantity, Symbol};
use serde::{Deserialize, Serialize};

/// Shares that are there from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// What.
    pub symbol: Symbol,
    /// How many.
    pub quantity: Quantity,
    /// What was paid for each.
    pub price: Price,
    /// The first day on which they may be delivered.
    pub settles: Date,
}

/// The rules of one paper exchange with one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperConfig {
    /// Which exchange it plays.
    pub exchange: Exchange,
    /// Cash at the start.
    pub cash: Money,
    /// Shares at the start.
    pub opening: Vec<Opening>,
    /// What the broker takes. Where its minimum charges exceed a tiny sale, the account owes the rest: the
    /// only way for cash to go below zero.
    pub tariff: Tariff,
    /// What the state and the exchange take.
    pub charges: ChargeSchedule,
    /// How much of each minute's volume the account's orders may take together, in percent (1 to 100).
    pub volume_share_percent: u32,
    /// An auction is taken to trade this many times the volume of the minute next to it.
    pub auction_minutes: u32,
    /// When after-market orders are taken.
    pub amo_window: AmoWindow,
    /// Decides how fractions of a share of volume are rounded; nothing else is left to chance.
    pub seed: u64,
    /// Orders that may wait or work at the same time.
    pub open_orders_max: usize,
    /// Orders that the book keeps over its whole life; beyond it new ones are refused.
    pub orders_max: usize,
}

impl PaperConfig {
    /// NSE, 10 % of the volume, auctions of 15 minutes' worth, no brokerage.
    pub fn new(cash: Money) -> Self {
        Self {
            exchange: Exchange::Nse,
            cash,
            opening: Vec::new(),
            tariff: Tariff::none_brokerage(),
            charges: ChargeSchedule::bundled(),
            volume_share_percent: 10,
            auction_minutes: 15,
            amo_window: AmoWindow::default(),
            seed: 1,
            open_orders_max: 5_000,
            orders_max: 2_000_000,
        }
    }
}
