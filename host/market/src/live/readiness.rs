//! Do the daily bars reach the last finished session? Asked before money is spent on them.

use std::fmt;

use calendar::Calendar;
use model::{Date, Symbol};
use serde::Serialize;

use crate::dataset::Dataset;
use crate::row::RowSource;
use crate::table::exchange_of;

/// How many of a universe are up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// The session whose bar is wanted.
    pub session: Date,
    /// Shares with that bar, or known not to have traded on the day.
    pub fresh: usize,
    /// Of these, shares known not to have traded.
    pub quiet: usize,
    /// Of these, shares whose bar is made from quotes.
    pub provisional: usize,
    /// Shares whose last bar is older, with its date.
    pub stale: Vec<(Symbol, Date)>,
    /// Shares without any bar by then.
    pub missing: Vec<Symbol>,
    /// Sessions of the calendar between the oldest of the stale bars and the wanted one.
    pub behind_sessions_max: u32,
}

impl Readiness {
    /// How many shares were looked at.
    pub const fn of(&self) -> usize {
        self.fresh + self.stale.len() + self.missing.len()
    }

    /// How many lack the bar.
    pub const fn lacking(&self) -> usize {
        self.stale.len() + self.missing.len()
    }

    /// Whether too many lack the bar: more than `percent` of them. A single one is let pass among others,
    /// since one share's trouble must not stop the rest; all of them never are.
    pub const fn is_refused(&self, percent: usize) -> bool {
        let (lacking, of) = (self.lacking(), self.of());
        lacking * 100 > percent * of && (lacking > 1 || lacking == of)
    }
}

/// In a sentence, with what to type.
impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} shares have the bar of {}", self.fresh - self.quiet, self.of(), self.session)?;
        if self.provisional > 0 {
            write!(f, " ({} provisional)", self.provisional)?;
        }
        if self.quiet > 0 {
            write!(f, ", not traded: {}", self.quiet)?;
        }
        if let Some((symbol, date)) = self.stale.iter().min_by_key(|(_, date)| *date) {
            let (count, sessions) = (self.stale.len(), self.behind_sessions_max);
            write!(
                f,
                ", behind: {count} (the furthest is {symbol}, last on {date}, sessions since: {sessions})"
            )?;
        }
        if !self.missing.is_empty() {
            write!(f, ", without bars: {}", self.missing.len())?;
        }
        if self.lacking() > 0 {
            write!(f, ": run `tradeagent data update --config CONFIG`")?;
        }
        Ok(())
    }
}

/// Where one share stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Fresh(RowSource),
    Quiet,
    Stale(Date),
    Missing,
}

fn standing(data: &Dataset, symbol: &Symbol, session: Date) -> Standing {
    let sessions = data.sessions(exchange_of(symbol.as_str()));
    let number = sessions.index_of(session);
    let history = data.history(symbol.as_str());
    if let Some((history, row)) = history.zip(number).and_then(|(it, at)| Some((it, it.row_of(at)?))) {
        return Standing::Fresh(history.source[row]);
    }
    let last = history.zip(sessions.last_through(session)).and_then(|(history, through)| {
        let row = history.rows_through(through).checked_sub(1)?;
        Some(sessions.dates[history.session[row] as usize])
    });
    // Not in the exchange's own file of the day: it did not trade.
    let is_quiet = data.note(symbol.as_str()).is_quiet(session)
        || (last.is_some() && number.is_some_and(|at| sessions.is_whole(at)));
    match last {
        _ if is_quiet => Standing::Quiet,
        Some(last) => Standing::Stale(last),
        None => Standing::Missing,
    }
}

/// Looks at every share of `universe`: has it the bar of `session`?
pub fn readiness(data: &Dataset, universe: &[Symbol], session: Date, calendar: &Calendar) -> Readiness {
    let mut readiness = Readiness {
        session,
        fresh: 0,
        quiet: 0,
        provisional: 0,
        stale: Vec::new(),
        missing: Vec::new(),
        behind_sessions_max: 0,
    };
    for symbol in universe {
        match standing(data, symbol, session) {
            Standing::Fresh(source) => {
                readiness.fresh += 1;
                readiness.provisional += usize::from(source == RowSource::Quotes);
            }
            Standing::Quiet => {
                readiness.fresh += 1;
                readiness.quiet += 1;
            }
            Standing::Stale(last) => readiness.stale.push((symbol.clone(), last)),
            Standing::Missing => readiness.missing.push(symbol.clone()),
        }
    }
    if let Some((symbol, oldest)) = readiness.stale.iter().min_by_key(|(_, date)| *date) {
        readiness.behind_sessions_max = sessions_behind(calendar, symbol, *oldest, session);
    }
    readiness
}

fn sessions_behind(calendar: &Calendar, symbol: &Symbol, last: Date, session: Date) -> u32 {
    let exchange = exchange_of(symbol.as_str());
    let later = last.iter_days().skip(1).take_while(|date| *date <= session);
    let count = later.filter(|date| crate::replay::clock::is_session(calendar, exchange, *date)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testkit::{date, rupees};
    use crate::row::Row;
    use crate::table::{SourceNote, Table};

    /// `OLD` ends on Thursday, `NEW` has Friday's bar, `NIL` has none. `whole`: a file of the whole market
    /// gave Friday's.
    fn data(whole: bool, notes: &[(&str, SourceNote)]) -> Dataset {
        let mut table = Table::default();
        let series = table.series_index("EQ").expect("room");
        let price = rupees(100).units();
        let row = Row {
            open: price,
            high: price,
            low: price,
            close: price,
            prev_close: 0,
            volume: 1,
            series,
            source: RowSource::Quotes,
        };
        table.insert_daily("OLD", "", date("2026-11-26"), row, false);
        table.insert_daily("NEW", "", date("2026-11-27"), row, whole);
        table.notes = notes.iter().map(|(name, note)| (Symbol::from(*name), *note)).collect();
        Dataset::build(table, &Calendar::bundled())
    }

    fn look(data: &Dataset) -> Readiness {
        let universe = ["OLD", "NEW", "NIL"].map(Symbol::from);
        readiness(data, &universe, date("2026-11-27"), &Calendar::bundled())
    }

    #[test]
    fn a_missing_bar_is_old_data_unless_the_share_is_known_to_have_rested() {
        let found = look(&data(false, &[]));
        assert_eq!((found.fresh, found.quiet, found.provisional), (1, 0, 1), "{found}");
        assert_eq!(found.stale, [(Symbol::from("OLD"), date("2026-11-26"))]);
        assert_eq!(
            (found.missing.as_slice(), found.behind_sessions_max),
            ([Symbol::from("NIL")].as_slice(), 1)
        );
        let found = look(&data(true, &[]));
        assert_eq!(
            (found.fresh, found.quiet, found.lacking()),
            (2, 1, 1),
            "not in the file of the whole market"
        );
        let friday = date("2026-11-27");
        for note in [
            SourceNote { asked: None, quiet: Some(friday) },
            SourceNote { asked: Some((date("2026-11-02"), friday)), quiet: None },
        ] {
            let found = look(&data(false, &[("OLD", note), ("NIL", note)]));
            assert_eq!((found.fresh, found.quiet, found.lacking()), (3, 2, 0), "{note:?}");
        }
        let earlier = SourceNote { asked: Some((date("2026-11-02"), date("2026-11-26"))), quiet: None };
        assert_eq!(look(&data(false, &[("OLD", earlier)])).lacking(), 2, "asked for other days");
    }

    #[test]
    fn more_than_the_percentage_is_refused_and_a_single_one_among_others_is_not() {
        let of = |fresh: usize, lacking: usize| Readiness {
            session: date("2026-11-27"),
            fresh,
            quiet: 0,
            provisional: 0,
            stale: Vec::new(),
            missing: vec!["X".into(); lacking],
            behind_sessions_max: 0,
        };
        for (fresh, lacking, refused) in [
            (0, 0, false),
            (0, 1, true),
            (1, 1, false),
            (4, 1, false),
            (4, 2, true),
            (18, 2, false),
            (17, 2, true),
            (1_800, 200, false),
            (1_799, 201, true),
        ] {
            assert_eq!(of(fresh, lacking).is_refused(10), refused, "{lacking} of {}", fresh + lacking);
        }
    }
}
