//! What a sim is made of.

use std::fmt;
use std::net::IpAddr;

use calendar::Calendar;
use model::Symbol;

use crate::faults::{EmptyShape, Spelling};

/// Prices, as a watcher sees them and as an exchange announces instruments.
pub trait MarketData: market::Market + market::PriceSource + 'static {}

impl<T: market::Market + market::PriceSource + 'static> MarketData for T {}

/// Who may log in. The defaults are made up and meant to be pasted into a bot.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The client code. Default `SIM01`.
    pub ucc: String,
    /// The mobile number with its country code. Default `+919999999999`.
    pub mobile: String,
    /// The access token of the application, which SDKs call the consumer key.
    /// Default `00000000-5151-4000-8000-000000000001`.
    pub consumer_key: String,
    /// The TOTP secret in base32. Default `JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP`.
    pub totp_secret: String,
    /// Default `123456`.
    pub mpin: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            ucc: "SIM01".to_owned(),
            mobile: "+919999999999".to_owned(),
            consumer_key: "00000000-5151-4000-8000-000000000001".to_owned(),
            totp_secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned(),
            mpin: "123456".to_owned(),
        }
    }
}

/// Shows who, not with what: somebody may have put real ones in.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("ucc", &self.ucc).finish_non_exhaustive()
    }
}

/// The rules of one sim.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Who may log in.
    pub credentials: Credentials,
    /// A completed login ends the sessions before it. Default: yes, as the incident showed.
    pub one_session: bool,
    /// Demand what the official documents demand and no client is known to need: `neo-fin-key` on trade
    /// calls, `ts` with the cancellation of an after-market order. Default: no.
    pub strict: bool,
    /// A second order with the same `ig` is refused with code 32. Default: yes.
    pub unique_tags: bool,
    /// The feed of a session is closed when the session ends. Default: yes.
    pub feed_ends_with_session: bool,
    /// How a call with a session that is not valid is answered, when no fault says otherwise.
    /// Default: [`Spelling::Code100022`].
    pub dead_session: Spelling,
    /// How a book without rows is written. Default: code 5203.
    pub empty_book: EmptyShape,
    /// What the `Date` header of every answer is ahead of the clock, in milliseconds (behind when
    /// negative). Default 0.
    pub skew_ms: i64,
    /// Fixes tokens and what chance decides about faults. Default 1.
    pub seed: u64,
    /// Every instrument that the scrip master lists. The number of a symbol in this list makes its token.
    pub listing: Vec<Symbol>,
    /// When the exchange trades: the same as the exchange's.
    pub calendar: Calendar,
    /// What `get-client-ip` says. Default 127.0.0.1.
    pub client_ip: IpAddr,
    /// `baseUrl` of a login; none: the address at which the login was called, and `http://sim.invalid` in
    /// process.
    pub base_url: Option<String>,
}

impl SimConfig {
    /// The defaults, with these instruments listed.
    pub fn new(listing: impl IntoIterator<Item = Symbol>) -> Self {
        Self {
            credentials: Credentials::default(),
            one_session: true,
            strict: false,
            unique_tags: true,
            feed_ends_with_session: true,
            dead_session: Spelling::Code100022,
            empty_book: EmptyShape::NoData,
            skew_ms: 0,
            seed: 1,
            listing: listing.into_iter().collect(),
            calendar: Calendar::bundled(),
            client_ip: IpAddr::from([127, 0, 0, 1]),
            base_url: None,
        }
    }
}
