//! Where the scrip master's columns are.

use std::collections::BTreeMap;

use csv::ByteRecord;

use super::ScripError;

/// Column names, cleaned, to their places.
pub(super) struct Columns(BTreeMap<String, usize>);

/// What a row cannot do without.
const REQUIRED: [&str; 3] = ["pSymbol", "pExchSeg", "pTrdSymbol"];

impl Columns {
    /// `dTickSize ` and `dStrikePrice;` are how the file spells them.
    pub(super) fn of(header: &ByteRecord) -> Result<Self, ScripError> {
        let clean =
            |name: &[u8]| String::from_utf8_lossy(name).trim().trim_end_matches(';').trim().to_owned();
        let columns = Self(header.iter().enumerate().map(|(at, name)| (clean(name), at)).collect());
        match REQUIRED.iter().find(|name| !columns.0.contains_key(**name)) {
            Some(name) => Err(ScripError::NoColumn(name)),
            None => Ok(columns),
        }
    }

    /// A cell's text; `None` where it says nothing.
    pub(super) fn text(&self, record: &ByteRecord, name: &str) -> Option<String> {
        let cell = record.get(*self.0.get(name)?)?;
        let text = String::from_utf8_lossy(cell).trim().trim_end_matches(';').trim().to_owned();
        if matches!(text.as_str(), "" | "--" | "NA") { None } else { Some(text) }
    }
}
