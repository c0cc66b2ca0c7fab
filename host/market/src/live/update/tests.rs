use model::Price;

use super::*;
use crate::import::{ImportOptions, import};
use crate::live::testkit::{FakeHistory, HandClock, at, date, listed, poll_once, run, rupees};
use crate::row::Row;

const NAMES: [&str; 7] = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "BSE:GGG"];

struct World {
    dir: tempfile::TempDir,
    calendar: Calendar,
    clock: HandClock,
}

impl World {
    /// Saturday 28 November 2026: the last finished session is Friday the 27th.
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        Self { dir, calendar: Calendar::bundled(), clock: HandClock::at(at("2026-11-28", 11, 0)) }
    }

    fn sessions(&self, count: usize) -> Vec<Date> {
        let today = self.clock.now().ist_date();
        plan::window(&self.calendar, Exchange::Nse, today, count)
    }

    fn update(&self, names: &[&str], source: &FakeHistory) -> UpdateReport {
        self.try_update(names, source, UpdateOptions::default()).expect("not killed").expect("writable")
    }

    fn try_update(
        &self,
        names: &[&str],
        source: &dyn HistorySource,
        options: UpdateOptions,
    ) -> Option<Result<UpdateReport, UpdateError>> {
        let shares = listed(names);
        let mut ignore = |_: UpdateProgress<'_>| {};
        poll_once(update(self.dir.path(), &shares, &self.calendar, source, &self.clock, options, &mut ignore))
    }

    fn table(&self) -> Table {
        store::load_daily(self.dir.path()).expect("readable")
    }

    fn row(&self, name: &str, day: &str) -> Row {
        self.table().symbols[name].daily[&date(day)]
    }

    /// What an exchange file would have said.
    fn keep(&self, name: &str, day: Date, close: Price, source: RowSource) {
        let mut table = if store::exists(self.dir.path()) { self.table() } else { Table::default() };
        let series = table.series_index("EQ").expect("room");
        let close = close.units();
        let row =
            Row { open: close, high: close, low: close, close, prev_close: 0, volume: 9, series, source };
        table.insert_daily(name, "", day, row, false);
        store::save(self.dir.path(), &table).expect("writable");
    }
}

fn flat(_: &str, _: Date) -> Price {
    rupees(100)
}

#[test]
fn two_hundred_and_fifty_bars_over_holidays() {
    let world = World::new();
    let source = FakeHistory::with(&["AAA", "BSE:GGG"], &world.sessions(400), flat);
    let mut told = Vec::new();
    let shares = listed(&["AAA", "BSE:GGG", "AAA"]);
    let report = run(update(
        world.dir.path(),
        &shares,
        &world.calendar,
        &source,
        &world.clock,
        UpdateOptions::default(),
        &mut |progress| told.push((progress.done, progress.of, progress.symbol.to_string(), progress.bars)),
    ))
    .expect("writable");
    assert_eq!(told, [(1, 3, "AAA".to_owned(), 260), (2, 3, "BSE:GGG".to_owned(), 260)]);
    assert_eq!((report.complete, report.short, report.incomplete), (2, 0, 0), "{report}");
    assert_eq!((report.requests, report.saves), (6, 1), "three of at most 180 days each");
    let table = world.table();
    let rows = &table.symbols["AAA"].daily;
    assert!(rows.len() >= 260 && rows.keys().last() == Some(&date("2026-11-27")));
    assert!(rows.values().all(|row| row.source == RowSource::BrokerHistory));
    assert_eq!(table.series[usize::from(rows[&date("2026-11-27")].series)], "EQ");
    assert!(!table.sessions[0][&date("2026-11-27")], "the broker's bars are not the whole market");
}

#[test]
fn a_second_run_asks_for_nothing() {
    let world = World::new();
    let dates = world.sessions(400);
    let source = FakeHistory::with(&["AAA"], &dates, flat);
    // Listed in September; rested on two days, one of them lately; and one share without any data.
    source.bars.lock().expect("sound").entry("NEW".into()).or_default();
    for day in dates.iter().filter(|day| **day >= date("2026-09-01")) {
        if ![date("2026-10-07"), date("2026-11-25")].contains(day) {
            source.put("NEW", *day, rupees(50));
        }
    }
    let report = world.update(&["AAA", "NEW", "NIL"], &source);
    assert_eq!((report.complete, report.short, report.incomplete, report.requests), (1, 2, 0, 9));
    let again = world.update(&["AAA", "NEW", "NIL"], &source);
    assert_eq!(again.requests, 2, "only where the last sessions are missing, one request each: {again}");
    assert_eq!((again.added, again.replaced, again.complete, again.short), (0, 0, 1, 2));
    // A week on, the new sessions alone.
    world.clock.set(at("2026-12-04", 17, 0));
    for day in world.sessions(5) {
        source.put("AAA", day, rupees(101));
        source.put("NEW", day, rupees(51));
    }
    let asked = source.requests();
    let report = world.update(&["AAA", "NEW"], &source);
    assert_eq!((report.requests, report.added), (2, 10), "{report}");
    assert!(
        source.asked.lock().expect("sound")[asked..]
            .iter()
            .all(|(_, from, to)| { *from >= date("2026-11-15") && *to == date("2026-12-04") })
    );
}

#[test]
fn a_bar_that_comes_late_is_fetched_with_the_next_run() {
    let world = World::new();
    let mut dates = world.sessions(300);
    let late = dates.pop().expect("many");
    let source = FakeHistory::with(&["AAA"], &dates, flat);
    world.update(&["AAA"], &source);
    assert!(!world.table().symbols["AAA"].daily.contains_key(&late));
    source.put("AAA", late, rupees(101));
    assert_eq!(world.update(&["AAA"], &source).added, 1);
}

#[test]
fn a_run_that_is_killed_goes_on_where_it_stopped() {
    let dates = World::new().sessions(400);
    let whole = World::new();
    let all = FakeHistory::with(&NAMES, &dates, |name, day| {
        rupees(name.len() as i64 * 100 + (day - dates[0]).num_days())
    });
    let requests = whole.update(&NAMES, &all).requests as usize;
    assert_eq!(requests, 3 * NAMES.len());
    let options = UpdateOptions { save_every: 2, ..UpdateOptions::default() };
    for kill_at in 0..requests {
        let world = World::new();
        *all.silent_from.lock().expect("sound") = Some(kill_at);
        all.asked.lock().expect("sound").clear();
        assert!(world.try_update(&NAMES, &all, options).is_none(), "killed while request {kill_at} is out");
        // Saved are the shares up to the last even number of finished ones.
        let saved = kill_at / 3 / 2 * 2;
        let kept = if store::exists(world.dir.path()) { world.table().symbols.len() } else { 0 };
        assert_eq!(kept, saved, "killed at {kill_at}");
        *all.silent_from.lock().expect("sound") = None;
        let report = world.try_update(&NAMES, &all, options).expect("not killed").expect("writable");
        assert_eq!(report.requests as usize, requests - 3 * saved, "what was saved is not asked for again");
        assert_eq!(world.table(), whole.table(), "killed at {kill_at}");
    }
}

#[test]
fn one_shares_trouble_does_not_stop_the_others_and_an_outage_does() {
    let world = World::new();
    let source = FakeHistory::with(&NAMES, &world.sessions(400), flat);
    let refused = SourceError::Refused("Invalid instrument".into());
    *source.errors.lock().expect("sound") = [refused, SourceError::Unavailable("HTTP 502".into())].into();
    let report = world.update(&NAMES, &source);
    assert_eq!((report.errors_total, report.incomplete, report.complete), (2, 2, 5), "{report}");
    assert!(report.errors[0].reason.contains("Invalid instrument") && report.stopped.is_none());
    assert_eq!(report.errors[1].symbol.as_str(), "BBB");

    let world = World::new();
    let expired = || SourceError::SessionExpired("invalid session token".into());
    // The first share is read, then nothing any more.
    let source = FakeHistory::with(&NAMES, &world.sessions(400), flat);
    run_first(&world, &source);
    *source.errors.lock().expect("sound") = (0..9).map(|_| expired()).collect();
    let asked = source.requests();
    let report = world.update(&NAMES, &source);
    let why = report.stopped.clone().expect("it stopped");
    assert!(why.contains("share 4 of 7") && why.contains("invalid session token"), "{why}");
    assert_eq!(source.requests() - asked, 3, "three in a row, and no more");
    assert_eq!((report.complete, report.incomplete), (1, 3));
    source.errors.lock().expect("sound").clear();
    assert_eq!(world.update(&NAMES, &source).complete, 7);
}

fn run_first(world: &World, source: &FakeHistory) {
    assert_eq!(world.update(&NAMES[..1], source).complete, 1);
}

#[test]
fn what_was_read_before_an_outage_is_saved() {
    let world = World::new();
    let options = UpdateOptions { failures_max: 1, ..UpdateOptions::default() };
    let slow = FakeHistory::with(&["AAA"], &world.sessions(400), flat);
    *slow.errors.lock().expect("sound") = (0..6).map(|_| SourceError::RateLimited).collect();
    let before = world.clock.now();
    let report = world.try_update(&["AAA"], &slow, options).expect("done").expect("writable");
    assert_eq!(world.clock.now().nanos_since(before), 31 * model::time::SECOND, "1 + 2 + 4 + 8 + 16 seconds");
    assert!(report.stopped.expect("it stopped").contains("slow down"));
    *slow.errors.lock().expect("sound") = [SourceError::RateLimited].into();
    let report = world.try_update(&["AAA"], &slow, options).expect("done").expect("writable");
    assert_eq!((report.complete, report.requests), (1, 4), "one slow down is waited out");
    // The first of two is read, the second fails at once: the first is in the folder.
    let world = World::new();
    let both = FakeHistory::with(&["AAA", "BBB"], &world.sessions(400), flat);
    world.update(&["BBB"], &both);
    let report = world.try_update(&["AAA", "CCC"], &FailsAfter { source: both, requests: 6 }, options);
    assert!(report.expect("done").expect("writable").stopped.is_some());
    assert_eq!(world.table().symbols["AAA"].daily.len(), world.table().symbols["BBB"].daily.len());
}

#[test]
fn a_better_source_keeps_its_rows_and_a_worse_one_loses_them() {
    let world = World::new();
    let dates = world.sessions(400);
    let (file, quotes) = (dates[390], dates[399]);
    world.keep("AAA", file, rupees(100), RowSource::ExchangeFile);
    world.keep("AAA", quotes, rupees(90), RowSource::Quotes);
    // Within 2 %: a last trade beside an official close.
    let source = FakeHistory::with(&["AAA"], &dates, |_, _| rupees(101));
    let report = world.update(&["AAA"], &source);
    assert_eq!((report.replaced, report.outranked, report.mismatches_total), (1, 1, 0), "{report}");
    assert_eq!(world.row("AAA", &file.to_string()).close, rupees(100).units());
    let row = world.row("AAA", &quotes.to_string());
    assert_eq!((row.close, row.source), (rupees(101).units(), RowSource::BrokerHistory));
}

#[test]
fn a_file_replaces_what_the_broker_said() {
    let world = World::new();
    world.keep("AAA", date("2026-11-26"), rupees(90), RowSource::BrokerHistory);
    world.keep("AAA", date("2026-11-27"), rupees(90), RowSource::Quotes);
    world.keep("GONE", date("2026-11-27"), rupees(90), RowSource::Quotes);
    let header = "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, CLOSE_PRICE, AVG_PRICE, TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER";
    let line = |day: &str| format!("AAA, EQ, {day}, 99, 100, 101, 99, 100, 100, 100, 5000, 5.1, 50, -, -");
    let file = world.dir.path().join("sec.csv");
    std::fs::write(&file, format!("{header}\n{}\n{}\n", line("26-Nov-2026"), line("27-Nov-2026")))
        .expect("writable");
    let options = ImportOptions::default();
    let report = import(&[file], world.dir.path(), &options, &world.calendar, |_| {}).expect("a sound file");
    assert_eq!((report.replaced, report.dropped_provisional, report.rejected_total), (2, 1, 0), "{report:?}");
    for day in ["2026-11-26", "2026-11-27"] {
        let row = world.row("AAA", day);
        assert_eq!((row.close, row.source), (rupees(100).units(), RowSource::ExchangeFile));
    }
    assert!(!world.table().symbols.contains_key("GONE"), "it is not in the file of the whole market");
}

#[test]
fn a_split_that_the_broker_adjusts_for_is_told_and_the_files_stay() {
    let world = World::new();
    let dates = world.sessions(400);
    let (first, last, split) = (dates[300], dates[380], dates[382]);
    for day in [first, last] {
        world.keep("AAA", day, rupees(500), RowSource::ExchangeFile);
    }
    let source = FakeHistory::with(&["AAA"], &dates, |_, _| rupees(100));
    let report = world.update(&["AAA"], &source);
    let found = &report.mismatches[0];
    assert_eq!((found.date, found.known, found.broker), (last, rupees(500), rupees(100)));
    assert_eq!((report.mismatches_total, report.incomplete), (1, 1));
    assert!(report.to_string().contains("import the files"), "{report}");
    let table = world.table();
    let rows = &table.symbols["AAA"].daily;
    assert_eq!(rows[&last].close, rupees(500).units());
    let broker: Vec<&Date> =
        rows.iter().filter(|(_, row)| row.source == RowSource::BrokerHistory).map(|(date, _)| date).collect();
    assert!(
        broker.iter().all(|day| **day > last) && broker.contains(&&split),
        "only days after the last file"
    );
    assert!(table.notes.get("AAA").is_none_or(|note| note.asked.is_none()), "so nothing is said to be known");
}

#[test]
fn candles_that_the_broker_re_based_are_read_again_whole() {
    let world = World::new();
    let dates = world.sessions(400);
    let before = FakeHistory::with(&["AAA"], &dates, |_, _| rupees(500));
    world.update(&["AAA"], &before);
    world.clock.set(at("2026-11-30", 17, 0));
    let dates = world.sessions(400);
    let after = FakeHistory::with(&["AAA"], &dates, |_, _| rupees(100));
    // The second of the requests for the whole window fails: nothing may be half in new terms.
    let failing = FailsAfter { source: after, requests: 2 };
    let report = world.try_update(&["AAA"], &failing, UpdateOptions::default());
    assert_eq!(report.expect("done").expect("writable").errors_total, 1);
    assert!(world.table().symbols["AAA"].daily.values().all(|row| row.close == rupees(500).units()));
    let report = world.update(&["AAA"], &failing.source);
    assert_eq!(report.rebased, [Symbol::from("AAA")]);
    let table = world.table();
    let window = world.sessions(260);
    let closes: Vec<i64> = table.symbols["AAA"].daily.range(window[0]..).map(|(_, row)| row.close).collect();
    assert!(closes.len() >= 260 && closes.iter().all(|close| *close == rupees(100).units()));
}

#[test]
fn raw_candles_show_a_split_in_the_open() {
    let world = World::new();
    let split = date("2026-11-02");
    let source = FakeHistory::with(&["AAA"], &world.sessions(400), |_, day| {
        if day < split { rupees(1_000) } else { rupees(200) }
    });
    world.update(&["AAA"], &source);
    let data = crate::Dataset::load(world.dir.path(), &world.calendar).expect("readable");
    let factors: Vec<_> = data.factors().map(|(_, it)| (it.session, it.numerator, it.denominator)).collect();
    assert_eq!(factors, [(split, 1, 5)]);
    let summary = data.summary();
    assert_eq!((summary.broker_rows, summary.provisional_rows), (summary.rows, 0));
}

#[test]
fn unbelievable_bars_and_bars_of_no_session_are_not_taken() {
    let world = World::new();
    let source = FakeHistory::with(&["AAA"], &world.sessions(400), flat);
    source.put("AAA", date("2026-01-26"), rupees(100));
    {
        let mut bars = source.bars.lock().expect("sound");
        let bars = bars.get_mut("AAA").expect("put");
        bars.get_mut(&date("2026-11-26")).expect("put").low = rupees(200);
        bars.get_mut(&date("2026-11-25")).expect("put").volume = 0;
    }
    let report = world.update(&["AAA"], &source);
    assert_eq!((report.refused, report.not_sessions), (1, 1), "{report}");
    let table = world.table();
    for day in ["2026-01-26", "2026-11-25", "2026-11-26"] {
        assert!(!table.symbols["AAA"].daily.contains_key(&date(day)), "{day}");
    }
}

#[test]
fn what_cannot_begin_says_why() {
    let world = World::new();
    let source = FakeHistory::default();
    let error = |names: &[&str]| {
        world.try_update(names, &source, UpdateOptions::default()).expect("done").expect_err("no").to_string()
    };
    assert!(error(&[]).contains("universe is empty"));
    let _other = store::lock(world.dir.path()).expect("free");
    assert!(error(&["AAA"]).contains("another tradeagent"));
    assert_eq!(source.requests(), 0);
}

/// Answers so many requests, then none.
struct FailsAfter {
    source: FakeHistory,
    requests: usize,
}

impl HistorySource for FailsAfter {
    fn daily<'a>(
        &'a self,
        symbol: &'a Symbol,
        from: Date,
        to: Date,
    ) -> model::BoxFuture<'a, Result<Vec<DailyBar>, SourceError>> {
        if self.source.requests() < self.requests {
            return self.source.daily(symbol, from, to);
        }
        Box::pin(std::future::ready(Err(SourceError::Unavailable("connection reset".into()))))
    }
}
