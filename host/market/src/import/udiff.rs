//! The UDiFF bhavcopy of NSE and BSE (`BhavCopy_NSE_CM_0_0_0_YYYYMMDD_F_0000.csv`), since July 2024.
//!
//! The same columns serve every segment; kept are the cash market's shares. A BSE symbol gets `BSE:`.

use csv::ByteRecord;
use model::Exchange;

use super::line::{Columns, Daily, Fault, Figures, Parsed, date, symbol, text};
use crate::series::is_equity;

/// Where its columns are.
pub struct Layout {
    date: usize,
    segment: usize,
    source: usize,
    kind: usize,
    isin: usize,
    symbol: usize,
    series: usize,
    figures: Figures,
}

impl Layout {
    /// The layout, if the header is of this format.
    pub fn of(columns: &Columns) -> Option<Self> {
        Some(Self {
            date: columns.find("TRADDT")?,
            segment: columns.find("SGMT")?,
            source: columns.find("SRC")?,
            kind: columns.find("FININSTRMTP")?,
            isin: columns.find("ISIN")?,
            symbol: columns.find("TCKRSYMB")?,
            series: columns.find("SCTYSRS")?,
            figures: Figures {
                open: columns.find("OPNPRIC")?,
                high: columns.find("HGHPRIC")?,
                low: columns.find("LWPRIC")?,
                close: columns.find("CLSPRIC")?,
                prev_close: Some(columns.find("PRVSCLSGPRIC")?),
                volume: columns.find("TTLTRADGVOL")?,
            },
        })
    }

    /// One line.
    pub fn parse<'r>(&self, columns: &Columns, record: &'r ByteRecord) -> Result<Parsed<'r>, Fault> {
        let field = |at: usize| text(record, at, || columns.name(at));
        let series = field(self.series)?;
        if field(self.segment)? != "CM" || field(self.kind)? != "STK" {
            return Ok(Parsed::NotEquity);
        }
        let exchange = if field(self.source)? == "BSE" { Exchange::Bse } else { Exchange::Nse };
        let ticker = field(self.symbol)?;
        if !is_equity(exchange, series, ticker) {
            return Ok(Parsed::NotEquity);
        }
        let name = symbol(ticker)?;
        Ok(Parsed::Daily(Daily {
            symbol: if exchange == Exchange::Bse { format!("BSE:{name}") } else { name },
            isin: field(self.isin)?.into(),
            series: series.into(),
            date: date(field(self.date)?)?,
            row: self.figures.row(columns, record)?,
        }))
    }
}
