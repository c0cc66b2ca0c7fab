//! Building a [`Report`].

use crate::Report;
use crate::bindings::tradeagent::strategy::types::Skip;

/// At most this many skips are listed one by one; the rest are one line.
///
/// ```
/// use tradeagent_sdk::{Report, report::SKIPS_MAX};
/// let mut report = Report::new("");
/// (0..2 * SKIPS_MAX).for_each(|n| report.skip(n.to_string(), "too small"));
/// assert_eq!(report.skipped.len(), SKIPS_MAX + 1);
/// ```
pub const SKIPS_MAX: usize = 200;

impl Report {
    /// A report that says this one line.
    ///
    /// ```
    /// assert_eq!(tradeagent_sdk::Report::new("2 orders stand").summary, "2 orders stand");
    /// ```
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), skipped: Vec::new(), figures: Vec::new(), extras: Vec::new() }
    }

    /// Adds something that was passed over, and why.
    ///
    /// ```
    /// let mut report = tradeagent_sdk::Report::new("");
    /// report.skip("TCS", "no quote");
    /// assert_eq!(report.skipped[0].reason, "no quote");
    /// ```
    pub fn skip(&mut self, subject: impl Into<String>, reason: impl Into<String>) {
        let (subject, reason) = (subject.into(), reason.into());
        if self.skipped.len() < SKIPS_MAX {
            self.skipped.push(Skip { subject, reason });
        } else if self.skipped.len() == SKIPS_MAX {
            let reason = format!("only the first {SKIPS_MAX} are listed");
            self.skipped.push(Skip { subject: "more".to_owned(), reason });
        }
    }

    /// Adds a figure.
    ///
    /// ```
    /// let mut report = tradeagent_sdk::Report::new("");
    /// report.figure("alerts", 3);
    /// assert_eq!(report.figures, [("alerts".to_owned(), "3".to_owned())]);
    /// ```
    pub fn figure(&mut self, name: impl Into<String>, value: impl ToString) {
        self.figures.push((name.into(), value.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_skips_is_bounded_and_says_so() {
        let mut report = Report::new("x");
        for n in 0..SKIPS_MAX + 10 {
            report.skip(n.to_string(), "because");
        }
        assert_eq!(report.skipped.len(), SKIPS_MAX + 1);
        assert_eq!(report.skipped.last().map(|s| s.subject.as_str()), Some("more"));
    }
}
