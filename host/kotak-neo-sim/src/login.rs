//! Logging in and out (facts 1.1).

use serde_json::{Value, json};

use crate::call::Call;
use crate::core::{Core, State};
use crate::faults::{wrong_mpin, wrong_totp};
use crate::orders::not_ok;
use crate::reply::Reply;
use crate::session::{Ended, Opened};
use crate::totp::{TOTP_STEP_S, totp_code};
use crate::wire::time;

/// Step one: a code for a view token.
pub(crate) fn login(core: &mut Core<'_>, call: &Call) -> Reply {
    let (mobile, ucc, code) = match (|| {
        access_token(core, call)?;
        let body = Body::of(call)?;
        Ok((body.text("mobileNumber")?, body.text("ucc")?, body.text("totp")?))
    })() {
        Ok(fields) => fields,
        Err(refusal) => return refusal,
    };
    let known = &core.config.credentials;
    if mobile != known.mobile || ucc != known.ucc || !is_fresh_code(core, &code) {
        return wrong_totp();
    }
    let opened = core.state.sessions.open_view(core.now, &core.config.credentials.ucc, &mut core.state.rng);
    Reply::ok(&json!({"data": facts(core, &opened, "View")}))
}

/// Step two: the MPIN for a trade token. The number of the session that it opened.
pub(crate) fn validate(core: &mut Core<'_>, call: &Call) -> (Reply, Option<u64>) {
    let mpin = match access_token(core, call).and_then(|()| Body::of(call)?.text("mpin")) {
        Ok(mpin) => mpin,
        Err(refusal) => return (refusal, None),
    };
    let (token, sid) = (call.header("auth").unwrap_or_default(), call.header("sid").unwrap_or_default());
    if !core.state.sessions.is_view(token, sid) {
        let body = json!({"stCode": 401, "errMsg": "Invalid view token", "status": "failure"});
        return (Reply::json(401, &body), None);
    }
    if mpin != core.config.credentials.mpin {
        return (wrong_mpin(), None);
    }
    let State { sessions, one_session, rng, .. } = &mut *core.state;
    let opened = sessions.open(core.now, *one_session, false, &core.config.credentials.ucc, rng);
    let mut data = facts(core, &opened, "Trade");
    let base = core.config.base_url.clone().unwrap_or_else(|| call.origin.clone());
    data["baseUrl"] = Value::from(base);
    (Reply::ok(&json!({"data": data})), Some(opened.number))
}

/// v1's logout, which really ends the session; later SDKs call nothing.
pub(crate) fn logout(core: &mut Core<'_>, number: u64) -> Reply {
    core.state.sessions.end(number, core.now, Ended::Logout);
    Reply::ok(&json!({"stat": "Ok", "stCode": 200, "message": "Logged out successfully"}))
}

/// `get-client-ip`.
pub(crate) fn client_ip(core: &Core<'_>) -> Reply {
    let at = core.now.ist().format("%Y-%m-%d %H:%M:%S%.3f").to_string();
    let ip = core.config.client_ip.to_string();
    Reply::ok(&json!({"data": [{"ip": ip, "time": at}], "stCode": 1000, "status": "success"}))
}

/// The access token of the application, as logins and data calls carry it: no "Bearer".
pub(crate) fn access_token(core: &Core<'_>, call: &Call) -> Result<(), Reply> {
    if core.config.strict && call.path.starts_with("/login") && call.header("neo-fin-key").is_none() {
        return Err(missing("neo-fin-key"));
    }
    if call.header("authorization") == Some(core.config.credentials.consumer_key.as_str()) {
        return Ok(());
    }
    let description = "Invalid access token. Make sure you have provided the correct security credentials";
    Err(Reply::json(
        401,
        &json!({"code": "900901", "message": "Invalid Credentials", "description": description}),
    ))
}

/// Shape D.
pub(crate) fn missing(field: &str) -> Reply {
    let message = format!("Missing required field '{field}'");
    Reply::json(400, &json!({"error": [{"code": "400", "message": message}]}))
}

/// The code of the present step or one beside it, by the server's own time (or by the machine's, where that
/// counts too), and each at most once.
fn is_fresh_code(core: &mut Core<'_>, code: &str) -> bool {
    let server = core.now.plus_nanos(core.config.skew_ms.saturating_mul(1_000_000));
    let machine = core.state.code_clock.as_ref().map(|clock| (true, clock.now()));
    let secret = &core.config.credentials.totp_secret;
    let found = [Some((false, server)), machine].into_iter().flatten().find_map(|(of_machine, at)| {
        let step = time::seconds(at).div_euclid(TOTP_STEP_S);
        let steps = [step, step - 1, step + 1];
        let step = steps.into_iter().find(|step| totp_code(secret, *step).as_deref() == Some(code))?;
        Some((of_machine, step))
    });
    found.is_some_and(|(of_machine, step)| core.state.sessions.take_step(of_machine, step))
}

/// A JSON body.
struct Body(Value);

impl Body {
    fn of(call: &Call) -> Result<Self, Reply> {
        serde_json::from_slice(&call.body)
            .map(Self)
            .map_err(|_| not_ok(400, 1007, "body invalid", "bad request"))
    }

    fn text(&self, name: &str) -> Result<String, Reply> {
        let text = self.0[name].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| {
            let mut title = name.to_owned();
            title[..1].make_ascii_uppercase();
            missing(&title)
        })
    }
}

/// What both steps answer.
fn facts(core: &Core<'_>, opened: &Opened, kind: &str) -> Value {
    json!({
        "token": opened.token,
        "sid": opened.sid,
        "rid": opened.rid,
        "kType": kind,
        "status": "success",
        "ucc": core.config.credentials.ucc,
        "greetingName": "SIMULATOR",
        "dataCenter": "",
        "hsServerId": "",
        "isUserPwdExpired": false,
        "isTrialAccount": false,
        "searchAPIKey": "",
        "derivativesRiskDisclosure": "Made up: no order placed here reaches an exchange.",
        "mfAccess": 1,
        "dataCenterMap": null,
        "dormancyStatus": "A",
        "asbaStatus": "",
        "clientType": "RI",
        "isNRI": false,
        "kId": "SIMUL0000A",
        "incRange": 0,
        "incUpdFlag": "",
        "clientGroup": "",
        "kraStatus": "",
        "rcFlag": 0,
    })
}
