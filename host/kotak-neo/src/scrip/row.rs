//! One instrument.

use csv::ByteRecord;

use super::columns::Columns;
use crate::amount::Amount;
use crate::decimal;
use crate::words::Segment;

/// One instrument of the scrip master. Where the file has -1, 0 or a blank for "none", it is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScripRow {
    /// `pSymbol`: the token.
    pub token: String,
    /// `pExchSeg`.
    pub segment: Segment,
    /// `pTrdSymbol`: what orders name.
    pub trading_symbol: String,
    /// `pSymbolName`.
    pub symbol_name: Option<String>,
    /// `pGroup`: the series.
    pub group: Option<String>,
    /// `pInstType`.
    pub instrument_type: Option<String>,
    /// `pOptionType`: CE, PE or XX.
    pub option_type: Option<String>,
    /// `pISIN`.
    pub isin: Option<String>,
    /// `pDesc`.
    pub description: Option<String>,
    /// `pExchange`.
    pub exchange: Option<String>,
    /// `lLotSize`.
    pub lot: Option<u32>,
    /// `iBoardLotQty`.
    pub board_lot: Option<u32>,
    /// `iMaxOrderSize`.
    pub order_quantity_max: Option<u32>,
    /// `lFreezeQty`: an order of more than this is not taken.
    pub freeze_quantity: Option<u32>,
    /// `dTickSize`, in paise on the wire.
    pub tick: Option<Amount>,
    /// `dStrikePrice`, in paise on the wire.
    pub strike: Option<Amount>,
    /// The day's price band, low and high: `pCreditRating` (text, rupees), else `dLowPriceRange` and
    /// `dHighPriceRange` (paise).
    pub band: Option<(Amount, Amount)>,
    /// `lExpiryDate`, or `pExpiryDate`, in unix seconds.
    pub expiry: Option<i64>,
    /// `lMultiplier`.
    pub multiplier: Option<i64>,
    /// `lPrecision`.
    pub precision: Option<i64>,
}

/// From 1980-01-01 00:00 IST, where NSE's and its currency segment's clocks start, to unix (facts 2.12).
const EPOCH_1980_IST_S: i64 = 315_513_000;

impl ScripRow {
    /// `None` if it cannot be read: no token, no symbol, no segment, or a number that is none.
    pub(super) fn read(columns: &Columns, record: &ByteRecord) -> Option<Self> {
        let text = |name| columns.text(record, name);
        let segment = Segment::from_wire(&text("pExchSeg")?);
        Some(Self {
            token: text("pSymbol")?,
            trading_symbol: text("pTrdSymbol")?,
            symbol_name: text("pSymbolName"),
            group: text("pGroup"),
            instrument_type: text("pInstType"),
            option_type: text("pOptionType"),
            isin: text("pISIN"),
            description: text("pDesc"),
            exchange: text("pExchange"),
            lot: quantity(text("lLotSize"))?,
            board_lot: quantity(text("iBoardLotQty"))?,
            order_quantity_max: quantity(text("iMaxOrderSize"))?,
            freeze_quantity: quantity(text("lFreezeQty"))?,
            tick: paise(text("dTickSize"))?,
            strike: paise(text("dStrikePrice"))?,
            band: band(text("pCreditRating"), text("dLowPriceRange"), text("dHighPriceRange"))?,
            expiry: whole(text("lExpiryDate").or_else(|| text("pExpiryDate")))?
                .and_then(|seconds| unix_expiry(&segment, seconds)),
            multiplier: whole(text("lMultiplier"))?,
            precision: whole(text("lPrecision"))?,
            segment,
        })
    }
}

/// `Some(None)` for "none", `None` for a text that is no number.
fn whole(text: Option<String>) -> Option<Option<i64>> {
    match text {
        None => Some(None),
        Some(text) => Some(Some(decimal::whole(&text).ok()?).filter(|value| *value != -1)),
    }
}

/// A quantity that the file holds in more bits than an order has is no limit.
fn quantity(text: Option<String>) -> Option<Option<u32>> {
    Some(whole(text)?.filter(|value| *value > 0).map(|value| u32::try_from(value).unwrap_or(u32::MAX)))
}

fn paise(text: Option<String>) -> Option<Option<Amount>> {
    match text {
        None => Some(None),
        Some(text) => Some(Some(Amount::parse_paise(&text).ok()?).filter(|value| *value > Amount::ZERO)),
    }
}

fn band(text: Option<String>, low: Option<String>, high: Option<String>) -> Option<Option<(Amount, Amount)>> {
    if let Some(band) = text.as_deref().and_then(text_band) {
        return Some(Some(band));
    }
    Some(paise(low)?.zip(paise(high)?).filter(|(low, high)| low <= high))
}

/// `87.79-131.68`, in rupees. Anything else (it is the column of credit ratings) is no band.
fn text_band(text: &str) -> Option<(Amount, Amount)> {
    let (low, high) = text.split_once('-')?;
    let (low, high) = (Amount::parse(low).ok()?, Amount::parse(high).ok()?);
    (Amount::ZERO <= low && low <= high && high > Amount::ZERO).then_some((low, high))
}

fn unix_expiry(segment: &Segment, seconds: i64) -> Option<i64> {
    if seconds <= 0 {
        return None;
    }
    match segment {
        Segment::NseCm | Segment::NseFo | Segment::CdeFo | Segment::NseCom => {
            seconds.checked_add(EPOCH_1980_IST_S)
        }
        _ => Some(seconds),
    }
}
