//! Corporate actions of the morning: what the exchange did to the shares, taken into the ledger.
//!
//! A split or bonus gives new shares for old without money. The ledger learns of it as an entry of its
//! own; the shares keep what was paid for them.

use std::sync::PoisonError;

use model::{Date, LedgerEntry, LedgerKind, Price, Product, Quantity, Side};

use super::{Driver, SimulationError};

/// Takes the corporate actions that come into force on `date` into the ledger.
pub fn actions(driver: &Driver, date: Date) -> Result<(), SimulationError> {
    for view in driver.runner.desk.positions(date) {
        let position = view.position;
        let Some(factor) = driver.prices.corporate_action(&position.symbol, date) else { continue };
        let book = driver.exchange.lock().unwrap_or_else(PoisonError::into_inner).account();
        let owned = book
            .owned
            .iter()
            .find(|owned| owned.symbol == position.symbol && owned.product == Product::Delivery)
            .map_or(Quantity::ZERO, |owned| owned.quantity);
        let basis = format!("price factor {}/{} on {date}", factor.numerator, factor.denominator);
        let line = |side: Side, quantity: Quantity, price: Price| LedgerEntry {
            account: driver.runner.account.clone(),
            symbol: position.symbol.clone(),
            side,
            product: Product::Delivery,
            quantity,
            price,
            charges: model::Money::ZERO,
            at: driver.runner.clock.now(),
            session: date,
            settles: date,
            why: LedgerKind::CorporateAction { basis: basis.clone() },
        };
        let lines = if owned > position.quantity {
            vec![line(Side::Buy, owned - position.quantity, Price::ZERO)]
        } else if owned < position.quantity {
            // Fewer shares: all leave at what was paid, and what is left comes back at the same cost.
            let mut lines = vec![line(Side::Sell, position.quantity, position.entry_price())];
            if !owned.is_zero() {
                lines.push(line(Side::Buy, owned, position.cost.per_share(owned)));
            }
            lines
        } else {
            continue;
        };
        for line in lines {
            driver.runner.desk.adopt(line).map_err(|error| SimulationError::Desk(error.to_string()))?;
        }
    }
    Ok(())
}
