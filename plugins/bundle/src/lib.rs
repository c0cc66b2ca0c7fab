//! The shipped strategies as WebAssembly components, embedded.
//!
//! The build script compiles them from `plugins/`; no other tool is needed. They import nothing but
//! `tradeagent:strategy`. This crate knows neither how a component is run nor what the contract says.

/// A strategy that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// Its name, as a config refers to it.
    pub name: &'static str,
    /// The role that it is made for.
    pub role: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

macro_rules! component {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".wasm"))
    };
}

/// Sells what the system owns at the 9-day EMA.
pub const SELL: &[u8] = component!("sell");
/// Buys oversold stocks with after-market orders.
pub const BUY: &[u8] = component!("buy");
/// Watches the open positions and alerts.
pub const MONITOR: &[u8] = component!("monitor");
/// Closes the day.
pub const EOD: &[u8] = component!("eod");
/// The example that `backtest` is measured with: two moving averages cross.
pub const EMA_CROSS: &[u8] = component!("ema_cross");

const ALL: [Shipped; 5] = [
    Shipped { name: "sell", role: "sell", bytes: SELL },
    Shipped { name: "buy", role: "buy", bytes: BUY },
    Shipped { name: "monitor", role: "monitor", bytes: MONITOR },
    Shipped { name: "eod", role: "eod", bytes: EOD },
    Shipped { name: "ema-cross", role: "trader", bytes: EMA_CROSS },
];

/// Every shipped strategy: the four of the trading day, and the example.
pub fn all() -> &'static [Shipped] {
    &ALL
}

/// The shipped strategy of that name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    all().iter().find(|shipped| shipped.name == name)
}

#[cfg(test)]
mod tests;
