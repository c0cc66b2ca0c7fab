"""Decisions, without the host: `python3 -m doctest logic.py` tries them natively."""


def target(cost: int, quantity: int, profit: int, tick: int) -> int:
    """`profit` percent above the average price paid, on the next price step.

    100.03 paid, 5 % more is 105.0315: the next step of 0.05 is 105.05.

    >>> target(10 * 1_000_300, 10, 5, 500)
    1050500
    """
    price = cost // max(quantity, 1) * (100 + profit) // 100
    return -(-price // tick) * tick if tick > 0 else price
