//! A canary in every secret: nothing shows it, whatever the server sends back.

use kotak_neo::feed::{FeedOptions, OrderFeed};
use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::login::Login;
use kotak_neo::secrecy::SecretString;
use kotak_neo::transport::TransportError;

use crate::samples;
use crate::support::*;

const ALL: [&str; 9] = [TOKEN, SID, KEY, MPIN, TOTP, MOBILE, UCC, VIEW_TOKEN, VIEW_SID];

/// What a call sends of these.
fn secrets_of(name: &str) -> Vec<&'static str> {
    match name {
        "view" => vec![KEY, MOBILE, UCC, TOTP],
        "validate" => vec![KEY, MPIN, VIEW_TOKEN, VIEW_SID],
        _ => vec![TOKEN, SID, KEY],
    }
}

fn assert_clean(text: &str, secrets: &[&str], context: &str) {
    for secret in secrets {
        assert!(!text.contains(secret), "{context} shows {secret}: {text}");
    }
}

#[tokio::test]
async fn errors_do_not_repeat_what_the_request_carried() {
    for name in CALLS.into_iter().filter(|name| *name != "scrip-master") {
        let secrets = secrets_of(name);
        let echo = secrets.join(" ");
        let escaped: String = echo.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let long = format!("{}{echo}", "x".repeat(290));
        for echo in [&echo, &escaped, &long] {
            let bodies = [
                format!(r#"{{"stCode":"{echo}","errMsg":"{echo}","stat":"{echo}"}}"#),
                format!(r#"{{"stCode":401,"errMsg":"{echo}","status":"failure"}}"#),
                format!(r#"{{"status":"error","message":"{echo}","errorCode":"{echo}"}}"#),
                format!(r#"{{"error":[{{"code":"{echo}","message":"{echo}"}}],"stat":"{echo}"}}"#),
                format!(r#"{{"code":"{echo}","message":"{echo}","description":"{echo}"}}"#),
                format!(r#"{{"code":429,"error":"{echo}","message":"{echo}"}}"#),
                format!(r#"{{"status":"ERROR","fault":{{"code":"{echo}","message":"{echo}"}}}}"#),
                format!("<html>{echo}</html>"),
                format!(r#"{{"{echo}":"{echo}"}}"#),
                echo.clone(),
                format!(
                    r#"{{"stat":"Ok","stCode":200,"nOrdNo":"{echo}","data":[{{"nOrdNo":"{echo}","qty":"{echo}","ordSt":"{echo}"}}]}}"#
                ),
                format!(r#"{{"data":{{"filesPaths":"{echo}"}}}}"#),
            ];
            for body in bodies {
                for http in [200, 401, 500] {
                    let shown = match call(Script::with(http, &body), name).await {
                        Ok(value) => value,
                        Err(error) => format!("{error} {error:?} {}", error.text()),
                    };
                    assert_clean(&shown, &secrets, &format!("{name}, HTTP {http}, {body}"));
                    // Not even the part that a cut at 300 characters would leave.
                    assert!(!shown.contains("CANARY"), "{name}, HTTP {http}, {body}: {shown}");
                }
            }
        }
        for error in [TransportError::NotSent(echo.clone()), TransportError::NoAnswer(echo.clone())] {
            let error = call(Script::failing(error), name).await.expect_err(name);
            assert_clean(&format!("{error} {error:?}"), &secrets, name);
        }
    }
}

#[tokio::test]
async fn rows_do_not_repeat_the_session() {
    let echo = format!("{TOKEN} {SID} {KEY}");
    for name in CALLS.into_iter().filter(|name| !matches!(*name, "view" | "validate" | "scrip-master")) {
        // Each text of a good answer in turn becomes an echo.
        let sample: serde_json::Value = serde_json::from_str(samples::of(name)).expect("JSON");
        for at in 0..200 {
            let mut body = sample.clone();
            let mut left = at;
            if !replace_text(&mut body, &mut left, &echo) {
                assert!(at > 0, "{name} has texts");
                break;
            }
            let shown = match call(Script::with(200, body.to_string()), name).await {
                Ok(value) => value,
                Err(error) => format!("{error} {error:?}"),
            };
            assert_clean(&shown, &[TOKEN, SID, KEY], name);
        }
    }
}

/// Replaces the n-th text.
fn replace_text(value: &mut serde_json::Value, left: &mut usize, with: &str) -> bool {
    match value {
        serde_json::Value::String(text) if *left == 0 => {
            *text = with.to_owned();
            true
        }
        serde_json::Value::String(_) => {
            *left -= 1;
            false
        }
        serde_json::Value::Array(items) => items.iter_mut().any(|item| replace_text(item, left, with)),
        serde_json::Value::Object(members) => members.values_mut().any(|item| replace_text(item, left, with)),
        _ => false,
    }
}

#[tokio::test]
async fn a_session_hides_itself_even_if_the_server_repeats_it() {
    let body = samples::VALIDATE
        .replace("\"Trade\"", &format!("\"Trade {MPIN} new-trade-sid {KEY}\""))
        .replace("\"E21\"", "\"eyJhbGciOiJSUzI1NiJ9.eyJzY29wZSI6WyJUcmFkZSJdLCJleHAiOjE2ODc5NzcwMDAsImlhdCI6MTY4Nzk0NjQ0Mn0.c2ln\"");
    let shown = call(Script::with(200, body), "validate").await.expect("a session");
    assert_clean(&shown, &[MPIN, KEY, "new-trade-sid", "eyJ", UCC, "ASHA"], "a session");
    let body = samples::VIEW.replace("\"View\"", &format!("\"View {TOTP} new-view-sid new-view-token\""));
    let shown = call(Script::with(200, body), "view").await.expect("a view");
    assert_clean(&shown, &[TOTP, "new-view-sid", "new-view-token", UCC], "a view token");
}

#[tokio::test]
async fn no_debug_shows_a_secret() {
    let script = Script::with(200, samples::PLACED);
    let client = client(script.clone());
    client.place(&place_order()).await.expect("placed");
    let requests = script.sent();
    script.then(200, samples::VIEW);
    let login = Login::new(script.clone());
    login.view(&credentials(), &SecretString::from(TOTP)).await.expect("a view");
    let feed = OrderFeed::new(script.clone(), session(), FeedOptions::default());
    let transport = HttpTransport::new(HttpOptions::default()).expect("a transport");
    let shown = format!(
        "{client:?} {:?} {:?} {:?} {feed:?} {transport:?} {requests:?} {:?} {:#?}",
        session(),
        credentials(),
        view_token(),
        script.sent(),
        session(),
    );
    assert_clean(&shown, &ALL, "Debug");
    assert!(
        shown.contains("tradeApiLogin") && shown.contains("e21.kotaksecurities.com"),
        "it shows something: {shown}"
    );
}
