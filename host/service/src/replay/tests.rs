//! Hand-made recordings of one order, with another version in them.

use std::task::{Context, Poll, Waker};

use model::{
    BoxFuture, Date, OrderError, OrderId, OrderTerms, OrderView, Origin, PlaceRequest, Placed, Price,
    Quantity, ReadError, Side, Status, Timestamp,
};
use runtime::tape::{Call, End, Ended, Function, Refused, Tape, encode};
use runtime::{Cause, Grants, Limits, Mode, Role, RunInfo, Services as _};

use super::compare::{self, OrderRow, What};
use super::overlay::Overlay;
use super::past::{Answered, Past};

fn date(day: u32) -> Date {
    Date::from_ymd_opt(2026, 1, day).expect("a date")
}

fn origin() -> Origin {
    Origin {
        account: "main".into(),
        strategy: "sell".into(),
        component: "component".into(),
        run: "sell@2026-01-05T10:00:00".into(),
        day: date(5),
    }
}

fn tape(hour: u32, minute: u32, calls: Vec<Call>) -> Tape {
    let now = Timestamp::at_ist(date(5), hour, minute);
    Tape {
        info: RunInfo {
            id: format!("sell@2026-01-05T{hour:02}:{minute:02}:00").into(),
            task: "sell".to_owned(),
            origin: origin(),
            scheduled: now,
            mode: Mode::Paper,
            attempt: 1,
            for_session: None,
            feeds: std::sync::Arc::from([]),
            params: std::sync::Arc::default(),
        },
        now,
        cause: Cause::Scheduled,
        component: "component".into(),
        grants: Grants::of(Role::Sell),
        limits: Limits::default(),
        nth: 0,
        calls,
        end: End { ended: Ended::Done(None), state: Vec::new(), log_dropped: 0, host_calls: 0 },
    }
}

fn request() -> PlaceRequest {
    PlaceRequest {
        key: "k".to_owned(),
        terms: OrderTerms::limit("ABC", Side::Sell, Quantity::new(10), Price::from_rupees(100)),
        send_by: None,
        reason: String::new(),
    }
}

/// The order of `strategy` under the key.
fn order(strategy: &str) -> OrderId {
    OrderId::derive(&"main".into(), &strategy.into(), date(5), "k")
}

fn placed(status: Status) -> Placed {
    Placed { id: order("sell"), status, filled: Quantity::new(0), average: Price::default() }
}

fn place(answer: &Answered) -> Call {
    Call { function: Function::Place, arguments: encode(&request()), answer: encode(answer) }
}

fn cancel(answer: &Answered) -> Call {
    let arguments = encode(&(order("sell"), false, "why"));
    Call { function: Function::Cancel, arguments, answer: encode(answer) }
}

fn view(strategy: &str, status: Status, for_session: Date) -> OrderView {
    OrderView {
        id: order(strategy).to_string(),
        strategy: Some(strategy.into()),
        key: "k".to_owned(),
        broker_id: None,
        terms: request().terms,
        status,
        filled: Quantity::new(0),
        average: Price::default(),
        for_session,
        placed_at: Timestamp::at_ist(for_session, 10, 0),
        reason: String::new(),
    }
}

fn orders(function: Function, view: OrderView) -> Call {
    let answer: Result<Vec<OrderView>, ReadError> = Ok(vec![view]);
    Call { function, arguments: encode(&()), answer: encode(&answer) }
}

fn at_once<T>(mut future: BoxFuture<'_, T>) -> T {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing waits here"),
    }
}

fn places(overlay: &Overlay) -> Result<Placed, OrderError> {
    at_once(overlay.place(&origin(), request()))
}

fn cancels(overlay: &Overlay, order: OrderId, any_stale: bool) -> Result<Placed, OrderError> {
    at_once(overlay.cancel(&origin(), order, any_stale, "why".to_owned()))
}

/// What differs when the other version does `act` in each run.
fn rows(tapes: &[Tape], mut act: impl FnMut(usize, &Overlay)) -> Vec<OrderRow> {
    let mut past = Past::default();
    tapes.iter().for_each(|tape| past.add(tape));
    let overlay = Overlay::new(past);
    for (run, tape) in tapes.iter().enumerate() {
        overlay.begin(run, tape);
        act(run, &overlay);
        overlay.end(tape, Vec::new());
    }
    compare::orders(&"sell".into(), overlay.past(), &overlay.done())
}

fn denied() -> Answered {
    Err(Refused::Denied { rule: "session".to_owned(), reason: "not yet".to_owned() })
}

#[test]
fn an_order_that_was_denied_first_is_denied_and_taken_as_then() {
    let taken: Answered = Ok(placed(Status::New));
    let tapes = [
        tape(9, 15, vec![place(&denied())]),
        tape(9, 16, vec![place(&denied()), place(&taken)]),
        tape(9, 17, Vec::new()),
    ];
    let mut answers = Vec::new();
    let same = rows(&tapes, |run, overlay| match run {
        0 => answers.push(places(overlay).is_ok()),
        1 => answers.extend([places(overlay).is_ok(), places(overlay).is_ok()]),
        _ => {}
    });
    assert_eq!(answers, [false, false, true]);
    assert!(same.is_empty(), "{same:?}");

    // Where the recording did not ask, it is as when it was taken.
    let later = rows(&tapes, |run, overlay| {
        if run == 2 {
            assert_eq!(places(overlay), Ok(placed(Status::New)));
        }
    });
    assert_eq!(later.len(), 1, "{later:?}");
    assert_eq!((later[0].what, later[0].text.as_str()), (What::Changed, "placed at 09:17, not 09:16"));
}

#[test]
fn the_same_order_at_another_time_has_no_recorded_fill() {
    let filled = || orders(Function::OwnOrders, view("sell", Status::Filled, date(5)));
    let tapes = [
        tape(10, 0, vec![place(&Ok(placed(Status::New)))]),
        tape(10, 1, vec![filled()]),
        tape(15, 0, vec![filled()]),
        tape(15, 1, vec![filled()]),
    ];
    let status = |overlay: &Overlay| {
        let view = overlay.order(&origin(), order("sell").as_str());
        view.map(|view| view.status).ok()
    };
    let late = rows(&tapes, |run, overlay| match run {
        2 => assert_eq!(places(overlay), Ok(placed(Status::New))),
        3 => assert_eq!(status(overlay), Some(Status::New), "it stands by itself"),
        _ => assert_eq!(status(overlay), None, "it is not there yet"),
    });
    assert_eq!(late.len(), 1, "{late:?}");
    assert_eq!((late[0].what, late[0].text.as_str()), (What::Changed, "placed at 15:00, not 10:00"));
    assert_ne!(late[0].before, late[0].now);

    let same = rows(&tapes, |run, overlay| match run {
        0 => assert_eq!(places(overlay), Ok(placed(Status::New))),
        _ => assert_eq!(status(overlay), Some(Status::Filled)),
    });
    assert!(same.is_empty(), "{same:?}");
}

#[test]
fn a_cancellation_that_did_nothing_is_not_told_as_one() {
    let refused = Err(Refused::Refused { code: "1".to_owned(), reason: "no".to_owned() });
    for (answer, done) in
        [(refused, false), (Ok(placed(Status::Filled)), false), (Ok(placed(Status::Canceled)), true)]
    {
        let tapes = [tape(10, 0, vec![place(&Ok(placed(Status::New)))]), tape(10, 1, vec![cancel(&answer)])];
        let without = rows(&tapes, |run, overlay| {
            if run == 0 {
                assert_eq!(places(overlay), Ok(placed(Status::New)));
            }
        });
        let told: Vec<&str> = without.iter().map(|row| row.text.as_str()).collect();
        let expected: &[&str] = if done { &["changed cancelled -> not cancelled"] } else { &[] };
        assert_eq!(told, expected, "{answer:?}");

        let same = rows(&tapes, |run, overlay| match run {
            0 => assert_eq!(places(overlay), Ok(placed(Status::New))),
            _ => assert_eq!(cancels(overlay, order("sell"), false).map_err(Refused::from), answer),
        });
        assert!(same.is_empty(), "{same:?}");
    }
}

#[test]
fn another_strategys_stale_order_that_only_the_new_version_cancels_is_a_row() {
    let seen = |day| orders(Function::AccountOrders, view("buy", Status::New, date(day)));
    let tapes = [tape(18, 0, vec![seen(2)])];
    let more = rows(&tapes, |_, overlay| {
        let answer = cancels(overlay, order("buy"), true);
        assert_eq!(answer.map(|placed| placed.status), Ok(Status::Canceled));
        let shown = at_once(overlay.account_orders(&origin())).expect("recorded");
        assert_eq!(shown[0].status, Status::Canceled);
    });
    let told: Vec<_> = more.iter().map(|row| (row.what, row.text.as_str())).collect();
    assert_eq!(told, [(What::OnlyNow, "only now: an earlier order, cancelled")]);

    // Not one whose session is not over, and not without the right to.
    for (day, any_stale) in [(5, true), (2, false)] {
        let none = rows(&[tape(10, 0, vec![seen(day)])], |_, overlay| {
            let answer = cancels(overlay, order("buy"), any_stale);
            assert!(matches!(answer, Err(OrderError::Denied { rule: "not-own-order", .. })), "{answer:?}");
        });
        assert!(none.is_empty(), "{none:?}");
    }
}
