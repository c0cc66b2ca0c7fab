//! Cash: a ledger of every debit and credit, and what working orders block.

use model::{Date, Money, Symbol, Timestamp};
use serde::{Deserialize, Serialize};

/// Why cash came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CashKind {
    /// The cash of the start.
    Opening,
    /// The value of a trade: out for a buy, in for a sale.
    Trade,
    /// The charges of a trade.
    Charges,
    /// A fraction of a share that a corporate action left, paid out.
    Fraction,
}

/// One line: `amount` is added (negative: taken).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashLine {
    /// When.
    pub at: Timestamp,
    /// In which session.
    pub session: Date,
    /// Why.
    pub kind: CashKind,
    /// About what.
    pub symbol: Option<Symbol>,
    /// The trade behind it.
    pub trade_id: Option<String>,
    /// How much.
    pub amount: Money,
}

/// The account's cash.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cash {
    pub lines: Vec<CashLine>,
    pub balance: Money,
    pub blocked: Money,
}

impl Cash {
    pub fn post(&mut self, line: CashLine) {
        self.balance += line.amount;
        self.lines.push(line);
    }

    pub fn available(&self) -> Money {
        self.balance - self.blocked
    }
}
