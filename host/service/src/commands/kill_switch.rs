//! `kill-switch`: what may be done, durably, host or no host.

use journal::TradingState;

use super::account::{open, say_source};
use crate::cli::{KillSwitchArgs, Switch};
use crate::control::Access;
use crate::control::views::{Source, TradingView};
use crate::exit::Failure;
use crate::output::{self, Tone, tinted};

/// Sets or shows it.
pub fn run(args: &KillSwitchArgs) -> Result<(), Failure> {
    let mut account = open(&args.read)?;
    let state = match args.to {
        Switch::On => TradingState::CancelsOnly,
        Switch::Exits => TradingState::ExitsOnly,
        Switch::Off => TradingState::On,
        Switch::Show => {
            let view = match account.access {
                // Before the first start everything is allowed: that is an answer.
                Access::Nothing => TradingView {
                    version: crate::control::views::VERSION,
                    source: Source::Journal,
                    account: account.config.account.name.to_string(),
                    trading: TradingState::On,
                },
                ref mut access => access.trading(&account.config)?,
            };
            return show(&view, args.read.json);
        }
    };
    let view = account.access.set_trading(&account.config, account.clock, state)?;
    show(&view, args.read.json)?;
    if view.source == Source::Journal {
        output::talk("written into the journal: the next start obeys it");
    }
    Ok(())
}

fn show(view: &TradingView, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(view);
    }
    say_source(view.source);
    let (tone, text) = match view.trading {
        TradingState::On => (Tone::Good, "kill switch off: everything may be done"),
        TradingState::ExitsOnly => {
            (Tone::Warn, "exits only: sales of what the system owns, and cancellations")
        }
        TradingState::CancelsOnly => (Tone::Bad, "kill switch on: only cancellations"),
    };
    output::line(&tinted(tone, text));
    Ok(())
}
