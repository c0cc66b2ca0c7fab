"""Alerts when a share that the system owns has fallen below what was paid for it."""

from typing import Optional

from componentize_py_types import Err
from logic import has_fallen
from strategy import Params, Report, failed, words
from wit_world import exports
from wit_world.imports import market, notify, portfolio, types


class Task(exports.Task):
    """The component's task. One value lives for the ticks of a day; what has to survive belongs in `state`."""

    def run(self, now: int, cause: types.Cause) -> Optional[types.Report]:
        params = Params()
        fall = params.whole("fall", 5, 1, 100)
        params.done()
        try:
            positions = portfolio.get_positions()
        except Err as error:
            raise failed(error) from error
        report = Report()
        for position in positions:
            # What is not known is told, and never taken for a price.
            try:
                quote = market.get_quote(position.symbol)
            except Err as error:
                report.skip(position.symbol, words(error))
                continue
            if has_fallen(position.cost, position.quantity, quote.last, fall):
                # The same key goes out once a day, however often this runs.
                text = f"{position.symbol} is more than {fall} % below what was paid"
                notify.alert(f"fall:{position.symbol}", notify.Severity.WARNING, text)
        return report.done(f"{len(positions)} positions looked at")
