//! What one session did: kept for the day's account and for charges that fall once a day.

use std::collections::BTreeSet;

use model::charges::{Charges, Deal};
use model::{Exchange, LedgerEntry, LedgerKind, Money, Product, Side, Symbol};

use crate::config::ChargeRules;

/// The entries of one session, with sums.
#[derive(Debug, Default)]
pub(crate) struct DayBook {
    /// In the order in which they were learnt.
    pub(crate) entries: Vec<LedgerEntry>,
    /// Profit of what was sold, before charges.
    pub(crate) realised: Money,
    /// Charges of the entries.
    pub(crate) charges: Money,
    /// Symbols of which a delivery sale was charged: the depository's charge falls once.
    sold: BTreeSet<Symbol>,
}

impl DayBook {
    /// Takes an entry in that realised `realised`.
    pub(crate) fn add(&mut self, entry: LedgerEntry, realised: Money) {
        self.realised += realised;
        self.charges += entry.charges;
        if is_charged(&entry) && entry.side == Side::Sell && entry.product == Product::Delivery {
            self.sold.insert(entry.symbol.clone());
        }
        self.entries.push(entry);
    }

    /// Whether the next delivery sale of `symbol` is the day's first.
    pub(crate) fn is_first_sale(&self, symbol: &Symbol) -> bool {
        !self.sold.contains(symbol)
    }
}

/// Whether charges fall on it: trades of ours, found early or late.
fn is_charged(entry: &LedgerEntry) -> bool {
    matches!(entry.why, LedgerKind::Fill { .. } | LedgerKind::ReconciledFill { .. })
}

/// The charges of an entry; none without rules, for what is no trade of ours, or on a day the rates do
/// not know (the caller reports that).
pub(crate) fn charges(
    rules: Option<&ChargeRules>,
    entry: &LedgerEntry,
    first_sale_of_day: bool,
) -> Result<Charges, String> {
    let Some(rules) = rules.filter(|_| is_charged(entry)) else { return Ok(Charges::default()) };
    let exchange = if entry.symbol.as_str().starts_with("BSE:") { Exchange::Bse } else { Exchange::Nse };
    let deal = Deal {
        exchange,
        day: entry.session,
        product: entry.product,
        side: entry.side,
        value: entry.price * entry.quantity,
        first_sale_of_day,
    };
    rules.schedule.charges(&rules.tariff, &deal).map_err(|error| error.to_string())
}

/// The charges of a session by kind, recomputed from its entries.
pub(crate) fn by_kind(rules: Option<&ChargeRules>, entries: &[LedgerEntry]) -> Vec<(String, Money)> {
    let mut day = DayBook::default();
    let mut sum = Charges::default();
    for entry in entries {
        if let Ok(charges) = charges(rules, entry, day.is_first_sale(&entry.symbol)) {
            sum += charges;
        }
        day.add(entry.clone(), Money::ZERO);
    }
    sum.by_kind()
        .into_iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|(kind, amount)| (kind.to_owned(), amount))
        .collect()
}
