import itertools

import pytest

from temperature import celsius_to_fahrenheit, celsius_to_kelvin, convert, fahrenheit_to_celsius, kelvin_to_celsius

SCALES = ["celsius", "fahrenheit", "kelvin", "rankine"]


@pytest.mark.parametrize("celsius, fahrenheit", [(0, 32), (100, 212), (-40, -40), (37, 98.6), (-273.15, -459.67)])
def test_celsius_and_fahrenheit(celsius, fahrenheit):
    assert celsius_to_fahrenheit(celsius) == fahrenheit
    assert fahrenheit_to_celsius(fahrenheit) == celsius


def test_kelvin():
    assert celsius_to_kelvin(0) == 273.15
    assert celsius_to_kelvin(-273.15) == 0
    assert kelvin_to_celsius(300) == 26.85


def test_rankine():
    assert convert(491.67, "rankine", "celsius") == 0
    assert convert(100, "celsius", "rankine") == 671.67


@pytest.mark.parametrize("source, target", list(itertools.product(SCALES, SCALES)))
def test_there_and_back(source, target):
    assert convert(convert(451.5, source, target), target, source) == pytest.approx(451.5)


@pytest.mark.parametrize("name", ["C", "c", "\u00b0C", " Celsius ", "CELSIUS"])
def test_names_of_a_scale(name):
    assert convert(100, name, "F") == 212


@pytest.mark.parametrize("value, scale", [(-273.16, "celsius"), (-459.68, "fahrenheit"), (-0.01, "kelvin"), (-1, "rankine")])
def test_below_absolute_zero(value, scale):
    with pytest.raises(ValueError, match="absolute zero"):
        convert(value, scale, scale)


@pytest.mark.parametrize("value", ["20", None, True, 1j])
def test_only_numbers(value):
    with pytest.raises(TypeError, match="number"):
        celsius_to_fahrenheit(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_only_finite_numbers(value):
    with pytest.raises(ValueError, match="finite"):
        celsius_to_fahrenheit(value)


def test_unknown_scales():
    with pytest.raises(ValueError, match="use one of celsius"):
        convert(1, "celsius", "reaumur")
    with pytest.raises(TypeError, match="text"):
        convert(1, None, "celsius")
