//! From the text of a data file to a [`Book`], or to the line that is wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use model::{Date, Exchange, InstrumentClass};
use toml::Spanned;

use crate::book::{
    Book, ClassTimes, ClosingTimes, DerivativesTimes, ExchangeBook, Hours, SpecialSession, SpecialTimes,
};
use crate::error::CalendarError;
use crate::file::{self, FileDate, FileHours, FileKind, FileMethod, FileTime, FileTimes};
use crate::phase::{Phase, PhaseSpan, Span};
use crate::session::SessionKind;

/// A file for a century would be smaller.
pub(crate) const BYTES_MAX: usize = 1 << 20;

/// Where in the text something is wrong, and what.
struct Wrong {
    at: Range<usize>,
    message: String,
}

type Checked<T> = Result<T, Wrong>;

fn wrong<T>(at: Range<usize>, message: impl Into<String>) -> Checked<T> {
    Err(Wrong { at, message: message.into() })
}

/// Reads and checks a whole file.
pub(crate) fn parse(text: &str) -> Result<Book, CalendarError> {
    if text.len() > BYTES_MAX {
        return Err(CalendarError::TooLarge { bytes: text.len(), limit: BYTES_MAX });
    }
    let file: file::File = toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        locate(text, Wrong { at, message: error.message().to_owned() })
    })?;
    book(file).map_err(|error| locate(text, error))
}

fn locate(text: &str, Wrong { at, message }: Wrong) -> CalendarError {
    let at = at.start.min(text.len());
    let before = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
    let written = text.lines().nth(before).unwrap_or_default().trim();
    CalendarError::Data { line: before + 1, text: written.chars().take(120).collect(), message }
}

fn book(file: file::File) -> Checked<Book> {
    if file.version.get_ref().trim().is_empty() {
        return wrong(file.version.span(), "the version is empty: give it the day of the last edit");
    }
    let known_from = file.known_from.get_ref().0;
    let known_until = file.known_until.get_ref().0;
    if known_from > known_until {
        return wrong(
            file.known_until.span(),
            format!("known_until is before known_from ({known_from}): nothing would be known"),
        );
    }
    let mut book = Book {
        version: file.version.get_ref().clone(),
        sources: file.sources,
        known_from,
        known_until,
        nse: ExchangeBook::default(),
        bse: ExchangeBook::default(),
    };
    for template in file.template {
        let hours = hours(&template)?;
        some_exchange(&template.exchanges, &template.from)?;
        for exchange in template.exchanges {
            once(&mut book.of_mut(exchange).templates, &template.from, exchange, "template", hours.clone())?;
        }
    }
    for exchange in [Exchange::Nse, Exchange::Bse] {
        if book.of(exchange).template(known_from).is_none() {
            return wrong(
                file.known_from.span(),
                format!("no [[template]] for {exchange} is in force on known_from: add one, or begin later"),
            );
        }
    }
    for entry in file.closed {
        let date = within(&entry.date, known_from, known_until)?;
        some_exchange(&entry.exchanges, &entry.date)?;
        for exchange in entry.exchanges {
            once(
                &mut book.of_mut(exchange).closed,
                &date,
                exchange,
                "[[closed]] entry",
                entry.reason.clone(),
            )?;
        }
    }
    for entry in file.settlement_holiday {
        let date = within(&entry.date, known_from, known_until)?;
        some_exchange(&entry.exchanges, &entry.date)?;
        for exchange in entry.exchanges {
            let holidays = &mut book.of_mut(exchange).settlement_holidays;
            once(holidays, &date, exchange, "[[settlement_holiday]] entry", entry.reason.clone())?;
        }
    }
    for special in file.special {
        let date = within(&special.date, known_from, known_until)?;
        some_exchange(&special.exchanges, &special.date)?;
        let session = special_session(&special)?;
        for exchange in special.exchanges {
            once(
                &mut book.of_mut(exchange).special,
                &date,
                exchange,
                "[[special]] session",
                session.clone(),
            )?;
        }
    }
    Ok(book)
}

/// The date, when the file claims to know it: an entry outside the range would silently do nothing.
fn within(date: &Spanned<FileDate>, from: Date, until: Date) -> Checked<Spanned<FileDate>> {
    let day = date.get_ref().0;
    if day < from || day > until {
        return wrong(
            date.span(),
            format!(
                "{day} is outside {from} to {until}: move known_from or known_until, or remove the entry"
            ),
        );
    }
    Ok(date.clone())
}

/// Whether the entry speaks for anyone.
fn some_exchange(exchanges: &[Exchange], date: &Spanned<FileDate>) -> Checked<()> {
    if exchanges.is_empty() {
        return wrong(date.span(), "exchanges is empty: name \"NSE\" or \"BSE\", or leave it out for both");
    }
    Ok(())
}

fn once<T>(
    map: &mut BTreeMap<Date, T>,
    date: &Spanned<FileDate>,
    exchange: Exchange,
    what: &str,
    value: T,
) -> Checked<()> {
    let day = date.get_ref().0;
    if map.insert(day, value).is_some() {
        return wrong(date.span(), format!("a second {what} for {exchange} on {day}: keep one"));
    }
    Ok(())
}

fn special_session(special: &file::Special) -> Checked<SpecialSession> {
    let at = special.times.span();
    let times = match special.times.get_ref() {
        FileTimes::Given if special.hours.is_empty() => {
            return wrong(
                at,
                "times are \"given\" but no [[special.hours]] follows: add it, or say \"unknown\"",
            );
        }
        FileTimes::Given => {
            let (without_derivatives, with_derivatives) = classes(&special.hours, at)?;
            SpecialTimes::Given(Hours {
                without_derivatives,
                with_derivatives,
                derivatives: None,
                block_deals: Vec::new(),
            })
        }
        FileTimes::Template | FileTimes::Unknown if !special.hours.is_empty() => {
            return wrong(at, "there is a [[special.hours]]: say times = \"given\", or remove the hours");
        }
        FileTimes::Template => SpecialTimes::Template,
        FileTimes::Unknown => SpecialTimes::Unknown,
    };
    let kind = match special.kind {
        FileKind::Special => SessionKind::Special(special.reason.clone()),
        FileKind::Muhurat => SessionKind::Muhurat,
    };
    Ok(SpecialSession { kind, reason: special.reason.clone(), times })
}

fn hours(template: &file::Template) -> Checked<Hours> {
    let (without_derivatives, with_derivatives) = classes(&template.hours, template.from.span())?;
    let block_deals = template
        .block_deals
        .iter()
        .map(|deal| span(deal.get_ref().start, deal.get_ref().end, deal.span()))
        .collect::<Checked<Vec<Span>>>()?;
    let derivatives = template
        .derivatives
        .as_ref()
        .map(|written| {
            let hours = written.get_ref();
            let span = span(hours.start, hours.end, written.span())?;
            let expiring_index_end = hours.expiring_index_end.map(|time| time.0);
            if expiring_index_end.is_some_and(|end| end <= span.start || end > span.end) {
                return wrong(written.span(), "expiring_index_end lies outside the hours of derivatives");
            }
            Ok(DerivativesTimes { span, expiring_index_end })
        })
        .transpose()?;
    Ok(Hours { without_derivatives, with_derivatives, derivatives, block_deals })
}

/// Hours of both classes, each given exactly once.
fn classes(written: &[FileHours], at: Range<usize>) -> Checked<(ClassTimes, ClassTimes)> {
    let mut without_derivatives = None;
    let mut with_derivatives = None;
    for hours in written {
        let times = class_times(hours)?;
        for class in hours.classes.get_ref() {
            let (slot, name) = match class {
                InstrumentClass::WithoutDerivatives => (&mut without_derivatives, "without-derivatives"),
                InstrumentClass::WithDerivatives => (&mut with_derivatives, "with-derivatives"),
            };
            if slot.replace(times.clone()).is_some() {
                return wrong(
                    hours.classes.span(),
                    format!("the hours of \"{name}\" are given twice: keep one"),
                );
            }
        }
    }
    match (without_derivatives, with_derivatives) {
        (Some(without_derivatives), Some(with_derivatives)) => Ok((without_derivatives, with_derivatives)),
        (None, _) => wrong(at, "the hours of the class \"without-derivatives\" are missing"),
        (_, None) => wrong(at, "the hours of the class \"with-derivatives\" are missing"),
    }
}

fn class_times(hours: &FileHours) -> Checked<ClassTimes> {
    let mut phases: Vec<PhaseSpan> = Vec::new();
    for written in hours.phases.get_ref() {
        let at = written.span();
        let phase = phase_span(written)?;
        if let Some(before) = phases.last() {
            if phase.span.start < before.span.end {
                return wrong(at, format!("{} starts before {} ends", phase.phase, before.phase));
            }
            if phase.phase <= before.phase {
                return wrong(at, format!("{} cannot come after {}", phase.phase, before.phase));
            }
        }
        phases.push(phase);
    }
    if !phases.iter().any(|phase| phase.phase == Phase::Continuous) {
        return wrong(hours.phases.span(), "there is no \"continuous\" phase");
    }
    let closing_price = closing_times(&hours.closing_price)?;
    let has_auction = phases.iter().any(|phase| phase.phase.is_closing_auction());
    if has_auction != matches!(closing_price, ClosingTimes::Auction { .. }) {
        return wrong(
            hours.closing_price.span(),
            "method \"auction\" and closing-auction phases go together: the one is here without the other",
        );
    }
    Ok(ClassTimes { phases, closing_price })
}

fn phase_span(written: &Spanned<file::FilePhase>) -> Checked<PhaseSpan> {
    let at = written.span();
    let file::FilePhase { phase, start, end, random_end_from } = written.get_ref();
    if *phase == Phase::Closed {
        return wrong(at, "\"closed\" is what is left between the phases: leave it out");
    }
    let span = span(*start, *end, at.clone())?;
    let random_end_from = random_end_from.map(|time| time.0);
    if random_end_from.is_some_and(|from| from < span.start || from >= span.end) {
        return wrong(at, "random_end_from lies outside the phase");
    }
    Ok(PhaseSpan { phase: *phase, span, random_end_from })
}

fn closing_times(written: &Spanned<file::FileClosingPrice>) -> Checked<ClosingTimes> {
    let at = written.span();
    let price = written.get_ref();
    let span = span(price.start, price.end, at.clone())?;
    match (price.method, price.band_percent) {
        (FileMethod::Vwap, None) => Ok(ClosingTimes::Vwap(span)),
        (FileMethod::Vwap, Some(_)) => wrong(at, "band_percent belongs to the method \"auction\""),
        (FileMethod::Auction, Some(band_percent)) if (1..=100).contains(&band_percent) => {
            Ok(ClosingTimes::Auction { reference: span, band_percent })
        }
        (FileMethod::Auction, _) => wrong(at, "the method \"auction\" needs band_percent, from 1 to 100"),
    }
}

fn span(FileTime(start): FileTime, FileTime(end): FileTime, at: Range<usize>) -> Checked<Span> {
    if start >= end {
        return wrong(at, format!("it ends at {end}, not after its start at {start}"));
    }
    Ok(Span { start, end })
}
