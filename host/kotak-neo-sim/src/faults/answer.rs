//! The answers of faults, in the shapes of facts 3.1.

use serde_json::json;

use crate::orders::not_ok;
use crate::reply::Reply;

use super::kind::{Kind, Spelling};

/// "Your session is not valid", in these words.
pub(crate) fn dead_session(spelling: Spelling) -> Reply {
    let credentials = "Invalid Credentials";
    let description = "Access failure for API. Make sure you have provided the correct security credentials";
    match spelling {
        Spelling::Http401 => not_ok(401, 401, "Unauthorized", "Not_Ok"),
        Spelling::Http403 => not_ok(403, 403, "Invalid session, please re-login to continue", "Not_Ok"),
        Spelling::Code1003 => not_ok(200, 1003, "Invalid or expired session", "Not_Ok"),
        Spelling::Code100022 => not_ok(200, 100_022, "invalid session token", "Not_Ok"),
        Spelling::Code100021 => not_ok(200, 100_021, "invalid  access type", "Not_Ok"),
        Spelling::Code100008 => not_ok(401, 100_008, "unauthorized", "Not_Ok"),
        Spelling::Gateway => {
            Reply::json(401, &json!({"code": "900901", "message": credentials, "description": description}))
        }
        Spelling::GatewayFault => Reply::json(
            401,
            &json!({"fault": {"code": 900_901, "message": credentials, "description": description}}),
        ),
        Spelling::JwtText => Reply::bytes(
            401,
            "text/plain",
            b"Invalid JWT token. Make sure you have provided the correct security credentials".to_vec(),
        ),
    }
}

/// The answer that a fault gives in place of the right one, and whether it gives it after the work is done.
/// None: the fault is of another sort.
pub(crate) fn instead(kind: &Kind) -> Option<(Reply, bool)> {
    let answer = match kind {
        Kind::Expired { spelling, .. } => (dead_session(*spelling), false),
        Kind::NoData => (Reply::ok(&json!({"status": "success", "message": "validated"})), false),
        Kind::DataNull => (Reply::ok(&json!({"status": "success", "data": null})), false),
        Kind::WrongTotp => (wrong_totp(), false),
        Kind::WrongMpin => (wrong_mpin(), false),
        Kind::IpRefusal { code: 1037 } => {
            (not_ok(403, 1037, "session ip doesnt match with reqest ip", "Not_Ok"), false)
        }
        Kind::IpRefusal { code } => (not_ok(403, *code, "unauthorized", "Not_Ok"), false),
        Kind::RateLimited { retry_after_s } => (rate_limited(*retry_after_s), false),
        Kind::ServerError { status, html: true, after } => (html_page(*status, "Bad Gateway"), *after),
        Kind::ServerError { status, html: false, after } => {
            let text = "cannot reach OMS";
            (Reply::json(*status, &json!({"stCode": status, "errMsg": text, "stat": "Not_Ok"})), *after)
        }
        Kind::Dropped { after } => (Reply::Drop, *after),
        Kind::Refused => (Reply::Refuse, false),
        Kind::HtmlBody { after } => (html_page(200, "Please wait"), *after),
        Kind::EmptyBody { after } => (Reply::bytes(200, "application/json", Vec::new()), *after),
        _ => return None,
    };
    Some(answer)
}

/// A proxy's page.
pub(crate) fn html_page(status: u16, title: &str) -> Reply {
    let page = format!(
        "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>{title}</body>\r\n</html>\r\n"
    );
    Reply::bytes(status, "text/html", page.into_bytes())
}

/// Shape C.
pub(crate) fn wrong_totp() -> Reply {
    let body = json!({"status": "error", "message": "Invalid credentials or TOTP.", "errorCode": "401"});
    Reply::json(401, &body)
}

/// Shape B, with HTTP 200.
pub(crate) fn wrong_mpin() -> Reply {
    Reply::ok(&json!({"stCode": 401, "errMsg": "Invalid MPIN", "status": "failure"}))
}

fn rate_limited(retry_after_s: Option<u32>) -> Reply {
    let body = json!({"code": 429, "error": "Rate limit exceeded", "message": "too many request received"});
    let reply = Reply::json(429, &body);
    match retry_after_s {
        Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
        None => reply,
    }
}
