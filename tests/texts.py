"""Whether two texts tell the same: words are equal, numbers to the digits that are printed."""

import re

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def last_digit(text):
    """What one more in the last digit of a number is worth; whole numbers are exact.

    >>> last_digit("12.34"), last_digit("5.4e+03"), last_digit("12")
    (0.01, 100.0, 0.0)
    """
    mantissa, _, exponent = text.partition("e")
    _, point, decimals = mantissa.partition(".")
    return 10.0 ** (int(exponent or 0) - len(decimals)) if point else 0.0


def same_text(new, old, allowed=lambda number: 0.0):
    """Raise AssertionError unless they do. Where a machine rounds the other way the last digit is another, by one; of
    more than nine digits the last are the machine's. ``allowed(number)``: how much more it may be than that."""
    assert NUMBER.sub("#", new) == NUMBER.sub("#", old)
    for now, then in zip(NUMBER.findall(new), NUMBER.findall(old)):
        rounding = max(1.01 * last_digit(then), 1e-9 * abs(float(then)) if "." in then else 0.0)
        assert abs(float(now) - float(then)) <= max(rounding, allowed(float(then))), (
            f"{now}, not {then} in {old!r:.200}"
        )
