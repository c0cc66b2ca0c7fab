//! The account outlives its process: a file of every order call, replayed at the next start.
//!
//! The exchange is deterministic, so its calls and their instants are the whole account. What can go wrong
//! is that the same calls give another account, because prices, calendar or settings are not what they were:
//! the file also keeps what was answered and what the books summed up to, and a difference ends the start.
//!
//! A call is written before it is applied, and answered after both. A process that dies (`kill -9`) leaves
//! a call either in the file and taken, or neither; a line that was cut off is dropped, its call never
//! happened. Lines are handed to the operating system and not synced: they survive the death of the process,
//! not a power failure.
//!
//! Architecture invariant: nothing here changes the exchange except by the calls that anyone may make.

mod error;
mod file;
mod line;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use broker::{Ack, SendError};
use model::Timestamp;

pub use self::error::DurableError;
pub(crate) use self::line::OrderCall;

use self::file::{Entry, LineFile};
use self::line::{Books, Given, Header, Line, MAGIC, VERSION};
use crate::exchange::Exchange;

/// The largest file, in bytes: about 250,000 order calls.
pub const BOOK_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// The file behind one exchange. Exclusive: a second opener is turned away while this one lives.
pub struct BookLog {
    file: LineFile,
    /// What the file says the books sum up to.
    books: Books,
}

impl BookLog {
    /// Opens the file at `path` and brings `exchange`, which has not begun, to where the file ends. A file
    /// that is not there yet is made, and the exchange begins at `start`; else at the start of the file.
    ///
    /// `market` names what the answers depend on besides the account's settings (data, calendar): another
    /// name than the file's is an error. Leave out what may grow while the account lives: a change of the
    /// past that matters shows as a difference.
    ///
    /// # Errors
    /// See [`DurableError`]. The exchange may then be half-way: make a new one.
    pub fn open(
        path: &Path,
        market: &str,
        start: Timestamp,
        exchange: &mut Exchange,
    ) -> Result<Self, DurableError> {
        Self::open_bounded(path, market, start, exchange, BOOK_BYTES_MAX)
    }

    pub(crate) fn open_bounded(
        path: &Path,
        market: &str,
        start: Timestamp,
        exchange: &mut Exchange,
        bytes_max: u64,
    ) -> Result<Self, DurableError> {
        if exchange.now().is_some() {
            return Err(DurableError::Begun);
        }
        let mut file = LineFile::open(path, bytes_max)?;
        let header = Header::new(&exchange.config, market, start);
        let mut replay = Replay { exchange, header: &header, path, expected: None };
        file.read(&mut |entry| replay.step(entry))?;
        if exchange.now().is_none() {
            file.append(&header).map_err(|source| DurableError::io(path, "written", source))?;
            exchange.advance(start);
        }
        let books = Books::of(exchange);
        Ok(Self { file, books })
    }

    /// Writes down what the passing of time did to the books, so that a later replay is held to it.
    fn note_time(&mut self, exchange: &Exchange) {
        let books = Books::of(exchange);
        if books == self.books {
            return;
        }
        let Some(at) = exchange.now() else { return };
        // Without it a replay is checked less, nothing is lost; the next call tries again.
        if self.file.append(&Line::Time { at, books: books.clone() }).is_ok() {
            self.books = books;
        }
    }

    /// Writes `order` down, then applies it. What cannot be written is refused and not applied.
    fn take(&mut self, exchange: &mut Exchange, order: &OrderCall) -> Result<Ack, SendError> {
        self.note_time(exchange);
        let at = exchange.now().unwrap_or_default();
        self.file.append(&Line::Call { at, order: order.clone() }).map_err(|error| SendError::Refused {
            code: "PAPER_BOOK".to_owned(),
            reason: format!(
                "the paper account's file {} cannot be written, so nothing was taken: {error}",
                self.file.path().display()
            ),
        })?;
        let answer = order.apply(exchange);
        let books = Books::of(exchange);
        let line = Line::Answer { given: Given::of(&answer), books: books.clone() };
        // The call is in the file: without this line a replay is checked less, and comes out the same.
        if self.file.append(&line).is_ok() {
            self.books = books;
        }
        answer
    }
}

/// Applies `order` at the exchange's present instant, by way of the file where there is one.
pub(crate) fn take(
    exchange: &mut Exchange,
    log: Option<&Mutex<BookLog>>,
    order: &OrderCall,
) -> Result<Ack, SendError> {
    match log {
        Some(log) => lock_log(log).take(exchange, order),
        None => order.apply(exchange),
    }
}

/// Lets time pass up to `to`, and notes in the file what that did.
pub(crate) fn advance(exchange: &mut Exchange, log: Option<&Mutex<BookLog>>, to: Timestamp) {
    exchange.advance(to);
    if let Some(log) = log {
        lock_log(log).note_time(exchange);
    }
}

/// Always locked after the exchange.
fn lock_log(log: &Mutex<BookLog>) -> std::sync::MutexGuard<'_, BookLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One pass over the lines of a file.
struct Replay<'a> {
    exchange: &'a mut Exchange,
    /// What this process would have written first.
    header: &'a Header,
    path: &'a Path,
    /// The answer that the call of the line before gave now.
    expected: Option<Given>,
}

impl Replay<'_> {
    fn step(&mut self, entry: Entry<'_>) -> Result<(), DurableError> {
        if entry.number == 1 {
            return self.begin(&entry);
        }
        match entry.parse(self.path)? {
            Line::Time { at, books } => {
                self.pass(&entry, at)?;
                self.compare(&entry, &books)
            }
            Line::Call { at, order } => {
                self.pass(&entry, at)?;
                self.expected = Some(Given::of(&order.apply(self.exchange)));
                Ok(())
            }
            Line::Answer { given, books } => {
                let now =
                    self.expected.take().ok_or_else(|| entry.garbage(self.path, "an answer to no call"))?;
                if given != now {
                    let what =
                        format!("line {}: the order was answered with {given}, now with {now}", entry.number);
                    return Err(self.changed(what));
                }
                self.compare(&entry, &books)
            }
        }
    }

    fn begin(&mut self, entry: &Entry<'_>) -> Result<(), DurableError> {
        let found: Header = match entry.parse(self.path) {
            Ok(found) => found,
            Err(_) if !entry.bytes.starts_with(MAGIC) => {
                return Err(DurableError::NotABook { path: self.path.to_owned() });
            }
            Err(error) => return Err(error),
        };
        if found.version != VERSION {
            return Err(DurableError::Version {
                path: self.path.to_owned(),
                found: found.version,
                known: VERSION,
            });
        }
        if let Some(what) = found.difference(self.header) {
            return Err(self.changed(what));
        }
        self.exchange.advance(found.start);
        Ok(())
    }

    fn pass(&mut self, entry: &Entry<'_>, at: Timestamp) -> Result<(), DurableError> {
        if self.exchange.now().is_some_and(|now| at < now) {
            return Err(entry.garbage(self.path, "its instant is before that of the line before"));
        }
        self.expected = None;
        self.exchange.advance(at);
        Ok(())
    }

    fn compare(&self, entry: &Entry<'_>, books: &Books) -> Result<(), DurableError> {
        match Books::of(self.exchange).difference(books) {
            None => Ok(()),
            Some(what) => Err(self.changed(format!("line {}: {what}", entry.number))),
        }
    }

    fn changed(&self, what: String) -> DurableError {
        DurableError::Changed { path: self.path.to_owned(), what }
    }
}
