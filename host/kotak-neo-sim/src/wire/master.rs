//! The scrip master (facts 2.12): the paths of its files, and the files, with their odd names and units.

use model::{Exchange, Instrument, Timestamp};
use serde_json::{Value, json};

use crate::core::Core;
use crate::money::paise;
use crate::reply::Reply;
use crate::universe::{plain, segment_of, trading_symbol};

use super::time;

/// 1980-01-01 00:00 IST in unix seconds: where NSE's columns of time begin.
const EPOCH_1980_IST_S: i64 = 315_513_000;

/// The columns, blanks and semicolon included.
const HEADER: [&str; 79] = [
    "pSymbol",
    "pGroup",
    "pExchSeg",
    "pInstType",
    "pSymbolName",
    "pTrdSymbol",
    "pOptionType",
    "pScripRefKey",
    "pISIN",
    "pAssetCode",
    "pSubGroup",
    "pCombinedSymbol",
    "pDesc",
    "pAmcCode",
    "pContractId",
    "dTickSize ",
    "lLotSize",
    "lExpiryDate ",
    "lMultiplier ",
    "lPrecision",
    "dStrikePrice;",
    "pExchange",
    "pInstName",
    "pExpiryDate",
    "pIssueDate",
    "pMaturityDate",
    "pListingDate",
    "pNoDelStartDate",
    "pNoDelEndDate",
    "pBookClsStartDate",
    "pBookClsEndDate",
    "pRecordDate",
    "pCreditRating",
    "pReAdminDate",
    "pExpulsionDate",
    "pLocalUpdateTime",
    "pDeliveryUnits",
    "pPriceUnits",
    "pLastTradingDate",
    "pTenderPeridEndDate",
    "pTenderPeridStartDate",
    "pSellVarMargin",
    "pBuyVarMargin",
    "pInstrumentInfo",
    "pRemarksText",
    "pSegment",
    "pNav",
    "pNavDate",
    "pMfAmt",
    "pSipSecurity",
    "pFaceValue",
    "pTrdUnits",
    "pExerciseStartDate",
    "pExerciseEndDate",
    "pElmMargin",
    "pVarMargin",
    "pTotProposedLimitValue",
    "pScripBasePrice",
    "pSettlementType",
    "pCurrectionTime",
    "iPermittedToTrade",
    "iBoardLotQty ",
    "iMaxOrderSize ",
    "iLotSize",
    "dOpenInterest ",
    "dHighPriceRange ",
    "dLowPriceRange ",
    "dPriceNum   ",
    "dGenDen",
    "dGenNum",
    "dPriceQuatation ",
    "dIssuerate ",
    "dPriceDen",
    "dWarningQty ",
    "dIssueCapital ",
    "dExposureMargin ",
    "dMinRedemptionQty ",
    "lFreezeQty",
    "CASEligible",
];

/// The files by segment. Those of derivatives and commodities have a header and no row here.
const FILES: [(&str, &str); 7] = [
    ("transformed", "cde_fo.csv"),
    ("transformed", "mcx_fo.csv"),
    ("transformed", "nse_fo.csv"),
    ("transformed", "bse_fo.csv"),
    ("transformed", "nse_com.csv"),
    ("transformed-v1", "bse_cm-v1.csv"),
    ("transformed-v1", "nse_cm-v1.csv"),
];

/// `masterscrip/file-paths`: the folder is dated.
pub(crate) fn paths(core: &Core<'_>, origin: &str) -> Reply {
    let base = format!("{origin}/wso2-scripmaster/v1/prod");
    let today = core.now.ist_date();
    let paths: Vec<Value> =
        FILES.iter().map(|(folder, file)| format!("{base}/{today}/{folder}/{file}").into()).collect();
    Reply::ok(&json!({"data": {"baseFolder": base, "filesPaths": paths}}))
}

/// One file. Needs no header, as on the wire.
pub(crate) fn file(core: &Core<'_>, name: &str) -> Reply {
    if !FILES.iter().any(|(_, known)| *known == name) {
        return Reply::bytes(404, "text/plain", b"no such file".to_vec());
    }
    let segment = name.trim_end_matches(".csv").trim_end_matches("-v1");
    let mut csv = HEADER.join(",");
    csv.push('\n');
    for (symbol, token) in core.universe.all().filter(|(symbol, _)| segment_of(symbol) == segment) {
        if let Some(instrument) = core.instrument(symbol) {
            csv.push_str(&row(core, &instrument, token));
            csv.push('\n');
        }
    }
    Reply::bytes(200, "text/csv", csv.into_bytes())
}

fn row(core: &Core<'_>, instrument: &Instrument, token: u32) -> String {
    HEADER.map(|name| cell(core, instrument, token, name.trim().trim_end_matches(';'))).join(",")
}

/// Prices are in paise with six decimals; -1 stands for none.
fn cell(core: &Core<'_>, instrument: &Instrument, token: u32, name: &str) -> String {
    let (low, high) = instrument.band;
    let text = |text: &str| text.to_owned();
    match name {
        "pSymbol" => token.to_string(),
        "pGroup" => instrument.series.0.clone(),
        "pExchSeg" => text(segment_of(&instrument.symbol)),
        "pSymbolName" | "pAssetCode" => text(plain(&instrument.symbol)),
        "pTrdSymbol" | "pScripRefKey" => trading_symbol(instrument),
        "pISIN" => instrument.isin.clone(),
        "pDesc" | "pInstName" => format!("{} (MADE UP)", plain(&instrument.symbol)),
        "dTickSize" => paise_text(paise(instrument.tick.step())),
        "lLotSize" | "iBoardLotQty" | "iLotSize" => instrument.lot.to_string(),
        "lExpiryDate" | "lMultiplier" => text("-1"),
        "lPrecision" => text("2"),
        "dStrikePrice" => text("-1.000000"),
        "pExchange" => instrument.exchange.to_string(),
        "pCreditRating" if high.is_positive() => format!("{low}-{high}"),
        "pLocalUpdateTime" | "pListingDate" => clock(instrument.exchange, core.now).to_string(),
        "iPermittedToTrade" | "dPriceNum" | "dGenDen" | "dGenNum" | "dPriceDen" => text("1"),
        "iMaxOrderSize" => text("-1"),
        "dHighPriceRange" => paise_text(paise(high)),
        "dLowPriceRange" => paise_text(paise(low)),
        "lFreezeQty" if !instrument.freeze.is_zero() => instrument.freeze.to_string(),
        "lFreezeQty" => text("-1"),
        "CASEligible" if instrument.has_derivatives => text("Y"),
        "CASEligible" => text("N"),
        _ => String::new(),
    }
}

fn paise_text(paise: i64) -> String {
    format!("{paise}.000000")
}

/// NSE's times count from 1980, BSE's from 1970.
fn clock(exchange: Exchange, at: Timestamp) -> i64 {
    let midnight = Timestamp::at_ist(at.ist_date(), 0, 0);
    let unix = time::seconds(midnight);
    match exchange {
        Exchange::Nse => unix - EPOCH_1980_IST_S,
        Exchange::Bse => unix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_brokers() {
        assert!(HEADER.contains(&"dStrikePrice;") && HEADER.contains(&"dTickSize "));
    }

    #[test]
    fn nse_counts_seconds_from_1980() {
        let at = Timestamp::at_ist(model::Date::from_ymd_opt(1980, 1, 2).expect("a date"), 9, 0);
        assert_eq!(clock(Exchange::Nse, at), 86_400);
        assert_eq!(clock(Exchange::Bse, at), 315_513_000 + 86_400);
    }
}
