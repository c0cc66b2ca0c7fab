//! What is a login, and what only looks like one.

use std::sync::Arc;

use kotak_neo::Error;
use kotak_neo::login::Login;
use kotak_neo::secrecy::{ExposeSecret as _, SecretString};
use kotak_neo::transport::Transport;

use crate::samples;
use crate::support::{DATE_UNIX, Script, TOTP, call, credentials, view_token};

fn login(transport: Arc<dyn Transport>) -> Login {
    Login::new(transport)
}

#[tokio::test]
async fn two_steps_give_a_session() {
    let view = login(Script::with(200, samples::VIEW))
        .view(&credentials(), &SecretString::from(TOTP))
        .await
        .expect("a view");
    assert_eq!(view.server_time, Some(DATE_UNIX));
    assert_eq!(
        (view.value.token.expose_secret(), view.value.sid.expose_secret()),
        ("new-view-token", "new-view-sid")
    );

    let session = login(Script::with(200, samples::VALIDATE))
        .validate(&credentials(), &view.value)
        .await
        .expect("a session");
    assert_eq!(session.server_time, Some(DATE_UNIX));
    let session = session.value;
    assert_eq!(session.sid.expose_secret(), "new-trade-sid");
    assert_eq!(session.base_url, "https://e21.kotaksecurities.com");
    assert_eq!(session.rt_url.as_deref(), Some("wss://e21.kotaksecurities.com/realtime"));
    assert_eq!(session.feed_url.as_deref(), Some("wss://sfeed-e21.kotaksecurities.com/apifeed"));
    assert_eq!(session.token_expiry(), Some(1_687_977_000));
    assert_eq!((session.kind.as_deref(), session.data_center.as_deref()), (Some("Trade"), Some("E21")));
}

#[tokio::test]
async fn an_answer_without_what_a_session_needs_is_never_a_login() {
    let broken = [
        (r#""token":"#, r#""tocken":"#),
        (r#""sid":"#, r#""cid":"#),
        (r#""sid":"new-trade-sid""#, r#""sid":"""#),
        (r#""sid":"new-trade-sid""#, r#""sid":null"#),
        (r#""baseUrl":"e21.kotaksecurities.com/""#, r#""baseUrl":"""#),
        (r#""baseUrl":"e21.kotaksecurities.com/""#, r#""baseUrl":"https://""#),
        (r#""baseUrl":"e21.kotaksecurities.com/""#, r#""baseUrl":"https://user@evil.example""#),
        (r#""baseUrl":"e21.kotaksecurities.com/""#, r#""baseUrl":"http://e21.kotaksecurities.com""#),
        (r#""baseUrl":"e21.kotaksecurities.com/""#, r#""baseUrl":"ftp://e21.kotaksecurities.com""#),
        (r#""kType":"Trade""#, r#""kType":"View""#),
    ];
    for (from, to) in broken {
        assert!(samples::VALIDATE.contains(from), "{from}");
        let error =
            call(Script::with(200, samples::VALIDATE.replacen(from, to, 1)), "validate").await.expect_err(to);
        assert!(matches!(error, Error::Unreadable { .. }), "{to}: {error}");
    }
    for body in [
        r#"{"data":null}"#,
        r#"{"data":{}}"#,
        r#"{"data":[]}"#,
        r#"{"data":"x"}"#,
        r#"{"status":"success"}"#,
        "{}",
    ] {
        for step in ["view", "validate"] {
            let error = call(Script::with(200, body), step).await.expect_err(body);
            assert!(matches!(error, Error::Unreadable { .. }), "{step} {body}: {error}");
        }
    }
}

#[tokio::test]
async fn a_refusal_with_http_200_is_an_error_with_its_words() {
    let body = r#"{"stCode":401,"errMsg":"Invalid MPIN","status":"failure"}"#;
    let error = call(Script::with(200, body), "validate").await.expect_err("refused");
    assert_eq!((error.http(), error.code(), error.text()), (Some(200), Some("401"), "Invalid MPIN"));
    assert_eq!(error.to_string(), "the broker says: Invalid MPIN (code 401, HTTP 200)");
}

#[tokio::test]
async fn plain_http_is_for_a_login_that_is_plain_itself() {
    let body = samples::VALIDATE.replace("e21.kotaksecurities.com/\"", "http://127.0.0.1:4711/\"");
    let mut login = login(Script::with(200, &body));
    login.base_url = "http://127.0.0.1:4711".to_owned();
    let session = login.validate(&credentials(), &view_token()).await.expect("a session").value;
    assert_eq!(
        (session.base_url.as_str(), session.login_url.as_str()),
        ("http://127.0.0.1:4711", "http://127.0.0.1:4711")
    );
}

#[tokio::test]
async fn a_token_that_is_no_jwt_has_no_expiry() {
    for token in ["", "abc", "a.b.c", "a..c", "a.!!.c", "a.e30.c", "a.eyJleHAiOiJzb29uIn0.c"] {
        let mut session = crate::support::session();
        session.token = SecretString::from(token);
        assert_eq!(session.token_expiry(), None, "{token}");
    }
}
