//! `positions`: what the system owns, by its own ledger.

use super::account::{open, say_source};
use crate::cli::ReadArgs;
use crate::exit::Failure;
use crate::output::{self, Align, Table, Tone};

/// Lists them.
pub fn run(args: &ReadArgs) -> Result<(), Failure> {
    let mut account = open(args)?;
    let view = account.access.positions(&account.config)?;
    if args.json {
        return output::json(&view);
    }
    say_source(view.source);
    if view.positions.is_empty() {
        output::talk("no positions");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("symbol", Align::Left),
        ("shares", Align::Right),
        ("settled", Align::Right),
        ("in sells", Align::Right),
        ("free", Align::Right),
        ("paid each", Align::Right),
        ("cost", Align::Right),
        ("since", Align::Left),
    ]);
    for position in &view.positions {
        let figure = |text: String| (text, Tone::Plain);
        table.row([
            figure(position.symbol.to_string()),
            figure(position.quantity.to_string()),
            figure(position.settled.to_string()),
            figure(position.in_working_sells.to_string()),
            figure(position.free.to_string()),
            figure(output::price(position.entry_price)),
            figure(output::money(position.cost)),
            figure(position.opened.to_string()),
        ]);
    }
    table.print();
    output::line(&format!("cost {}", output::money(view.cost)));
    Ok(())
}
