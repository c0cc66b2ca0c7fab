"""Buys one share's dip below the previous close, and sells it higher."""

from typing import Optional

from componentize_py_types import Err
from logic import decide
from strategy import Params, Report, failed, limit, words
from wit_world import exports
from wit_world.imports import buying, market, portfolio, selling, types


class Task(exports.Task):
    """The component's task. One value lives for the ticks of a day; what has to survive belongs in `state`."""

    def run(self, now: int, cause: types.Cause) -> Optional[types.Report]:
        params = Params()
        symbol = params.text("symbol", "DEMOALFA")
        quantity = params.whole("quantity", 10, 1, 100_000)
        step = params.whole("step", 1, 1, 50)
        params.done()
        try:
            quote = market.get_quote(symbol)
            owned = [position for position in portfolio.get_positions() if position.symbol == symbol]
        except Err as error:
            raise failed(error) from error
        free = owned[0].free if owned else 0
        average = owned[0].cost // max(owned[0].quantity, 1) if owned else 0
        what = decide(quote.last, quote.previous_close, free, average, step)
        if what is None:
            return None
        # One of each a day: the key names what the order is for.
        shares, place = (quantity, buying.place) if what == "buy" else (free, selling.place)
        try:
            placed = place(limit(f"{what}:{symbol}", symbol, shares, quote.last, f"{what} at the step"))
        except Err as error:
            return Report().done(words(error))
        return Report().done(f"order {placed.id} was placed")
