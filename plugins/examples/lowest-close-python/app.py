"""After the close, buys for the next open what closed at its lowest of some days."""

from typing import Optional

from componentize_py_types import Err
from logic import is_signal
from strategy import FINAL, Params, Report, day_at, day_number, failed, limit, words
from wit_world import exports
from wit_world.imports import buying, market, order_book, portfolio, types


class Task(exports.Task):
    """The component's task. One value lives for the ticks of a day; what has to survive belongs in `state`."""

    def run(self, now: int, cause: types.Cause) -> Optional[types.Report]:
        params = Params()
        days = params.whole("days", 20, 2, 250)
        quantity = params.whole("quantity", 10, 1, 100_000)
        orders_max = params.whole("orders_max", 5, 1, 1_000)
        params.done()
        try:
            return buy(days, quantity, orders_max)
        except Err as error:
            raise failed(error) from error


def buy(days: int, quantity: int, orders_max: int) -> types.Report:
    """One run."""
    today = day_number(market.get_session().trading_day)
    instruments = market.get_instruments(market.InstrumentFilter(series=[], symbols=[]))
    symbols = [instrument.symbol for instrument in instruments]
    candles = market.get_candles(symbols, market.Interval.DAY, days)
    # What is owned, and what is on its way: not a second time.
    taken = {position.symbol for position in portfolio.get_positions()}
    taken |= {order.symbol for order in order_book.get_account_orders() if not isinstance(order.status, FINAL)}
    report, bought = Report(), 0
    for instrument, bars in zip(instruments, candles):
        symbol = instrument.symbol
        if symbol in taken:
            continue
        # Bars of another day say nothing about this one.
        if not bars.start or day_at(bars.start[-1]) != today:
            report.skip(symbol, "it has no bar of today")
            continue
        if bought == orders_max:
            report.skip(symbol, "enough orders for a day")
            continue
        try:
            if is_signal(bars.close, days):
                place(symbol, quantity, instrument.previous_close)
                bought += 1
        except ValueError as why:
            report.skip(symbol, str(why))
        except Err as error:
            report.skip(symbol, words(error))
    return report.done(f"{bought} orders for the next open, of {len(symbols)} symbols")


def place(symbol: str, quantity: int, price: int) -> None:
    """An order for the next open, at most at the last close. The key names what it is for: a run that is repeated
    places nothing twice."""
    buying.place(limit(f"dip:{symbol}", symbol, quantity, price, "its close is the lowest of its days", amo=True))
