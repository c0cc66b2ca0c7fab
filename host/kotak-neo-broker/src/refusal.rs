//! Which answers prove that an order call did nothing.
//!
//! Only a row of [`table`] is proof; every other failed answer is unclear, and the reconciler finds out.
//! Two answers look like refusals and are not: a *duplicate tag* (32, 5204) says that an order with this
//! tag is there, and *internal error* (1005) or *exchange not reachable* (1007) say nothing about what
//! became of the order. No 5xx is proof, whatever its body.

use broker::{CallKind, SendError};
use kotak_neo::{Error, Said};

/// What an answer proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing was placed or changed.
    Refused,
    /// A modify or cancel came too late.
    Complete,
    /// The session had expired: nothing was placed or changed.
    Expired,
    /// The address is not allowed to trade, or the session is dead: a report tells which.
    Address,
    /// Too many calls: nothing was placed or changed.
    TooMany,
}

/// Which calls a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calls {
    Any,
    Place,
    Change,
}

/// One row of the table: code, words that must occur (any of them; none: whatever the words), calls.
struct Proof {
    code: &'static str,
    words: &'static [&'static str],
    calls: Calls,
    meaning: Meaning,
    /// Where it is told, and what for. Short names as in `facts/kotak-neo.md`.
    source: &'static str,
}

const fn refused(code: &'static str, source: &'static str) -> Proof {
    Proof { code, words: &[], calls: Calls::Any, meaning: Meaning::Refused, source }
}

/// The table. Rows of one code stand from the narrow to the wide.
const PROOFS: &[Proof] = &[
    Proof {
        code: "1021",
        words: &[],
        calls: Calls::Change,
        meaning: Meaning::Complete,
        source: "v3 modify_order.md: order is completed",
    },
    refused("1002", "1q09 order tables: invalid input"),
    Proof {
        code: "1003",
        words: &[],
        calls: Calls::Any,
        meaning: Meaning::Expired,
        source: "1q09 order tables: invalid or expired session",
    },
    refused("1004", "1q09 order tables: funds or limits"),
    Proof {
        code: "1006",
        words: &["exchange"],
        calls: Calls::Place,
        meaning: Meaning::Refused,
        source: "JSB error table: invalid exchange",
    },
    Proof {
        code: "1006",
        words: &[],
        calls: Calls::Change,
        meaning: Meaning::Refused,
        source: "1q09 modify and cancel tables: executed, cancelled or not found",
    },
    Proof {
        code: "1007",
        words: &["body invalid", "bad request", "invalid symbol"],
        calls: Calls::Any,
        meaning: Meaning::Refused,
        source: "issue 271 and JSB: the body was not understood; without these words it may mean an exchange that is not reachable (1q09)",
    },
    refused("1008", "1q09 order tables: market closed"),
    refused("1009", "issues 268 and 275, JSB: invalid symbol or quantity"),
    refused("1010", "1q09 order tables: quantity not allowed; order not found"),
    refused("1017", "issue 308: algo order not allowed"),
    refused("1031", "v2 issue 32: invalid LTP or ATP"),
    Proof {
        code: "1037",
        words: &[],
        calls: Calls::Any,
        meaning: Meaning::Address,
        source: "static-ip-whitelisting.md: session address and request address differ",
    },
    refused("1041", "JSB and legacy runs: no last price, market order not possible"),
    refused("5202", "issues 55 and 242: invalid request"),
    refused("91400", "issues 48, 123, 202: only orders placed by API can be changed"),
    Proof {
        code: "100008",
        words: &[],
        calls: Calls::Any,
        meaning: Meaning::Address,
        source: "v2 issues 58, 64, 71, 82: address not whitelisted; also seen for a dead session",
    },
    refused("200032", "v2 issue 79: not the base URL of the login's answer, so no order system was reached"),
];

/// Said by the order system after it took the request, or about an earlier one: no HTTP status and no
/// word in them proves that nothing was done. 32 and 5204 also name an order that exists already, 1005 is an
/// internal error, 1007 an exchange that did not answer (facts 3.3).
const NEVER_PROOF: [&str; 4] = ["32", "5204", "1005", "1007"];

/// What is recognised by more than a code: what to look for, the meaning, the source.
const BY_SHAPE: [(&str, Meaning, &str); 3] = [
    ("HTTP or code 429", Meaning::TooMany, "REST docs, HTTP table: too many requests, said by the gateway"),
    (
        "HTTP 401 or 403, or 401, 1003, 100021, 100022, 900901, or a text about a dead session",
        Meaning::Expired,
        "REST docs, HTTP table: invalid session; issues 183, 280, 296, v2 issue 73",
    ),
    (
        "400 with `Missing required field`",
        Meaning::Refused,
        "login documentation: the gateway's validation of the request",
    ),
];

/// What a failed order call proves, if anything.
pub fn meaning(error: &Error, kind: CallKind) -> Option<Meaning> {
    let said = error.said()?;
    if said.http >= 500 {
        return None;
    }
    if error.is_rate_limited() {
        return Some(Meaning::TooMany);
    }
    if let Some(row) = row(said, kind) {
        return Some(row.meaning);
    }
    if said.code.as_deref().is_some_and(|code| NEVER_PROOF.contains(&code)) {
        return None;
    }
    // The gateway's own words: the call went no further (facts 3.3).
    if error.is_session_expired() {
        return Some(Meaning::Expired);
    }
    // Shape D: a field is missing, said by the gateway before anything is done.
    let is_missing_field =
        said.code.as_deref() == Some("400") && said.text.contains("Missing required field");
    is_missing_field.then_some(Meaning::Refused)
}

fn row(said: &Said, kind: CallKind) -> Option<&'static Proof> {
    let code = said.code.as_deref()?;
    let words = format!("{} {}", said.text, said.stat.as_deref().unwrap_or_default()).to_lowercase();
    PROOFS.iter().find(|proof| {
        proof.code == code
            && match proof.calls {
                Calls::Any => true,
                Calls::Place => kind == CallKind::Place,
                Calls::Change => kind != CallKind::Place,
            }
            && (proof.words.is_empty() || proof.words.iter().any(|word| words.contains(word)))
    })
}

/// Every row as `code, calls, meaning, source`: for the documentation and the operator.
pub fn table() -> impl Iterator<Item = (&'static str, &'static str, Meaning, &'static str)> {
    PROOFS
        .iter()
        .map(|proof| {
            let calls = match proof.calls {
                Calls::Any => "any",
                Calls::Place => "place",
                Calls::Change => "modify, cancel",
            };
            (proof.code, calls, proof.meaning, proof.source)
        })
        .chain(BY_SHAPE.iter().map(|(what, meaning, source)| (*what, "any", *meaning, *source)))
}

/// The refusal in the port's words.
pub(crate) fn refusal(error: &Error) -> SendError {
    SendError::Refused { code: error.code().unwrap_or("refused").to_owned(), reason: error.to_string() }
}
