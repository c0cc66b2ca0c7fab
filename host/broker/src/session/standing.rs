//! Where the account stands, and what that allows: decisions only, no waiting and no wire.

use model::Timestamp;
use model::time::SECOND;

use super::bounded::{after, doubled, nanos};
use super::codes::{Codes, Turn};
use super::contest::Contest;
use super::record::Record;
use super::tally::Tally;
use super::{Generation, KeeperConfig, LoginError, LoginErrorKind, NoSession, SessionEvent};

/// Refused codes in a row after which the credentials count as wrong.
const REFUSED_CODES: u32 = 2;
/// A clock that is off by more makes codes of another half minute.
const OFF: i64 = 15 * SECOND;
const MILLI: i64 = SECOND / 1000;

/// All that was seen, and what follows from it.
pub(super) struct Standing {
    pub config: KeeperConfig,
    pub codes: Codes,
    pub contest: Contest,
    pub ended: bool,
    /// When it last changed.
    pub since: Timestamp,
    /// That of the last session opened.
    pub generation: Generation,
    /// When the session that is there was opened.
    pub live: Option<Timestamp>,
    pub last_error: Option<String>,
    tally: Tally,
    wrong: Option<String>,
    /// What was refused before the operator said that it is good now; forgotten when a login has shown it.
    doubted: Option<String>,
    refused_codes: u32,
    /// The clocks' difference by which the last code was made.
    sent_by: i64,
    failures: u32,
    failed: Option<Failed>,
    held: Option<Held>,
    alarmed: bool,
}

/// The last login failed.
struct Failed {
    text: String,
    until: Timestamp,
}

/// The last look for conflicts was not clean; it is believed for a while.
pub(super) struct Held {
    pub found: Result<Vec<String>, String>,
    until: Timestamp,
}

impl Standing {
    /// As an earlier keeper's record leaves it.
    pub(super) fn new(config: KeeperConfig, record: Record, now: Timestamp) -> Self {
        let Record { sent, tally, contest, wrong, refused_codes } = record.at(now, &config);
        Self {
            config,
            codes: Codes::after(&sent),
            contest,
            ended: false,
            since: now,
            generation: Generation::NONE,
            live: None,
            last_error: wrong.clone(),
            tally: tally.unwrap_or(Tally::of(now.ist_date())),
            wrong,
            doubted: None,
            refused_codes,
            sent_by: 0,
            failures: 0,
            failed: None,
            held: None,
            alarmed: false,
        }
    }

    /// What a later keeper must know.
    pub(super) fn record(&self) -> Record {
        Record {
            sent: self.codes.sent(),
            tally: Some(self.tally),
            contest: self.contest.clone(),
            wrong: self.wrong.as_ref().or(self.doubted.as_ref()).cloned(),
            refused_codes: self.refused_codes,
        }
    }

    pub(super) fn tally(&self, now: Timestamp) -> Tally {
        self.tally.at(now)
    }

    /// Whether a login may be made now; `due` when a task cannot wait for the daily hour.
    pub(super) fn may_log_in(&self, now: Timestamp, due: bool) -> Result<(), NoSession> {
        if self.ended {
            return Err(NoSession::Ended);
        }
        if let Some(text) = &self.wrong {
            return Err(NoSession::WrongCredentials { text: text.clone() });
        }
        let today = Timestamp::from_ist(now.ist_date(), self.config.daily_hour);
        if let Some(open) = self.contest.open() {
            let spent = self.tally(now).probes >= self.config.probes_per_day;
            let until = if spent { open.until.max(next_day(today)) } else { open.until };
            if now < until {
                return Err(NoSession::Contested { found: open.found.clone(), until });
            }
        }
        if now < today && !due {
            return Err(NoSession::TooEarly { until: today });
        }
        if let Some(limit) = self.tally(now).spent(&self.config) {
            return Err(NoSession::Budget { limit, until: next_day(today) });
        }
        if let Some(Failed { text, until }) = &self.failed
            && now < *until
        {
            return Err(NoSession::Unavailable { text: text.clone(), until: *until });
        }
        match &self.held {
            Some(held) if now < held.until => Err(self.held_back(held)),
            _ => Ok(()),
        }
    }

    /// Why nothing happens although a login may be made: what stood in the way when it was last looked at.
    pub(super) fn hindrance(&self) -> Option<NoSession> {
        if let Some(held) = &self.held {
            return Some(self.held_back(held));
        }
        if let Some(open) = self.contest.open() {
            return Some(NoSession::Contested { found: open.found.clone(), until: open.until });
        }
        let failed = self.failed.as_ref()?;
        Some(NoSession::Unavailable { text: failed.text.clone(), until: failed.until })
    }

    fn held_back(&self, held: &Held) -> NoSession {
        match (&held.found, self.contest.open()) {
            (Ok(found), Some(_)) => NoSession::Contested { found: found.clone(), until: held.until },
            (Ok(found), None) => NoSession::Conflict { found: found.clone() },
            (Err(text), _) => NoSession::ConflictUnknown { text: text.clone() },
        }
    }

    /// A session that is past the window was opened well.
    pub(super) fn observe(&mut self, now: Timestamp) -> Option<SessionEvent> {
        let opened = self.live?;
        if now.nanos_since(opened) <= nanos(self.config.contest_window) || !self.contest.survived() {
            return None;
        }
        self.since = now;
        Some(SessionEvent::Recovered)
    }

    /// The session that is there was reported expired.
    pub(super) fn expired(&mut self, now: Timestamp) -> Vec<SessionEvent> {
        let recovered = self.observe(now);
        let Some(opened) = self.live.take() else { return Vec::new() };
        self.since = now;
        let lived = now.nanos_since(opened);
        let expected = opened.ist_date() < now.ist_date();
        if !expected && lived <= nanos(self.config.contest_window) {
            self.contest.died_early(now.ist_date(), &self.config);
        }
        let expired =
            SessionEvent::Expired { generation: self.generation, lived_ms: lived / MILLI, expected };
        recovered.into_iter().chain([expired]).collect()
    }

    /// The outcome of a look. None when it was clean, or said already.
    pub(super) fn looked(
        &mut self,
        now: Timestamp,
        found: Result<Vec<String>, String>,
    ) -> (Option<NoSession>, Option<SessionEvent>) {
        if found.as_ref().is_ok_and(Vec::is_empty) {
            self.held = None;
            return (None, None);
        }
        let news = self.held.as_ref().is_none_or(|held| held.found != found);
        let held = Held { found, until: after(now, self.config.recheck) };
        if let (Ok(found), Some(_)) = (&held.found, self.contest.open()) {
            self.contest.still(found.clone());
        }
        let event = news.then(|| match &held.found {
            Ok(found) => SessionEvent::Conflict { found: found.clone() },
            Err(text) => SessionEvent::ConflictUnknown { text: text.clone() },
        });
        let refused = self.held_back(&held);
        self.held = Some(held);
        if news {
            self.since = now;
        }
        (Some(refused), event)
    }

    /// When a code may leave.
    pub(super) fn next_code(&self, now: Timestamp) -> Timestamp {
        match self.codes.turn(now, nanos(self.config.code_margin)) {
            Turn::Send(_) => now,
            Turn::Wait(until) => until,
        }
    }

    /// A code leaves.
    pub(super) fn attempt(&mut self, now: Timestamp, step: i64) {
        self.sent_by = self.codes.skew().unwrap_or_default();
        self.codes.spend(step);
        self.tally = self.tally(now);
        self.tally.attempts += 1;
    }

    /// It did not leave after all.
    pub(super) fn unsent(&mut self) {
        self.tally.attempts = self.tally.attempts.saturating_sub(1);
    }

    /// The broker took it.
    pub(super) fn code_taken(&mut self, now: Timestamp) {
        self.refused_codes = 0;
        self.tally = self.tally(now);
        self.tally.logins += 1;
        if self.contest.open().is_some() {
            self.tally.probes += 1;
        }
        self.contest.login(now.ist_date());
    }

    /// The answer of a step carried the broker's time. An alarm is given once, until the clocks agree again.
    pub(super) fn measure(
        &mut self,
        asked: Timestamp,
        heard: Timestamp,
        theirs: Timestamp,
    ) -> Option<SessionEvent> {
        self.codes.measure(asked, heard, theirs);
        let skew = self.codes.skew()?;
        let off = skew.abs() > nanos(self.config.skew_alarm);
        let news = off && !self.alarmed;
        self.alarmed = off;
        news.then_some(SessionEvent::Skew { ms: skew / MILLI })
    }

    pub(super) fn skew_ms(&self) -> Option<i64> {
        self.codes.skew().map(|skew| skew / MILLI)
    }

    /// The login failed: why there is no session, and the event that says so.
    pub(super) fn login_failed(&mut self, now: Timestamp, error: &LoginError) -> (NoSession, SessionEvent) {
        self.since = now;
        self.last_error = Some(error.text.clone());
        self.contest.login_failed(now, &self.config);
        match error.kind {
            LoginErrorKind::WrongCredentials => return self.stop(error.text.clone()),
            // A code of another half minute than the broker's says nothing about the secret.
            LoginErrorKind::WrongCode if self.was_off() => {}
            LoginErrorKind::WrongCode => self.refused_codes += 1,
            LoginErrorKind::Unavailable => {}
        }
        if self.refused_codes >= REFUSED_CODES {
            return self.stop(format!(
                "the one-time code was refused {REFUSED_CODES} times in a row, {}: check the TOTP secret and \
                 this machine's clock",
                error.text
            ));
        }
        self.failures += 1;
        let wait = doubled(self.config.retry_backoff, self.failures, self.config.retry_backoff_max);
        // A probe that failed is not made again before its cool-down.
        let until = after(now, wait).max(self.contest.open().map_or(now, |open| open.until));
        let text = error.text.clone();
        self.failed = Some(Failed { text: text.clone(), until });
        (
            NoSession::Unavailable { text: text.clone(), until },
            SessionEvent::LoginFailed { text, until: Some(until) },
        )
    }

    /// Whether the last code was made by a clock that its answer showed to be off.
    fn was_off(&self) -> bool {
        self.codes.skew().is_some_and(|skew| (skew - self.sent_by).abs() > OFF)
    }

    fn stop(&mut self, text: String) -> (NoSession, SessionEvent) {
        self.wrong = Some(text.clone());
        self.last_error = Some(text.clone());
        (NoSession::WrongCredentials { text: text.clone() }, SessionEvent::LoginFailed { text, until: None })
    }

    /// The operator says the credentials are good. True when they were held to be wrong.
    pub(super) fn clear(&mut self, now: Timestamp) -> bool {
        self.refused_codes = 0;
        let Some(wrong) = self.wrong.take() else { return false };
        self.doubted = Some(wrong);
        (self.since, self.failures, self.failed) = (now, 0, None);
        true
    }

    /// A login is finished.
    pub(super) fn opened(&mut self, now: Timestamp) -> SessionEvent {
        self.generation = self.generation.next();
        (self.since, self.live) = (now, Some(now));
        (self.failures, self.failed, self.last_error, self.doubted) = (0, None, None, None);
        SessionEvent::Opened {
            generation: self.generation,
            skew_ms: self.skew_ms(),
            probe: self.contest.open().is_some(),
        }
    }
}

/// The same hour a day later: exchange time knows no daylight saving.
const fn next_day(at: Timestamp) -> Timestamp {
    at.plus_nanos(24 * 3600 * SECOND)
}
