"""Decisions, without the host: `python3 -m doctest logic.py` tries them natively."""

from typing import Optional


def decide(last: int, previous_close: int, free: int, average: int, step: int) -> Optional[str]:
    """Buys `step` percent below the previous close when nothing is owned; sells `step` above what was paid.

    >>> decide(989_999, 1_000_000, 0, 0, 1), decide(990_000, 1_000_000, 0, 0, 1)
    ('buy', None)
    >>> decide(1_010_001, 1_000_000, 10, 1_000_000, 1), decide(1_010_000, 1_000_000, 10, 1_000_000, 1)
    ('sell', None)

    Owned and not settled: wait.

    >>> decide(900_000, 1_000_000, 0, 950_000, 1)
    """
    if free == 0:
        return "buy" if average == 0 and last * 100 < previous_close * (100 - step) else None
    return "sell" if last * 100 > average * (100 + step) else None
