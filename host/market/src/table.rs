//! The mergeable form of a data set: what importers write into and the store reads and writes.

use std::collections::BTreeMap;

use model::{Date, Exchange, Symbol};

use crate::row::{MinuteRow, Row, RowSource};
use crate::series;

/// What the store remembers about one imported file, so that importing it twice counts it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileNote {
    /// Lines kept as rows, whether new or already there.
    pub rows: u64,
    /// Lines of instruments that are not shares.
    pub not_equity: u64,
    /// Lines that were refused.
    pub rejected: u64,
}

/// One symbol's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SymbolTable {
    /// ISIN; empty where no source had one.
    pub isin: String,
    /// Daily rows by date.
    pub daily: BTreeMap<Date, Row>,
    /// Minute rows by start (nanoseconds since 1970 UTC).
    pub minutes: BTreeMap<i64, MinuteRow>,
}

/// What a broker is known to have nothing for, so that it is not asked for it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SourceNote {
    /// Its history has been asked for every session from the first to the second date: one of them
    /// without a row is one on which the share did not trade.
    pub asked: Option<(Date, Date)>,
    /// The last session on which its quotes showed that the share did not trade.
    pub quiet: Option<Date>,
}

impl SourceNote {
    /// Whether the share is known not to have traded on `session`, given that there is no row of it.
    pub fn is_quiet(&self, session: Date) -> bool {
        self.quiet == Some(session)
            || self.asked.is_some_and(|(from, through)| from <= session && session <= through)
    }
}

/// Everything imported so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Names of series; rows hold an index.
    pub series: Vec<String>,
    /// Rows by symbol.
    pub symbols: BTreeMap<Symbol, SymbolTable>,
    /// Per exchange (NSE, BSE): every date with rows, and whether a whole-market file gave it.
    pub sessions: [BTreeMap<Date, bool>; 2],
    /// What was imported, by file name.
    pub files: BTreeMap<String, FileNote>,
    /// What a broker has nothing for, by symbol.
    pub notes: BTreeMap<Symbol, SourceNote>,
}

/// What became of an inserted row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It was not there before.
    New,
    /// The same figures were there already.
    Same,
    /// Two series of one symbol and day: one row was kept by rank.
    Superseded,
    /// Other figures for the same symbol, day and series were there; they stay.
    Conflict,
    /// Figures of a worse source, or other ones of the same broker, were there; these take their place.
    Replaced,
    /// Figures of a better source were there; they stay.
    Outranked,
}

/// Where an exchange's figures stand in per-exchange arrays.
pub const fn slot(exchange: Exchange) -> usize {
    match exchange {
        Exchange::Nse => 0,
        Exchange::Bse => 1,
    }
}

/// The exchange that a symbol's name tells: `BSE:` means BSE, everything else NSE.
pub fn exchange_of(symbol: &str) -> Exchange {
    if symbol.starts_with("BSE:") { Exchange::Bse } else { Exchange::Nse }
}

impl Table {
    /// The index of a series name, added when new; `None` when 255 names are taken.
    pub fn series_index(&mut self, name: &str) -> Option<u8> {
        if let Some(at) = self.series.iter().position(|known| known == name) {
            return u8::try_from(at).ok();
        }
        let at = u8::try_from(self.series.len()).ok().filter(|at| *at < u8::MAX)?;
        self.series.push(name.to_owned());
        Some(at)
    }

    fn entry(&mut self, symbol: &str) -> &mut SymbolTable {
        if !self.symbols.contains_key(symbol) {
            self.symbols.insert(Symbol::from(symbol), SymbolTable::default());
        }
        self.symbols.get_mut(symbol).expect("inserted above")
    }

    /// Adds a daily row. `whole` says that its file lists the whole market of that day.
    pub fn insert_daily(&mut self, symbol: &str, isin: &str, date: Date, row: Row, whole: bool) -> Inserted {
        *self.sessions[slot(exchange_of(symbol))].entry(date).or_insert(false) |= whole;
        let new_rank = self.series.get(usize::from(row.series)).map_or(9, |name| series::rank(name));
        let names = std::mem::take(&mut self.series);
        let entry = self.entry(symbol);
        if entry.isin.is_empty() && !isin.is_empty() {
            isin.clone_into(&mut entry.isin);
        }
        let inserted = match entry.daily.entry(date) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(row);
                Inserted::New
            }
            std::collections::btree_map::Entry::Occupied(mut occupied) => {
                let old = occupied.get_mut();
                if row.source != old.source {
                    let is_better = row.source > old.source;
                    if is_better {
                        *old = row;
                    }
                    self.series = names;
                    return if is_better { Inserted::Replaced } else { Inserted::Outranked };
                }
                let old_rank = names.get(usize::from(old.series)).map_or(9, |name| series::rank(name));
                if old.agrees_with(&row) {
                    old.prev_close = old.prev_close.max(row.prev_close);
                    if new_rank < old_rank {
                        old.series = row.series;
                    }
                    Inserted::Same
                } else if row.source != RowSource::ExchangeFile {
                    // A broker corrects itself: what it says last counts.
                    *old = row;
                    Inserted::Replaced
                } else if old.series == row.series {
                    Inserted::Conflict
                } else {
                    if new_rank < old_rank {
                        *old = row;
                    }
                    Inserted::Superseded
                }
            }
        };
        self.series = names;
        inserted
    }

    /// Takes out the provisional rows of `date` that its whole-market file did not replace: whoever is not
    /// in that file did not trade. Returns how many.
    pub fn drop_provisional(&mut self, exchange: Exchange, date: Date) -> u64 {
        let mut dropped = 0;
        for (symbol, rows) in &mut self.symbols {
            let is_provisional = rows.daily.get(&date).is_some_and(|row| row.source == RowSource::Quotes);
            if is_provisional && exchange_of(symbol.as_str()) == exchange {
                rows.daily.remove(&date);
                dropped += 1;
            }
        }
        dropped
    }

    /// Adds a minute row.
    pub fn insert_minute(&mut self, symbol: &str, start: i64, row: MinuteRow) -> Inserted {
        match self.entry(symbol).minutes.entry(start) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(row);
                Inserted::New
            }
            std::collections::btree_map::Entry::Occupied(old) if *old.get() == row => Inserted::Same,
            std::collections::btree_map::Entry::Occupied(_) => Inserted::Conflict,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(series: u8, close: i64) -> Row {
        Row {
            open: close,
            high: close,
            low: close,
            close,
            prev_close: 0,
            volume: 1,
            series,
            source: RowSource::ExchangeFile,
        }
    }

    #[test]
    fn one_row_per_symbol_and_day_whatever_the_order() {
        let date = Date::from_ymd_opt(2025, 1, 1).expect("a date");
        for order in [[0_u8, 1], [1, 0]] {
            let mut table = Table::default();
            let eq = table.series_index("EQ").expect("room");
            let bl = table.series_index("BL").expect("room");
            let rows = [row(eq, 100), row(bl, 90)];
            assert_eq!(table.insert_daily("X", "", date, rows[usize::from(order[0])], true), Inserted::New);
            assert_eq!(
                table.insert_daily("X", "INE1", date, rows[usize::from(order[1])], true),
                Inserted::Superseded
            );
            assert_eq!(table.symbols["X"].daily[&date].close, 100);
            assert_eq!(table.symbols["X"].isin, "INE1");
            assert_eq!(table.insert_daily("X", "", date, row(eq, 100), false), Inserted::Same);
            assert_eq!(table.insert_daily("X", "", date, row(eq, 101), false), Inserted::Conflict);
            assert_eq!(table.symbols["X"].daily[&date].close, 100, "the first stays");
        }
    }

    #[test]
    fn a_better_source_replaces_a_worse_one_and_never_the_other_way() {
        use RowSource::{BrokerHistory, ExchangeFile, Quotes};
        let date = Date::from_ymd_opt(2025, 1, 1).expect("a date");
        for (first, then, outcome, kept) in [
            (Quotes, BrokerHistory, Inserted::Replaced, 90),
            (Quotes, ExchangeFile, Inserted::Replaced, 90),
            (BrokerHistory, ExchangeFile, Inserted::Replaced, 90),
            (ExchangeFile, BrokerHistory, Inserted::Outranked, 100),
            (ExchangeFile, Quotes, Inserted::Outranked, 100),
            (BrokerHistory, Quotes, Inserted::Outranked, 100),
            (Quotes, Quotes, Inserted::Replaced, 90),
            (BrokerHistory, BrokerHistory, Inserted::Replaced, 90),
            (ExchangeFile, ExchangeFile, Inserted::Conflict, 100),
        ] {
            let mut table = Table::default();
            let eq = table.series_index("EQ").expect("room");
            let from = |source, close| Row { source, ..row(eq, close) };
            table.insert_daily("X", "", date, from(first, 100), false);
            assert_eq!(
                table.insert_daily("X", "", date, from(then, 90), true),
                outcome,
                "{first:?} then {then:?}"
            );
            assert_eq!(table.symbols["X"].daily[&date].close, kept, "{first:?} then {then:?}");
            assert!(table.sessions[0][&date], "the file of the whole market counts whoever wins");
            let again = table.insert_daily("X", "", date, from(first.max(then), kept), false);
            assert_eq!(again, Inserted::Same, "{first:?} then {then:?}");
        }
    }

    #[test]
    fn a_file_of_the_whole_market_ends_what_is_provisional() {
        let date = Date::from_ymd_opt(2025, 1, 1).expect("a date");
        let mut table = Table::default();
        let eq = table.series_index("EQ").expect("room");
        for (symbol, source) in [
            ("A", RowSource::Quotes),
            ("B", RowSource::BrokerHistory),
            ("C", RowSource::ExchangeFile),
            ("BSE:A", RowSource::Quotes),
        ] {
            table.insert_daily(symbol, "", date, Row { source, ..row(eq, 100) }, false);
        }
        assert_eq!(table.drop_provisional(Exchange::Nse, date), 1);
        assert!(table.symbols["A"].daily.is_empty());
        assert!(["B", "C", "BSE:A"].iter().all(|symbol| table.symbols[*symbol].daily.len() == 1));
    }
}
