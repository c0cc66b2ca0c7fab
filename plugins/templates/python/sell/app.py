"""Keeps a limit sell standing for each position, above what was paid."""

from typing import Optional

from componentize_py_types import Err
from logic import target
from strategy import FINAL, Params, Report, failed, limit, words
from wit_world import exports
from wit_world.imports import market, portfolio, selling, types


class Task(exports.Task):
    """The component's task. One value lives for the ticks of a day; what has to survive belongs in `state`."""

    def run(self, now: int, cause: types.Cause) -> Optional[types.Report]:
        params = Params()
        profit = params.whole("profit", 5, 1, 1_000)
        params.done()
        try:
            positions = portfolio.get_positions()
        except Err as error:
            raise failed(error) from error
        report, standing = Report(), 0
        for position in positions:
            try:
                why_not = keep(position, profit)
            except Err as error:
                why_not = words(error)
            if why_not is None:
                standing += 1
            else:
                report.skip(position.symbol, why_not)
        return report.done(f"{standing} orders stand")


def keep(position: portfolio.Position, profit: int) -> Optional[str]:
    """One order for each position and day; why it does not stand, when it does not. The key names what it is for, so
    the next tick places nothing again."""
    symbol = position.symbol
    instrument = market.get_instrument(symbol)
    price = target(position.cost, position.quantity, profit, instrument.tick)
    if price > instrument.band_high:
        return "its target is above the day's highest valid price"
    # What stands already answers with its state; its quantity may not be free any more.
    if position.free == 0:
        return None if position.in_working_sells > 0 else "not settled yet"
    # The same key again answers with today's order, dead or alive.
    placed = selling.place(limit(f"target:{symbol}", symbol, position.free, price, "the target over what was paid"))
    return "today's order for it has ended" if isinstance(placed.status, FINAL) else None
