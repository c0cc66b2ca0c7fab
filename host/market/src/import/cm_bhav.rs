//! NSE `cmDDMMMYYYYbhav.csv`, retired in July 2024.

use csv::ByteRecord;
use model::Exchange;

use super::line::{Columns, Daily, Fault, Figures, Parsed, date, symbol, text};
use crate::series::is_equity;

/// Where its columns are.
pub struct Layout {
    symbol: usize,
    series: usize,
    date: usize,
    isin: Option<usize>,
    figures: Figures,
}

impl Layout {
    /// The layout, if the header is of this format.
    pub fn of(columns: &Columns) -> Option<Self> {
        Some(Self {
            symbol: columns.find("SYMBOL")?,
            series: columns.find("SERIES")?,
            date: columns.find("TIMESTAMP")?,
            isin: columns.find("ISIN"),
            figures: Figures {
                open: columns.find("OPEN")?,
                high: columns.find("HIGH")?,
                low: columns.find("LOW")?,
                close: columns.find("CLOSE")?,
                prev_close: Some(columns.find("PREVCLOSE")?),
                volume: columns.find("TOTTRDQTY")?,
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
        let isin = match self.isin {
            Some(at) => text(record, at, || "ISIN".into()).unwrap_or(""),
            None => "",
        };
        Ok(Parsed::Daily(Daily {
            symbol: name,
            isin: isin.into(),
            series: series.into(),
            date: date(text(record, self.date, || "TIMESTAMP".into())?)?,
            row: self.figures.row(columns, record)?,
        }))
    }
}
