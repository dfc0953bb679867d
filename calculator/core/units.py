"""Bytes of data types, prefixes, and numbers as they are printed.

A printed number shows three digits, or fewer if there are no more: it ends in a zero only
if a digit was rounded to it.
"""

from __future__ import annotations

SI_PREFIXES = {
    "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21, "Y": 24, "R": 27, "Q": 30,
}  # fmt: skip
SMALL_PREFIXES = {"m": -3, "µ": -6, "\u03bc": -6, "u": -6, "n": -9, "p": -12}
BINARY_PREFIXES = {f"{letter.upper()}i": 10 * (power // 3) for letter, power in SI_PREFIXES.items()}
THIN_SPACE = "\u202f"  # narrow and not to be broken


def grouped(value: int) -> str:
    """Return every digit of a count, in groups of three.

    >>> grouped(13716864).replace(THIN_SPACE, " ")
    '13 716 864'
    """
    return f"{value:,}".replace(",", THIN_SPACE)


def rounded(value: int | float, unit: str = "") -> str:
    """Return a number to three digits with its SI prefix and unit.

    >>> [rounded(n) for n in (896, 13716864, 1_000_000, 999_999, 1500, 10**33)]
    ['896', '13.7 M', '1 M', '1.00 M', '1.5 k', '1000 Q']
    """
    digits, power = _three_digits(value)
    steps = max(0, min(power // 3, len(SI_PREFIXES)))
    prefix = ["", *SI_PREFIXES][steps]
    if power - 3 * steps > 5:
        return f"{_placed(digits, 0)} × 10^{power} {unit}".rstrip()
    return f"{_placed(digits, power - 3 * steps)} {prefix}{unit}".rstrip()


def _three_digits(value: int | float) -> tuple[str, int]:
    """Return up to three significant digits and the power of ten of the first of them."""
    if isinstance(value, int):
        text = str(abs(value))
        power = len(text) - 1
        exact = text.rstrip("0") or "0"
        if len(exact) <= 3:
            return ("-" if value < 0 else "") + exact, power
        head = int(text[:3]) + (text[3] >= "5")
        if head == 1000:
            head, power = 100, power + 1
        return ("-" if value < 0 else "") + str(head), power
    mantissa, exponent = f"{value:.2e}".split("e")
    digits = mantissa.replace(".", "")
    exact = digits.rstrip("0") or "0"
    if float(f"{exact}e{int(exponent) - len(exact.lstrip('-')) + 1}") == value:
        digits = exact
    return digits, int(exponent)


def _placed(digits: str, power: int) -> str:
    """Return digits with the point after the one that counts 10**power."""
    sign, digits = ("−", digits[1:]) if digits.startswith("-") else ("", digits)
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    digits = digits.ljust(power + 1, "0")
    whole, part = digits[: power + 1], digits[power + 1 :]
    return sign + whole + (f".{part}" if part else "")


def binary_bytes(value: int) -> str:
    """Return a number of bytes with its binary prefix.

    >>> binary_bytes(2359296), binary_bytes(100)
    ('2.25 MiB', '100 B')
    """
    prefix, divisor = "", 1
    for name, power in BINARY_PREFIXES.items():
        if float(f"{value / (1 << power):.2e}") < 1:
            break
        prefix, divisor = name, 1 << power
    whole, rest = divmod(value, divisor)
    if not rest or whole >= 1000:
        return f"{grouped(whole + (2 * rest >= divisor))} {prefix}B"
    return f"{_placed(*_three_digits(value / divisor))} {prefix}B"


_SMALL = {"n": -9, "µ": -6, "m": -3, "": 0}
_LARGE = {"min": 60, "h": 3600, "d": 86400, "years": 31557600}  # a Julian year


def small(value: float, unit: str) -> str:
    """Return a measure to three digits, with a prefix if it is small.

    >>> [small(energy, "J") for energy in (0.0217, 31.5, 4.2e-7, 0)]
    ['21.7 mJ', '31.5 J', '420 nJ', '0 J']
    """
    digits, power = _three_digits(value)
    if not value or power >= 0:
        return rounded(value, unit)
    prefix, scale = next(((p, s) for p, s in reversed(_SMALL.items()) if power >= s), ("n", -9))
    return f"{_placed(digits, power - scale)} {prefix}{unit}"


def seconds(value: float) -> str:
    """Return a time to three digits in the unit that people use at its size.

    >>> [seconds(t) for t in (0, 1.447e-06, 0.25, 90, 7200.0, 3e-11)]
    ['0 s', '1.45 µs', '250 ms', '1.5 min', '2 h', '0.03 ns']
    """
    if value == 0:
        return "0 s"
    name, size = "s", 1
    for longer, length in _LARGE.items():
        if float(f"{value / size:.2e}") * size >= length:
            name, size = longer, length
    if size > 1:
        scaled = value / size
        if scaled >= 1000:
            return f"{grouped(round(scaled))} {name}"
        return f"{'1.00' if scaled < 1 else rounded(scaled)} {name}"
    return small(value, "s")


def interval(least: float, most: float) -> str:
    """Return two times, or one if both are printed alike.

    >>> interval(0.25, 90), interval(2.1e-6, 2.10002e-6)
    ('250 ms to 1.5 min', '2.10 µs')
    """
    return seconds(most) if are_alike(least, most) else f"{seconds(least)} to {seconds(most)}"


def are_alike(one: float, other: float) -> bool:
    """Return whether two numbers are the same to three digits."""
    return f"{one:.2e}" == f"{other:.2e}"


def shares(ends: tuple[float, float]) -> str:
    """Return a low and a high share as percentages, or one if both are printed alike.

    >>> shares((0.511, 0.969)), shares((0.4, 0.4))
    ('51.1 – 96.9 %', '40 %')
    """
    return " – ".join(dict.fromkeys(rounded(100 * end) for end in ends)) + " %"
