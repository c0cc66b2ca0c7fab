"""The calls of Kotak's official client against the simulator, and what each answer must be.

    sequence.py one ADDRESS CREDENTIALS     one client, every call
    sequence.py two ADDRESS CREDENTIALS     two clients on one account, the simulator run with
                                            `--one-session false`

What must be is written from the broker's documents, not from the simulator. `run.sh` starts everything.
"""

import json
import os
import subprocess
import sys
import urllib.request
from decimal import Decimal

from bench import IST, PATIENCE_S, Checks, Feed, Simulator, claims, is_long_time, midnight_after

SHARE = "DEMOALFA"
SYMBOL = f"{SHARE}-EQ"
HELD = "DEMOGAMMA"
WALK = ["put order req received", "validation pending", "open pending", "open"]
NO_DATA = {"stCode": 5203, "errMsg": "No Data", "desc": "data not found", "stat": "Not_Ok"}

ORDER_ROW = {
    "nOrdNo": str, "exOrdId": str, "GuiOrdId": str, "reqId": str, "actId": str, "ordSrc": str, "algId": str,
    "trdSym": str, "sym": str, "tok": str, "exSeg": str, "series": str, "stkPrc": str, "expDt": str, "lotSz": str,
    "brdLtQty": str, "tckSz": str, "multiplier": str, "trnsTp": str, "prcTp": str, "prod": str, "prc": str,
    "trgPrc": str, "avgPrc": str, "qty": int, "fldQty": int, "unFldSz": int, "cnlQty": int, "dscQty": int,
    "minQty": int, "refLmtPrc": int, "coPct": int, "vldt": str, "ordGenTp": str, "ordSt": str, "stat": str,
    "rejRsn": str, "ordDtTm": str, "ordEntTm": str, "exCfmTm": str, "hsUpTm": str, "boeSec": int, "uSec": str,
    "updRecvTm": int,
}  # fmt: skip
HISTORY_ROW = {
    "nOrdNo": str, "exch": str, "exchTmstp": str, "exchOrdId": str, "nReqId": str, "dclQty": str, "ordDur": str,
    "flDtTm": str, "cstFrm": str, "scripName": str, "trdSym": str, "prc": str, "qty": int, "ordSt": str,
    "trnsTp": str, "prcTp": str, "avgPrc": str, "fldQty": int, "unFldSz": int, "rejRsn": str, "prod": str,
    "tok": str, "brdLtQty": int,
}  # fmt: skip
TRADE_ROW = {
    "nOrdNo": str, "exOrdId": str, "flId": str, "flLeg": int, "flDt": str, "flTm": str, "exTm": str, "fldQty": int,
    "avgPrc": str, "trnsTp": str, "trdSym": str, "exSeg": str, "prod": str, "rptTp": str, "GuiOrdId": str,
    "boeSec": int, "updRecvTm": int, "uSec": str,
}  # fmt: skip
POSITION_ROW = {
    "cfBuyQty": str, "cfSellQty": str, "flBuyQty": str, "flSellQty": str, "cfBuyAmt": str, "cfSellAmt": str,
    "buyAmt": str, "sellAmt": str, "trdSym": str, "sym": str, "tok": str, "exSeg": str, "prod": str, "lotSz": str,
    "brdLtQty": int, "multiplier": str, "genNum": str, "genDen": str, "prcNum": str, "prcDen": str, "sqrFlg": str,
    "posFlg": str, "hsUpTm": str,
}  # fmt: skip
HOLDING_ROW = {
    "displaySymbol": str, "symbol": str, "averagePrice": (int, float), "quantity": int, "sellableQuantity": int,
    "holdingCost": (int, float), "mktValue": (int, float), "closingPrice": (int, float), "exchangeSegment": str,
    "exchangeIdentifier": str, "instrumentToken": int, "instrumentType": str, "isAlternateScrip": bool,
}  # fmt: skip
QUOTE_ROW = [
    "exchange_token", "display_symbol", "exchange", "lstup_time", "ltp", "last_traded_quantity", "total_buy",
    "total_sell", "last_volume", "avg_cost", "open_int", "change", "per_change", "low_price_range",
    "high_price_range", "year_high", "year_low", "ohlc", "depth",
]  # fmt: skip


def shaped(row, shape):
    """The fields of a row that are missing or of another type."""
    return {name: row.get(name, "missing") for name, kind in shape.items() if not isinstance(row.get(name), kind)}


def is_ok(answer):
    return str(answer.get("stat", "")).lower() == "ok" and answer.get("stCode") == 200


def on_tick(price):
    return str((Decimal(price) * 20).to_integral_value() / 20)


def row_of(client, number):
    rows = [row for row in client.order_report().get("data", []) if row["nOrdNo"] == number]
    return rows[0] if len(rows) == 1 else {}


def history(client, number):
    """The client wraps the answer once more."""
    return client.order_history(order_id=number)["data"].get("data", [])


def placed(client, side="B", price="0", kind="L", quantity="10", tag=None, **more):
    return client.place_order(
        exchange_segment="nse_cm", product="CNC", price=price, order_type=kind, quantity=quantity,
        validity="DAY", trading_symbol=SYMBOL, transaction_type=side, tag=tag, **more,
    )  # fmt: skip


class OneClient:
    def __init__(self, simulator):
        self.simulator = simulator
        self.client = simulator.client()
        self.checks = Checks()
        self.token = None
        self.last = None
        self.feed = None

    def run(self):
        self.log_in()
        self.instruments()
        self.quotes_and_candles()
        self.feed = Feed(self.client)
        self.checks.that("the order feed is acknowledged", self.feed.wait(lambda: self.feed.raw), self.feed.failure)
        self.checks.that("in the documented words", '"msg":"connected"' in self.feed.raw[0], self.feed.raw)
        self.empty_books()
        self.money()
        resting = self.an_order_that_rests()
        self.it_is_changed_and_cancelled(resting)
        self.an_order_that_fills()
        self.refusals()
        self.faults()
        self.after_the_market()
        self.the_end_of_a_session()
        self.what_really_happened()
        self.checks.end()

    def log_in(self):
        that, equal = self.checks.that, self.checks.equal
        right = self.simulator.code()
        wrong = f"{(int(right) + 1) % 1_000_000:06}"
        equal("totp_login: a wrong code is refused", self.simulator.login(self.client, wrong).get("errorCode"), "401")
        view = self.simulator.login(self.client, right).get("data", {})
        equal("totp_login: a view token", view.get("kType"), "View")
        equal("totp_login: it is a JWT of scope View", claims(view["token"]).get("scope"), ["View"])
        that("totp_login: no baseUrl yet", "baseUrl" not in view, view)
        equal("totp_login: the client knows its token", self.client.configuration.view_token, view["token"])
        again = self.simulator.login(self.client, right)
        equal("totp_login: a code is taken once", again.get("errorCode"), "401")
        early = self.client.whatsmyip()
        that("a call before the second step is refused", not is_ok(early) and "data" not in early, early)
        mpin = self.client.totp_validate(mpin="000000")
        equal("totp_validate: a wrong MPIN is shape B", mpin, {"stCode": 401, "errMsg": "Invalid MPIN", "status": "failure"})
        trade = self.client.totp_validate(mpin=self.simulator.known["KOTAK_MPIN"]).get("data", {})
        equal("totp_validate: a trade token", (trade.get("kType"), trade.get("status")), ("Trade", "success"))
        equal("totp_validate: the base URL", trade.get("baseUrl"), self.simulator.address)
        equal("totp_validate: no config service", trade.get("dataCenter"), "")
        that("totp_validate: a new token and sid", trade["token"] != view["token"] and trade["sid"] != view["sid"])
        midnight = midnight_after(self.simulator.now())
        equal("totp_validate: the token dies at midnight", claims(trade["token"])["exp"], int(midnight.timestamp()))

    def instruments(self):
        that, equal = self.checks.that, self.checks.equal
        master = self.client.scrip_master()
        equal("scrip_master: seven files", len(master.get("filesPaths", [])), 7)
        path = self.client.scrip_master(exchange_segment="nse_cm")
        that("scrip_master: the path of a segment", path.endswith("/transformed-v1/nse_cm-v1.csv"), path)
        with urllib.request.urlopen(path, timeout=PATIENCE_S) as answer:
            lines = answer.read().decode().splitlines()
        names = lines[0].split(",")
        that("scrip_master: the odd names are there", {"dTickSize ", "dStrikePrice;", "lExpiryDate "} <= set(names), names)
        row = next(dict(zip(names, line.split(","))) for line in lines[1:] if f",{SYMBOL}," in line)
        self.token = row["pSymbol"]
        equal("scrip_master: the tick is in paise", Decimal(row["dTickSize "]) % 1, 0)
        low, high = (Decimal(row[name]) / 100 for name in ("dLowPriceRange ", "dHighPriceRange "))
        equal("scrip_master: the band is there as text too", [Decimal(end) for end in row["pCreditRating"].split("-")], [low, high])
        found = self.client.search_scrip(exchange_segment="nse_cm", symbol=SHARE)
        equal("search_scrip: one share", [one["pTrdSymbol"] for one in found], [SYMBOL])
        equal("search_scrip: the same token", str(found[0]["pSymbol"]), self.token)
        ip = self.client.whatsmyip()
        equal("whatsmyip", (ip.get("stCode"), ip["data"][0]["ip"]), (1000, "127.0.0.1"))

    def quotes_and_candles(self):
        that, equal = self.checks.that, self.checks.equal
        asked = [{"exchange_segment": "nse_cm", "instrument_token": self.token}]
        quotes = self.client.quotes(instrument_tokens=asked, quote_type="all")
        equal("quotes: one row", [row["display_symbol"] for row in quotes], [SYMBOL])
        missing = [name for name in QUOTE_ROW if name not in quotes[0]]
        that("quotes: every field", not missing, missing)
        flat = [value for name, value in quotes[0].items() if name not in ("ohlc", "depth")]
        that("quotes: every value is a text", all(isinstance(value, str) for value in flat), quotes[0])
        equal("quotes: five levels", [len(quotes[0]["depth"][side]) for side in ("buy", "sell")], [5, 5])
        self.last = Decimal(quotes[0]["ltp"])
        low, high = Decimal(quotes[0]["ohlc"]["low"]), Decimal(quotes[0]["ohlc"]["high"])
        that("quotes: the last price is within the day", low <= self.last <= high, quotes[0])
        only = self.client.quotes(instrument_tokens=asked, quote_type="ltp")
        that("quotes: a filter shows less", "ltp" in only[0] and "depth" not in only[0], only)
        bad = self.client.quotes(instrument_tokens=[{"exchange_segment": "nse_cm", "instrument_token": "9"}])
        that("quotes: an unknown token is an object, not a list", isinstance(bad, dict), bad)
        today = self.simulator.now().strftime("%Y-%m-%d")
        neo = f"nse_cm|{self.token}"
        five = self.client.historical_data(neosymbol=neo, interval="5min", from_date=today, to_date=today)
        candles = five.get("data", {}).get("candles", [])
        equal("historical_data: five minutes each", [candle[0] for candle in candles[:2]], [f"{today}T09:15:00+0530", f"{today}T09:20:00+0530"])
        that("historical_data: seven columns", candles and all(len(candle) == 7 for candle in candles), candles)
        days = self.client.historical_data(neosymbol=neo, interval="D", from_date="2026-04-01", to_date="2026-05-12")
        that("historical_data: days", len(days.get("data", {}).get("candles", [])) > 20, days)
        wrong = self.client.historical_data(neosymbol=neo, interval="7min", from_date=today, to_date=today)
        equal("historical_data: an unknown interval", wrong.get("fault", {}).get("message"), "Invalid interval value")
        # No derivative is listed: well-formed and empty (v3 docs expiries.md, option_chain.md).
        expiries = self.client.expiries(exchange="nse_fo", underlying=SHARE)
        equal("expiries", expiries, {"exchange": "nse_fo", "underlying": SHARE, "expiries": []})
        chain = self.client.option_chain(exchange="nse_fo", underlying=SHARE).get("data", {})
        equal("option_chain: calls and puts", (chain.get("call"), chain.get("put")), ([], []))
        equal("option_chain: underlying", chain.get("common_data", {}).get("unlSymbol"), SHARE)

    def empty_books(self):
        for name in ("order_report", "trade_report", "positions"):
            self.checks.equal(f"{name}: nothing yet", getattr(self.client, name)(), NO_DATA)

    def money(self):
        that, equal = self.checks.that, self.checks.equal
        limits = self.client.limits()
        that("limits: ok", is_ok(limits), limits)
        texts = {name: value for name, value in limits.items() if name != "stCode"}
        that("limits: many fields, all texts", len(texts) > 70 and all(isinstance(value, str) for value in texts.values()))
        equal("limits: the cash", Decimal(limits["CollateralValue"]), 1_000_000)
        asked = {"exchange_segment": "nse_cm", "price": "100", "order_type": "L", "product": "CNC",
                 "instrument_token": self.token, "transaction_type": "B"}  # fmt: skip
        margin = self.client.margin_required(quantity="10", **asked)["data"]
        equal("margin_required: enough", (margin.get("ordMrgn"), margin.get("rmsVldtd")), ("1000.000000", "OK"))
        margin = self.client.margin_required(quantity="100000", **asked)["data"]
        equal("margin_required: not enough", (margin.get("rmsVldtd"), Decimal(margin["insufFund"]) > 0), ("NOT_OK", True))
        holdings = self.client.holdings()
        that("holdings: no stat, no stCode", set(holdings) == {"data"}, holdings)
        equal("holdings: what the account holds", [(row["symbol"], row["quantity"], row["averagePrice"]) for row in holdings["data"]], [(HELD, 150, 700)])
        wrong = shaped(holdings["data"][0], HOLDING_ROW)
        that("holdings: numbers are numbers", not wrong, wrong)

    def an_order_that_rests(self):
        that, equal = self.checks.that, self.checks.equal
        price = on_tick(self.last * Decimal("0.97"))
        free = Decimal(self.client.limits()["Net"])
        answer = placed(self.client, price=price, tag="official-1")
        that("place_order: taken", is_ok(answer), answer)
        number = answer.get("nOrdNo", "")
        that("place_order: the number starts with the day", number.startswith(self.simulator.now().strftime("%y%m%d")), answer)
        book = self.client.order_report()
        equal("order_report: the envelope", (book.get("stat"), book.get("stCode"), len(book.get("data", []))), ("Ok", 200, 1))
        row = book["data"][0]
        wrong = shaped(row, ORDER_ROW)
        that("order_report: every field has its type", not wrong, wrong)
        equal("order_report: the order", [row[name] for name in ("nOrdNo", "GuiOrdId", "trdSym", "tok", "trnsTp", "prcTp", "prod", "qty", "fldQty", "unFldSz")],
              [number, "official-1", SYMBOL, self.token, "B", "L", "CNC", 10, 0, 10])  # fmt: skip
        equal("order_report: its status twice", (row["ordSt"], row["stat"]), ("open", "open"))
        equal("order_report: its price", Decimal(row["prc"]), Decimal(price))
        that("order_report: its time", is_long_time(row["ordDtTm"]), row["ordDtTm"])
        equal("order_report(id): the same row", self.client.order_report(order_id=number).get("data"), [row])
        equal("order_report(id): an unknown number", self.client.order_report(order_id="1"), NO_DATA)
        rows = history(self.client, number)
        equal("order_history: newest first", [row["ordSt"] for row in rows], WALK[::-1])
        wrong = shaped(rows[0], HISTORY_ROW)
        that("order_history: every field has its type", not wrong, wrong)
        equal("order_history: not confirmed at first", (rows[-1]["exchTmstp"], rows[-1]["exchOrdId"]), ("--", "NA"))
        that("limits: the order blocks its value", Decimal(self.client.limits()["Net"]) <= free - 10 * Decimal(price))
        that("feed: each step of the order", self.feed.wait(lambda: self.feed.statuses(number) == WALK), self.feed.statuses(number))
        return number

    def it_is_changed_and_cancelled(self, number):
        that, equal = self.checks.that, self.checks.equal
        price = on_tick(self.last * Decimal("0.98"))
        answer = self.client.modify_order(order_id=number, price=price, order_type="L", quantity="7", validity="DAY")
        equal("modify_order: taken", (is_ok(answer), answer.get("nOrdNo")), (True, number))
        row = row_of(self.client, number)
        equal("modify_order: done", (Decimal(row["prc"]), row["qty"], row["ordSt"]), (Decimal(price), 7, "open"))
        equal("modify_order: in the history", [row["ordSt"] for row in history(self.client, number)[:2]], ["open", "modified"])
        answer = self.client.cancel_order(order_id=number)
        equal("cancel_order: taken", (is_ok(answer), answer.get("nOrdNo")), (True, number))
        row = row_of(self.client, number)
        equal("cancel_order: done", (row["ordSt"], row["cnlQty"], row["unFldSz"], row["rejRsn"]), ("cancelled", 7, 0, "--"))
        late = {"stCode": 1021, "errMsg": "order is completed", "stat": "please provide valid order number", "status_code": 400}
        equal("cancel_order: not twice", self.client.cancel_order(order_id=number), late)
        again = self.client.modify_order(order_id=number, price=price, order_type="L", quantity="7", validity="DAY")
        equal("modify_order: not after the end", again, late)
        that("feed: it was told", self.feed.wait(lambda: self.feed.statuses(number)[-1] == "cancelled"), self.feed.statuses(number))

    def an_order_that_fills(self):
        that, equal = self.checks.that, self.checks.equal
        number = placed(self.client, kind="MKT", tag="official-2").get("nOrdNo")
        row = row_of(self.client, number)
        that("a market order is a limit that protects", row["prcTp"] == "L" and Decimal(row["prc"]) > 0, row)
        self.simulator.advance(180)
        row = row_of(self.client, number)
        equal("order_report: filled", (row["ordSt"], row["fldQty"], row["unFldSz"]), ("complete", 10, 0))
        trades = self.client.trade_report()
        equal("trade_report: the envelope", (trades.get("stat"), trades.get("stCode")), ("ok", 200))
        fills = [fill for fill in trades["data"] if fill["nOrdNo"] == number]
        equal("trade_report: all shares", sum(fill["fldQty"] for fill in fills), 10)
        wrong = shaped(fills[0], TRADE_ROW)
        that("trade_report: every field has its type", not wrong, wrong)
        equal("trade_report: what the wire leaves out", (fills[0]["tok"], fills[0]["qty"], fills[0]["prc"]), ("", 0, ""))
        value = sum(fill["fldQty"] * Decimal(fill["avgPrc"]) for fill in fills)
        that("order_report: the average is that of the fills", abs(Decimal(row["avgPrc"]) - value / 10) <= Decimal("0.01"), row["avgPrc"])
        positions = self.client.positions()
        equal("positions: the envelope", (positions.get("stat"), positions.get("stCode"), len(positions["data"])), ("ok", 200, 1))
        position = positions["data"][0]
        wrong = shaped(position, POSITION_ROW)
        that("positions: every field has its type", not wrong, wrong)
        equal("positions: the shares", (position["trdSym"], position["flBuyQty"], position["flSellQty"]), (SYMBOL, "10", "0"))
        equal("positions: their cost", Decimal(position["buyAmt"]), value)
        equal("holdings: not before the settlement", len(self.client.holdings()["data"]), 1)
        told = self.feed.wait(lambda: self.feed.statuses(number)[-1:] == ["complete"] and self.feed.positions())
        that("feed: order and position", told, self.feed.raw[-3:])
        equal("feed: each step once", self.feed.statuses(number), [*WALK, "complete"])
        equal("feed: the position", self.feed.positions()[-1].filled_buy_quantity, "10")
        that("feed: every frame fits the client's types", not any(isinstance(one, (dict, str)) for one in self.feed.messages), self.feed.messages[-3:])

    def refusals(self):
        that, equal = self.checks.that, self.checks.equal
        twin = placed(self.client, price=on_tick(self.last * Decimal("0.97")), tag="official-2")
        equal("place_order: a tag is taken once", (twin.get("stCode"), twin.get("errMsg")), (32, "error from core"))
        dear = placed(self.client, price=on_tick(self.last), quantity="90000", tag="official-3")
        that("place_order: the risk check comes after the number", is_ok(dear), dear)
        row = row_of(self.client, dear["nOrdNo"])
        equal("order_report: it was refused", (row["ordSt"], row["rejRsn"][:4], row["GuiOrdId"]), ("rejected", "RMS:", "official-3"))
        unknown = self.client.cancel_order(order_id="1")
        equal("cancel_order: an unknown number", unknown.get("stat"), "please provide valid order number")
        above = self.last * Decimal("1.03")
        stop = placed(self.client, price=on_tick(above * Decimal("1.005")), kind="SL", trigger_price=on_tick(above), tag="official-4")
        row = row_of(self.client, stop.get("nOrdNo"))
        equal("a stop waits for its trigger", (row.get("ordSt"), row.get("prcTp")), ("trigger pending", "SL"))
        that("a stop is cancelled", is_ok(self.client.cancel_order(order_id=stop.get("nOrdNo"))))

    def faults(self):
        that, equal = self.checks.that, self.checks.equal
        price = on_tick(self.last * Decimal("0.97"))
        self.simulator.fault(kind="dropped", after=True, on=["place"], times=1)
        lost = placed(self.client, price=price, tag="official-5")
        that("a lost answer looks like a failure", not is_ok(lost), lost)
        mine = [row for row in self.client.order_report()["data"] if row["GuiOrdId"] == "official-5"]
        equal("and the order is there, once", [row["ordSt"] for row in mine], ["open"])
        self.client.cancel_order(order_id=mine[0]["nOrdNo"])
        self.simulator.fault(kind="rate-limited", on=["orders"], times=1)
        equal("too many requests", self.client.order_report().get("code"), 429)
        self.simulator.fault(kind="expired", spelling="gateway", on=["positions"], times=1)
        equal("the gateway's word for an expired token", self.client.positions().get("code"), "900901")
        self.simulator.fault(kind="late-book", seconds=45, times=1)
        late = placed(self.client, price=price, tag="official-6")["nOrdNo"]
        equal("an order may be late in the book", row_of(self.client, late), {})
        self.simulator.advance(60)
        equal("and comes", row_of(self.client, late).get("ordSt"), "open")
        self.simulator.ask("clear", {})

    def after_the_market(self):
        that, equal = self.checks.that, self.checks.equal
        now = self.simulator.now()
        evening = now.replace(hour=17, minute=0, second=0)
        self.simulator.advance(int((evening - now).total_seconds()))
        row = next(row for row in self.client.order_report()["data"] if row["GuiOrdId"] == "official-6")
        equal("a day order ends with its day", (row["ordSt"], row["cnlQty"]), ("cancelled", 10))
        price = on_tick(self.last * Decimal("0.97"))
        answer = placed(self.client, price=price, tag="official-7", amo="YES")
        that("place_order: an after-market order", is_ok(answer), answer)
        number = answer.get("nOrdNo")
        row = row_of(self.client, number)
        equal("it is queued", (row.get("ordSt"), row.get("ordGenTp")), ("after market order req received", "AMO"))
        changed = self.client.modify_order(order_id=number, price=price, order_type="L", quantity="5", validity="DAY", amo="YES")
        that("modify_order: with amo", is_ok(changed), changed)
        equal("it says so", row_of(self.client, number)["ordSt"], "modify after market order req received")
        that("cancel_order: with amo", is_ok(self.client.cancel_order(order_id=number, amo="YES")))
        equal("and ended as one", row_of(self.client, number)["ordSt"], "cancelled after market order")

    def the_end_of_a_session(self):
        that, equal = self.checks.that, self.checks.equal
        self.simulator.ask("foreign-login", {})
        dead = self.client.order_report()
        equal("another login ends the session", (dead.get("stCode"), dead.get("stat")), (100022, "Not_Ok"))
        that("feed: it ends too", self.feed.wait(lambda: self.feed.closed))
        self.feed.close()
        self.simulator.fault(kind="no-data", times=1)
        self.simulator.login(self.client)
        answer = self.client.totp_validate(mpin=self.simulator.known["KOTAK_MPIN"])
        that("totp_validate: an answer without data is no session", "data" not in answer, answer)
        self.simulator.fault(kind="data-null", times=1)
        try:
            self.client.totp_validate(mpin=self.simulator.known["KOTAK_MPIN"])
            crashed = None
        except AttributeError as error:
            crashed = str(error)
        equal("totp_validate: `data: null` crashes this client", crashed, "'NoneType' object has no attribute 'get'")
        self.client.totp_validate(mpin=self.simulator.known["KOTAK_MPIN"])
        that("a new login goes on", is_ok(self.client.order_report()))
        self.simulator.advance(int((midnight_after(self.simulator.now()) - self.simulator.now()).total_seconds()))
        equal("midnight ends it", self.client.order_report().get("stCode"), 100022)
        equal("logout", self.client.logout().get("State"), "OK")
        that("logout: the client knows", "Complete the 2fa" in str(self.client.order_report()))

    def what_really_happened(self):
        equal = self.checks.equal
        audit = self.simulator.ask("audit")
        accepted = {tag: len(numbers) for tag, numbers in audit["accepted"].items()}
        equal("every order reached the exchange once", accepted, {f"official-{n}": 1 for n in (1, 2, 4, 5, 6, 7)})
        equal("one was refused before it", len(audit["refused"]), 1)
        equal("two logins", audit["logins"], 2)


class TwoClients:
    """What one does the other sees, and our own client too: there is one account."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.checks = Checks()

    def our_book(self):
        """The order book as `kotak-neo` reads it, under a session of its own."""
        environment = {**os.environ, **self.simulator.known, "KOTAK_CODE": self.simulator.code()}
        program = [os.environ["ORDER_BOOK"], self.simulator.address]
        return json.loads(subprocess.run(program, env=environment, check=True, capture_output=True, timeout=60).stdout)

    def run(self):
        that, equal = self.checks.that, self.checks.equal
        one, two = self.simulator.logged_in(), self.simulator.logged_in()
        equal("both live", [client.order_report() for client in (one, two)], [NO_DATA, NO_DATA])
        feed = Feed(two)
        that("the feed of the second", feed.wait(lambda: feed.raw), feed.failure)
        token = one.search_scrip(exchange_segment="nse_cm", symbol=SHARE)[0]["pSymbol"]
        quotes = two.quotes(instrument_tokens=[{"exchange_segment": "nse_cm", "instrument_token": str(token)}])
        price = on_tick(Decimal(quotes[0]["ltp"]) * Decimal("0.97"))
        resting = placed(one, price=price, tag="two-1")["nOrdNo"]
        filled = placed(two, kind="MKT", tag="two-2")["nOrdNo"]
        self.simulator.advance(180)
        books = [client.order_report()["data"] for client in (one, two)]
        equal("the same order book, field by field", books[0], books[1])
        equal("with the orders of both", {row["nOrdNo"]: row["ordSt"] for row in books[0]}, {resting: "open", filled: "complete"})
        ours = {row["nOrdNo"]: row for row in self.our_book()}
        equal("our client sees the same orders", sorted(ours), sorted(row["nOrdNo"] for row in books[0]))
        for row in books[0]:
            mine = ours.get(row["nOrdNo"], {})
            for field in ("GuiOrdId", "ordSt", "trdSym", "trnsTp", "prcTp", "prod", "qty", "fldQty"):
                equal(f"our client sees the same {field}", mine.get(field), row[field])
            for field in ("prc", "avgPrc"):
                equal(f"our client sees the same {field}", Decimal(mine.get(field, "NaN")), Decimal(row[field]))
        equal("the same trades", one.trade_report(), two.trade_report())
        equal("the same history", history(one, filled), history(two, filled))
        net = [[(row["trdSym"], row["flBuyQty"], row["buyAmt"]) for row in client.positions()["data"]] for client in (one, two)]
        equal("the same positions", net[0], net[1])
        equal("the same money", one.limits()["Net"], two.limits()["Net"])
        that("the second is told of the first one's order", feed.wait(lambda: feed.statuses(resting)[:4] == WALK), feed.raw)
        that("the second cancels the first one's order", is_ok(two.cancel_order(order_id=resting)))
        equal("and the first sees it", row_of(one, resting)["ordSt"], "cancelled")
        feed.close()
        self.simulator.ask("one-session", {"on": True})
        three = self.simulator.logged_in()
        ended = [client.order_report().get("stCode") for client in (one, two, three)]
        equal("with the real broker's rule a third login ends both", ended, [100022, 100022, 200])
        self.checks.end()


if __name__ == "__main__":
    mode, address, credentials = sys.argv[1:]
    simulator = Simulator(address, credentials)
    assert simulator.now().tzinfo == IST
    {"one": OneClient, "two": TwoClients}[mode](simulator).run()
