//! The wire's small vocabularies. Each is an open set: a word that is not known is carried, not dropped.

use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal $(| $also:literal)*),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$about])* $variant,)+
            /// A word that this version does not know, as it came.
            Other(String),
        }

        impl $name {
            /// Reads a word of the wire; upper and lower case are the same.
            pub fn from_wire(text: &str) -> Self {
                let text = text.trim();
                $(if text.eq_ignore_ascii_case($text) $(|| text.eq_ignore_ascii_case($also))* {
                    return Self::$variant;
                })+
                Self::Other(text.to_owned())
            }

            /// The word on the wire.
            pub fn as_wire(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_wire())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// An exchange and its segment (facts 2.1, 5).
    Segment {
        /// NSE cash.
        NseCm = "nse_cm",
        /// BSE cash.
        BseCm = "bse_cm",
        /// NSE futures and options.
        NseFo = "nse_fo",
        /// BSE futures and options.
        BseFo = "bse_fo",
        /// MCX commodities.
        McxFo = "mcx_fo",
        /// NSE currency.
        CdeFo = "cde_fo",
        /// BSE currency.
        BcsFo = "bcs_fo",
        /// NSE commodities.
        NseCom = "nse_com",
    }
}

words! {
    /// How a position is carried (facts 2.1).
    Product {
        /// Delivery.
        Cnc = "CNC",
        /// Carried, futures and options.
        Nrml = "NRML",
        /// Within the day.
        Mis = "MIS",
        /// Margin trading facility.
        Mtf = "MTF",
        /// Cover order; gone from the API since 1 April 2026.
        Co = "CO",
        /// Bracket order; gone from the API since 1 April 2026.
        Bo = "BO",
    }
}

words! {
    /// How an order is priced (facts 2.1; the feed says `LMT`, facts 4.1).
    OrderType {
        /// At a price or better.
        Limit = "L" | "LMT" | "LIMIT",
        /// At the market; the broker turns it into a limit near the last price (facts 5), so it can rest.
        Market = "MKT" | "MARKET",
        /// A limit order once the trigger is touched.
        StopLimit = "SL",
        /// A market order once the trigger is touched; the broker rejects it from the API (facts 5).
        StopMarket = "SL-M",
    }
}

words! {
    /// How long an order lives (facts 2.1).
    Validity {
        /// Until the session ends.
        Day = "DAY",
        /// What does not match at once is cancelled.
        Ioc = "IOC",
    }
}

/// Buy or sell: the one vocabulary that is closed, since an order of neither side cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// `B`.
    Buy,
    /// `S`.
    Sell,
}

impl Side {
    /// Reads `B`, `BUY`, `S` or `SELL` in any case.
    pub fn from_wire(text: &str) -> Option<Self> {
        match text.trim() {
            text if text.eq_ignore_ascii_case("B") || text.eq_ignore_ascii_case("BUY") => Some(Self::Buy),
            text if text.eq_ignore_ascii_case("S") || text.eq_ignore_ascii_case("SELL") => Some(Self::Sell),
            _ => None,
        }
    }

    /// `B` or `S`.
    pub fn as_wire(self) -> &'static str {
        match self {
            Self::Buy => "B",
            Self::Sell => "S",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_wire())
    }
}
