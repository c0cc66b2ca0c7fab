"""Sends the day's account as an alert."""

from typing import Optional

from componentize_py_types import Err
from logic import summary
from strategy import Params, Report, failed
from wit_world import exports
from wit_world.imports import notify, portfolio, types


class Task(exports.Task):
    """The component's task. One value lives for the ticks of a day; what has to survive belongs in `state`."""

    def run(self, now: int, cause: types.Cause) -> Optional[types.Report]:
        Params().done()
        try:
            account = portfolio.get_day_account()
        except Err as error:
            raise failed(error) from error
        placed = sum(count for _, count in account.orders)
        text = summary(placed, account.fills, account.realised - account.charges)
        # The same key goes out once a day, however often this runs.
        notify.alert("day", notify.Severity.INFO, text)
        return Report().done(text)
