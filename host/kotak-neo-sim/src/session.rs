//! Sessions of the one account: who is logged in, since when, and what ended it.

use std::collections::{BTreeMap, BTreeSet};

use model::clock::Rng;
use model::{Date, Timestamp};
use serde::Serialize;

use crate::jwt;

/// Sessions that are remembered, ended ones included.
const SESSIONS_MAX: usize = 100_000;

/// What ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Its token's time was up: 00:00 IST.
    Midnight,
    /// A later login through this sim.
    Login,
    /// A login of another program.
    ForeignLogin,
    /// A logout.
    Logout,
    /// A fault.
    Fault,
}

/// What an audit may know of a trade session. No token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionFacts {
    /// Counted from 1 in the order of the logins, foreign ones included.
    pub number: u64,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it ended, and by what.
    pub ended: Option<(Timestamp, Ended)>,
    /// Opened by the other program.
    pub foreign: bool,
    /// Calls that carried its token while it lived.
    pub calls: u64,
    /// Calls that carried its token after it had ended.
    pub calls_after_end: u64,
}

struct Session {
    facts: SessionFacts,
    token: String,
    exp: Timestamp,
    dies_at: Option<Timestamp>,
}

struct View {
    sid: String,
    token: String,
    exp: Timestamp,
}

/// Token and id of a session, to be answered once.
pub(crate) struct Opened {
    pub number: u64,
    pub sid: String,
    pub token: String,
    pub rid: String,
}

/// What a pair of `Auth` and `Sid` is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The trade session of this number lives.
    Trade(u64),
    /// A view token.
    View,
    /// It has ended.
    Ended(u64),
    /// Never seen.
    Unknown,
}

#[derive(Default)]
pub(crate) struct Sessions {
    trade: BTreeMap<u64, Session>,
    by_sid: BTreeMap<String, u64>,
    views: Vec<View>,
    /// Steps of TOTP codes that were accepted, by whether they are of the machine's clock.
    steps: BTreeSet<(bool, i64)>,
    /// When the other program logs in.
    foreign_at: Vec<Timestamp>,
    opened: u64,
    /// Logins that were completed through this sim.
    pub logins: u64,
    /// Codes that were accepted.
    pub codes: u64,
}

impl Sessions {
    /// Lets everything happen that is due by `now`, in order.
    pub fn pass(&mut self, now: Timestamp, one_session: bool, ucc: &str, rng: &mut Rng) {
        self.foreign_at.sort_unstable();
        while let Some(at) = self.foreign_at.first().copied().filter(|at| *at <= now) {
            self.foreign_at.remove(0);
            self.end_due(at);
            self.open(at, one_session, true, ucc, rng);
        }
        self.end_due(now);
        self.views.retain(|view| now < view.exp);
    }

    fn end_due(&mut self, now: Timestamp) {
        for session in self.trade.values_mut().rev().take(SESSIONS_ALIVE_MAX) {
            if session.facts.ended.is_some() {
                continue;
            }
            let fault = session.dies_at.filter(|at| *at < session.exp).map(|at| (at, Ended::Fault));
            let (at, why) = fault.unwrap_or((session.exp, Ended::Midnight));
            if at <= now {
                session.facts.ended = Some((at, why));
            }
        }
    }

    /// Takes the code of `step` unless it was taken before.
    pub fn take_step(&mut self, of_machine: bool, step: i64) -> bool {
        self.steps.retain(|(machine, known)| *machine != of_machine || *known > step - 100);
        let fresh = self.steps.insert((of_machine, step));
        self.codes += u64::from(fresh);
        fresh
    }

    pub fn open_view(&mut self, now: Timestamp, ucc: &str, rng: &mut Rng) -> Opened {
        let exp = midnight_after(now);
        let (token, sid) = (jwt::token("View", ucc, now, exp, rng), jwt::uuid(rng));
        if self.views.len() >= VIEWS_MAX {
            self.views.remove(0);
        }
        self.views.push(View { sid: sid.clone(), token: token.clone(), exp });
        Opened { number: 0, sid, token, rid: jwt::uuid(rng) }
    }

    /// Whether this is the view token that step one gave.
    pub fn is_view(&self, token: &str, sid: &str) -> bool {
        self.views.iter().any(|view| view.token == token && view.sid == sid)
    }

    /// Opens a trade session; by the rule of one session all others end.
    pub fn open(
        &mut self,
        now: Timestamp,
        one_session: bool,
        foreign: bool,
        ucc: &str,
        rng: &mut Rng,
    ) -> Opened {
        if one_session {
            self.end_all(now, if foreign { Ended::ForeignLogin } else { Ended::Login });
        }
        self.opened += 1;
        self.logins += u64::from(!foreign);
        let number = self.opened;
        let exp = midnight_after(now);
        let (token, sid) = (jwt::token("Trade", ucc, now, exp, rng), jwt::uuid(rng));
        if self.trade.len() >= SESSIONS_MAX {
            self.trade.pop_first();
            self.by_sid.retain(|_, known| self.trade.contains_key(known));
        }
        let facts = SessionFacts { number, opened: now, ended: None, foreign, calls: 0, calls_after_end: 0 };
        self.trade.insert(number, Session { facts, token: token.clone(), exp, dies_at: None });
        self.by_sid.insert(sid.clone(), number);
        Opened { number, sid, token, rid: jwt::uuid(rng) }
    }

    fn end_all(&mut self, now: Timestamp, why: Ended) {
        for session in self.trade.values_mut().rev().take(SESSIONS_ALIVE_MAX) {
            session.facts.ended.get_or_insert((now, why));
        }
    }

    pub fn end(&mut self, number: u64, now: Timestamp, why: Ended) {
        if let Some(session) = self.trade.get_mut(&number) {
            session.facts.ended.get_or_insert((now, why));
        }
    }

    pub fn dies_at(&mut self, number: u64, at: Timestamp) {
        if let Some(session) = self.trade.get_mut(&number) {
            session.dies_at = Some(session.dies_at.map_or(at, |known| known.min(at)));
        }
    }

    pub fn foreign_login_at(&mut self, at: Timestamp) {
        if self.foreign_at.len() < VIEWS_MAX {
            self.foreign_at.push(at);
        }
    }

    /// No foreign login is due any more.
    pub fn foreign_login_never(&mut self) {
        self.foreign_at.clear();
    }

    /// What the pair is worth; counted.
    pub fn access(&mut self, token: &str, sid: &str) -> Access {
        let Some(number) = self.by_sid.get(sid).copied() else {
            return if self.is_view(token, sid) { Access::View } else { Access::Unknown };
        };
        let Some(session) = self.trade.get_mut(&number).filter(|session| session.token == token) else {
            return Access::Unknown;
        };
        if session.facts.ended.is_some() {
            session.facts.calls_after_end += 1;
            return Access::Ended(number);
        }
        session.facts.calls += 1;
        Access::Trade(number)
    }

    pub fn lives(&self, number: u64) -> bool {
        self.trade.get(&number).is_some_and(|session| session.facts.ended.is_none())
    }

    pub fn facts(&self) -> Vec<SessionFacts> {
        self.trade.values().map(|session| session.facts.clone()).collect()
    }
}

/// Open logins that wait for their second step, or for their instant.
const VIEWS_MAX: usize = 1_000;
/// How far back a session may still be alive: far more than a day's logins.
const SESSIONS_ALIVE_MAX: usize = 2_000;

/// The midnight in Mumbai at which a token issued at `now` dies.
fn midnight_after(now: Timestamp) -> Timestamp {
    let today = now.ist_date();
    Timestamp::at_ist(today.succ_opt().unwrap_or(Date::MAX), 0, 0)
}
