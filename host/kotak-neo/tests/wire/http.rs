//! The HTTP transport against real sockets: each request leaves once, and an error says what it proves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kotak_neo::http::{HttpOptions, HttpTransport};
use kotak_neo::secrecy::SecretString;
use kotak_neo::transport::{Body, Method, Request, Transport, TransportError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request that it has read whole.
#[derive(Clone, Copy)]
enum Then {
    Answer(&'static str),
    /// Answers, and keeps the connection for the next request.
    Keep(&'static str),
    Close,
    Reset,
    Hang,
}

struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

/// Request n meets `script[n]`, the last one every further request.
async fn server(script: &'static [Then]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/quick/order/rule/ms/place", listener.local_addr().expect("an address"));
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, script, counter.clone()));
        }
    });
    Server { url, requests }
}

async fn serve(mut stream: TcpStream, script: &'static [Then], requests: Arc<AtomicUsize>) {
    while read_request(&mut stream).await.is_some() {
        let at = requests.fetch_add(1, Ordering::SeqCst);
        match script[at.min(script.len() - 1)] {
            Then::Answer(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Then::Keep(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
            }
            Then::Close => return,
            Then::Reset => {
                let _ = stream.set_zero_linger();
                return;
            }
            Then::Hang => std::future::pending().await,
        }
    }
}

/// The head and the body of one request.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        text.extend_from_slice(&chunk[..count]);
        let shown = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = shown.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length:")
                    .map(|n| n.trim().parse().expect("a length"))
            })
            .unwrap_or(0_usize);
        if body.len() >= length {
            return Some(shown);
        }
    }
}

fn transport() -> HttpTransport {
    HttpTransport::new(HttpOptions::default()).expect("a transport")
}

fn post(url: &str) -> Request {
    Request {
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![("Auth", SecretString::from("CANARY-auth")), ("Sid", SecretString::from("CANARY-sid"))],
        body: Body::Form("jData=%7B%7D".to_owned()),
        timeout: Duration::from_secs(20),
        answer_bytes_max: 1024,
    }
}

const OK: &str =
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ndate: Tue, 15 Nov 1994 08:12:31 GMT\r\nX-Odd: Yes\r\n\r\n{}";

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let server = server(&[Then::Answer(OK)]).await;
    let answer = transport().send(post(&server.url)).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"{}".as_slice()));
    assert_eq!(answer.header("x-odd"), Some("Yes"));
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_sent_is_what_was_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/a%7Cb,c?x=1", listener.local_addr().expect("an address"));
    let seen = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let request = read_request(&mut stream).await.expect("a request");
        stream.write_all(OK.as_bytes()).await.expect("written");
        request
    });
    transport().send(post(&url)).await.expect("an answer");
    let seen = seen.await.expect("a request");
    let (head, body) = seen.split_once("\r\n\r\n").expect("a head and a body");
    let lower = head.to_lowercase();
    assert!(head.starts_with("POST /a%7Cb,c?x=1 HTTP/1.1\r\n"), "{head}");
    assert_eq!(body, "jData=%7B%7D");
    for line in ["auth: canary-auth", "sid: canary-sid", "content-type: application/x-www-form-urlencoded"] {
        assert!(lower.lines().any(|found| found == line), "{line} in {head}");
    }
    assert!(lower.contains(concat!("user-agent: tradeagent/", env!("CARGO_PKG_VERSION"))), "{head}");
    assert!(!lower.contains("cookie") && !lower.contains("accept-encoding"), "{head}");
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_leaves_once() {
    let cases: [(&str, &'static [Then]); 8] = [
        ("closed", &[Then::Close]),
        ("reset", &[Then::Reset]),
        ("never answered", &[Then::Hang]),
        ("garbage", &[Then::Answer("this is not HTTP\r\n\r\n")]),
        ("cut short", &[Then::Answer("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"nOrdNo\"")]),
        ("cut in the head", &[Then::Answer("HTTP/1.1 200 OK\r\ncontent-le")]),
        ("cut chunk", &[Then::Answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab")]),
        ("a body that hangs", &[Then::Keep("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")]),
    ];
    for (name, script) in cases {
        let server = server(script).await;
        let transport = transport();
        let mut request = post(&server.url);
        request.timeout = Duration::from_millis(400);
        let error = transport.send(request).await.expect_err(name);
        assert!(matches!(error, TransportError::NoAnswer(_)), "{name}: {error}");
        assert!(!error.to_string().contains("CANARY"), "{name}: {error}");
        // A second order proves that the server still counts, and that nothing was repeated before it.
        let mut request = post(&server.url);
        request.timeout = Duration::from_millis(400);
        let _ = transport.send(request).await;
        assert_eq!(server.requests.load(Ordering::SeqCst), 2, "{name}");
    }
}

#[tokio::test]
async fn a_reused_connection_that_dies_is_no_proof_and_no_reason_to_repeat() {
    for second in [Then::Close, Then::Reset] {
        let script: &'static [Then] =
            Box::leak(vec![Then::Keep(OK), second, Then::Keep(OK)].into_boxed_slice());
        let server = server(script).await;
        let transport = transport();
        transport.send(post(&server.url)).await.expect("the first");
        let error = transport.send(post(&server.url)).await.expect_err("the second");
        assert!(matches!(error, TransportError::NoAnswer(_)), "{error}");
        assert_eq!(server.requests.load(Ordering::SeqCst), 2);
        transport.send(post(&server.url)).await.expect("the third");
        assert_eq!(server.requests.load(Ordering::SeqCst), 3, "the second was sent once");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let server = server(&[Then::Answer(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n",
    )])
    .await;
    let answer = transport().send(post(&server.url)).await.expect("an answer");
    assert_eq!((answer.status, server.requests.load(Ordering::SeqCst)), (307, 1));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let long: &'static str = Box::leak(
        format!("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n{}", "x".repeat(2000)).into_boxed_str(),
    );
    let script: &'static [Then] = Box::leak(vec![Then::Answer(long)].into_boxed_slice());
    let server = server(script).await;
    let mut request = post(&server.url);
    let error = transport().send(request.clone()).await.expect_err("too long");
    assert!(matches!(&error, TransportError::NoAnswer(why) if why.contains("longer")), "{error}");
    request.answer_bytes_max = 2000;
    assert_eq!(transport().send(request).await.expect("it fits").body.len(), 2000);
}

#[tokio::test]
async fn what_cannot_have_left_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = listener.local_addr().expect("an address");
    drop(listener);
    let server = server(&[Then::Close]).await;
    let tls_to_plain = server.url.replace("http://", "https://");
    let with_header = |value: &str| {
        let mut request = post(&server.url);
        request.headers.push(("Authorization", SecretString::from(value)));
        request
    };
    let cases = [
        ("nobody listens", post(&format!("http://{nobody}/"))),
        ("no such name", post("http://name.invalid/")),
        ("no TLS on the other side", post(&tls_to_plain)),
        ("no URL", post("not a url")),
        ("a header that is none", with_header("CANARY\nInjected: yes")),
    ];
    for (name, request) in cases {
        let error = transport().send(request).await.expect_err(name);
        assert!(matches!(error, TransportError::NotSent(_)), "{name}: {error}");
        assert!(!error.to_string().contains("CANARY"), "{name}: {error}");
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);
}
