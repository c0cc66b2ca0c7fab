use super::*;
use crate::dataset::Dataset;
use crate::live::readiness;
use crate::live::testkit::{FakeQuotes, HandClock, at, date, listed, run, rupees};

const SESSION: &str = "2026-11-27";

struct World {
    dir: tempfile::TempDir,
    calendar: Calendar,
    clock: HandClock,
    source: FakeQuotes,
}

impl World {
    /// Half past four on a Friday.
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
            calendar: Calendar::bundled(),
            clock: HandClock::at(at(SESSION, 16, 30)),
            source: FakeQuotes::default(),
        }
    }

    fn quote(&self, names: &[&str], last: i64) {
        for name in names {
            self.source.put(name, last, Some(at(SESSION, 15, 29)));
        }
    }

    fn close_on(&self, names: &[&str], session: &str) -> Result<CloseReport, CloseError> {
        let shares = listed(names);
        run(close(self.dir.path(), &shares, date(session), &self.calendar, &self.source, &self.clock))
    }

    fn close(&self, names: &[&str]) -> CloseReport {
        self.close_on(names, SESSION).expect("over and writable")
    }

    fn table(&self) -> Table {
        store::load_daily(self.dir.path()).expect("readable")
    }

    fn data(&self) -> Dataset {
        Dataset::load(self.dir.path(), &self.calendar).expect("readable")
    }

    fn keep(&self, name: &str, day: &str, close: i64, source: RowSource) {
        let mut table = if store::exists(self.dir.path()) { self.table() } else { Table::default() };
        let series = table.series_index("EQ").expect("room");
        let close = rupees(close).units();
        let row =
            Row { open: close, high: close, low: close, close, prev_close: 0, volume: 9, series, source };
        table.insert_daily(name, "", date(day), row, false);
        store::save(self.dir.path(), &table).expect("writable");
    }
}

#[test]
fn the_days_bar_is_made_of_quotes_and_marked() {
    let world = World::new();
    world.keep("AAA", "2026-11-26", 100, RowSource::BrokerHistory);
    world.quote(&["AAA", "BSE:BBB"], 100);
    let report = world.close(&["AAA", "BSE:BBB", "NIL"]);
    assert_eq!((report.added, report.quoted, report.of), (2, 2, 3), "{report}");
    assert_eq!(report.unquoted, [Symbol::from("NIL")]);
    let row = world.table().symbols["AAA"].daily[&date(SESSION)];
    let [open, high, low, close] = [99, 102, 98, 100].map(|price| rupees(price).units());
    assert_eq!((row.open, row.high, row.low, row.close, row.volume), (open, high, low, close, 500));
    assert_eq!((row.prev_close, row.source), (close, RowSource::Quotes));
    assert_eq!(world.data().summary().provisional_rows, 2);
    // Once more: the same, then a correction, then a better source in the way.
    assert_eq!(world.close(&["AAA", "BSE:BBB"]).kept, 2);
    world.source.change("AAA", |quote| quote.last = rupees(101));
    assert_eq!(world.close(&["AAA"]).replaced, 1);
    world.keep("BSE:BBB", SESSION, 77, RowSource::BrokerHistory);
    assert_eq!(world.close(&["BSE:BBB"]).kept, 1);
    assert_eq!(world.table().symbols["BSE:BBB"].daily[&date(SESSION)].close, rupees(77).units());
}

#[test]
fn a_quote_of_another_day_is_left_out_and_counted() {
    let world = World::new();
    world.quote(&["A", "B", "C", "D", "ZERO"], 100);
    world.source.change("ZERO", |quote| quote.volume = 0);
    world.source.put("OLD", 50, Some(at("2026-11-26", 15, 29)));
    world.source.put("NEXT", 50, Some(at("2026-11-30", 9, 16)));
    world.source.put("EARLY", 50, Some(at(SESSION, 9, 14)));
    world.source.put("BLANK", 50, None);
    let report = world.close(&["A", "B", "C", "D", "ZERO", "OLD", "NEXT", "EARLY", "BLANK"]);
    assert_eq!((report.added, report.quiet, report.other_day), (4, 2, 3), "{report}");
    let table = world.table();
    assert_eq!(table.symbols.len(), 4);
    for name in ["OLD", "ZERO"] {
        assert!(table.notes[name].is_quiet(date(SESSION)), "{name} is known not to have traded");
    }
}

#[test]
fn a_feed_that_stands_still_proves_nothing() {
    let world = World::new();
    for name in ["A", "B", "C"] {
        world.source.put(name, 50, Some(at("2026-11-26", 15, 29)));
    }
    world.quote(&["D"], 100);
    let report = world.close(&["A", "B", "C", "D"]);
    assert_eq!((report.added, report.quiet, report.other_day), (1, 0, 3), "{report}");
    let universe = ["A", "B", "C", "D"].map(Symbol::from);
    let found = readiness(&world.data(), &universe, date(SESSION), &world.calendar);
    assert_eq!((found.fresh, found.missing.len()), (1, 3), "{found}");
}

#[test]
fn a_previous_close_is_kept_only_where_the_known_one_confirms_it() {
    for (stated, kept) in [(100, 100), (105, 0), (50, 0), (0, 0)] {
        let world = World::new();
        world.keep("AAA", "2026-11-26", 100, RowSource::ExchangeFile);
        world.quote(&["AAA"], 105);
        world.source.change("AAA", |quote| quote.previous_close = rupees(stated));
        world.close(&["AAA"]);
        let row = world.table().symbols["AAA"].daily[&date(SESSION)];
        assert_eq!(row.prev_close, rupees(kept).units(), "stated {stated}");
        assert_eq!(world.data().factors().count(), 0, "stated {stated}: nothing is re-based by it");
    }
    // A split shows itself in the open.
    let world = World::new();
    world.keep("AAA", "2026-11-26", 1_000, RowSource::ExchangeFile);
    world.quote(&["AAA"], 201);
    world.close(&["AAA"]);
    let factors: Vec<_> = world.data().factors().map(|(_, it)| (it.numerator, it.denominator)).collect();
    assert_eq!(factors, [(1, 5)]);
}

#[test]
fn it_waits_for_the_last_closing_price() {
    let world = World::new();
    world.quote(&["A"], 100);
    let session = world.calendar.session(Exchange::Nse, date(SESSION)).expect("known").expect("a session");
    let until =
        session.end(InstrumentClass::WithoutDerivatives).max(session.end(InstrumentClass::WithDerivatives));
    world.clock.set(until.plus_nanos(-1));
    let early = world.close_on(&["A"], SESSION).expect_err("not over");
    assert!(matches!(early, CloseError::NotOver { until: told, .. } if told == until), "{early}");
    assert_eq!(world.source.requests(), 0);
    world.clock.set(until);
    assert_eq!(world.close(&["A"]).added, 1);
    let sunday = world.close_on(&["A"], "2026-11-29").expect_err("no session").to_string();
    assert!(sunday.contains("does not trade on 2026-11-29"), "{sunday}");
    assert!(matches!(world.close_on(&[], SESSION), Err(CloseError::Nothing)));
}

#[test]
fn requests_are_bounded_and_what_was_read_before_an_outage_is_kept() {
    let world = World::new();
    let names: Vec<String> = (0..120).map(|number| format!("S{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.quote(&names, 100);
    *world.source.errors.lock().expect("sound") = [SourceError::RateLimited].into();
    let report = world.close(&names);
    assert_eq!((report.added, world.source.requests()), (120, 4), "three of at most 50, one of them twice");
    let down = || SourceError::Unavailable("HTTP 503".into());
    let world = World::new();
    world.quote(&names, 100);
    *world.source.errors.lock().expect("sound") = (0..4).map(|_| down()).collect();
    let report = world.close(&names);
    assert!(report.stopped.expect("it stopped").contains("HTTP 503"));
    assert_eq!((report.added, world.source.requests()), (0, 4));
    assert_eq!(world.close(&names).added, 120, "the next try makes up for it");
}

#[test]
fn impossible_figures_are_refused_with_the_reason() {
    let world = World::new();
    world.quote(&["A", "B"], 100);
    world.source.change("A", |quote| quote.high = rupees(99));
    let report = world.close(&["A", "B"]);
    assert_eq!((report.added, report.refused_total), (1, 1));
    assert!(report.refused[0].reason.contains("outside low..high"), "{:?}", report.refused);
}
