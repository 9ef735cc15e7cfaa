from decimal import Decimal
from fractions import Fraction

import pytest

from unit_converter import UNITS, DimensionError, UnknownUnit, convert, convert_exact, unit, units_of


@pytest.mark.parametrize(
    "value, source, target, expected",
    [
        (1, "mi", "km", 1.609344),
        (26.2, "miles", "kilometers", 42.1648128),
        (12, "inches", "cm", 30.48),
        (1, "m", "ft", 3.280839895013123),
        (150, "lbs", "kg", 68.0388555),
        (1, "stone", "pounds", 14),
        (1, "gallon", "litres", 3.785411784),
        (100, "km/h", "mph", 62.13711922373339),
        (1, "acre", "m2", 4046.8564224),
        (90, "minutes", "hours", 1.5),
        (1, "GiB", "MB", 1073.741824),
        (8, "bit", "byte", 1),
    ],
)
def test_known_conversions(value, source, target, expected):
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", sorted(UNITS))
def test_every_unit_there_and_back_is_exact(name):
    for other in units_of(unit(name).dimension):
        assert convert_exact(convert_exact(7, name, other), other, name) == 7


def test_exact_results():
    assert convert_exact(1, "km/h", "m/s") == Fraction(5, 18)
    assert convert_exact(Decimal("0.1"), "in", "mm") == Fraction(254, 100)
    assert convert(3, "ft", "yd") == 1


def test_zero_and_negative_quantities():
    assert convert(0, "kg", "lb") == 0
    assert convert(-1, "km", "m") == -1000


@pytest.mark.parametrize("name, expected", [("Meters", "m"), ("FEET", "ft"), (" kg ", "kg"), ("Pounds", "lb"), ("m", "m"), ("days", "d")])
def test_names_are_found_in_their_usual_forms(name, expected):
    assert unit(name).name == expected


def test_the_case_of_symbols_matters():
    assert (unit("MB").factor, unit("mg").dimension) == (1_000_000, "mass")


def test_units_of_other_dimensions_are_refused():
    with pytest.raises(DimensionError, match="kg measures mass, and m length"):
        convert(1, "kg", "m")


@pytest.mark.parametrize("name", ["", "parsec", "xyz", "s s"])
def test_unknown_units_are_named(name):
    with pytest.raises(UnknownUnit, match="not a known unit"):
        convert(1, name, "m")


def test_units_of_a_dimension():
    assert units_of("speed") == ["m/s", "km/h", "mph", "kn"]
    with pytest.raises(UnknownUnit, match="area, data, length"):
        units_of("taste")


@pytest.mark.parametrize("value", ["5", None, True])
def test_only_numbers(value):
    with pytest.raises(TypeError, match="number"):
        convert(value, "m", "km")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_only_finite_numbers(value):
    with pytest.raises(ValueError, match="finite"):
        convert(value, "m", "km")
