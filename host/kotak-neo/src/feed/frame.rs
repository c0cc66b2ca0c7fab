//! What a text frame of the feed says.

use super::{FeedEvent, FeedOrder};
use crate::json::Json;
use crate::rows::PositionRow;
use crate::secrets::Secrets;

/// A frame, classed.
pub(super) enum Frame {
    /// `{"ak":"ok","type":"cn",…}`.
    Acked,
    /// The session is not accepted.
    Refused(String),
    /// The frame of ours was not understood: try the other spelling.
    NotUnderstood(String),
    /// Everything else.
    Event(FeedEvent),
}

impl Frame {
    pub(super) fn read(text: &str, secrets: &Secrets) -> Self {
        let other = || Self::Event(FeedEvent::Other(secrets.clean(text)));
        let Ok(mut json) = Json::parse(text.as_bytes()) else { return other() };
        secrets.scrub_json(&mut json);
        match json.scalar_of("ak") {
            Some(ak) if ak.eq_ignore_ascii_case("ok") => return Self::Acked,
            Some(_) => return refusal(&json, secrets),
            None => {}
        }
        let Some(data) = json.get("data") else { return other() };
        let event = match json.scalar_of("type") {
            Some("order") => FeedOrder::read(data).map(|order| FeedEvent::Order(Box::new(order))),
            Some("position") => {
                PositionRow::read(data).map(|position| FeedEvent::Position(Box::new(position)))
            }
            _ => return other(),
        };
        event.map_or_else(|_| other(), Self::Event)
    }
}

/// `{"ak":"nk",…,"msg":"Authentication Failed"}` or `"invalid request format"` (facts 4.1). A refusal in words
/// that are not known is not taken for a dead session: that would cost a login.
fn refusal(json: &Json, secrets: &Secrets) -> Frame {
    const DEAD: [&str; 5] = ["auth", "session", "token", "jwt", "expired"];
    let text = json.scalar_of("msg").or_else(|| json.scalar_of("type")).unwrap_or("refused without a reason");
    let lower = text.to_lowercase();
    let text = secrets.clean(text);
    if DEAD.iter().any(|word| lower.contains(word)) {
        Frame::Refused(text)
    } else {
        Frame::NotUnderstood(text)
    }
}
