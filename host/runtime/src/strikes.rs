//! Three strikes: a strategy that had to be stopped three times stays out until the operator clears it.

use crate::outcome::RunResult;

/// At so many strikes a strategy is quarantined.
pub const STRIKES_MAX: u32 = 3;

/// The strikes of one strategy. Pure: the service journals what [`Strikes::record`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strikes {
    count: u32,
    struck_today: bool,
}

impl Strikes {
    /// With so many strikes, from the journal. They count as today's, so that restarts forgive nothing.
    pub const fn new(count: u32) -> Self {
        Self { count, struck_today: count > 0 }
    }

    /// Strikes so far.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Whether the strategy is not to be run until the operator clears it.
    pub const fn is_quarantined(self) -> bool {
        self.count >= STRIKES_MAX
    }

    /// Counts a run. A run that was stopped (trap, time, memory, calls) is a strike; one that ended by
    /// itself, with or without an error of its own, is none. True: this strike put it into quarantine.
    pub const fn record(&mut self, result: &RunResult) -> bool {
        if !matches!(result, RunResult::Stopped(reason) if reason.is_strike()) {
            return false;
        }
        self.struck_today = true;
        self.count += 1;
        self.count == STRIKES_MAX
    }

    /// A trading day has begun. Strikes are forgotten after a day that had none; a quarantine is not.
    pub const fn new_day(&mut self) {
        if !self.struck_today && !self.is_quarantined() {
            self.count = 0;
        }
        self.struck_today = false;
    }

    /// The operator cleared it.
    pub const fn clear(&mut self) {
        *self = Self { count: 0, struck_today: false };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::StopReason;

    #[test]
    fn the_third_strike_quarantines_until_cleared() {
        let stopped = RunResult::Stopped(StopReason::StackOverflow { function: None });
        let mut strikes = Strikes::default();
        assert!(!strikes.record(&stopped));
        assert!(!strikes.record(&RunResult::Done(None)));
        assert!(!strikes.record(&stopped));
        assert!(!strikes.is_quarantined());
        assert!(strikes.record(&stopped));
        assert!(strikes.is_quarantined());
        strikes.new_day();
        strikes.new_day();
        assert!(strikes.is_quarantined());
        strikes.clear();
        assert!(!strikes.is_quarantined());
    }

    #[test]
    fn a_clean_day_forgives_and_a_restart_does_not() {
        let stopped = RunResult::Stopped(StopReason::StackOverflow { function: None });
        let mut strikes = Strikes::new(2);
        strikes.new_day();
        assert_eq!(strikes.count(), 2);
        strikes.new_day();
        assert_eq!(strikes.count(), 0);
        assert!(!strikes.record(&stopped));
    }

    #[test]
    fn what_is_not_the_strategys_fault_is_no_strike() {
        let mut strikes = Strikes::default();
        strikes.record(&RunResult::Stopped(StopReason::Host("the journal is full".to_owned())));
        strikes.record(&RunResult::Stopped(StopReason::Gone));
        assert_eq!(strikes.count(), 0);
    }
}
