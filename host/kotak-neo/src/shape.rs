//! The error shapes of facts 3.1.

use crate::json::Json;
use crate::said::Shape;

/// What an error body says.
pub(crate) struct Spoken<'a> {
    pub(crate) shape: Shape,
    pub(crate) code: Option<&'a str>,
    pub(crate) stat: Option<&'a str>,
    pub(crate) text: &'a str,
}

/// Whether `stat` or `status` says that all is well.
fn says(json: &Json, name: &str, word: &str) -> bool {
    json.scalar_of(name).is_some_and(|text| text.trim().eq_ignore_ascii_case(word))
}

/// `stat` ok and `stCode` 200: success by facts 3.1.
pub(crate) fn is_ok(json: &Json) -> bool {
    stat_ok(json) && code_is(json, "200")
}

pub(crate) fn stat_ok(json: &Json) -> bool {
    says(json, "stat", "ok")
}

pub(crate) fn status_success(json: &Json) -> bool {
    says(json, "status", "success")
}

pub(crate) fn code_is(json: &Json, code: &str) -> bool {
    json.scalar_of("stCode").is_some_and(|text| text.trim() == code)
}

/// The error that a body says, if it says one. Not asked of a success.
pub(crate) fn recognise(json: &Json) -> Option<Spoken<'_>> {
    if !json.is_object() || is_ok(json) || status_success(json) {
        return None;
    }
    listed(json)
        .or_else(|| fault(json))
        .or_else(|| data_call(json))
        .or_else(|| order_system(json))
        .or_else(|| login(json))
        .or_else(|| gateway(json))
}

/// D: `{"error":[{"code":…,"message":…}]}`.
fn listed(json: &Json) -> Option<Spoken<'_>> {
    let first = json.get("error")?.list()?.first()?;
    if !first.is_object() {
        return None;
    }
    Some(Spoken { shape: Shape::D, code: first.scalar_of("code"), stat: stat(json), text: text(first) })
}

/// E in a `fault`, or G when a `status` says so too.
fn fault(json: &Json) -> Option<Spoken<'_>> {
    let fault = json.get("fault").filter(|fault| fault.is_object())?;
    let shape = if says(json, "status", "error") { Shape::G } else { Shape::E };
    Some(Spoken { shape, code: fault.scalar_of("code"), stat: stat(json), text: text(fault) })
}

/// F: `{"code":429,"error":"…","message":"…"}`; and the gateway's `{"error":"…","error_description":"…"}`.
fn data_call(json: &Json) -> Option<Spoken<'_>> {
    let error = json.scalar_of("error")?;
    if let Some(description) = json.scalar_of("error_description") {
        return Some(Spoken { shape: Shape::E, code: Some(error), stat: stat(json), text: description });
    }
    let code = json.scalar_of("code")?;
    let said = text(json);
    let text = if said.is_empty() { error } else { said };
    Some(Spoken { shape: Shape::F, code: Some(code), stat: stat(json), text })
}

/// A, or B when it is `status` that speaks.
fn order_system(json: &Json) -> Option<Spoken<'_>> {
    let code = json.scalar_of("stCode");
    let refused = json.scalar_of("stat").is_some() && !stat_ok(json);
    let failed = code.is_some() && !code_is(json, "200");
    if says(json, "status", "failure") || (code.is_some() && says(json, "status", "error")) {
        return Some(Spoken { shape: Shape::B, code, stat: stat(json), text: text(json) });
    }
    (refused || failed).then(|| Spoken { shape: Shape::A, code, stat: stat(json), text: text(json) })
}

/// C: `{"status":"error","message":"…","errorCode":"401"}`.
fn login(json: &Json) -> Option<Spoken<'_>> {
    let code = json.scalar_of("errorCode");
    let known = says(json, "status", "error") && (code.is_some() || json.scalar_of("message").is_some());
    known.then(|| Spoken { shape: Shape::C, code, stat: stat(json), text: text(json) })
}

/// E: `{"code":"900901","message":"…","description":"…"}`.
fn gateway(json: &Json) -> Option<Spoken<'_>> {
    let code = json.scalar_of("code")?;
    json.scalar_of("message")?;
    Some(Spoken { shape: Shape::E, code: Some(code), stat: stat(json), text: text(json) })
}

fn stat(json: &Json) -> Option<&str> {
    json.scalar_of("stat").or_else(|| json.scalar_of("status"))
}

/// The documents say `emsg`, the servers `errMsg`, the gateway `message` (facts 3.1).
fn text(json: &Json) -> &str {
    const NAMES: [&str; 5] = ["errMsg", "emsg", "message", "desc", "description"];
    NAMES
        .iter()
        .filter_map(|name| json.scalar_of(name))
        .find(|text| !text.trim().is_empty())
        .unwrap_or_default()
}
