//! The hours of the day, by date and class (SEBI circulars of 2026-01-16 and 2026-10-15).

use model::InstrumentClass;

use super::{BOTH, at, date};
use crate::{Calendar, ClosingPrice, Phase, Session, SessionKind, Window};

const PLAIN: InstrumentClass = InstrumentClass::WithoutDerivatives;
const FNO: InstrumentClass = InstrumentClass::WithDerivatives;

fn sessions(day: &str) -> [Session; 2] {
    BOTH.map(|exchange| {
        let session = Calendar::bundled().session(exchange, date(day)).expect("a known day");
        session.expect("a trading day")
    })
}

/// `09:00-09:08~09:07 pre-open`: the windows of a class on a day; `~` precedes the random end.
fn shown(session: &Session, class: InstrumentClass) -> Vec<String> {
    let time = |at: model::Timestamp| at.ist_time().format("%H:%M").to_string();
    let random = |at: Option<model::Timestamp>| at.map_or(String::new(), |at| format!("~{}", time(at)));
    let windows = session.phases(class).iter();
    windows
        .map(|w| format!("{}-{}{} {}", time(w.start), time(w.end), random(w.random_end_from), w.phase))
        .collect()
}

const OLD_OPENING: [&str; 3] =
    ["09:00-09:08~09:07 pre-open", "09:08-09:12 pre-open-matching", "09:12-09:15 pre-open-buffer"];
const NEW_OPENING: [&str; 4] = [
    "09:00-09:05 pre-open",
    "09:05-09:10~09:08 pre-open-limit-only",
    "09:10-09:12 pre-open-matching",
    "09:12-09:15 pre-open-buffer",
];
const LONG: [&str; 1] = ["09:15-15:30 continuous"];
const FIRST_AUCTION: [&str; 5] = [
    "09:15-15:15 continuous",
    "15:15-15:20 closing-auction-reference",
    "15:20-15:25 closing-auction-entry",
    "15:25-15:30~15:28 closing-auction-limit-only",
    "15:30-15:35 closing-auction-matching",
];
const SECOND_AUCTION: [&str; 4] = [
    "09:15-15:30 continuous",
    "15:30-15:31 closing-auction-reference",
    "15:31-15:36 closing-auction-entry",
    "15:36-15:40~15:38 closing-auction-limit-only",
];
const OLD_POST_CLOSE: [&str; 1] = ["15:40-16:00 post-close"];
const NEW_POST_CLOSE: [&str; 1] = ["15:50-16:00 post-close"];

#[test]
fn hours_change_on_their_dates_and_by_class() {
    let before: Vec<&str> = [&OLD_OPENING[..], &LONG, &OLD_POST_CLOSE].concat();
    let plain_august = [&OLD_OPENING[..], &LONG, &NEW_POST_CLOSE].concat();
    let fno_august = [&OLD_OPENING[..], &FIRST_AUCTION, &NEW_POST_CLOSE].concat();
    let plain_september = [&NEW_OPENING[..], &LONG, &NEW_POST_CLOSE].concat();
    let fno_september = [&NEW_OPENING[..], &FIRST_AUCTION, &NEW_POST_CLOSE].concat();
    let fno_december = [&NEW_OPENING[..], &SECOND_AUCTION, &NEW_POST_CLOSE].concat();
    let rows = [
        ("2025-01-01", &before, &before),
        ("2026-07-31", &before, &before),
        ("2026-08-03", &plain_august, &fno_august),
        ("2026-09-04", &plain_august, &fno_august),
        ("2026-09-07", &plain_september, &fno_september),
        ("2026-12-04", &plain_september, &fno_september),
        ("2026-12-07", &plain_september, &fno_december),
        ("2026-12-31", &plain_september, &fno_december),
    ];
    for (day, plain, fno) in rows {
        for session in sessions(day) {
            assert_eq!(&shown(&session, PLAIN), plain, "{} {day}", session.exchange);
            assert_eq!(&shown(&session, FNO), fno, "{} {day}", session.exchange);
        }
    }
}

#[test]
fn open_close_and_final_price() {
    // day, class, open, close, closing price final
    let rows = [
        ("2026-07-31", PLAIN, "09:15", "15:30", "15:30"),
        ("2026-07-31", FNO, "09:15", "15:30", "15:30"),
        ("2026-08-03", PLAIN, "09:15", "15:30", "15:30"),
        ("2026-08-03", FNO, "09:15", "15:15", "15:35"),
        ("2026-12-07", PLAIN, "09:15", "15:30", "15:30"),
        ("2026-12-07", FNO, "09:15", "15:30", "15:40"),
        ("2025-02-01", PLAIN, "09:15", "15:30", "15:30"),
        ("2026-02-01", FNO, "09:15", "15:30", "15:30"),
        ("2025-10-21", PLAIN, "13:45", "14:45", "14:45"),
        ("2025-10-21", FNO, "13:45", "14:45", "14:45"),
    ];
    for (day, class, open, close, end) in rows {
        for session in sessions(day) {
            assert_eq!(session.open(class), at(&format!("{day} {open}")), "open of {class:?} on {day}");
            assert_eq!(session.close(class), at(&format!("{day} {close}")), "close of {class:?} on {day}");
            assert_eq!(session.end(class), at(&format!("{day} {end}")), "end of {class:?} on {day}");
        }
    }
}

#[test]
fn the_scheduler_sees_the_widest_day() {
    // day, first open, last close, every price final
    let rows = [
        ("2026-07-31", "09:15", "15:30", "15:30"),
        ("2026-08-03", "09:15", "15:30", "15:35"),
        ("2026-12-07", "09:15", "15:30", "15:40"),
        ("2025-10-21", "13:45", "14:45", "14:45"),
    ];
    for (day, open, close, end) in rows {
        for session in sessions(day) {
            assert_eq!(session.earliest_open(), at(&format!("{day} {open}")));
            assert_eq!(session.latest_close(), at(&format!("{day} {close}")));
            assert_eq!(session.latest_end(), at(&format!("{day} {end}")));
        }
    }
}

#[test]
fn closing_prices() {
    let window = |day: &str, from: &str, to: &str| Window {
        start: at(&format!("{day} {from}")),
        end: at(&format!("{day} {to}")),
    };
    let vwap = |day, from, to| ClosingPrice::Vwap { window: window(day, from, to) };
    let auction = |day, from, to| ClosingPrice::Auction { reference: window(day, from, to), band_percent: 3 };
    for session in sessions("2026-07-31") {
        assert_eq!(session.closing_price(PLAIN), vwap("2026-07-31", "15:00", "15:30"));
        assert_eq!(session.closing_price(FNO), vwap("2026-07-31", "15:00", "15:30"));
    }
    for session in sessions("2026-08-03") {
        assert_eq!(session.closing_price(PLAIN), vwap("2026-08-03", "15:00", "15:30"));
        assert_eq!(session.closing_price(FNO), auction("2026-08-03", "15:00", "15:15"));
    }
    for session in sessions("2026-12-07") {
        assert_eq!(session.closing_price(PLAIN), vwap("2026-12-07", "15:00", "15:30"));
        assert_eq!(session.closing_price(FNO), auction("2026-12-07", "15:15", "15:30"));
    }
}

#[test]
fn phase_boundaries_belong_to_the_later_phase() {
    let rows = [
        ("2026-07-31 08:59", PLAIN, Phase::Closed),
        ("2026-07-31 09:00", PLAIN, Phase::PreOpen),
        ("2026-07-31 09:08", PLAIN, Phase::PreOpenMatching),
        ("2026-07-31 09:15", FNO, Phase::Continuous),
        ("2026-07-31 15:29", FNO, Phase::Continuous),
        ("2026-07-31 15:30", FNO, Phase::Closed),
        ("2026-07-31 15:40", FNO, Phase::PostClose),
        ("2026-07-31 16:00", FNO, Phase::Closed),
        ("2026-08-03 15:15", PLAIN, Phase::Continuous),
        ("2026-08-03 15:15", FNO, Phase::ClosingAuctionReference),
        ("2026-08-03 15:29", FNO, Phase::ClosingAuctionLimitOnly),
        ("2026-08-03 15:35", FNO, Phase::Closed),
        ("2026-08-03 15:40", FNO, Phase::Closed),
        ("2026-08-03 15:50", FNO, Phase::PostClose),
        ("2026-09-04 09:05", FNO, Phase::PreOpen),
        ("2026-09-07 09:05", FNO, Phase::PreOpenLimitOnly),
        ("2026-12-04 15:15", FNO, Phase::ClosingAuctionReference),
        ("2026-12-07 15:15", FNO, Phase::Continuous),
        ("2026-12-07 15:39", FNO, Phase::ClosingAuctionLimitOnly),
    ];
    for (instant, class, phase) in rows {
        let day = instant.split(' ').next().expect("a date");
        for session in sessions(day) {
            assert_eq!(session.phase_at(class, at(instant)), phase, "{class:?} at {instant}");
        }
    }
    let [session, _] = sessions("2026-07-31");
    assert_eq!(session.phase_at(PLAIN, at("2026-08-03 10:00")), Phase::Closed, "another day is outside");
}

#[test]
fn market_orders_are_frozen_in_limit_only_phases() {
    assert!(Phase::PreOpen.accepts_market_orders() && Phase::ClosingAuctionEntry.accepts_market_orders());
    for phase in [Phase::PreOpenLimitOnly, Phase::ClosingAuctionLimitOnly] {
        assert!(phase.accepts_limit_orders() && !phase.accepts_market_orders(), "{phase}");
    }
    for phase in [Phase::Closed, Phase::PreOpenMatching, Phase::PreOpenBuffer, Phase::ClosingAuctionReference]
    {
        assert!(!phase.accepts_limit_orders() && !phase.accepts_market_orders(), "{phase}");
    }
}

#[test]
fn derivatives_and_block_deals() {
    // day, end of derivatives, end of expiring index contracts
    let rows = [
        ("2026-07-31", "15:30", None),
        ("2026-08-03", "15:40", None),
        ("2026-12-04", "15:40", None),
        ("2026-12-07", "15:45", Some("15:30")),
    ];
    for (day, end, expiring) in rows {
        for session in sessions(day) {
            let hours = session.derivatives().expect("hours of derivatives");
            assert_eq!(hours.window.start, at(&format!("{day} 09:15")));
            assert_eq!(hours.window.end, at(&format!("{day} {end}")), "{day}");
            assert_eq!(hours.expiring_index_end, expiring.map(|time| at(&format!("{day} {time}"))), "{day}");
            let deals: Vec<_> = session.block_deals().iter().map(|deal| (deal.start, deal.end)).collect();
            let expected = [("08:45", "09:00"), ("14:05", "14:20")];
            assert_eq!(
                deals,
                expected.map(|(from, to)| (at(&format!("{day} {from}")), at(&format!("{day} {to}"))))
            );
        }
    }
}

#[test]
fn muhurat_2025_was_in_the_afternoon() {
    for session in sessions("2025-10-21") {
        assert_eq!(session.kind, SessionKind::Muhurat);
        assert!(!session.regular_hours);
        let expected = [
            "13:30-13:38~13:37 pre-open",
            "13:38-13:42 pre-open-matching",
            "13:42-13:45 pre-open-buffer",
            "13:45-14:45 continuous",
        ];
        assert_eq!(shown(&session, PLAIN), expected);
        assert_eq!(shown(&session, FNO), expected);
    }
}

#[test]
fn weekend_sessions_keep_ordinary_hours() {
    for (weekend, weekday) in [("2025-02-01", "2025-01-31"), ("2026-02-01", "2026-01-30")] {
        for (special, ordinary) in sessions(weekend).into_iter().zip(sessions(weekday)) {
            assert!(matches!(&special.kind, SessionKind::Special(reason) if reason.contains("Union Budget")));
            assert!(special.regular_hours);
            assert_eq!(ordinary.kind, SessionKind::Regular);
            assert_eq!(shown(&special, FNO), shown(&ordinary, FNO));
        }
    }
}

#[test]
fn phase_names_are_the_same_everywhere() {
    for window in sessions("2026-09-07")[0].phases(FNO) {
        let json = serde_json::to_string(&window.phase).expect("a name");
        assert_eq!(json, format!("\"{}\"", window.phase.as_str()));
        assert_eq!(window.phase.to_string(), window.phase.as_str());
    }
}
