//! Limits (facts 2.9): one flat object of texts, nearly eighty of the ninety that were seen, and float noise
//! in `Net`.

use model::Money;
use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::money::noisy_difference;
use crate::reply::Reply;

/// Fields that this account never has anything in.
const ZEROS: [&str; 70] = [
    "AdhocMargin",
    "AmtUtilizedPrsnt",
    "AuxAdhocMargin",
    "AuxNotionalCash",
    "AuxRmsCollateral",
    "BoardLotLimit",
    "CashRlsMtomPrsnt",
    "CashUnRlsMtomPrsnt",
    "CncMarginUsed",
    "CncSellCrdPresent",
    "Collateral",
    "CollateralValueMult",
    "ComExposurePrsnt",
    "ComRlsMtomPrsnt",
    "ComSpanMrgnPrsnt",
    "ComUnRlsMtomPrsnt",
    "CurExposurePrsnt",
    "CurPremiumPrsnt",
    "CurRlsMtomPrsnt",
    "CurSpanMrgnPrsnt",
    "CurUnRlsMtomPrsnt",
    "DaneLimit",
    "DeliveryMarginPresent",
    "DeliveryMarginPrsnt",
    "ExposureMargin",
    "ExposureMarginPrsnt",
    "FoExposurePrsnt",
    "FoPremiumPrsnt",
    "FoRlsMtomPrsnt",
    "FoSpanMrgnPrsnt",
    "FoUnRlsMtomPrsnt",
    "GrossCollateral",
    "IncExposureMargin",
    "LiquidCollateral",
    "MarginScripBasketCustomPresent",
    "MarginUsedPrsnt",
    "MarginVarPrsnt",
    "MarginWarningPrcntPrsnt",
    "MfAmtUtilizedPrsnt",
    "MfssAmountUsed",
    "MfssAmountUsedPrsnt",
    "MtomSquareOffWarningPrcntPrsnt",
    "MtomWarningPrcntPrsnt",
    "NotionalCash",
    "NotionalCash1",
    "PremiumPrsnt",
    "RealizedMtomPrsnt",
    "RmsCollateral",
    "RmsCollateralMult",
    "RmsCollateralNfo",
    "RmsIpoAmnt",
    "RmsIpoAmntPrsnt",
    "RmsMtomPrsnt",
    "RmsPayInAmt",
    "RmsPayOutAmt",
    "RmsPayOutAmtPrsnt",
    "SpanMargin",
    "SpanMarginPrsnt",
    "SpecialMarginPrsnt",
    "SpecialMrgnPrsnt",
    "SpreadMarginPrsnt",
    "SquareOffWarningPrcntPrsnt",
    "TurnoverPrsnt",
    "UnrealizedMtomPrsnt",
    "UnclearedCash",
    "VarMargin",
    "VarMarginPrsnt",
    "AddMarginPrsnt",
    "AddPreExpMrgn",
    "AddlMarginPrsnt",
];

/// Cash: `CollateralValue` is all of it, `MarginUsed` what open orders block, `Net` the difference.
pub(crate) fn limits(core: &Core<'_>) -> Reply {
    let funds = core.exchange.funds();
    let all = funds.available + funds.blocked;
    let mut fields: Map<String, Value> =
        ZEROS.iter().map(|name| ((*name).to_owned(), Value::from("0.0"))).collect();
    let rest = json!({
        "Category": "CLIENT",
        "EntityId": core.config.credentials.ucc,
        "BoardLotLimit": "5000000",
        "CollateralValue": plain(all),
        "MarginUsed": plain(funds.blocked),
        "Net": noisy_difference(all, funds.blocked),
        "TimeStamp": (core.now.nanos() / 1_000_000).to_string(),
        "stat": "Ok",
        "stCode": 200,
    });
    if let Value::Object(rest) = rest {
        fields.extend(rest);
    }
    Reply::ok(&Value::Object(fields))
}

/// `57.6`: as a binary fraction prints.
fn plain(amount: Money) -> String {
    noisy_difference(amount, Money::ZERO)
}
