"""After the close, buys for the next open what closed at its lowest of some days."""

from dataclasses import dataclass
from typing import Optional

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import buying, config, market, order_book, portfolio, types

FINAL = (
    types.Status_Filled,
    types.Status_Canceled,
    types.Status_Rejected,
    types.Status_Expired,
    types.Status_NotPlaced,
)

SKIPS_MAX = 200
"""The report lists no more than these one by one."""

DAY_NS = 86_400 * 1_000_000_000
KOLKATA_NS = (5 * 60 + 30) * 60 * 1_000_000_000


@dataclass(frozen=True)
class Settings:
    """The operator's parameters."""

    days: int
    quantity: int
    orders_max: int

    @classmethod
    def read(cls) -> "Settings":
        """Those of the configuration. A name or value that is wrong ends the run: a mistyped limit must not be
        a limit that is off."""
        values = dict(config.all())
        settings = cls(
            days=whole(values, "days", 20, 2, 250),
            quantity=whole(values, "quantity", 10, 1, 100_000),
            orders_max=whole(values, "orders_max", 5, 1, 1_000),
        )
        for name in values:
            wrong(f"there is no parameter {name}; there are: days, orders_max, quantity")
        return settings


def whole(values: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    """Takes the whole number `name` out of `values`."""
    text = values.pop(name, str(default)).strip()
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        wrong(f'parameter {name} = "{text}": expected a whole number, {low} to {high}')
    return int(text)


def wrong(text: str) -> None:
    """Ends the run as failed by its configuration."""
    raise Err(types.TaskError_Config(text))


def is_signal(closes: list[int], days: int) -> bool:
    """Whether the last of `closes`, oldest first, is the lowest of `days`; `ValueError` when there are too few."""
    if len(closes) < days:
        raise ValueError("its history is too short")
    *before, last = closes
    return all(close > last for close in before)


def day_at(instant: int) -> int:
    """The exchange's day at an instant, in days since 1970-01-01."""
    return (instant + KOLKATA_NS) // DAY_NS


def day_number(date: types.Date) -> int:
    """A date in days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").

    The module `datetime` is not imported for it: it would make each new instance start later."""
    year = date.year - (date.month <= 2)
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((date.month + 9) % 12) + 2) // 5 + date.day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def place(symbol: str, quantity: int, price: int) -> Optional[str]:
    """An order for the next open, at most at the last close; why not, when it was not taken. The key names what it
    is for: a run that is repeated places nothing twice."""
    request = types.OrderRequest(
        key=f"dip:{symbol}",
        symbol=symbol,
        order_type=types.OrderType.LIMIT,
        product=types.Product.DELIVERY,
        validity=types.Validity.DAY,
        quantity=quantity,
        price=price,
        trigger=None,
        amo=True,
        send_by=None,
        reason="its close is the lowest of its days",
    )
    try:
        buying.place(request)
    except Err as error:
        return str(error.value)
    return None


class Report:
    """What the run wants to have on record."""

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


class Task(exports.Task):
    """The component's task. One value lives for the ticks of a day; what has to survive belongs in `state`."""

    def run(self, now: int, cause: types.Cause) -> Optional[types.Report]:
        settings = Settings.read()
        try:
            return buy(settings)
        except Err as error:
            # What could not be read ends the run; orders placed before it stay placed.
            raise Err(types.TaskError_Data(str(error.value))) from error


def buy(settings: Settings) -> types.Report:
    """One run."""
    today = day_number(market.get_session().trading_day)
    instruments = market.get_instruments(market.InstrumentFilter(series=[], symbols=[]))
    symbols = [instrument.symbol for instrument in instruments]
    candles = market.get_candles(symbols, market.Interval.DAY, settings.days)
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
        if bought == settings.orders_max:
            report.skip(symbol, "enough orders for a day")
            continue
        try:
            signal = is_signal(bars.close, settings.days)
        except ValueError as why:
            report.skip(symbol, str(why))
            continue
        if not signal:
            continue
        why_not = place(symbol, settings.quantity, instrument.previous_close)
        if why_not is None:
            bought += 1
        else:
            report.skip(symbol, why_not)
    return report.done(f"{bought} orders for the next open, of {len(symbols)} symbols")
