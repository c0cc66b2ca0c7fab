//! The control routes, `/_sim/…`: what a test in any language sets and asks. Plain JSON, no credentials:
//! listen on the loopback address. Faults do not act on them.

use std::time::Duration;

use model::Timestamp;
use serde_json::json;

use crate::call::Call;
use crate::faults::{Fault, FaultId, Script};
use crate::reply::Reply;
use crate::sim::Sim;
use crate::totp::{TOTP_STEP_S, totp_code};

/// Most seconds that one call moves the clock.
const ADVANCE_S_MAX: u64 = 400 * 24 * 3600;

/// Answers a control call, with the sim's own `Date` like every other answer.
pub(crate) fn control(sim: &Sim, what: &str, call: &Call) -> Reply {
    let reply = answer(sim, what, call);
    reply.dated(server_time(sim))
}

fn answer(sim: &Sim, what: &str, call: &Call) -> Reply {
    match (call.post, what) {
        (false, "" | "state") => state(sim),
        (false, "faults") => Reply::ok(&json!({"faults": sim.faults().state()})),
        (true, "faults") => add(sim, call),
        (true, "remove") => number(call, "id")
            .map_or_else(bad, |id| Reply::ok(&json!({"removed": sim.faults().remove(FaultId(id))}))),
        (true, "clear") => {
            sim.faults().clear();
            sim.foreign_login_never();
            state(sim)
        }
        (true, "foreign-login") => {
            sim.foreign_login();
            state(sim)
        }
        (true, "one-session") => match body(call)["on"].as_bool() {
            Some(on) => {
                sim.set_one_session(on);
                state(sim)
            }
            None => bad("post {\"on\": true} or {\"on\": false}".to_owned()),
        },
        (true, "cut-feeds") => {
            sim.cut_feeds();
            state(sim)
        }
        (true, "clock") => number(call, "advance_s").map_or_else(bad, |seconds| advance(sim, seconds)),
        (false, "totp") => code(sim),
        (false, "audit") => match serde_json::to_value(sim.audit()) {
            Ok(audit) => Reply::ok(&audit),
            Err(error) => bad(error.to_string()),
        },
        _ => Reply::json(
            404,
            &json!({"error": format!("no control route `{what}`: see the README of kotak-neo-sim")}),
        ),
    }
}

fn state(sim: &Sim) -> Reply {
    let audit = sim.audit();
    Reply::ok(&json!({
        "now": sim.now().to_string(),
        "one_session": sim.one_session(),
        "sessions": audit.sessions,
        "logins": audit.logins,
        "calls": audit.calls,
        "orders": audit.book.orders.len(),
        "refused": audit.refused.len(),
        "trades": audit.book.trades.len(),
        "feeds": audit.feeds,
        "faults": sim.faults().state(),
        "faults_fired": audit.faults_fired,
    }))
}

/// By the server's clock, its skew included.
fn server_time(sim: &Sim) -> Timestamp {
    sim.now().plus_nanos(sim.config().skew_ms.saturating_mul(1_000_000))
}

/// The code of this moment, for a person at a prompt.
fn code(sim: &Sim) -> Reply {
    let seconds = server_time(sim).nanos().div_euclid(model::time::SECOND);
    match totp_code(&sim.config().credentials.totp_secret, seconds.div_euclid(TOTP_STEP_S)) {
        Some(code) => {
            let left = TOTP_STEP_S - seconds.rem_euclid(TOTP_STEP_S);
            Reply::ok(&json!({"totp": code, "seconds_left": left}))
        }
        None => bad("the TOTP secret of this sim is not base32".to_owned()),
    }
}

fn add(sim: &Sim, call: &Call) -> Reply {
    match posted(&call.body) {
        Ok(faults) => {
            let ids: Vec<FaultId> = faults.into_iter().map(|fault| sim.faults().add(fault)).collect();
            Reply::ok(&json!({"ids": ids}))
        }
        Err(error) => bad(format!("not a fault: {error}; the kinds are in the README of kotak-neo-sim")),
    }
}

/// One fault, or `{"fault": […]}` as in a script.
fn posted(body: &[u8]) -> serde_json::Result<Vec<Fault>> {
    let posted: serde_json::Value = serde_json::from_slice(body)?;
    if posted.get("fault").is_some() {
        return serde_json::from_value::<Script>(posted).map(|script| script.fault);
    }
    Ok(vec![serde_json::from_value(posted)?])
}

fn advance(sim: &Sim, seconds: u64) -> Reply {
    if seconds > ADVANCE_S_MAX {
        return bad(format!("at most {ADVANCE_S_MAX} seconds at a time"));
    }
    if sim.move_time(Duration::from_secs(seconds)) {
        state(sim)
    } else {
        bad("the clock of this sim belongs to somebody else".to_owned())
    }
}

fn body(call: &Call) -> serde_json::Value {
    serde_json::from_slice(&call.body).unwrap_or_default()
}

fn number(call: &Call, name: &str) -> Result<u64, String> {
    body(call)[name].as_u64().ok_or_else(|| format!("post {{\"{name}\": …}} with a whole number"))
}

fn bad(why: String) -> Reply {
    Reply::json(400, &json!({"error": why}))
}
