import pytest

from morse_code import CODES, LETTERS, decode, duration_seconds, encode, signals


def test_a_message():
    assert encode("SOS") == "... --- ..."
    assert encode("Hello, world") == ".... . .-.. .-.. --- --..-- / .-- --- .-. .-.. -.."
    assert decode("... --- ... / .-- .") == "SOS WE"


@pytest.mark.parametrize("character", sorted(CODES))
def test_every_character_there_and_back(character):
    assert decode(encode(character)) == character


def test_codes_are_unique():
    assert len(LETTERS) == len(CODES) == 49


def test_case_is_lost_and_space_is_reduced():
    assert decode(encode("  Meet\tme\nat 7:30  ")) == "MEET ME AT 7:30"


@pytest.mark.parametrize("text", ["", "   "])
def test_empty_messages(text):
    assert encode(text) == ""
    assert decode(text) == ""
    assert list(signals(text)) == []


def test_space_around_codes_does_not_matter():
    assert decode("  .-   -... /-.-.  ") == "AB C"
    assert decode("/ .- // -... /") == "A B"


def test_other_signs_for_dots_and_dashes():
    assert decode("•– _··· −") == "ABT"


def test_unknown_characters_are_named_or_skipped():
    with pytest.raises(ValueError, match="'é' has no Morse code|'É' has no Morse code"):
        encode("café")
    assert encode("café €5", skip_unknown=True) == "-.-. .- ..-. / ....."
    assert encode("€ 5", skip_unknown=True) == "....."


@pytest.mark.parametrize("morse", ["......", ".-x", "abc", ".-.-.-.-"])
def test_unknown_codes_are_named(morse):
    with pytest.raises(ValueError, match="is not a Morse code"):
        decode(morse)


def test_signals_and_pauses():
    assert list(signals("AE T")) == [(True, 1), (False, 1), (True, 3), (False, 3), (True, 1), (False, 7), (True, 3)]


def test_paris_takes_fifty_units_with_the_pause_behind_it():
    assert sum(units for _, units in signals("PARIS")) + 7 == 50
    assert duration_seconds("PARIS PARIS", 20) == pytest.approx((50 + 43) * 0.06)
    assert duration_seconds("", 20) == 0


@pytest.mark.parametrize("speed", [0, -5])
def test_senseless_speeds_are_refused(speed):
    with pytest.raises(ValueError, match="positive"):
        duration_seconds("A", speed)
