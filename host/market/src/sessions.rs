//! The sessions that a data set covers, and the ones it misses.

use std::collections::BTreeMap;

use calendar::Calendar;
use model::{Date, Exchange};

use crate::dataset::History;

/// The sessions of one exchange, ascending.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// Whose sessions.
    pub exchange: Exchange,
    /// Their dates.
    pub dates: Vec<Date>,
    /// Calendar sessions between the first and the last that no file covers.
    pub gaps: Vec<Date>,
    /// Pairs of neighbouring dates between which the rows themselves show that a session is missing,
    /// though the calendar knows of none.
    pub evident: Vec<(Date, Date)>,
    /// The span reaches outside of what the calendar knows: gaps there are found from the rows alone.
    pub beyond_calendar: bool,
    /// `breaks[i]` counts the boundaries before session `i` that no comparison may cross.
    breaks: Vec<u32>,
    /// `partial[i]` counts the sessions before `i` that no whole-market file covers.
    partial: Vec<u32>,
}

impl Sessions {
    /// The sessions of `dates` (date, whether a whole-market file covers it).
    pub fn of(exchange: Exchange, dates: &BTreeMap<Date, bool>, calendar: &Calendar) -> Self {
        let mut sessions = Self {
            exchange,
            dates: dates.keys().copied().collect(),
            gaps: Vec::new(),
            evident: Vec::new(),
            beyond_calendar: false,
            breaks: Vec::with_capacity(dates.len() + 1),
            partial: Vec::with_capacity(dates.len() + 1),
        };
        let (mut breaks, mut partial) = (0, 0);
        let mut before: Option<Date> = None;
        for (date, whole) in dates {
            if let Some(before) = before {
                let known = sessions.gaps.len();
                sessions.find_gaps(before, *date, calendar);
                breaks += u32::from(sessions.gaps.len() > known);
            }
            sessions.breaks.push(breaks);
            sessions.partial.push(partial);
            partial += u32::from(!whole);
            before = Some(*date);
        }
        sessions.partial.push(partial);
        sessions
    }

    fn find_gaps(&mut self, after: Date, before: Date, calendar: &Calendar) {
        for date in after.iter_days().skip(1).take_while(|date| *date < before) {
            match calendar.session(self.exchange, date) {
                Ok(Some(_)) => self.gaps.push(date),
                Ok(None) => {}
                Err(_) => self.beyond_calendar = true,
            }
        }
    }

    /// A missing session shows itself: across it, most published previous closes differ from the last
    /// known close. Needed where the calendar knows nothing, and a safeguard where it errs.
    pub fn find_evident_gaps<'a>(&mut self, histories: impl Iterator<Item = &'a History>) {
        let mut seen = vec![0_u32; self.dates.len()];
        let mut differ = vec![0_u32; self.dates.len()];
        for history in histories {
            for row in 1..history.session.len() {
                let (before, now) = (history.session[row - 1], history.session[row]);
                if now != before + 1 || history.prev_close[row] == 0 {
                    continue;
                }
                seen[now as usize] += 1;
                let (published, close) = (history.prev_close[row], history.close[row - 1]);
                differ[now as usize] += u32::from((published - close).abs() > close / 1_000);
            }
        }
        let mut added = 0;
        for at in 1..self.dates.len() {
            let is_gap_already = self.breaks[at] + added > self.breaks[at - 1];
            // A fifth of at least ten: corporate actions touch a few symbols a day, a gap nearly all.
            if !is_gap_already && seen[at] >= 10 && differ[at] * 5 > seen[at] {
                self.evident.push((self.dates[at - 1], self.dates[at]));
                added += 1;
            }
            self.breaks[at] += added;
        }
    }

    /// Whether a whole-market file covers session number `session`: then who is not in it did not trade.
    pub fn is_whole(&self, session: u32) -> bool {
        let at = session as usize;
        self.partial.get(at).zip(self.partial.get(at + 1)).is_some_and(|(before, after)| before == after)
    }

    /// The number of a date's session.
    pub fn index_of(&self, date: Date) -> Option<u32> {
        self.dates.binary_search(&date).ok().and_then(|at| u32::try_from(at).ok())
    }

    /// The number of the last session on or before `date`.
    pub fn last_through(&self, date: Date) -> Option<u32> {
        let count = self.dates.partition_point(|known| *known <= date);
        count.checked_sub(1).and_then(|at| u32::try_from(at).ok())
    }

    /// Whether a row of session `now` may be compared with the symbol's row before, of session `before`:
    /// no session is missing between them, and between them every file shows that it did not trade.
    pub fn is_comparable(&self, before: u32, now: u32) -> bool {
        let (before, now) = (before as usize, now as usize);
        self.breaks[before] == self.breaks[now] && self.partial[before + 1] == self.partial[now]
    }
}
