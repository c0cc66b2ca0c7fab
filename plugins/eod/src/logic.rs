//! Which orders are stale, and what the day's account says. Pure.

use tradeagent_sdk::Report;
use tradeagent_sdk::day;
use tradeagent_sdk::eod::market::{Phase, Session};
use tradeagent_sdk::eod::portfolio::{DayAccount, Position};
use tradeagent_sdk::eod::types::{Date, Instant, Order};
use tradeagent_sdk::price::Rupees;
use tradeagent_sdk::stage::{self, Stage};

/// Whether the trading day's session is over: now is not before the end of its last phase.
pub fn session_is_over(session: &Session, now: Instant) -> bool {
    let phases = session.phases.iter().filter(|window| window.phase != Phase::Closed);
    phases.map(|window| window.end).max().is_none_or(|end| now >= end)
}

/// Whether an order of this host still works although its session is over. An order for the next session
/// never does, nor one that is on its way or whose fate is unknown: that is the reconciler's.
pub fn is_stale(order: &Order, trading_day: Date, session_is_over: bool) -> bool {
    let meant_for = day::number(order.for_session);
    let today = day::number(trading_day);
    let over = meant_for < today || (meant_for == today && session_is_over);
    order.strategy.is_some() && over && stage::of(&order.status) == Stage::Working
}

/// The most skips that the letter lists one by one.
const SKIPS_IN_LETTER: usize = 20;

/// The report as the operator reads it: the summary, each figure, what was skipped and why.
pub fn letter(report: &Report) -> String {
    let mut letter = report.summary.clone();
    for (name, value) in &report.figures {
        letter += &format!("\n{name}: {value}");
    }
    for skip in report.skipped.iter().take(SKIPS_IN_LETTER) {
        letter += &format!("\nskipped {}: {}", skip.subject, skip.reason);
    }
    if report.skipped.len() > SKIPS_IN_LETTER {
        letter += &format!("\nand {} more were skipped", report.skipped.len() - SKIPS_IN_LETTER);
    }
    letter
}

/// Profit of the day after every charge.
pub fn net(account: &DayAccount) -> i64 {
    account.realised.saturating_sub(account.charges)
}

/// Puts the day's account on record.
pub fn put_account(report: &mut Report, account: &DayAccount) {
    for (status, count) in &account.orders {
        report.figure(format!("orders {status}"), count);
    }
    report.figure("fills", account.fills);
    report.figure("bought", Rupees(account.bought));
    report.figure("sold", Rupees(account.sold));
    report.figure("realised before charges", Rupees(account.realised));
    report.figure("charges", Rupees(account.charges));
    for (kind, amount) in &account.charges_by_kind {
        report.figure(format!("charges {kind}"), Rupees(*amount));
    }
    report.figure("realised after charges", Rupees(net(account)));
    report.figure("unrealised", Rupees(account.unrealised));
    for skip in merged(account) {
        report.skip(skip.0, skip.1);
    }
}

/// The day's skips, each once, with how often when it was more than once.
fn merged(account: &DayAccount) -> Vec<(String, String)> {
    let mut seen: Vec<(&str, &str, u32)> = Vec::new();
    for skip in &account.skipped {
        match seen.iter_mut().find(|it| it.0 == skip.subject && it.1 == skip.reason) {
            Some(it) => it.2 += 1,
            None => seen.push((&skip.subject, &skip.reason, 1)),
        }
    }
    let text = |reason: &str, times| {
        if times == 1 { reason.to_owned() } else { format!("{reason} ({times} times)") }
    };
    seen.into_iter().map(|(subject, reason, times)| (subject.to_owned(), text(reason, times))).collect()
}

/// Puts the open positions on record.
pub fn put_positions(report: &mut Report, positions: &[Position]) {
    report.figure("open positions", positions.len());
    for position in positions {
        let average = Rupees(position.cost / i64::from(position.quantity.max(1)) / 100 * 100);
        let text = format!(
            "{} shares at {average}, {} settled, since {}",
            position.quantity,
            position.settled,
            day::text(position.opened)
        );
        report.figure(format!("position {}", position.symbol), text);
    }
}

/// The one line of the day. What could not be read is not there.
pub fn summary(
    account: Option<&DayAccount>,
    positions: Option<usize>,
    cancelled: u32,
    differences: Option<usize>,
) -> String {
    let mut parts = Vec::new();
    match account {
        Some(account) => {
            let orders = account.orders.iter().map(|(_, count)| count).sum::<u32>();
            parts.push(format!(
                "{}, {}",
                counted(orders as usize, "order"),
                counted(account.fills as usize, "fill")
            ));
            let (net, charges) = (Rupees(net(account)), Rupees(account.charges));
            parts.push(format!("realised {net} after charges of {charges}"));
            parts.push(format!("unrealised {}", Rupees(account.unrealised)));
        }
        None => parts.push("no account of the day".to_owned()),
    }
    if let Some(count) = positions {
        parts.push(counted(count, "open position"));
    }
    if cancelled > 0 {
        parts.push(format!("{} cancelled", counted(cancelled as usize, "stale order")));
    }
    parts.push(match differences {
        Some(0) => "journal and broker agree".to_owned(),
        Some(count) => format!("{} between journal and broker", counted(count, "difference")),
        None => "not compared with the broker".to_owned(),
    });
    parts.join("; ")
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradeagent_sdk::eod::market::{InstrumentClass, PhaseWindow};
    use tradeagent_sdk::eod::types::{OrderType, Product, Side, Skip, Status, Validity};

    const BEFORE: Date = Date { year: 2025, month: 6, day: 30 };
    const TODAY: Date = Date { year: 2025, month: 7, day: 1 };
    const NEXT: Date = Date { year: 2025, month: 7, day: 2 };

    fn order(for_session: Date, status: Status) -> Order {
        Order {
            id: "o1".to_owned(),
            strategy: Some("sell".to_owned()),
            key: "k".to_owned(),
            symbol: "X".to_owned(),
            side: Side::Sell,
            order_type: OrderType::Limit,
            product: Product::Delivery,
            validity: Validity::Day,
            quantity: 1,
            price: 1,
            trigger: None,
            amo: false,
            status,
            filled: 0,
            average: 0,
            for_session,
            placed_at: 0,
            reason: String::new(),
            extras: Vec::new(),
        }
    }

    #[test]
    fn the_letter_has_every_figure_and_bounds_the_skips() {
        let mut report = Report::new("2 orders");
        report.figure("fills", 3);
        for number in 0..25 {
            report.skip(format!("S{number}"), "stale");
        }
        let letter = letter(&report);
        assert!(letter.starts_with("2 orders\nfills: 3\nskipped S0: stale\n"), "{letter}");
        assert!(letter.ends_with("skipped S19: stale\nand 5 more were skipped"), "{letter}");
    }

    #[test]
    fn a_day_order_is_stale_once_its_session_is_over() {
        assert!(is_stale(&order(BEFORE, Status::New), TODAY, false));
        assert!(is_stale(&order(TODAY, Status::PartiallyFilled), TODAY, true));
        assert!(!is_stale(&order(TODAY, Status::New), TODAY, false));
    }

    #[test]
    fn an_order_for_the_next_session_is_left_alone() {
        assert!(!is_stale(&order(NEXT, Status::QueuedAmo), TODAY, true));
        assert!(is_stale(&order(BEFORE, Status::QueuedAmo), TODAY, true));
    }

    #[test]
    fn what_is_external_ended_or_unknown_is_left_alone() {
        let external = Order { strategy: None, ..order(BEFORE, Status::New) };
        assert!(!is_stale(&external, TODAY, true));
        for status in
            [Status::Filled, Status::Canceled, Status::Unknown, Status::Parked, Status::PendingCancel]
        {
            assert!(!is_stale(&order(BEFORE, status), TODAY, true));
        }
    }

    #[test]
    fn a_session_is_over_with_its_last_phase() {
        let window =
            |phase, start, end| PhaseWindow { class: InstrumentClass::WithoutDerivatives, phase, start, end };
        let session = Session {
            trading_day: TODAY,
            is_trading_day: true,
            phase: Phase::Closed,
            phases: vec![
                window(Phase::Continuous, 10, 20),
                window(Phase::PostClose, 22, 30),
                window(Phase::Closed, 30, 99),
            ],
            next_trading_day: NEXT,
            previous_trading_day: BEFORE,
            extras: Vec::new(),
        };
        assert!(!session_is_over(&session, 29));
        assert!(session_is_over(&session, 30));
        assert!(session_is_over(&Session { phases: Vec::new(), ..session }, 0));
    }

    fn account() -> DayAccount {
        let skip = |reason: &str| Skip { subject: "X".to_owned(), reason: reason.to_owned() };
        DayAccount {
            day: TODAY,
            orders: vec![("filled".to_owned(), 2), ("canceled".to_owned(), 1)],
            fills: 3,
            bought: 1_000_000_000,
            sold: 1_000_000_000,
            realised: 0,
            charges: 2_224_800,
            charges_by_kind: vec![("stt".to_owned(), 2_000_000), ("stamp".to_owned(), 150_000)],
            unrealised: -5_000,
            skipped: vec![skip("no price"), skip("no price"), skip("band")],
            extras: Vec::new(),
        }
    }

    #[test]
    fn the_profit_is_after_every_charge() {
        let text = summary(Some(&account()), Some(1), 0, Some(0));
        assert_eq!(
            text,
            "3 orders, 3 fills; realised -222.48 after charges of 222.48; unrealised -0.50; 1 open position; \
             journal and broker agree"
        );
    }

    #[test]
    fn repeated_skips_are_told_once() {
        let mut report = Report::new("");
        put_account(&mut report, &account());
        let skips: Vec<&str> = report.skipped.iter().map(|skip| skip.reason.as_str()).collect();
        assert_eq!(skips, ["no price (2 times)", "band"]);
        assert!(report.figures.contains(&("charges stt".to_owned(), "200.00".to_owned())));
    }
}
