//! When trades settle: T+1, counted in settlement days.

use model::{Date, Exchange};

use crate::days::{Calendar, is_weekend};
use crate::error::CalendarError;

impl Calendar {
    /// Whether shares and money move on `date`. Some days trade but do not settle (bank holidays), and
    /// a special session on a weekend or holiday does not settle either.
    pub fn is_settlement_day(&self, exchange: Exchange, date: Date) -> Result<bool, CalendarError> {
        self.check_known(date)?;
        let book = self.book.of(exchange);
        Ok(!is_weekend(date)
            && !book.closed.contains_key(&date)
            && !book.settlement_holidays.contains_key(&date)
            && !book.operator_closures.contains_key(&date))
    }

    /// The day on which a trade of `trade_date` settles: the first settlement day after it (T+1 for all
    /// equities since 2023-01-27). From that day on the shares can be delivered.
    pub fn settlement_date(&self, exchange: Exchange, trade_date: Date) -> Result<Date, CalendarError> {
        self.check_known(trade_date)?;
        self.search(trade_date, Date::succ_opt, |date| self.is_settlement_day(exchange, date))
    }
}
