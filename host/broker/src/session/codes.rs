//! Which one-time code is next: never one that was sent, never one about to end, by the broker's clock.

use std::collections::VecDeque;

use model::Timestamp;
use model::time::SECOND;

use super::totp::STEP_SECONDS;

const STEP: i64 = STEP_SECONDS * SECOND;
/// More than a day's attempts: an older half minute comes back only when a clock was set back by more.
const REMEMBERED: usize = 128;

/// The half minutes sent, and how far this machine's clock is off.
#[derive(Debug, Default)]
pub(super) struct Codes {
    sent: VecDeque<i64>,
    skew: Option<i64>,
}

/// What to do for a code.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Send the code of this half minute (counted from 1970).
    Send(i64),
    /// Ask again at this instant.
    Wait(Timestamp),
}

impl Codes {
    /// As after these were sent.
    pub(super) fn after(sent: &[i64]) -> Self {
        let kept = sent.len().saturating_sub(REMEMBERED);
        Self { sent: sent[kept..].iter().copied().collect(), skew: None }
    }

    /// The half minutes sent, oldest first.
    pub(super) fn sent(&self) -> Vec<i64> {
        self.sent.iter().copied().collect()
    }

    /// The code for `now`; with less than `margin` nanoseconds left it is not worth sending.
    pub(super) fn turn(&self, now: Timestamp, margin: i64) -> Turn {
        let skew = self.skew.unwrap_or_default();
        let theirs = now.plus_nanos(skew).nanos();
        let step = theirs.div_euclid(STEP);
        let end = (step + 1) * STEP;
        if self.sent.contains(&step) || end - theirs < margin.min(STEP) {
            return Turn::Wait(Timestamp::from_nanos(end - skew));
        }
        Turn::Send(step)
    }

    /// Remembers a half minute before its code leaves.
    pub(super) fn spend(&mut self, step: i64) {
        if self.sent.len() == REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back(step);
    }

    /// Compares clocks: asked and heard by this machine's, `theirs` by the broker's, which is taken to have
    /// answered halfway between.
    pub(super) fn measure(&mut self, asked: Timestamp, heard: Timestamp, theirs: Timestamp) {
        let halfway = asked.plus_nanos(heard.nanos_since(asked) / 2);
        self.skew = Some(theirs.nanos_since(halfway));
    }

    /// The broker's clock less this machine's, in nanoseconds.
    pub(super) const fn skew(&self) -> Option<i64> {
        self.skew
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * SECOND)
    }

    #[test]
    fn a_half_minute_is_sent_once() {
        let mut codes = Codes::default();
        assert_eq!(codes.turn(at(61), 2 * SECOND), Turn::Send(2));
        codes.spend(2);
        assert_eq!(codes.turn(at(61), 2 * SECOND), Turn::Wait(at(90)));
        assert_eq!(codes.turn(at(90), 2 * SECOND), Turn::Send(3));
        // The clock was set back: an earlier one that was not sent is good, a sent one is not.
        codes.spend(3);
        assert_eq!(codes.turn(at(30), 2 * SECOND), Turn::Send(1));
        codes.spend(1);
        assert_eq!(codes.turn(at(30), 2 * SECOND), Turn::Wait(at(60)));
    }

    #[test]
    fn a_code_about_to_end_is_left() {
        let codes = Codes::default();
        assert_eq!(codes.turn(at(88), 2 * SECOND), Turn::Send(2));
        assert_eq!(codes.turn(at(88).plus_nanos(1), 2 * SECOND), Turn::Wait(at(90)));
    }

    #[test]
    fn the_half_minute_is_the_brokers() {
        let mut codes = Codes::default();
        codes.measure(at(100), at(102), at(121));
        assert_eq!(codes.skew(), Some(20 * SECOND));
        assert_eq!(codes.turn(at(100), 2 * SECOND), Turn::Send(4));
        codes.spend(4);
        assert_eq!(codes.turn(at(100), 2 * SECOND), Turn::Wait(at(130)));
    }
}
