//! One HTTP request.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode, header};

use crate::call::Call;
use crate::reply::{Drip, Reply};
use crate::sim::Sim;

use super::{wait, websocket};

/// The longest body that is read.
const BODY_BYTES_MAX: usize = 1 << 20;

pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Answers a request. An error closes the connection without a byte.
pub(super) async fn serve(sim: Arc<Sim>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    if websocket::is_wanted(&request) {
        return websocket::upgrade(&sim, request);
    }
    let post = match *request.method() {
        Method::POST => true,
        Method::GET | Method::HEAD => false,
        _ => return answer(Reply::bytes(405, "text/plain", b"GET or POST".to_vec())).await,
    };
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = format!("http://{}", host.unwrap_or("localhost"));
    let target = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let body = match Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(_) => return answer(Reply::bytes(413, "text/plain", b"too long".to_vec())).await,
    };
    let call = Call::new(post, origin, &target, headers, body);
    answer(sim.answer(&call)).await
}

/// The reply as a response, in its own time.
pub(super) async fn answer(reply: Reply) -> io::Result<Response<Body>> {
    let Reply::Answer { status, headers, body, delay_ms, drip } = reply else {
        return Err(io::Error::other("the answer is dropped"));
    };
    later(delay_ms).await;
    let mut response = Response::builder().status(StatusCode::from_u16(status).map_err(io::Error::other)?);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let body = match drip {
        None => Full::new(Bytes::from(body)).boxed_unsync(),
        Some(drip) => dripping(body, drip),
    };
    response.body(body).map_err(io::Error::other)
}

fn dripping(body: Vec<u8>, drip: Drip) -> Body {
    let pieces: Vec<Bytes> = body.chunks(drip.chunk_bytes.max(1)).map(Bytes::copy_from_slice).collect();
    let pieces = stream::unfold(pieces.into_iter(), move |mut pieces| async move {
        let piece = pieces.next()?;
        later(drip.every_ms).await;
        Some((Ok::<_, Infallible>(Frame::data(piece)), pieces))
    });
    BodyExt::boxed_unsync(StreamBody::new(pieces))
}

async fn later(ms: u64) {
    if ms > 0 {
        wait(Duration::from_millis(ms)).await;
    }
}
