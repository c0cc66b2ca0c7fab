//! Which alerts a position deserves now. Pure.

use tradeagent_sdk::day::{self, DayNumber};
use tradeagent_sdk::indicators;
use tradeagent_sdk::monitor::notify::Severity;
use tradeagent_sdk::price::{Percent, Rupees, nearest};

use crate::settings::Settings;

/// A position and its market.
#[derive(Debug, Clone, PartialEq)]
pub struct View<'a> {
    pub symbol: &'a str,
    pub quantity: u32,
    /// Paid for the shares owned.
    pub cost: i64,
    /// Calendar days since the oldest share was bought.
    pub days_held: DayNumber,
    pub last: i64,
    pub figures: Option<Figures>,
}

/// Indicators with the last price as today's close.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    pub ema: f64,
    pub rsi: f64,
}

/// The indicators; nothing when the history is too short or too old. Bars of `today` or later are replaced by
/// `last`.
pub fn figures(
    starts: &[i64],
    closes: &[i64],
    last: i64,
    today: DayNumber,
    settings: &Settings,
) -> Option<Figures> {
    let until = starts.iter().take_while(|start| day::number_at(**start) < today).count();
    let age = today - day::number_at(*starts[..until].last()?);
    if until < settings.bars_min() as usize || age > i64::from(settings.history_age_days_max) {
        return None;
    }
    let mut closes = closes.get(..until)?.to_vec();
    closes.push(last);
    Some(Figures {
        ema: indicators::ema(&closes, settings.ema_days)?,
        rsi: indicators::rsi(&closes, settings.rsi_period)?,
    })
}

/// An alert: its key is its cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    pub key: String,
    pub severity: Severity,
    pub text: String,
}

/// The alerts of one position.
pub fn alerts(view: &View<'_>, settings: &Settings) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut add = |cause: &str, severity, text: String| {
        alerts.push(Alert {
            key: format!("{cause}:{}", view.symbol),
            severity,
            text: format!("{text} {}", about(view)),
        });
    };
    let (symbol, last) = (view.symbol, Rupees(view.last));
    if let Some(Figures { ema, rsi }) = view.figures {
        if view.last as f64 >= ema {
            let (days, average) = (settings.ema_days, Rupees(nearest(ema / 100.0) * 100));
            add(
                "exit",
                Severity::Critical,
                format!("{symbol} at {last} has reached its EMA{days} of {average}."),
            );
        }
        if rsi > settings.rsi_critical {
            add(
                "rsi-critical",
                Severity::Critical,
                format!("{symbol}: RSI {rsi:.1} is over {}.", settings.rsi_critical),
            );
        } else if rsi > settings.rsi_warning {
            add(
                "rsi-warning",
                Severity::Warning,
                format!("{symbol}: RSI {rsi:.1} is over {}.", settings.rsi_warning),
            );
        }
        if rsi < settings.average_second {
            let level = settings.average_second;
            add(
                "average-second",
                Severity::Info,
                format!("{symbol}: RSI {rsi:.1} is under {level}, the second level for averaging."),
            );
        } else if rsi < settings.average_first {
            let level = settings.average_first;
            add(
                "average-first",
                Severity::Info,
                format!("{symbol}: RSI {rsi:.1} is under {level}, the first level for averaging."),
            );
        }
    }
    let moved = gain(view);
    if moved >= settings.move_min {
        add("move-up", Severity::Info, format!("{symbol} at {last} is {moved} % over entry."));
    } else if moved <= Percent(-settings.move_min.0) {
        add(
            "move-down",
            Severity::Warning,
            format!("{symbol} at {last} is {} % under entry.", Percent(-moved.0)),
        );
    }
    alerts
}

/// How far the last price is over entry, toward zero.
fn gain(view: &View<'_>) -> Percent {
    let cost = i128::from(view.cost);
    if cost <= 0 {
        return Percent(0);
    }
    let value = i128::from(view.last) * i128::from(view.quantity);
    Percent(i64::try_from((value - cost) * 10_000 / cost).unwrap_or(i64::MAX))
}

fn about(view: &View<'_>) -> String {
    let quantity = i64::from(view.quantity).max(1);
    let entry = Rupees(view.cost / quantity / 100 * 100);
    let profit = Rupees(view.last.saturating_mul(quantity).saturating_sub(view.cost));
    let days = view.days_held;
    let unit = if days == 1 { "day" } else { "days" };
    format!("{} shares at {entry}, {profit} rupees before charges, held {days} {unit}.", view.quantity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradeagent_sdk::params::Params;
    use tradeagent_sdk::price::RUPEE;

    fn settings() -> Settings {
        Settings::from_params(Params::from_pairs([])).expect("defaults")
    }

    /// 10 shares bought at 100 rupees.
    fn view(last: i64, ema: i64, rsi: f64) -> View<'static> {
        let figures = Some(Figures { ema: (ema * RUPEE) as f64, rsi });
        View { symbol: "X", quantity: 10, cost: 1_000 * RUPEE, days_held: 3, last: last * RUPEE, figures }
    }

    fn causes(view: &View<'_>) -> Vec<String> {
        alerts(view, &settings()).into_iter().map(|alert| alert.key).collect()
    }

    #[test]
    fn a_quiet_position_says_nothing() {
        assert_eq!(causes(&view(101, 105, 40.0)), Vec::<String>::new());
    }

    #[test]
    fn each_cause_has_its_key() {
        assert_eq!(causes(&view(101, 101, 40.0)), ["exit:X"]);
        assert_eq!(causes(&view(101, 105, 45.1)), ["rsi-warning:X"]);
        assert_eq!(causes(&view(101, 105, 50.1)), ["rsi-critical:X"]);
        assert_eq!(causes(&view(99, 105, 19.0)), ["average-first:X"]);
        assert_eq!(causes(&view(99, 105, 9.0)), ["average-second:X"]);
        assert_eq!(causes(&view(103, 105, 40.0)), ["move-up:X"]);
        assert_eq!(causes(&view(97, 105, 40.0)), ["move-down:X"]);
    }

    #[test]
    fn without_a_history_a_move_is_still_seen() {
        assert_eq!(causes(&View { figures: None, ..view(90, 1, 1.0) }), ["move-down:X"]);
    }

    #[test]
    fn an_alert_tells_what_is_at_stake() {
        let alert = alerts(&view(104, 104, 40.0), &settings()).remove(0);
        assert_eq!(alert.severity, Severity::Critical);
        assert_eq!(
            alert.text,
            "X at 104.00 has reached its EMA9 of 104.00. 10 shares at 100.00, 40.00 rupees before charges, held 3 days."
        );
    }

    #[test]
    fn the_last_price_is_todays_close() {
        const DAY: i64 = 86_400_000_000_000;
        let starts: Vec<i64> = (0..12).map(|n| (20_000 + n) * DAY).collect();
        let closes = [1_000_000; 12];
        let at = |today, last| figures(&starts, &closes, last, today, &settings());
        let up = at(20_012, 1_100_000).expect("enough bars");
        assert_eq!(up, Figures { ema: 1_020_000.0, rsi: 100.0 });
        assert_eq!(at(20_011, 1_100_000), Some(up), "the day's own bar is replaced");
        assert_eq!(at(20_010, 1_100_000), None, "too few");
        assert_eq!(at(20_030, 1_100_000), None, "too old");
    }

    #[test]
    fn the_readme_tells_every_parameter_and_its_default() {
        tradeagent_sdk::params::assert_documented(include_str!("../README.md"), Settings::from_params);
    }
}
