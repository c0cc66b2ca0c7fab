"""Decisions, without the host: `python3 -m doctest logic.py` tries them natively."""


def has_fallen(cost: int, quantity: int, last: int, fall: int) -> bool:
    """Whether `last` is more than `fall` percent below the average price paid: `cost` for `quantity` shares.

    >>> has_fallen(10_000_000, 10, 949_999, 5), has_fallen(10_000_000, 10, 950_000, 5), has_fallen(0, 0, 1, 5)
    (True, False, False)
    """
    return quantity > 0 and last * 100 < cost // quantity * (100 - fall)
