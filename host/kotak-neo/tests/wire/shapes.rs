//! Every error shape of facts 3.1 through every call: the right class, one request, no panic.

use kotak_neo::transport::TransportError;
use kotak_neo::{Error, Shape};

use crate::samples;
use crate::support::{CALLS, DATE_UNIX, LISTS, Script, call};

/// A body and what it has to be taken for.
struct Case {
    body: &'static str,
    is: Option<(Shape, Option<&'static str>, &'static str)>,
}

const fn said(body: &'static str, shape: Shape, code: &'static str, text: &'static str) -> Case {
    Case { body, is: Some((shape, Some(code), text)) }
}

const fn unreadable(body: &'static str) -> Case {
    Case { body, is: None }
}

fn cases() -> Vec<Case> {
    use Shape::*;
    vec![
        said(
            r#"{"stCode":1021,"errMsg":"order is completed","stat":"please provide valid order number"}"#,
            A,
            "1021",
            "order is completed",
        ),
        said(
            r#"{"stCode":1009,"emsg":"please provide valid quantity","stat":"Not_Ok"}"#,
            A,
            "1009",
            "please provide valid quantity",
        ),
        said(r#"{"stCode":"1007","errMsg":"body invalid","stat":"bad request"}"#, A, "1007", "body invalid"),
        said(
            r#"{"stCode":100022,"errMsg":"invalid session token","stat":"Not_Ok"}"#,
            A,
            "100022",
            "invalid session token",
        ),
        said(r#"{"stCode":100008,"errMsg":"unauthorized","stat":"Not_Ok"}"#, A, "100008", "unauthorized"),
        said(r#"{"stCode":500,"errMsg":"?","stat":"Ok"}"#, A, "500", "?"),
        said(r#"{"stCode":200,"errMsg":"hm","stat":"Not_Ok","data":[]}"#, A, "200", "hm"),
        Case { body: r#"{"stat":"Not_Ok","errMsg":"no code"}"#, is: Some((A, None, "no code")) },
        said(r#"{"stCode":401,"errMsg":"Invalid MPIN","status":"failure"}"#, B, "401", "Invalid MPIN"),
        said(
            r#"{"status":"error","message":"Invalid credentials or TOTP.","errorCode":"401"}"#,
            C,
            "401",
            "Invalid credentials or TOTP.",
        ),
        said(
            r#"{"error":[{"code":"400","message":"Missing required field 'Mpin'"}]}"#,
            D,
            "400",
            "Missing required field 'Mpin'",
        ),
        said(
            r#"{"error":[{"code":"10020","message":"Authentication Failed"}],"stat":"Not_Ok"}"#,
            D,
            "10020",
            "Authentication Failed",
        ),
        said(
            r#"{"code":"900901","message":"Invalid Credentials","description":"Invalid JWT token."}"#,
            E,
            "900901",
            "Invalid Credentials",
        ),
        said(
            r#"{"fault":{"code":900901,"message":"Invalid Credentials","description":"x"}}"#,
            E,
            "900901",
            "Invalid Credentials",
        ),
        said(
            r#"{"error":"invalid_client","error_description":"client is not known"}"#,
            E,
            "invalid_client",
            "client is not known",
        ),
        said(
            r#"{"code":429,"error":"Rate limit exceeded","message":"too many request received"}"#,
            F,
            "429",
            "too many request received",
        ),
        said(
            r#"{"status":"ERROR","fault":{"code":400,"message":"Invalid interval value"}}"#,
            G,
            "400",
            "Invalid interval value",
        ),
        unreadable("<html><body>502 Bad Gateway</body></html>"),
        unreadable(""),
        unreadable("  \n"),
        unreadable("null"),
        unreadable("17"),
        unreadable("\"Ok\""),
        unreadable("{}"),
        unreadable(r#"{"data":null}"#),
        unreadable(r#"{"error":[]}"#),
        unreadable(r#"{"error":["text"]}"#),
        unreadable(r#"{"stCode":200}"#),
        unreadable(r#"{"stat":"Ok"}"#),
        unreadable(r#"{"stat":"Ok","stCode":200"#),
        unreadable(r#"{"Error Message":"Complete the 2fa process before accessing this application"}"#),
        unreadable("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
    ]
}

#[tokio::test]
async fn every_shape_through_every_call_is_the_right_error() {
    for case in cases() {
        for http in [200, 302, 400, 401, 403, 424, 429, 500, 502, 503, 504] {
            for name in CALLS.into_iter().filter(|name| *name != "scrip-master") {
                let script = Script::with(http, case.body);
                let error =
                    call(script.clone(), name).await.expect_err(&format!("{name}, {http}: {}", case.body));
                let context = format!("{name}, HTTP {http}, {}: {error:?}", case.body);
                assert_eq!(script.sent().len(), 1, "{context}");
                assert_eq!(error.http(), Some(http), "{context}");
                assert_eq!(error.server_time(), Some(DATE_UNIX), "{context}");
                match (&error, case.is) {
                    (Error::Said(said), Some((shape, code, text))) => {
                        assert_eq!(
                            (said.shape, said.code.as_deref(), said.text.as_str()),
                            (shape, code, text),
                            "{context}"
                        );
                        assert_eq!(said.login, matches!(name, "view" | "validate"), "{context}");
                    }
                    (Error::Unreadable { why, .. }, None) => assert!(!why.is_empty(), "{context}"),
                    _ => panic!("{context}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_dead_session_is_told_from_everything_that_looks_like_one() {
    let expired: [(u16, &str); 12] = [
        (401, r#"{"stCode":1,"errMsg":"x","stat":"Not_Ok"}"#),
        (403, r#"{"message":"Invalid session, please re-login to continue","code":"403"}"#),
        (200, r#"{"stCode":1003,"errMsg":"x","stat":"Not_Ok"}"#),
        (200, r#"{"stCode":100021,"errMsg":"invalid  access type","stat":"Not_Ok"}"#),
        (200, r#"{"stCode":100022,"errMsg":"invalid session token","stat":"error in neo-login-check-api"}"#),
        (200, r#"{"stCode":401,"errMsg":"x","stat":"Not_Ok"}"#),
        (401, r#"{"code":"900901","message":"Invalid Credentials"}"#),
        (200, r#"{"fault":{"code":900901,"message":"Invalid Credentials"}}"#),
        (400, r#"{"stCode":7,"errMsg":"Session expired","stat":"Not_Ok"}"#),
        (200, r#"{"status":"ERROR","fault":{"code":5,"message":"Invalid JWT token"}}"#),
        (200, r#"{"stCode":7,"stat":"invalid session"}"#),
        (500, r#"{"stCode":1003,"errMsg":"invalid session","stat":"Not_Ok"}"#),
    ];
    let alive: [(u16, &str); 13] = [
        (403, r#"{"stCode":100008,"errMsg":"unauthorized","stat":"Not_Ok"}"#),
        (401, r#"{"stCode":1037,"errMsg":"session ip doesnt match with reqest ip","stat":"Not_Ok"}"#),
        (429, r#"{"code":429,"error":"Rate limit exceeded","message":"session limit"}"#),
        (200, r#"{"code":429,"error":"Rate limit exceeded","message":"invalid session"}"#),
        (401, "<html>401</html>"),
        (403, ""),
        (401, r#"{"what":"is this"}"#),
        (200, r#"{"stCode":1021,"errMsg":"order is completed","stat":"Not_Ok"}"#),
        (200, r#"{"stCode":7,"errMsg":"Invalid order for closing auction session","stat":"Not_Ok"}"#),
        (200, r#"{"stCode":7,"errMsg":"not in this session","stat":"Not_Ok"}"#),
        (503, r#"{"stCode":7,"errMsg":"session service timeout","stat":"Not_Ok"}"#),
        (400, r#"{"status":"ERROR","fault":{"code":401,"message":"x"}}"#),
        (200, r#"{"stCode":5203,"errMsg":"No Data","stat":"Not_Ok"}"#),
    ];
    for (http, body) in expired {
        let error = call(Script::with(http, body), "place").await.expect_err(body);
        assert!(error.is_session_expired(), "HTTP {http} {body}");
        assert!(!error.is_ip_refusal() && !error.is_rate_limited(), "HTTP {http} {body}");
        // A login has no session that could expire: that would be a loop of logins.
        let error = call(Script::with(http, body), "validate").await.expect_err(body);
        assert!(!error.is_session_expired(), "HTTP {http} {body} to a login");
    }
    for (http, body) in alive {
        let error = call(Script::with(http, body), "place").await.expect_err(body);
        assert!(!error.is_session_expired(), "HTTP {http} {body}");
    }
}

#[tokio::test]
async fn an_ip_refusal_and_a_rate_limit_are_named() {
    for code in ["100008", "1037"] {
        let body = format!(r#"{{"stCode":{code},"errMsg":"unauthorized","stat":"Not_Ok"}}"#);
        let error = call(Script::with(403, body), "place").await.expect_err(code);
        assert!(error.is_ip_refusal(), "{code}");
    }
    for (http, body) in [(429, "<html>"), (429, "{}"), (200, r#"{"code":429,"error":"Rate limit exceeded"}"#)]
    {
        assert!(
            call(Script::with(http, body), "orders").await.expect_err(body).is_rate_limited(),
            "{http} {body}"
        );
    }
}

#[tokio::test]
async fn no_data_is_an_empty_list_and_nothing_else_is() {
    let no_data = r#"{"stCode":5203,"errMsg":"No Data","desc":"data not found","stat":"Not_Ok"}"#;
    for name in CALLS.into_iter().filter(|name| *name != "scrip-master") {
        for http in [200, 400, 404] {
            match call(Script::with(http, no_data), name).await {
                Ok(list) => assert!(LISTS.contains(&name) && list == "[]", "{name}: {list}"),
                Err(error) => {
                    assert!(!LISTS.contains(&name) && error.code() == Some("5203"), "{name}: {error}")
                }
            }
        }
        for http in [401, 403, 429, 500, 502] {
            let error = call(Script::with(http, no_data), name).await.expect_err(name);
            assert_eq!(error.code(), Some("5203"), "{name}");
        }
    }
    for body in [
        r#"{"stat":"Ok","stCode":200,"data":[]}"#,
        r#"{"stat":"ok","stCode":"200","data":null}"#,
        r#"{"stat":"OK","stCode":200}"#,
    ] {
        for name in LISTS.into_iter().filter(|name| *name != "holdings") {
            assert_eq!(call(Script::with(200, body), name).await.as_deref(), Ok("[]"), "{name} {body}");
        }
    }
    for body in [r#"{"stat":"Ok","stCode":200,"data":{}}"#, r#"{"stat":"Ok","stCode":200,"data":"none"}"#] {
        for name in LISTS {
            let error = call(Script::with(200, body), name).await.expect_err(body);
            assert!(matches!(error, Error::Unreadable { .. }), "{name} {body}: {error}");
        }
    }
    // Holdings carry no `stat`: without `data` nothing says that it is a success.
    assert!(call(Script::with(200, r#"{"stat":"Ok","stCode":200}"#), "holdings").await.is_err());
    assert_eq!(call(Script::with(200, r#"{"data":[]}"#), "holdings").await.as_deref(), Ok("[]"));
}

#[tokio::test]
async fn candles_without_data_are_an_empty_list() {
    for text in ["No data found for the given duration", "Market has not yet opened"] {
        for body in [
            format!(r#"{{"status":"ERROR","fault":{{"code":400,"message":"{text}"}}}}"#),
            format!(r#"{{"fault":{{"code":"400","message":"{text}"}}}}"#),
        ] {
            assert_eq!(call(Script::with(400, &body), "candles").await.as_deref(), Ok("[]"), "{body}");
            assert!(call(Script::with(401, &body), "candles").await.is_err(), "{body}");
            assert!(call(Script::with(500, &body), "candles").await.is_err(), "{body}");
            assert!(call(Script::with(200, &body), "quotes").await.is_err(), "{body}");
        }
    }
}

#[tokio::test]
async fn a_success_under_a_status_that_is_none_is_unreadable() {
    for name in CALLS {
        let good = samples::of(name);
        assert!(call(Script::with(200, good), name).await.is_ok(), "{name}");
        for http in [301, 400, 401, 403, 429, 500, 502] {
            let error = call(Script::with(http, good), name).await.expect_err(name);
            assert!(matches!(error, Error::Unreadable { .. }), "{name}, {http}: {error:?}");
            assert!(!error.is_session_expired(), "{name}, {http}");
        }
    }
}

#[tokio::test]
async fn what_the_transport_proves_is_kept() {
    for name in CALLS {
        let script = Script::failing(TransportError::NotSent("no route".to_owned()));
        let error = call(script.clone(), name).await.expect_err(name);
        assert_eq!(error, Error::NotSent { why: "no route".to_owned() }, "{name}");
        assert_eq!(script.sent().len(), 1, "{name}");
        let script = Script::failing(TransportError::NoAnswer("reset".to_owned()));
        let error = call(script.clone(), name).await.expect_err(name);
        assert_eq!(error, Error::NoAnswer { why: "reset".to_owned() }, "{name}");
        assert_eq!((error.http(), error.code(), error.server_time()), (None, None, None));
        assert_eq!(script.sent().len(), 1, "{name}: nothing is repeated");
    }
}

#[tokio::test]
async fn long_texts_and_control_characters_do_not_pass() {
    let body = format!(r#"{{"stCode":1,"errMsg":"a\u0007\n{}","stat":"Not_Ok"}}"#, "x".repeat(5_000));
    let error = call(Script::with(200, body), "place").await.expect_err("an error");
    assert_eq!(error.text().chars().count(), 301);
    assert!(error.text().starts_with("a  xxx") && error.text().ends_with('…'));
}
