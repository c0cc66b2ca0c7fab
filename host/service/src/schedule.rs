//! When a task is due: declared times, pure arithmetic.
//!
//! A task is declared `at`, `every`, `until`, each a clock time in Mumbai or relative to a phase of the
//! session (`open`, `close+35m`). Here is no clock: a session goes in, due instants come out.

use std::fmt;
use std::str::FromStr;

use calendar::{Session, SessionKind};
use chrono::NaiveTime;
use model::time::SECOND;
use model::{InstrumentClass, StrategyName, Timestamp};
use serde::{Deserialize, Serialize};

/// The most due instants that one task may have in one session: a tick a second for a long day.
const MAX_DUE_PER_SESSION: usize = 12 * 3600;

/// A text that is no time, duration, or the like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not a time of the day.
    #[error(
        "`{0}` is not a time: write a clock time such as 18:00, or a phase with an offset such as open, close+35m, open-5m"
    )]
    When(String),
    /// Not a duration.
    #[error("`{0}` is not a duration: write such as 30s, 1m, 1h or 1h30m")]
    Duration(String),
}

/// A moment of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum When {
    /// A clock time in Mumbai.
    Clock(NaiveTime),
    /// The start of continuous trading, and nanoseconds from it.
    Open(i64),
    /// The end of continuous trading, and nanoseconds from it.
    Close(i64),
}

impl When {
    /// The instant in `session`.
    pub fn in_session(self, session: &Session) -> Timestamp {
        match self {
            Self::Clock(time) => Timestamp::from_ist(session.date, time),
            Self::Open(offset) => session.open(InstrumentClass::WithoutDerivatives).plus_nanos(offset),
            Self::Close(offset) => session.latest_close().plus_nanos(offset),
        }
    }
}

/// Nanoseconds of a text such as `30s`, `1m`, `1h30m`.
pub fn parse_duration(text: &str) -> Result<i64, ScheduleError> {
    let bad = || ScheduleError::Duration(text.to_owned());
    let mut total = 0_i64;
    let mut digits = String::new();
    let mut seen = false;
    for c in text.trim().chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            's' => SECOND,
            'm' => 60 * SECOND,
            'h' => 3600 * SECOND,
            'd' => 86_400 * SECOND,
            _ => return Err(bad()),
        };
        let count: i64 = digits.parse().map_err(|_| bad())?;
        total = count.checked_mul(unit).and_then(|nanos| total.checked_add(nanos)).ok_or_else(bad)?;
        digits.clear();
        seen = true;
    }
    if !seen || !digits.is_empty() {
        return Err(bad());
    }
    Ok(total)
}

fn show_duration(nanos: i64) -> String {
    let mut seconds = nanos / SECOND;
    let mut text = String::new();
    for (size, unit) in [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')] {
        if seconds >= size {
            text += &format!("{}{unit}", seconds / size);
            seconds %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

impl FromStr for When {
    type Err = ScheduleError;
    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let text = text.trim();
        let offset = |rest: &str| -> Option<i64> {
            match rest.chars().next() {
                None => Some(0),
                Some('+') => parse_duration(&rest[1..]).ok(),
                Some('-') => parse_duration(&rest[1..]).ok().map(|nanos| -nanos),
                Some(_) => None,
            }
        };
        if let Some(rest) = text.strip_prefix("open") {
            return offset(rest).map(Self::Open).ok_or_else(|| ScheduleError::When(text.to_owned()));
        }
        if let Some(rest) = text.strip_prefix("close") {
            return offset(rest).map(Self::Close).ok_or_else(|| ScheduleError::When(text.to_owned()));
        }
        NaiveTime::parse_from_str(text, "%H:%M")
            .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S"))
            .map(Self::Clock)
            .map_err(|_| ScheduleError::When(text.to_owned()))
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (phase, offset) = match self {
            Self::Clock(time) => return write!(f, "{}", time.format("%H:%M:%S")),
            Self::Open(offset) => ("open", *offset),
            Self::Close(offset) => ("close", *offset),
        };
        match offset {
            0 => f.write_str(phase),
            later if later > 0 => write!(f, "{phase}+{}", show_duration(later)),
            earlier => write!(f, "{phase}-{}", show_duration(-earlier)),
        }
    }
}

impl TryFrom<String> for When {
    type Error = ScheduleError;
    fn try_from(text: String) -> Result<Self, ScheduleError> {
        text.parse()
    }
}
impl From<When> for String {
    fn from(when: When) -> Self {
        when.to_string()
    }
}

/// A positive length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Every(i64);

impl Every {
    /// `minutes` minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self(minutes * 60 * SECOND)
    }

    /// In nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }
}

impl FromStr for Every {
    type Err = ScheduleError;
    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let nanos = parse_duration(text)?;
        if nanos < SECOND { Err(ScheduleError::Duration(text.to_owned())) } else { Ok(Self(nanos)) }
    }
}
impl TryFrom<String> for Every {
    type Error = ScheduleError;
    fn try_from(text: String) -> Result<Self, ScheduleError> {
        text.parse()
    }
}
impl From<Every> for String {
    fn from(every: Every) -> Self {
        show_duration(every.0)
    }
}

/// On which sessions a task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sessions {
    /// Sessions of ordinary hours, weekend ones included; not Muhurat.
    #[default]
    Regular,
    /// Every session.
    All,
}

/// What becomes of a run whose time passed while the host was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CatchUp {
    /// Journaled as missed.
    #[default]
    Skip,
    /// The last missed one runs, before its deadline.
    Once,
}

/// A declared task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Which strategy runs.
    pub strategy: StrategyName,
    /// When first.
    pub at: When,
    /// How often after that; none: once a session.
    pub every: Option<Every>,
    /// Not after this moment (which itself is included).
    pub until: Option<When>,
    /// On which sessions.
    pub sessions: Sessions,
    /// How long after its time it may still begin.
    pub deadline: Every,
    /// What becomes of missed ones.
    pub catch_up: CatchUp,
    /// Whether an interrupted run is entered again before its deadline.
    pub resume: bool,
}

impl Task {
    /// The instants at which it is due in `session`, in order. Those before the session's date begins
    /// or after it ends in Mumbai do not exist.
    pub fn due(&self, session: &Session) -> Vec<Timestamp> {
        if self.sessions == Sessions::Regular && matches!(session.kind, SessionKind::Muhurat) {
            return Vec::new();
        }
        let mut at = self.at.in_session(session);
        let last = self.until.map_or(at, |until| until.in_session(session));
        let mut due = Vec::new();
        while at <= last && due.len() < MAX_DUE_PER_SESSION {
            if at.ist_date() == session.date {
                due.push(at);
            }
            match self.every {
                Some(every) => at = at.plus_nanos(every.nanos()),
                None => break,
            }
        }
        due
    }

    /// The id of its run at `scheduled`.
    pub fn run_id(&self, scheduled: Timestamp) -> model::RunId {
        let local = scheduled.ist();
        model::RunId::from(format!("{}@{}", self.name, local.format("%Y-%m-%dT%H:%M:%S")))
    }
}

/// A run that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Index of its task.
    pub task: usize,
}

/// Every run of a session, in order of time, then of declaration.
pub fn plan(tasks: &[Task], session: &Session) -> Vec<Due> {
    let mut plan: Vec<Due> = tasks
        .iter()
        .enumerate()
        .flat_map(|(task, declared)| declared.due(session).into_iter().map(move |at| Due { at, task }))
        .collect();
    plan.sort_by_key(|due| (due.at, due.task));
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use calendar::Calendar;
    use model::{Date, Exchange};

    fn session(date: &str) -> Session {
        let date: Date = date.parse().expect("a date");
        Calendar::bundled().session(Exchange::Nse, date).expect("known").expect("a trading day")
    }

    fn task(at: &str, every: Option<&str>, until: Option<&str>) -> Task {
        Task {
            name: "t".into(),
            strategy: "s".into(),
            at: at.parse().expect("a time"),
            every: every.map(|text| text.parse().expect("a duration")),
            until: until.map(|text| text.parse().expect("a time")),
            sessions: Sessions::Regular,
            deadline: Every::minutes(1),
            catch_up: CatchUp::Skip,
            resume: false,
        }
    }

    #[test]
    fn a_day_of_the_default_schedule() {
        let day = session("2025-03-04");
        assert_eq!(task("open", Some("1m"), Some("close")).due(&day).len(), 376);
        let monitor = task("open+15m", Some("1h"), Some("close")).due(&day);
        assert_eq!(monitor.len(), 7);
        assert_eq!(monitor[0], Timestamp::at_ist(day.date, 9, 30));
        assert_eq!(task("close+35m", None, None).due(&day), [Timestamp::at_ist(day.date, 16, 5)]);
        assert_eq!(task("18:00", None, None).due(&day), [Timestamp::at_ist(day.date, 18, 0)]);
    }

    #[test]
    fn muhurat_is_for_those_who_ask_for_all_sessions() {
        let muhurat = session("2025-10-21");
        let mut sell = task("open", Some("1m"), Some("close"));
        assert_eq!(sell.due(&muhurat), []);
        sell.sessions = Sessions::All;
        assert_eq!(sell.due(&muhurat).len(), 61);
    }

    #[test]
    fn texts_round_trip_and_bad_ones_say_what_to_write() {
        for text in ["open", "close+35m", "open-5m", "18:00:00", "close+1h30m"] {
            assert_eq!(text.parse::<When>().expect(text).to_string(), text);
        }
        for text in ["", "noon", "25:00", "close+", "close*2", "open+5", "open5m"] {
            let error = text.parse::<When>().expect_err(text);
            assert!(error.to_string().contains("close+35m"), "{error}");
        }
        assert!("0s".parse::<Every>().is_err());
        assert!("99999999999999999999h".parse::<Every>().is_err());
    }

    #[test]
    fn runs_are_ordered_by_time_then_declaration() {
        let tasks = [task("18:00", None, None), task("10:00", None, None), task("18:00", None, None)];
        let plan: Vec<usize> = plan(&tasks, &session("2025-03-04")).iter().map(|due| due.task).collect();
        assert_eq!(plan, [1, 0, 2]);
    }
}
