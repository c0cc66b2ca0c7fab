//! `orders`: the list, one order's trail, and the operator's word on one.

use anyhow::anyhow;
use model::{IntentId, Quantity};

use super::account::{open, say_source, short};
use crate::cli::{OrdersArgs, ResolveArgs};
use crate::control::views::{OrderLine, OrdersQuery, TrailView};
use crate::control::wire::VerdictWord;
use crate::exit::Failure;
use crate::output::{self, Align, Table, Tone};

/// Lists orders, or tells one.
pub fn run(args: &OrdersArgs) -> Result<(), Failure> {
    let mut account = open(&args.read)?;
    if let Some(order) = &args.order {
        let trail = account.access.trail(&account.config, order)?;
        if args.read.json {
            return output::json(&trail);
        }
        say_source(trail.source);
        tell(&trail);
        return Ok(());
    }
    let query = OrdersQuery { day: args.day, unresolved: args.unresolved };
    let orders = account.access.orders(&account.config, query)?;
    if args.read.json {
        return output::json(&orders);
    }
    say_source(orders.source);
    if orders.orders.is_empty() {
        let what = if args.unresolved { "no order is unresolved" } else { "no orders" };
        output::talk(&format!("{what} ({})", orders.day));
        return Ok(());
    }
    table(&orders.orders).print();
    Ok(())
}

const fn tone(order: &OrderLine) -> Tone {
    if order.unresolved { Tone::Bad } else { Tone::Plain }
}

fn table(orders: &[OrderLine]) -> Table {
    let mut table = Table::new(&[
        ("order", Align::Left),
        ("placed", Align::Left),
        ("strategy", Align::Left),
        ("side", Align::Left),
        ("symbol", Align::Left),
        ("shares", Align::Right),
        ("price", Align::Right),
        ("status", Align::Left),
        ("filled", Align::Right),
        ("average", Align::Right),
        ("for", Align::Left),
        ("words", Align::Left),
    ]);
    for order in orders {
        let strategy = order.strategy.as_ref().map_or_else(|| "external".to_owned(), ToString::to_string);
        let average = if order.filled.is_zero() { String::new() } else { output::price(order.average) };
        let price =
            if order.price.is_zero() { order.order_type.to_string() } else { output::price(order.price) };
        let unclear = order.unresolved && !matches!(order.status.as_str(), "unknown" | "parked");
        let status = if unclear { format!("{} (unclear)", order.status) } else { order.status.clone() };
        table.row([
            (order.id.clone(), tone(order)),
            (short(order.placed_at), Tone::Plain),
            (strategy, Tone::Plain),
            (order.side.to_string(), Tone::Plain),
            (order.symbol.to_string(), Tone::Plain),
            (order.quantity.to_string(), Tone::Plain),
            (price, Tone::Plain),
            (status, tone(order)),
            (order.filled.to_string(), Tone::Plain),
            (average, Tone::Plain),
            (order.for_session.format("%d %b").to_string(), Tone::Plain),
            (order.reason.clone(), Tone::Dim),
        ]);
    }
    table
}

fn tell(view: &TrailView) {
    table(std::slice::from_ref(&view.order)).print();
    output::line("");
    if let (Some(run), Some(component)) = (&view.run, &view.component) {
        output::line(&format!("placed in {run} by component {component}"));
    }
    let mut table = Table::new(&[("at", Align::Left), ("what", Align::Left), ("words", Align::Left)]);
    for line in &view.trail {
        table.row([
            (line.at.ist().format("%Y-%m-%d %H:%M:%S%.3f").to_string(), Tone::Plain),
            (line.kind.clone(), Tone::Dim),
            (line.text.clone(), Tone::Plain),
        ]);
    }
    table.print();
    if view.order.unresolved {
        output::talk(&format!(
            "its outcome is not known: look it up at the broker, then `tradeagent orders resolve {}`",
            view.order.id
        ));
    }
}

/// Takes the operator's word.
pub fn resolve(args: &ResolveArgs) -> Result<(), Failure> {
    let order = IntentId::parse(&args.order).ok_or_else(|| {
        Failure::usage(anyhow!("`{}` is not an order's number", args.order))
            .hint("`tradeagent orders --unresolved` shows the numbers: sixteen letters and digits")
    })?;
    let verdict = match (args.not_placed, args.canceled, args.filled, args.price) {
        (true, ..) => VerdictWord::NotPlaced,
        (_, true, ..) => VerdictWord::Canceled,
        (_, _, Some(shares), Some(price)) => VerdictWord::Filled { quantity: Quantity::new(shares), price },
        _ => return Err(Failure::usage(anyhow!("say --not-placed, --canceled, or --filled with --price"))),
    };
    let account = open(&args.read)?;
    let line = account.access.resolve(&account.config, account.clock, order, verdict, args.note.clone())?;
    if args.read.json {
        return output::json_versioned(&line);
    }
    table(std::slice::from_ref(&line)).print();
    output::talk(if line.unresolved {
        "noted; its outcome is still open"
    } else {
        "noted as the operator's evidence"
    });
    Ok(())
}
