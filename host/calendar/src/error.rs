//! What can be wrong with a question or with a data file.

use model::Date;

/// Why the calendar cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The date lies after the last day the data covers.
    #[error(
        "{date} is not known to the exchange calendar, which ends on {known_until}: nothing is traded on it; \
         load a calendar file that covers it (the exchanges publish the next year's holidays in mid-December)"
    )]
    BeyondKnown {
        /// The day asked about, or the first unknown day a search ran into.
        date: Date,
        /// The last day the data covers.
        known_until: Date,
    },
    /// The date lies before the first day the data covers.
    #[error(
        "{date} is not known to the exchange calendar, which begins on {known_from}: choose a later date, \
         or load a calendar file that covers it"
    )]
    BeforeKnown {
        /// The day asked about, or the first unknown day a search ran into.
        date: Date,
        /// The first day the data covers.
        known_from: Date,
    },
    /// The data file cannot be used.
    #[error("the calendar file is wrong in line {line} (`{text}`): {message}")]
    Data {
        /// The line, counted from 1.
        line: usize,
        /// That line as written, without its indentation.
        text: String,
        /// What is wrong with it and what was expected.
        message: String,
    },
    /// The data file is too large to be one.
    #[error(
        "the calendar file has {bytes} bytes, more than the {limit} a calendar can need: is it the right file?"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest accepted size.
        limit: usize,
    },
}
