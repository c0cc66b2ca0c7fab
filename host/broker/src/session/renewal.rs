//! One renewal, from the old client's logout to the new one: it runs in a task of its own.

use std::sync::Arc;

use model::{BoxFuture, Timestamp};

use super::attempt::Stop;
use super::bounded::{after, within};
use super::flight::Flight;
use super::keeper::Renewed;
use super::{Keeper, Login, LoginError, LoginErrorKind, NoSession, Session, SessionEvent};

/// The promise that a renewal ends for all who wait for it, however its task ends.
pub(super) struct Landing<L: Login> {
    keeper: Arc<Keeper<L>>,
    flight: Arc<Flight<Renewed<L::Client>>>,
    outcome: Option<Renewed<L::Client>>,
}

impl<L: Login> Landing<L> {
    pub(super) const fn new(keeper: Arc<Keeper<L>>, flight: Arc<Flight<Renewed<L::Client>>>) -> Self {
        Self { keeper, flight, outcome: None }
    }

    pub(super) fn flight(&self) -> Arc<Flight<Renewed<L::Client>>> {
        Arc::clone(&self.flight)
    }

    pub(super) async fn fly(mut self) {
        let outcome = self.keeper.log_out_and_in().await;
        self.outcome = Some(outcome);
    }
}

/// Without an outcome the task was dropped or panicked in the middle: a login that failed.
impl<L: Login> Drop for Landing<L> {
    fn drop(&mut self) {
        let broken = self.outcome.is_none().then(|| LoginError {
            kind: LoginErrorKind::Unavailable,
            text: "the login was broken off".to_owned(),
            server_time: None,
        });
        let failed = self.keeper.gate(|gate, now| {
            if gate.flight.as_ref().is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
                gate.flight = None;
            }
            broken.map(|error| gate.standing.login_failed(now, &error))
        });
        if let Some((no, event)) = failed {
            self.keeper.tell([event]);
            self.outcome = Some(Err(no));
        }
        if let Some(outcome) = self.outcome.take() {
            self.flight.land(outcome);
        }
    }
}

impl<L: Login> Keeper<L> {
    async fn log_out_and_in(&self) -> Renewed<L::Client> {
        self.retire().await;
        let tries = self.gate(|gate, _| gate.standing.config.attempts_per_renewal.max(1));
        let mut left = tries;
        loop {
            if self.gate(|gate, _| gate.standing.contest.pending()) {
                return Err(self.declare_contest().await);
            }
            self.gate(|gate, now| gate.standing.may_log_in(now, self.is_due()))?;
            self.look_first().await?;
            let no = match self.log_in().await {
                Ok(client) => return self.open(client).await,
                Err(Stop::No(no)) => return Err(no),
                Err(Stop::Failed(error)) => self.failed(&error),
            };
            left -= 1;
            let NoSession::Unavailable { until, .. } = no else { return Err(no) };
            // What has just become a contest is declared before anything else.
            if self.gate(|gate, _| gate.standing.contest.pending()) {
                continue;
            }
            if left == 0 || self.gate(|gate, _| gate.standing.contest.open().is_some()) {
                return Err(no);
            }
            self.pause(until).await?;
        }
    }

    /// Logs the old session out, and lets go of it. Others may still hold it for a call under way.
    pub(super) async fn retire(&self) {
        let Some(old) = self.gate(|gate, _| gate.retired.take()) else { return };
        self.log_out(&old.client).await;
    }

    pub(super) async fn log_out(&self, client: &L::Client) {
        let bound = self.gate(|gate, now| after(now, gate.standing.config.logout_bound));
        within(&*self.clock, bound, self.login.logout(client)).await;
    }

    async fn bounded(&self, look: BoxFuture<'_, Result<Vec<String>, String>>) -> Result<Vec<String>, String> {
        let bound = self.gate(|gate, now| after(now, gate.standing.config.look_bound));
        let found = within(&*self.clock, bound, look).await;
        found.unwrap_or_else(|| Err("the look for other programs did not end in its time".to_owned()))
    }

    async fn declare_contest(&self) -> NoSession {
        let found = self.bounded(self.conflicts.look_at_contest()).await;
        let found = found.unwrap_or_else(|text| vec![format!("the look itself failed: {text}")]);
        let open = self.gate(|gate, now| {
            gate.standing.since = now;
            let config = gate.standing.config.clone();
            gate.standing.contest.declare(now, found, &config)
        });
        self.tell([SessionEvent::Contested { found: open.found.clone(), until: open.until }]);
        NoSession::Contested { found: open.found, until: open.until }
    }

    /// Nobody logs in beside another program: that would end its session, and then ours.
    async fn look_first(&self) -> Result<(), NoSession> {
        let found = self.bounded(self.conflicts.look()).await;
        let (refused, event) = self.gate(|gate, now| gate.standing.looked(now, found));
        self.tell(event);
        refused.map_or(Ok(()), Err)
    }

    fn failed(&self, error: &LoginError) -> NoSession {
        let (no, event) = self.gate(|gate, now| gate.standing.login_failed(now, error));
        self.tell([event]);
        no
    }

    /// Hands the new session out, and ends the renewal in the same breath: a report of the new session's
    /// own expiry must not be answered with it.
    async fn open(&self, client: L::Client) -> Renewed<L::Client> {
        let (session, event) = self.gate(|gate, now| {
            let event = gate.standing.opened(now);
            (Arc::new(Session { generation: gate.standing.generation, client, opened: now }), event)
        });
        self.tell([event]);
        let ended = self.gate(|gate, _| {
            if !gate.standing.ended {
                self.current.put(Arc::clone(&session));
                gate.flight = None;
            }
            gate.standing.ended
        });
        if ended {
            self.log_out(&session.client).await;
            return Err(NoSession::Ended);
        }
        Ok(session)
    }

    /// Waits, unless the host goes down.
    pub(super) async fn pause(&self, until: Timestamp) -> Result<(), NoSession> {
        within(&*self.clock, until, self.ending.join()).await.map_or(Ok(()), |()| Err(NoSession::Ended))
    }
}
