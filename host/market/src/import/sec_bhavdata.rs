//! NSE `sec_bhavdata_full_DDMMYYYY.csv`: a blank after each comma, `-` where there is no value.

use csv::ByteRecord;
use model::Exchange;

use super::line::{Columns, Daily, Fault, Figures, Parsed, date, symbol, text};
use crate::series::is_equity;

/// Where its columns are.
pub struct Layout {
    symbol: usize,
    series: usize,
    date: usize,
    figures: Figures,
}

impl Layout {
    /// The layout, if the header is of this format.
    pub fn of(columns: &Columns) -> Option<Self> {
        Some(Self {
            symbol: columns.find("SYMBOL")?,
            series: columns.find("SERIES")?,
            date: columns.find("DATE1")?,
            figures: Figures {
                open: columns.find("OPEN_PRICE")?,
                high: columns.find("HIGH_PRICE")?,
                low: columns.find("LOW_PRICE")?,
                close: columns.find("CLOSE_PRICE")?,
                prev_close: Some(columns.find("PREV_CLOSE")?),
                volume: columns.find("TTL_TRD_QNTY")?,
            },
        })
    }

    /// One line.
    pub fn parse<'r>(&self, columns: &Columns, record: &'r ByteRecord) -> Result<Parsed<'r>, Fault> {
        let name = symbol(text(record, self.symbol, || "SYMBOL".into())?)?;
        let series = text(record, self.series, || "SERIES".into())?;
        if !is_equity(Exchange::Nse, series, &name) {
            return Ok(Parsed::NotEquity);
        }
        Ok(Parsed::Daily(Daily {
            symbol: name,
            isin: "".into(),
            series: series.into(),
            date: date(text(record, self.date, || "DATE1".into())?)?,
            row: self.figures.row(columns, record)?,
        }))
    }
}
