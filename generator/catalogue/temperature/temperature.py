"""Convert temperatures between Celsius, Fahrenheit, Kelvin and Rankine."""

import math
from fractions import Fraction

ABSOLUTE_ZERO_CELSIUS = Fraction("-273.15")

# Each scale as (degrees in one kelvin, reading at absolute zero), exact.
_SCALES = {
    "celsius": (Fraction(1), ABSOLUTE_ZERO_CELSIUS),
    "fahrenheit": (Fraction(9, 5), Fraction("-459.67")),
    "kelvin": (Fraction(1), Fraction(0)),
    "rankine": (Fraction(9, 5), Fraction(0)),
}
_SHORT = {"c": "celsius", "f": "fahrenheit", "k": "kelvin", "r": "rankine"}


def _scale(name: str) -> tuple[Fraction, Fraction]:
    if not isinstance(name, str):
        raise TypeError("a scale must be named by a text")
    folded = name.strip().lower().removeprefix("\u00b0")
    folded = _SHORT.get(folded, folded)
    if folded not in _SCALES:
        raise ValueError(f"unknown scale; use one of {', '.join(_SCALES)}")
    return _SCALES[folded]


def convert(value: int | float | Fraction, source: str, target: str) -> float:
    """Return `value` degrees of one scale on another, as a float.

    Scales are named in full or by their first letter, in any case. Readings below absolute zero are refused.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, Fraction)):
        raise TypeError("a temperature must be a number")
    if not math.isfinite(value):
        raise ValueError("a temperature must be finite")
    (source_size, source_zero), (target_size, target_zero) = _scale(source), _scale(target)
    # The shortest decimal that stands for the float: 0.1 means one tenth. Exact until the last step.
    exact = Fraction(str(value))
    if exact < source_zero:
        raise ValueError(f"{value} is below absolute zero ({float(source_zero)})")
    return float((exact - source_zero) / source_size * target_size + target_zero)


def celsius_to_fahrenheit(value: int | float | Fraction) -> float:
    """Return degrees Celsius as degrees Fahrenheit."""
    return convert(value, "celsius", "fahrenheit")


def fahrenheit_to_celsius(value: int | float | Fraction) -> float:
    """Return degrees Fahrenheit as degrees Celsius."""
    return convert(value, "fahrenheit", "celsius")


def celsius_to_kelvin(value: int | float | Fraction) -> float:
    """Return degrees Celsius as kelvins."""
    return convert(value, "celsius", "kelvin")


def kelvin_to_celsius(value: int | float | Fraction) -> float:
    """Return kelvins as degrees Celsius."""
    return convert(value, "kelvin", "celsius")
