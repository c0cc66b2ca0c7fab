"""Decisions, without the host: `python3 -m doctest logic.py` tries them natively."""


def summary(orders: int, fills: int, result: int) -> str:
    """The day in a sentence; `result` is the realised profit after charges, in ten-thousandths of a rupee.

    >>> summary(2, 1, -12_345_000)
    '2 orders, 1 fills, -1234.50 rupees after charges'
    """
    sign, paise = "-" if result < 0 else "", abs(result) // 100
    return f"{orders} orders, {fills} fills, {sign}{paise // 100}.{paise % 100:02} rupees after charges"
