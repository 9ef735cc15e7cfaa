import pytest

from luhn import check_digit, is_valid, mask, with_check_digit

# Published test numbers of card networks; none is a real account.
VALID = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "79927398713", "00"]


@pytest.mark.parametrize("number", VALID)
def test_valid_numbers(number):
    assert is_valid(number)


@pytest.mark.parametrize("number", VALID)
def test_every_single_mistyped_digit_is_noticed(number):
    for position, digit in enumerate(number):
        for wrong in set("0123456789") - {digit}:
            assert not is_valid(number[:position] + wrong + number[position + 1 :])


def test_swapped_neighbours_are_noticed():
    assert is_valid("79927398713")
    assert not is_valid("97927398713")


def test_spaces_and_hyphens_do_not_count():
    assert is_valid("4111 1111 1111 1111")
    assert is_valid("4111-1111-1111-1111")


@pytest.mark.parametrize("number", ["", "0", " ", "4111a", "4111.1111", "-", "\u0664\u0661", "4\n2"])
def test_what_is_no_number_is_not_valid(number):
    assert not is_valid(number)


def test_check_digits():
    assert check_digit("7992739871") == "3"
    assert with_check_digit("7992 7398 71") == "79927398713"
    assert check_digit("0") == "0"


def test_numbers_with_their_check_digit_are_valid():
    assert all(is_valid(with_check_digit(str(number))) for number in range(2_000))


def test_an_integer_is_refused():
    with pytest.raises(TypeError, match="text"):
        is_valid(4111111111111111)
    with pytest.raises(ValueError, match="digits"):
        check_digit("x")


def test_masking():
    assert mask("4111 1111 1111 1234") == "************1234"
    assert mask("123") == "123"
    assert mask("12345", shown=0) == "*****"
    with pytest.raises(ValueError, match="shown"):
        mask("4111111111111111", shown=12)
