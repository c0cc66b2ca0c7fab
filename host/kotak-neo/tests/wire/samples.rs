//! Good answers, written by hand from facts 2.1-2.13 with their quirks of type.

pub const VIEW: &str = r#"{"data":{"token":"new-view-token","sid":"new-view-sid","rid":"r","hsServerId":"",
 "isUserPwdExpired":false,"ucc":"QX7ZK","greetingName":"ASHA","isTrialAccount":false,"dataCenter":"E21",
 "searchAPIKey":"","mfAccess":1,"dataCenterMap":null,"kType":"View","status":"success","incRange":0,"rcFlag":0}}"#;

/// The claims of the token: `{"scope":["Trade"],"exp":1687977000,"iat":1687946442}`.
pub const VALIDATE: &str = r#"{"data":{
 "token":"eyJhbGciOiJSUzI1NiJ9.eyJzY29wZSI6WyJUcmFkZSJdLCJleHAiOjE2ODc5NzcwMDAsImlhdCI6MTY4Nzk0NjQ0Mn0.c2ln",
 "sid":"new-trade-sid","rid":"r2","ucc":"QX7ZK","greetingName":"ASHA","dataCenter":"E21","kType":"Trade",
 "baseUrl":"e21.kotaksecurities.com/","feedUrl":"wss://sfeed-e21.kotaksecurities.com/apifeed",
 "rtUrl":"e21.kotaksecurities.com/realtime","status":"success"}}"#;

pub const PLACED: &str = r#"{"nOrdNo":"250720000007242","stat":"Ok","stCode":200}"#;

pub const ORDERS: &str = r#"{"stat":"Ok","stCode":200,"data":[
 {"nOrdNo":"250720000007242","exOrdId":"1300000012345678","GuiOrdId":"tag-1","reqId":"1","actId":"QX7ZK","algId":"NA",
  "trdSym":"IDEA-EQ","sym":"IDEA","tok":"14366","exSeg":"nse_cm","series":"EQ","it":"EQ","optTp":"NA","stkPrc":"0.00",
  "expDt":"NA","lotSz":"1","brdLtQty":"1","tckSz":"0.0100","multiplier":"1","precision":"2",
  "trnsTp":"B","prcTp":"L","prod":"CNC","prc":"9.39","trgPrc":"0.00","avgPrc":"9.390000000000001","qty":16,"fldQty":16,
  "unFldSz":0,"cnlQty":0,"dscQty":0,"minQty":0,"refLmtPrc":0,"coPct":0,"vldt":"DAY","ordGenTp":"NA","mktPro":"0",
  "ordSt":"complete","stat":"complete","rejRsn":"--","ordDtTm":"22-Jan-2025 14:28:01","ordEntTm":"22-Jan-2025 14:28:01",
  "exCfmTm":"22-Jan-2025 14:28:16","hsUpTm":"2025/01/22 14:28:01","boeSec":1737536281,"uSec":"1737536281",
  "updRecvTm":1737536281123456789},
 {"nOrdNo":"250720000007243","exOrdId":"NA","GuiOrdId":"","trdSym":"ITBEES-EQ","exSeg":"nse_cm","tok":19084,"trnsTp":"S",
  "prcTp":"SL","prod":"MIS","prc":40.1,"trgPrc":40,"avgPrc":"","qty":"10","fldQty":"0","unFldSz":"10.0","vldt":"IOC",
  "ordGenTp":"AMO","ordSt":"Frozen by moon","rejRsn":"RMS:Rule: Check T1 holdings","algId":"A17","boeSec":"","exCfmTm":"--"}]}"#;

pub const ORDER: &str = r#"{"stat":"Ok","stCode":200,"data":[
 {"nOrdNo":"250720000007242","trdSym":"IDEA-EQ","exSeg":"nse_cm","trnsTp":"B","prcTp":"L","prod":"CNC","prc":"9.39","qty":16,
  "fldQty":4,"ordSt":"open","stat":"open"}]}"#;

pub const HISTORY: &str = r#"{"stat":"Ok","stCode":200,"data":[
 {"nOrdNo":"250720000007242","exch":"NSE","exchTmstp":"22-Jan-2025 14:28:16","exchOrdId":"1300000012345678","nReqId":"1",
  "dclQty":"0","ordDur":"DAY","flDtTm":"22-Jan-2025 14:28:16","cstFrm":"C","scripName":"IDEA","ordUsrMsg":"","trdSym":"IDEA-EQ",
  "prc":"9.39","qty":16,"ordSt":"complete","trnsTp":"B","prcTp":"L","avgPrc":"9.39","fldQty":16,"unFldSz":0,"rejRsn":"--",
  "prod":"CNC","tok":"14366","brdLtQty":1},
 {"nOrdNo":"250720000007242","exch":"NSE","exchTmstp":"--","exchOrdId":"NA","scripName":"","trdSym":"IDEA-EQ","prc":"9.39","qty":16,
  "ordSt":"put order req received","trnsTp":"B","prcTp":"L","avgPrc":"0.00","fldQty":0,"unFldSz":16,"rejRsn":"--","prod":"CNC"}]}"#;

pub const TRADES: &str = r#"{"stat":"ok","stCode":200,"data":[
 {"nOrdNo":"250720000007242","exOrdId":"1300000012345678","flId":"50512345","flLeg":1,"flDt":"22-Jan-2025","flTm":"14:28:16",
  "exTm":"22-Jan-2025 14:28:16","fldQty":16,"avgPrc":"9.39","trnsTp":"B","trdSym":"IDEA-EQ","sym":"IDEA","exSeg":"nse_cm",
  "prod":"CNC","prcTp":"L","ordDur":"NA","rptTp":"fill","GuiOrdId":"tag-1","tok":"","qty":0,"prc":"","boeSec":1737536296,
  "updRecvTm":1737536296000000001}]}"#;

pub const POSITIONS: &str = r#"{"stat":"ok","stCode":200,"data":[
 {"trdSym":"NIFTY25JANFUT","sym":"NIFTY","tok":"52011","exSeg":"nse_fo","prod":"NRML","series":"XX","cfBuyQty":"75","cfSellQty":"0",
  "flBuyQty":"0","flSellQty":"150","cfBuyAmt":"1743750.00","cfSellAmt":"0.00","buyAmt":"0.00","sellAmt":"3487512.5","lotSz":"75",
  "brdLtQty":75,"multiplier":"1","precision":"2","genNum":"1","genDen":"1","prcNum":"1","prcDen":"1","optTp":"XX","stkPrc":"0.00",
  "expDt":"28 Jul, 2026","exp":"1785234600","sqrFlg":"Y","posFlg":"true","upldPrc":"0.00","updRecvTm":1737536296000000001,"ltp":0}]}"#;

pub const HOLDINGS: &str = r#"{"data":[
 {"displaySymbol":"IDEA","symbol":"IDEA","averagePrice":9.390000000000001,"quantity":16,"sellableQuantity":16.0,"holdingCost":150.24,
  "mktValue":148.8,"closingPrice":9.3,"exchangeSegment":"nse_cm","exchangeIdentifier":"14366","instrumentToken":7291,
  "instrumentType":"Equity","scripId":"x","isAlternateScrip":false}]}"#;

pub const LIMITS: &str = r#"{"Category":"CLIENT_MTF","EntityId":"account-QX7ZK","BoardLotLimit":"5000000","CollateralValue":"19.41",
 "Collateral":"0","RmsCollateral":"0","AdhocMargin":"0","NotionalCash":"0","MarginUsed":"0","MarginUsedPrsnt":"0",
 "RmsPayInAmt":"100.5","RmsPayOutAmt":"20","Net":"19.409999999999997","UnrealizedMtomPrsnt":"-1.5","TimeStamp":"1737536296000",
 "stat":"Ok","stCode":200}"#;

pub const MARGIN: &str = r#"{"avlCash":"104.960000","totMrgnUsd":"38.190000","mrgnUsd":"0.000000","ordMrgn":"38.190000",
 "rmsVldtd":"OK","reqdMrgn":"38.190000","avlMrgn":"104.960000","insufFund":"0.000000","stat":"Ok","stCode":200}"#;

pub const CLIENT_IP: &str =
    r#"{"data":[{"ip":"203.0.113.7","time":"2026-07-07 12:07:34.440"}],"stCode":1000,"status":"success"}"#;

pub const QUOTES: &str = r#"[{"exchange_token":"26000","display_symbol":"Nifty 50-IN","exchange":"nse_cm","lstup_time":"1737536296",
 "ltp":"23155.3500","last_traded_quantity":"0","total_buy":"0","total_sell":"0","last_volume":"1.5E7","avg_cost":"0.0000","open_int":"0",
 "change":"-130.7000","per_change":"0.5700","low_price_range":"0.0000","high_price_range":"0.0000","year_high":"26277.3500",
 "year_low":"21281.4500","ohlc":{"open":"23099.15","high":"23169.55","low":"22981.3","close":"23024.65"},
 "depth":{"buy":[{"price":"23155.3","quantity":"12","orders":"2"}],"sell":[{"price":"0","quantity":"0","orders":"0"}]}}]"#;

pub const SCRIP_FILES: &str = r#"{"data":{"baseFolder":"https://lapi.kotaksecurities.com/wso2-scripmaster",
 "filesPaths":["https://lapi.kotaksecurities.com/wso2-scripmaster/v1/prod/2026-10-01/transformed/nse_fo.csv"]}}"#;

pub const CANDLES: &str = r#"{"status":"success","interval":"5min","data":{"candles":[
 ["2026-10-01T09:15:00+0530",12009.9,12019.35,12001.25,12001.5,163275,13667775],
 ["2026-10-01T09:20:00+0530",12001,12003,11998.250000000001,"12001",1.0575E5,null]]}}"#;

pub const SCRIP: &str = "pSymbol,pGroup,pExchSeg,pInstType,pSymbolName,pTrdSymbol,pOptionType,pISIN,pDesc,dTickSize ,lLotSize,lExpiryDate ,lMultiplier ,lPrecision,dStrikePrice;,pExchange,pExpiryDate,pCreditRating,iBoardLotQty,iMaxOrderSize,lFreezeQty,dHighPriceRange,dLowPriceRange\n\
14366,EQ,nse_cm,,IDEA,IDEA-EQ,,INE669E01016,VODAFONE IDEA,1,1,-1,-1,2,-1,NSE,,7.52-11.26,1,999999999,999999999,1126,752\n\
52011,XX,nse_fo,FUTIDX,NIFTY,NIFTY26OCTFUT,XX,,NIFTY 27 OCT 2026,5,65,1477578600,-1,2,-1,NSE,,NA,65,1800,1755,2601250,2128300\n\
824123,,bse_fo,OPTIDX,SENSEX,SENSEX26OCT85000CE,CE,,SENSEX,5,20,1793091600,1,2,8500000,BSE,,,20,1000,1001,-1,-1\n\
5123,XX,cde_fo,FUTCUR,USDINR,USDINR26OCTFUT,XX,,USDINR,0.25,1,1477578600,1000,4,-1,NSE,,AAA,1,10000,10001,8701.25,8201.5\n";

/// A good answer to a call.
pub fn of(name: &str) -> &'static str {
    match name {
        "view" => VIEW,
        "validate" => VALIDATE,
        "place" | "modify" | "cancel" => PLACED,
        "orders" => ORDERS,
        "order" => ORDER,
        "history" => HISTORY,
        "trades" => TRADES,
        "positions-v2" | "positions-quick" => POSITIONS,
        "holdings" => HOLDINGS,
        "limits" => LIMITS,
        "margin" => MARGIN,
        "client-ip" => CLIENT_IP,
        "quotes" => QUOTES,
        "scrip-files" => SCRIP_FILES,
        "candles" => CANDLES,
        "scrip-master" => SCRIP,
        other => panic!("no sample for `{other}`"),
    }
}
