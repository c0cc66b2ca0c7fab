//! What can go wrong.
//!
//! Each kind says where it acts when a fault names no endpoint. "Before" means that the call did nothing;
//! "after" that it did all of its work and only the answer is lost or spoiled.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// How a server says that a session is not valid. Every spelling was seen somewhere (facts 3.1 and 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spelling {
    /// HTTP 401, shape A with stCode 401.
    Http401,
    /// HTTP 403 "Invalid session, please re-login to continue": the official table.
    Http403,
    /// HTTP 200, stCode 1003.
    Code1003,
    /// HTTP 200, stCode 100022 "invalid session token".
    Code100022,
    /// HTTP 200, stCode 100021 "invalid  access type": a view token on a trade call.
    Code100021,
    /// HTTP 401, stCode 100008 "unauthorized": the code of an IP refusal, used for a dead session too.
    Code100008,
    /// HTTP 401, `{"code":"900901",…}`: the gateway.
    Gateway,
    /// HTTP 401, `{"fault":{"code":900901,…}}`: the same, wrapped.
    GatewayFault,
    /// HTTP 401, a bare text "Invalid JWT token. …".
    JwtText,
}

/// How a book without rows is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyShape {
    /// `{"stCode":5203,"errMsg":"No Data",…}` with HTTP 200.
    #[default]
    NoData,
    /// `{"stat":"Ok","stCode":200,"data":[]}`.
    EmptyList,
}

/// One kind of fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// The call is refused as if the session had expired; nothing happens. Default: every session call.
    Expired {
        /// In these words.
        spelling: Spelling,
        /// The session is really dead from now on; else the next call goes well.
        #[serde(default)]
        kills: bool,
    },
    /// The session that this login opens dies so many seconds later. Default: `validate`.
    TokenDies {
        /// Seconds.
        after_s: u32,
    },
    /// Another program logs in so many seconds after the call. Default: `validate`.
    ForeignLogin {
        /// Seconds; 0 is at once (before the call does anything, except for a login).
        #[serde(default)]
        after_s: u32,
    },
    /// HTTP 200 without `data`; no session is opened. Default: `validate`.
    NoData,
    /// HTTP 200 with `data: null`; no session is opened. Default: `validate`.
    DataNull,
    /// The code is refused, right or wrong. Default: `login`.
    WrongTotp,
    /// The MPIN is refused, right or wrong: shape B, HTTP 200. Default: `validate`.
    WrongMpin,
    /// The address is refused. Default: place, modify, cancel.
    IpRefusal {
        /// 100008 or 1037.
        #[serde(default = "ip_code")]
        code: u32,
    },
    /// HTTP 429, body F; nothing happens. Default: everything.
    RateLimited {
        /// A `Retry-After` header of so many seconds.
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// A 5xx. Default: everything.
    ServerError {
        /// 500, 502, 503 or 504.
        #[serde(default = "status_502")]
        status: u16,
        /// As an HTML page instead of JSON.
        #[serde(default)]
        html: bool,
        /// After the call has done its work.
        #[serde(default)]
        after: bool,
    },
    /// The connection is closed without a byte of an answer. Default: everything.
    Dropped {
        /// After the call has done its work.
        #[serde(default)]
        after: bool,
    },
    /// The connection is refused: proof that nothing was sent. Over HTTP the connection is closed unread,
    /// which proves nothing to the caller. Default: everything.
    Refused,
    /// HTTP 200 with an HTML page. Default: everything.
    HtmlBody {
        /// After the call has done its work.
        #[serde(default)]
        after: bool,
    },
    /// HTTP 200 without a body. Default: everything.
    EmptyBody {
        /// After the call has done its work.
        #[serde(default)]
        after: bool,
    },
    /// The right answer, a few bytes at a time. Default: everything.
    SlowBody {
        /// Bytes at a time.
        #[serde(default = "chunk", deserialize_with = "super::bounds::piece")]
        chunk_bytes: usize,
        /// Milliseconds between them.
        #[serde(default = "every_ms", deserialize_with = "super::bounds::millis")]
        every_ms: u64,
    },
    /// The call does its work at once; the answer comes so much later. Default: everything.
    LateAnswer {
        /// Milliseconds, at most an hour.
        #[serde(deserialize_with = "super::bounds::millis")]
        ms: u64,
    },
    /// The order is in no book for so many seconds after it was accepted. Default: `place`.
    LateBook {
        /// Seconds.
        seconds: u32,
        /// Its trades are hidden too.
        #[serde(default)]
        trades: bool,
    },
    /// A book without rows, HTTP 200. Default: `orders`.
    EmptyBook {
        /// How it is written.
        #[serde(default)]
        shape: EmptyShape,
    },
    /// Every fill of the order is shown in so many parts, one after the other: each with its own number.
    /// Default: `place`.
    PartialFills {
        /// Parts (at most one a share).
        #[serde(default = "parts")]
        parts: u32,
        /// Seconds between them.
        #[serde(default = "every_s")]
        every_s: u32,
    },
    /// Every fill of the order is told twice, in the trade book and on the feed, under the same number; on
    /// `trades`: the whole answer is doubled. Default: `place`.
    DuplicateFills,
    /// The order meets the next points of the price path before the call is answered. Default: `place`.
    FillBeforeAnswer,
    /// The working order shows a status that nobody has seen before. Default: `place`.
    StrangeStatus {
        /// The status.
        #[serde(default = "strange")]
        text: String,
        /// For so long; none: as long as it works.
        #[serde(default)]
        seconds: Option<u32>,
    },
    /// From this call on the order's `GuiOrdId` is another one. Default: `place`; `modify` is where it was
    /// seen live.
    AlteredTag {
        /// It is this one; none: one in the style of those seen.
        #[serde(default)]
        text: Option<String>,
    },
    /// From this call on the order's `GuiOrdId` is blank. Default: `place`.
    BlankTag,
    /// The feed connects and then says nothing. Default: `feed`.
    FeedSilent {
        /// Seconds after the connection; 0: not even the handshake is answered.
        #[serde(default)]
        after_s: u32,
    },
    /// The feed is closed. Default: `feed`.
    FeedCut {
        /// Seconds after the connection.
        #[serde(default)]
        after_s: u32,
    },
    /// The handshake is refused. Default: `feed`.
    FeedRefused,
    /// The handshake is answered only when it is JSON. Default: `feed`.
    FeedRawIgnored,
}

impl Kind {
    /// Where it acts when the fault does not say. Empty: everywhere.
    pub const fn default_on(&self) -> &'static [Endpoint] {
        match self {
            Self::Expired { .. } => &Endpoint::SESSION,
            Self::TokenDies { .. }
            | Self::ForeignLogin { .. }
            | Self::NoData
            | Self::DataNull
            | Self::WrongMpin => &[Endpoint::Validate],
            Self::WrongTotp => &[Endpoint::Login],
            Self::IpRefusal { .. } => &Endpoint::ORDERS,
            Self::LateBook { .. }
            | Self::PartialFills { .. }
            | Self::DuplicateFills
            | Self::FillBeforeAnswer
            | Self::StrangeStatus { .. }
            | Self::AlteredTag { .. }
            | Self::BlankTag => &[Endpoint::Place],
            Self::EmptyBook { .. } => &[Endpoint::Orders],
            Self::FeedSilent { .. } | Self::FeedCut { .. } | Self::FeedRefused | Self::FeedRawIgnored => {
                &[Endpoint::Feed]
            }
            Self::RateLimited { .. }
            | Self::ServerError { .. }
            | Self::Dropped { .. }
            | Self::Refused
            | Self::HtmlBody { .. }
            | Self::EmptyBody { .. }
            | Self::SlowBody { .. }
            | Self::LateAnswer { .. } => &[],
        }
    }
}

const fn ip_code() -> u32 {
    100_008
}

const fn status_502() -> u16 {
    502
}

const fn chunk() -> usize {
    8
}

const fn every_ms() -> u64 {
    200
}

const fn parts() -> u32 {
    2
}

const fn every_s() -> u32 {
    30
}

fn strange() -> String {
    "parked for review".to_owned()
}
