//! What is looked for.

use serde::{Deserialize, Serialize};

/// Names of units, scripts, services and tasks that log in to the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// systemd units: services and timers.
    pub units: Vec<String>,
    /// Python scripts, without `.py`.
    pub scripts: Vec<String>,
    /// Windows services.
    pub services: Vec<String>,
    /// Windows scheduled tasks; a `*` at the end stands for any ending.
    pub tasks: Vec<String>,
}

/// The unit of the runbooks: the old one and ours have the same name, and are told apart by what they run.
pub const UNIFIED: &str = "tradeagent-unified.service";

const LEGACY_UNITS: [&str; 8] = [
    "tradeagent-sell.timer",
    "tradeagent-autotrade.timer",
    "tradeagent-monitor.timer",
    "tradeagent-eod.timer",
    "tradeagent-sell.service",
    "tradeagent-autotrade.service",
    "tradeagent-monitor.service",
    "tradeagent-eod.service",
];

/// Those that log in by themselves, the ones that the old detector missed included.
const SCRIPTS: [&str; 7] = [
    "run_trading_service",
    "run_sell_orders",
    "run_auto_trade",
    "run_position_monitor",
    "run_eod_cleanup",
    "run_place_amo",
    "live_price_manager",
];

/// Ours is among them: it is told from the others by what it runs.
const SERVICES: [&str; 6] = [
    "tradeagent",
    "ModularTradeAgent_Sell",
    "ModularTradeAgent_Main",
    "ModularTradeAgent_Monitor",
    "ModularTradeAgent_EOD",
    "TradeAgentUnified",
];

const TASKS: [&str; 2] = ["TradingBot-*", "TradingService-Unified"];

impl Default for Names {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut units = owned(&LEGACY_UNITS);
        units.push(UNIFIED.to_owned());
        Self { units, scripts: owned(&SCRIPTS), services: owned(&SERVICES), tasks: owned(&TASKS) }
    }
}

impl Names {
    /// These and more: units (a name without an ending is a service) and scripts.
    #[must_use]
    pub fn and(mut self, units: &[String], scripts: &[String]) -> Self {
        let unit = |name: &String| if name.contains('.') { name.clone() } else { format!("{name}.service") };
        self.units.extend(units.iter().map(unit));
        self.scripts.extend(scripts.iter().map(|name| name.trim_end_matches(".py").to_owned()));
        self
    }

    /// Whether all units and scripts of `others` are among them.
    pub fn hold(&self, others: &Self) -> bool {
        others.units.iter().all(|name| self.units.contains(name))
            && others.scripts.iter().all(|name| self.scripts.contains(name))
    }

    /// Whether a scheduled task is one of them.
    pub fn is_task(&self, name: &str) -> bool {
        let name = name.trim_start_matches('\\');
        self.tasks.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == known,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_names_are_written_as_people_write_them() {
        let names =
            Names::default().and(&["my-bot".to_owned(), "my-bot.timer".to_owned()], &["bot.py".to_owned()]);
        assert!(names.units.contains(&"my-bot.service".to_owned()));
        assert!(names.units.contains(&"my-bot.timer".to_owned()));
        assert!(names.scripts.contains(&"bot".to_owned()));
        assert!(names.hold(&Names::default()) && !Names::default().hold(&names));
        assert!(names.is_task("\\TradingBot-Morning") && !names.is_task("TradingService-Unified2"));
    }
}
