//! The scrip master: odd headers, paise, two epochs.

use kotak_neo::scrip::{ScripError, ScripMaster};
use kotak_neo::{Amount, Segment};
use proptest::prelude::*;

use crate::samples::SCRIP;

fn rupees(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

#[test]
fn odd_headers_paise_and_epochs_are_read() {
    let master = ScripMaster::parse(SCRIP.as_bytes()).expect("a master");
    assert_eq!((master.rows.len(), master.rejected), (4, 0));
    let [share, future, option, currency] = master.rows.as_slice() else { panic!("four rows") };
    assert_eq!(
        (share.token.as_str(), share.trading_symbol.as_str(), &share.segment),
        ("14366", "IDEA-EQ", &Segment::NseCm)
    );
    assert_eq!((share.tick, share.strike, share.expiry), (Some(rupees("0.01")), None, None));
    assert_eq!(share.band, Some((rupees("7.52"), rupees("11.26"))));
    assert_eq!((share.freeze_quantity, share.isin.as_deref()), (Some(999_999_999), Some("INE669E01016")));
    // 27 October 2026, 14:30 IST: the fixture of facts 2.12.
    assert_eq!(future.expiry, Some(1_793_091_600));
    assert_eq!(future.band, Some((rupees("21283"), rupees("26012.5"))), "from the ranges in paise");
    assert_eq!((future.lot, future.freeze_quantity), (Some(65), Some(1_755)));
    assert_eq!(
        (option.strike, option.expiry, option.band),
        (Some(rupees("85000")), Some(1_793_091_600), None)
    );
    assert_eq!(option.option_type.as_deref(), Some("CE"));
    assert_eq!((currency.tick, currency.expiry), (Some(rupees("0.0025")), Some(1_793_091_600)));
    assert_eq!(currency.band, Some((rupees("82.015"), rupees("87.0125"))), "a credit rating is no band");
}

#[test]
fn lines_that_cannot_be_read_are_counted() {
    let text = format!(
        "{SCRIP},EQ,nse_cm,,X,X-EQ\n7,EQ,,,X,X-EQ\n8,EQ,nse_cm,,X,\n9,EQ,nse_cm,,X,X-EQ,,,,five\nshort\n"
    );
    let master = ScripMaster::parse(text.as_bytes()).expect("a master");
    assert_eq!((master.rows.len(), master.rejected), (4, 5));
}

#[test]
fn a_stray_quote_does_not_hide_how_much_it_swallowed() {
    let (head, rows) = SCRIP.split_once('\n').expect("a header");
    let text = format!("{head}\n7,\"EQ,nse_cm,,X,X-EQ\n{rows}");
    let master = ScripMaster::parse(text.as_bytes()).expect("a master");
    assert_eq!((master.rows.len(), master.rejected >= 5), (0, true), "{}", master.rejected);
}

#[test]
fn a_file_that_is_none_is_refused() {
    assert_eq!(ScripMaster::parse(b""), Err(ScripError::Empty));
    assert_eq!(ScripMaster::parse(b" \r\n"), Err(ScripError::Empty));
    assert_eq!(ScripMaster::parse(b"<html></html>\n"), Err(ScripError::NoColumn("pSymbol")));
    assert_eq!(ScripMaster::parse(b"pSymbol,pExchSeg\n1,nse_cm\n"), Err(ScripError::NoColumn("pTrdSymbol")));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), header in any::<bool>()) {
        let head: &[u8] = if header { b"pSymbol,pExchSeg,pTrdSymbol,dTickSize ,pCreditRating,lExpiryDate \n" } else { b"" };
        let _ = ScripMaster::parse(&[head, &bytes].concat());
    }
}
