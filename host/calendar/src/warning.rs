//! What an operator should hear before it stops the trading.

use chrono::Days;
use model::{Date, Exchange};

use crate::days::Calendar;

/// Six weeks: the exchanges publish a year in the middle of the December before it.
const END_WARNING_DAYS: i64 = 42;
const SESSION_WARNING_DAYS: u64 = 7;

impl Calendar {
    /// Sentences for an operator: the calendar ends within six weeks or has ended, or a session within a
    /// week is announced without times. None when all is well.
    pub fn warnings(&self, today: Date) -> Vec<String> {
        self.end_warning(today).into_iter().chain(self.untimed_warnings(today)).collect()
    }

    fn end_warning(&self, today: Date) -> Option<String> {
        let until = self.book.known_until;
        let remedy = "load a calendar file that covers the time after it (the exchanges publish the next year's \
                      holidays in mid-December)";
        match (until - today).num_days() {
            days if days < 0 => Some(format!("the calendar ended on {until}: nothing is traded; {remedy}")),
            0 => Some(format!("the calendar ends on {until}, today: nothing is traded after it; {remedy}")),
            1 => {
                Some(format!("the calendar ends on {until}, in 1 day: nothing is traded after it; {remedy}"))
            }
            days if days <= END_WARNING_DAYS => Some(format!(
                "the calendar ends on {until}, in {days} days: nothing is traded after it; {remedy}"
            )),
            _ => None,
        }
    }

    fn untimed_warnings(&self, today: Date) -> Vec<String> {
        let until = today.checked_add_days(Days::new(SESSION_WARNING_DAYS)).unwrap_or(today);
        let mut warnings = Vec::new();
        for exchange in [Exchange::Nse, Exchange::Bse] {
            if let Some((date, session)) = self.book.of(exchange).untimed(today, until) {
                let name = session.name();
                warnings.push(format!(
                    "{exchange} has announced a {name} session for {date}, whose times this calendar does not know: it \
                     is not traded, and no after-market order is placed before it; load a calendar file that has them"
                ));
            }
        }
        warnings
    }
}
