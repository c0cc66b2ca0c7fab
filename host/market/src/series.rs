//! Which rows of an exchange's file are shares, and which row of a day wins.
//!
//! The exchange lists debt, units and rights beside shares and tells them apart by *series*. Kept are
//! the series in which shares change hands; everything else is counted as "not equity".

use model::Exchange;

/// NSE: rolling (EQ), trade to trade (BE, BZ, BT), block and institutional windows (BL, IL), partly
/// paid shares (E1, X1), SME rolling and trade to trade (SM, ST, SZ).
///
/// Left out on purpose: T0 (the same share in the optional same-day settlement, whose close is copied
/// from EQ and may lie outside its own range), P1.. (preference shares under the share's own symbol),
/// RR and IV (trusts), MF (fund units), GS, GB, TB, SG, N*, Y*, Z* (debt).
const NSE_EQUITY: [&str; 11] = ["EQ", "BE", "BZ", "BT", "BL", "IL", "E1", "X1", "SM", "ST", "SZ"];

/// BSE groups of shares. Left out: E (funds), F (debt), G (government), R (rights), IF (trusts), ...
const BSE_EQUITY: [&str; 15] =
    ["A", "B", "T", "TS", "X", "XT", "XD", "Z", "ZP", "ZY", "P", "M", "MT", "MS", "R1"];

/// Whether rows of this series are shares that the data set keeps.
pub fn is_equity(exchange: Exchange, series: &str, symbol: &str) -> bool {
    match exchange {
        Exchange::Nse => NSE_EQUITY.contains(&series) && !is_rights_entitlement(symbol),
        Exchange::Bse => BSE_EQUITY.contains(&series),
    }
}

/// A right to subscribe (`ABC-RE`, `ABC-RE1`) trades for days in an equity series and is no share.
fn is_rights_entitlement(symbol: &str) -> bool {
    symbol.rsplit_once("-RE").is_some_and(|(_, tail)| tail.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Two rows of one symbol and day: the smaller rank is the day's row (EQ, BE, BZ, then the others).
pub fn rank(series: &str) -> u8 {
    match series {
        "EQ" => 0,
        "BE" => 1,
        "BZ" => 2,
        "" => 9,
        "BL" | "IL" => 8,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_kept_and_the_rest_is_not_equity() {
        for (series, symbol, kept) in [
            ("EQ", "RELIANCE", true),
            ("BZ", "X", true),
            ("ST", "Y", true),
            ("GS", "1018GS2026", false),
            ("T0", "SBIN", false),
            ("P1", "AARTISURF", false),
            ("BE", "GATECH-RE1", false),
            ("ST", "MANAV-RE", false),
            ("EQ", "BAJAJ-AUTO", true),
            ("EQ", "A-REX", true),
        ] {
            assert_eq!(is_equity(Exchange::Nse, series, symbol), kept, "{symbol} {series}");
        }
        assert!(is_equity(Exchange::Bse, "XT", "A") && !is_equity(Exchange::Bse, "F", "A"));
        assert!(rank("EQ") < rank("BE") && rank("BE") < rank("BZ") && rank("BZ") < rank("BL"));
    }
}
