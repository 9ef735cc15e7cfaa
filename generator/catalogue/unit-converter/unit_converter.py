"""Converts quantities between units of the same dimension, exactly: factors are fractions."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

Number = int | float | Fraction | Decimal


@dataclass(frozen=True)
class Unit:
    """A unit, and how many base units of its dimension it is."""

    name: str
    dimension: str
    factor: Fraction


def _units(dimension: str, table: dict[str, str]) -> dict[str, Unit]:
    return {names: Unit(names.split()[0], dimension, Fraction(factor)) for names, factor in table.items()}


# Symbol, then other names; the factor to the base unit, which has the factor 1. All are exact by definition.
_TABLE = {
    **_units("length", {
        "m meter metre": "1", "mm millimeter millimetre": "0.001", "cm centimeter centimetre": "0.01", "km kilometer kilometre": "1000",
        "in inch inches": "0.0254", "ft foot feet": "0.3048", "yd yard": "0.9144", "mi mile": "1609.344", "nmi": "1852",
    }),
    **_units("mass", {
        "kg kilogram": "1", "g gram": "0.001", "mg milligram": "0.000001", "t tonne": "1000",
        "lb pound lbs": "0.45359237", "oz ounce": "0.028349523125", "st stone": "6.35029318",
    }),
    **_units("volume", {
        "l liter litre": "1", "ml milliliter millilitre": "0.001", "m3": "1000",
        "gal gallon": "3.785411784", "qt quart": "0.946352946", "pt pint": "0.473176473", "cup": "0.2365882365", "floz": "0.0295735295625",
    }),
    **_units("area", {
        "m2": "1", "km2": "1000000", "cm2": "0.0001", "ha hectare": "10000", "ft2": "0.09290304", "ac acre": "4046.8564224",
    }),
    **_units("speed", {"m/s": "1", "km/h kph": "5/18", "mph": "0.44704", "kn knot": "463/900"}),
    **_units("time", {"s second": "1", "ms millisecond": "0.001", "min minute": "60", "h hour": "3600", "d day": "86400", "week": "604800"}),
    **_units("data", {
        "B byte": "1", "bit": "1/8", "kB kilobyte": "1000", "MB megabyte": "1000000", "GB gigabyte": "1000000000",
        "TB terabyte": "1000000000000", "KiB kibibyte": "1024", "MiB mebibyte": "1048576", "GiB gibibyte": "1073741824",
    }),
}  # fmt: skip

UNITS = {name: unit for names, unit in _TABLE.items() for name in names.split()}


class UnknownUnit(LookupError):
    """A unit that is not in the table."""


class DimensionError(ValueError):
    """Two units that do not measure the same."""


def unit(name: str) -> Unit:
    """Return a unit by its symbol or name; a plural `s` and the case of longer names do not matter."""
    text = name.strip()
    for candidate in (text, text.lower(), text.lower().removesuffix("s")):
        if candidate in UNITS:
            return UNITS[candidate]
    raise UnknownUnit(f"{name!r} is not a known unit")


def convert_exact(value: Number, source: str, target: str) -> Fraction:
    """Return a quantity in another unit as a fraction, without rounding."""
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction | Decimal):
        raise TypeError("value must be a number")
    try:
        amount = Fraction(value)
    except (OverflowError, ValueError):
        raise ValueError("value must be finite") from None
    from_, to = unit(source), unit(target)
    if from_.dimension != to.dimension:
        raise DimensionError(f"{from_.name} measures {from_.dimension}, and {to.name} {to.dimension}")
    return amount * from_.factor / to.factor


def convert(value: Number, source: str, target: str) -> float:
    """Return a quantity in another unit, rounded once to a float."""
    return float(convert_exact(value, source, target))


def units_of(dimension: str) -> list[str]:
    """Return the symbols of all units of a dimension, such as `length`."""
    names = [known.name for known in _TABLE.values() if known.dimension == dimension]
    if not names:
        known = sorted({entry.dimension for entry in _TABLE.values()})
        raise UnknownUnit(f"{dimension!r} is not one of: {', '.join(known)}")
    return names
