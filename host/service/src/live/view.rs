//! The broker session as the operator sees it.

use broker::session::{KeeperState, KeeperStatus};
use model::Timestamp;
use model::time::SECOND;

use crate::control::views::SessionLine;

/// The keeper at an instant, in one line.
pub(super) fn line(status: &KeeperStatus, now: Timestamp) -> SessionLine {
    SessionLine {
        state: word(status.state).to_owned(),
        generation: status.generation.get(),
        opened: status.opened,
        age_seconds: status.opened.map(|opened| now.nanos_since(opened) / SECOND),
        renewals: status.renewals.saturating_sub(1),
        logins: status.renewals,
        probes: status.probes,
        contested: status.state == KeeperState::Contested,
        skew_ms: status.skew_ms,
        reason: status.sentence().map(str::to_owned),
    }
}

const fn word(state: KeeperState) -> &'static str {
    match state {
        KeeperState::Idle => "none yet",
        KeeperState::LoggingIn => "logging in",
        KeeperState::Open => "open",
        KeeperState::Probing => "probing",
        KeeperState::Resting => "resting",
        KeeperState::Failed => "failed",
        KeeperState::Conflict => "conflict",
        KeeperState::ConflictUnknown => "conflict unknown",
        KeeperState::Contested => "contested",
        KeeperState::WrongCredentials => "wrong credentials",
        KeeperState::BudgetSpent => "budget spent",
        KeeperState::Ended => "ended",
    }
}
