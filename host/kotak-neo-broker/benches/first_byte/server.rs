//! The other end of the wire: a server on loopback that notes when the first byte of each order arrives.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::marks::instant;

/// What step one of a login answers (facts 1.1).
const VIEW: &str = r#"{"data":{"token":"view-token-of-the-bench","sid":"view-sid-of-the-bench","rid":"1","kType":"View","status":"success","ucc":"BENCH1"}}"#;

/// An order that has arrived.
pub struct Arrived {
    /// When its first byte was read.
    pub first_byte: Instant,
    /// The number it was given.
    pub number: String,
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

/// The server. Its threads end with the process.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    orders: Arc<Mutex<Orders>>,
}

#[derive(Default)]
struct Orders {
    count: u64,
    last: Option<Arrived>,
}

impl Server {
    /// Listens on a free port of loopback.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let orders: Arc<Mutex<Orders>> = Arc::default();
        let known = Arc::clone(&orders);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, orders) = (stream.expect("a connection"), Arc::clone(&known));
                std::thread::spawn(move || serve(stream, address, &orders));
            }
        });
        Self { address, orders }
    }

    /// The order that arrived since this was last asked.
    pub fn arrived(&self) -> Arrived {
        let last = self.orders.lock().unwrap_or_else(PoisonError::into_inner).last.take();
        last.expect("an order that was answered has arrived")
    }
}

/// One connection to its end: one request after another, each answered before the next comes.
fn serve(mut stream: TcpStream, address: SocketAddr, orders: &Mutex<Orders>) {
    stream.set_nodelay(true).expect("an option");
    let mut chunk = vec![0; 16 * 1024];
    while let Some((first_byte, request)) = request(&mut stream, &mut chunk) {
        let answer = answer(first_byte, request, address, orders);
        let length = answer.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        if stream.write_all((head + &answer).as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request, head and body, and when its first byte came; `None` when the client has gone.
fn request(stream: &mut TcpStream, chunk: &mut [u8]) -> Option<(Instant, (String, String))> {
    let mut bytes = Vec::new();
    let mut first_byte = None;
    loop {
        let read = stream.read(chunk).ok().filter(|read| *read > 0)?;
        let now = instant();
        bytes.extend_from_slice(&chunk[..read]);
        let began = *first_byte.get_or_insert(now);
        if let Some(request) = whole(&bytes) {
            return Some((began, request));
        }
    }
}

/// Head and body, when all of it is there.
fn whole(bytes: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().expect("a length"))
    });
    (body.len() >= length.unwrap_or(0)).then(|| (head.to_owned(), body.to_owned()))
}

fn answer(
    first_byte: Instant,
    (head, body): (String, String),
    address: SocketAddr,
    orders: &Mutex<Orders>,
) -> String {
    let path = head.split(' ').nth(1).expect("a path");
    if path.ends_with("/tradeApiLogin") {
        return VIEW.to_owned();
    }
    if path.ends_with("/tradeApiValidate") {
        return format!(
            r#"{{"data":{{"token":"trade-token-of-the-bench","sid":"trade-sid-of-the-bench","rid":"2","kType":"Trade","status":"success","ucc":"BENCH1","baseUrl":"http://{address}"}}}}"#
        );
    }
    assert!(path.starts_with("/quick/order/rule/ms/place"), "{path} is no part of this bench");
    let mut orders = orders.lock().unwrap_or_else(PoisonError::into_inner);
    orders.count += 1;
    let number = format!("250304{:09}", orders.count);
    let answer = format!(r#"{{"nOrdNo":"{number}","stat":"Ok","stCode":200}}"#);
    orders.last = Some(Arrived { first_byte, number, head, body });
    answer
}
