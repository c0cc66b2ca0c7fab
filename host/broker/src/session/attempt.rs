//! One whole login: a code, step one, step two.

use std::future::Future;

use model::Timestamp;
use secrecy::SecretString;

use super::bounded::{after, doubled, nanos, unless, within};
use super::codes::Turn;
use super::keeper::Unkept;
use super::{Keeper, Login, LoginError, LoginErrorKind, NoSession, SessionEvent, Stepped};

/// Why a login gave no client.
pub(super) enum Stop {
    /// It must not go on.
    No(NoSession),
    /// A step failed.
    Failed(LoginError),
}

impl From<NoSession> for Stop {
    fn from(no: NoSession) -> Self {
        Self::No(no)
    }
}

impl<L: Login> Keeper<L> {
    pub(super) async fn log_in(&self) -> Result<L::Client, Stop> {
        let code = self.fresh_code().await?;
        let deadline = self.gate(|gate, now| after(now, gate.standing.config.login_bound));
        // No session can come of step one: an end need not wait for it.
        let view = unless(self.ending.join(), self.step("one", deadline, self.login.view(code))).await;
        let view = view.ok_or(NoSession::Ended)?.map_err(Stop::Failed)?;
        self.gate(|gate, now| gate.standing.code_taken(now));
        self.step_two(&view, deadline).await
    }

    /// Waits for a half minute whose code was never sent, and marks it sent, for a later process too: a mark
    /// that cannot be kept is a code that is not sent.
    async fn fresh_code(&self) -> Result<SecretString, Stop> {
        loop {
            let (decided, kept) = self.gate_kept(|gate, now| {
                let standing = &mut gate.standing;
                // The wait may have led into the night, or into the end.
                standing.may_log_in(now, self.is_due())?;
                let turn = standing.codes.turn(now, nanos(standing.config.code_margin));
                if let Turn::Send(step) = turn {
                    standing.attempt(now, step);
                }
                Ok::<_, NoSession>((turn, standing.contest.open().is_some()))
            });
            let (turn, probe) = decided?;
            match turn {
                Turn::Wait(until) => self.pause(until).await?,
                Turn::Send(step) => {
                    kept.map_err(|unkept| self.unsent(unkept))?;
                    self.tell(probe.then_some(SessionEvent::ProbeStarted));
                    return Ok(self.totp.code(step));
                }
            }
        }
    }

    fn unsent(&self, unkept: Unkept) -> Stop {
        self.gate(|gate, _| gate.standing.unsent());
        let text = format!("no code is sent, because that it was cannot be kept: {}", unkept.text);
        self.tell(unkept.news());
        Stop::Failed(LoginError { kind: LoginErrorKind::Unavailable, text, server_time: None })
    }

    /// Step two may be asked again: its answer is sometimes late, and sometimes empty (the incident's was).
    async fn step_two(&self, view: &L::View, deadline: Timestamp) -> Result<L::Client, Stop> {
        let (tries, first) = self.gate(|gate, _| {
            (gate.standing.config.validate_attempts.max(1), gate.standing.config.validate_backoff)
        });
        let mut tried = 0;
        loop {
            let error = match self.step("two", deadline, self.login.validate(view)).await {
                Ok(client) => return Ok(client),
                Err(error) => error,
            };
            tried += 1;
            let again = after(self.clock.now(), doubled(first, tried, first.saturating_mul(16)));
            if error.kind != LoginErrorKind::Unavailable || tried == tries || again >= deadline {
                return Err(Stop::Failed(error));
            }
            self.pause(again).await?;
        }
    }

    /// One question and its answer, within its bounds; the broker's clock is compared with ours.
    async fn step<T>(
        &self,
        name: &str,
        deadline: Timestamp,
        question: impl Future<Output = Result<Stepped<T>, LoginError>>,
    ) -> Result<T, LoginError> {
        let (asked, bound) = self.gate(|gate, now| (now, gate.standing.config.step_bound));
        let answer = within(&*self.clock, deadline.min(after(asked, bound)), question).await;
        let answer = answer.unwrap_or_else(|| {
            Err(LoginError {
                kind: LoginErrorKind::Unavailable,
                text: "no answer in its time".to_owned(),
                server_time: None,
            })
        });
        let theirs = match &answer {
            Ok(stepped) => stepped.server_time,
            Err(error) => error.server_time,
        };
        if let Some(theirs) = theirs {
            let alarm = self.gate(|gate, heard| gate.standing.measure(asked, heard, theirs));
            self.tell(alarm);
        }
        answer
            .map(|stepped| stepped.value)
            .map_err(|error| LoginError { text: format!("login step {name}: {}", error.text), ..error })
    }
}
