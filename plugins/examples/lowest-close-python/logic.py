"""Decisions, without the host: `python3 -m doctest logic.py` tries them natively."""


def is_signal(closes: list[int], days: int) -> bool:
    """Whether the last of `closes`, oldest first, is the lowest of `days`; an error when there are too few.

    >>> is_signal([5, 4, 3], 3), is_signal([5, 3, 3], 3)
    (True, False)
    >>> is_signal([5, 4], 3)
    Traceback (most recent call last):
    ValueError: its history is too short
    """
    if len(closes) < days:
        raise ValueError("its history is too short")
    *before, last = closes
    return all(close > last for close in before)
