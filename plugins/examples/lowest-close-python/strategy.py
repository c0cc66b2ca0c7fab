"""What a strategy in Python needs besides the contract: parameters, the report, days, errors in words."""

from typing import NoReturn

from componentize_py_types import Err
from wit_world.imports import config, types

FINAL = (
    types.Status_Filled,
    types.Status_Canceled,
    types.Status_Rejected,
    types.Status_Expired,
    types.Status_NotPlaced,
)
"""The statuses with which an order has ended."""

SKIPS_MAX = 200
"""A report lists no more than these one by one."""

DAY_NS = 86_400 * 1_000_000_000
KOLKATA_NS = (5 * 60 + 30) * 60 * 1_000_000_000


class Params:
    """The operator's parameters: ask for each, then call `done`. A name or value that is wrong ends the run: a
    mistyped limit must not be a limit that is off."""

    def __init__(self) -> None:
        self.values = dict(config.all())
        self.asked: list[str] = []

    def text(self, name: str, default: str) -> str:
        """The parameter as it was written."""
        self.asked.append(name)
        return self.values.get(name, default)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        text = self.text(name, str(default)).strip()
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            self.wrong(f'parameter {name} = "{text}": expected a whole number, {low} to {high}')
        return int(text)

    def done(self) -> None:
        """A parameter that nobody has asked for is an error."""
        for name in self.values:
            if name not in self.asked:
                self.wrong(f"there is no parameter {name}; there are: {', '.join(sorted(self.asked))}")

    @staticmethod
    def wrong(text: str) -> NoReturn:
        """Ends the run as failed by its configuration."""
        raise Err(types.TaskError_Config(text))


class Report:
    """What a run wants to have on record."""

    def __init__(self) -> None:
        self.skipped: list[types.Skip] = []

    def skip(self, subject: str, reason: str) -> None:
        """Something that was passed over, and why."""
        if len(self.skipped) < SKIPS_MAX:
            self.skipped.append(types.Skip(subject, reason))
        elif len(self.skipped) == SKIPS_MAX:
            self.skipped.append(types.Skip("more", f"only the first {SKIPS_MAX} are listed"))

    def done(self, summary: str) -> types.Report:
        """The report, with its one line."""
        return types.Report(summary=summary, skipped=self.skipped, figures=[], extras=[])


def limit(key: str, symbol: str, quantity: int, price: int, reason: str, amo: bool = False) -> types.OrderRequest:
    """A limit order for delivery that stands to the end of its session. `key` is the strategy's own name for it within
    the day: what it is for, never a clock or a count. `amo`: for the next open."""
    return types.OrderRequest(
        key=key,
        symbol=symbol,
        order_type=types.OrderType.LIMIT,
        product=types.Product.DELIVERY,
        validity=types.Validity.DAY,
        quantity=quantity,
        price=price,
        trigger=None,
        amo=amo,
        send_by=None,
        reason=reason,
    )


def words(error: Err) -> str:
    """What the host answered in place of a value, in words."""
    kind = type(error.value).__name__.partition("_")[2].lower()
    return f"{kind}: {getattr(error.value, 'value', '')}"


def failed(error: Err) -> Err:
    """A read that failed, as the end of the run. Orders that were placed before stay placed. An error that a run ends
    with anyway is that error."""
    if type(error.value).__name__.startswith("TaskError_"):
        return error
    return Err(types.TaskError_Data(words(error)))


def day_at(instant: int) -> int:
    """The exchange's day at an instant, in days since 1970-01-01."""
    return (instant + KOLKATA_NS) // DAY_NS


def day_number(date: types.Date) -> int:
    """A date in days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms")."""
    year = date.year - (date.month <= 2)
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((date.month + 9) % 12) + 2) // 5 + date.day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468
