import datetime
from decimal import Decimal

import pytest

from form_validator import (
    FORM_ERRORS,
    MAX_TEXT_LENGTH,
    Field,
    Form,
    Invalid,
    boolean,
    choice,
    date,
    decimal,
    email,
    integer,
    text,
)

VALID = {
    "name": " Ada ",
    "email": "Ada@Example.ORG",
    "age": "36",
    "password": " s3cret pass ",
    "repeat": " s3cret pass ",
}


def passwords_agree(values):
    if values["password"] != values["repeat"]:
        raise Invalid("does not repeat the password")


@pytest.fixture
def form():
    form = Form(
        {
            "name": Field(text(min_length=2, max_length=20)),
            "email": Field(email),
            "age": Field(integer(minimum=18, maximum=130)),
            "password": Field(text(min_length=8), strip=False),
            "repeat": Field(text(), strip=False),
            "newsletter": Field(boolean, required=False, default=False),
        }
    )
    form.rule("repeat", passwords_agree)
    return form


def test_a_valid_form_yields_typed_values(form):
    result = form.validate(VALID)
    assert result.is_valid
    assert (result.values["name"], result.values["age"], result.values["newsletter"]) == ("Ada", 36, False)
    assert result.values["email"] == "Ada@example.org"
    assert result.values["password"] == " s3cret pass "


def test_all_errors_come_at_once(form):
    result = form.validate({"name": "A", "email": "nope", "age": "17", "password": "short", "repeat": "x"})
    assert not result.is_valid
    assert result.errors == {
        "name": ["must have 2 to 20 characters"],
        "email": ["must be an e-mail address"],
        "age": ["must be at least 18"],
        "password": [f"must have 8 to {MAX_TEXT_LENGTH} characters"],
    }


def test_missing_and_empty_fields_are_required(form):
    result = form.validate({**VALID, "name": "   ", "age": ""} | {"email": ""})
    assert result.errors == {name: ["is required"] for name in ("name", "email", "age")}
    assert set(form.validate({}).errors) == {"name", "email", "age", "password", "repeat"}


def test_rules_between_fields_run_once_every_field_is_valid(form):
    assert form.validate({**VALID, "repeat": "other"}).errors == {"repeat": ["does not repeat the password"]}
    assert form.validate({**VALID, "repeat": "other", "age": "x"}).errors == {"age": ["must be a whole number"]}


def test_a_rule_may_speak_of_the_form_as_a_whole(form):
    def closed(_):
        raise Invalid("registration is closed")

    form.rule(FORM_ERRORS, closed)
    assert form.validate(VALID).errors == {FORM_ERRORS: ["registration is closed"]}
    with pytest.raises(ValueError, match="no field nickname"):
        form.rule("nickname", closed)


def test_unknown_fields_are_refused_unless_allowed(form):
    assert form.validate({**VALID, "is_admin": "1"}).errors == {"is_admin": ["is not a field of this form"]}
    lenient = Form({"name": Field(text())}, allow_unknown=True)
    assert lenient.validate({"name": "Ada", "utm_source": "x"}).values == {"name": "Ada"}


def test_a_default_is_used_only_where_nothing_was_sent(form):
    assert form.validate({**VALID, "newsletter": "on"}).values["newsletter"] is True
    assert form.validate({**VALID, "newsletter": "off"}).values["newsletter"] is False
    assert form.validate({**VALID, "newsletter": "perhaps"}).errors == {"newsletter": ["must be yes or no"]}


@pytest.mark.parametrize("value", ["1.5", "1e3", "", "٣", "9" * 19, "0x10", "one", "1_000"])
def test_integers_are_plain_digits(value):
    with pytest.raises(Invalid, match="whole number"):
        integer()(value)
    assert integer()("-7") == -7
    with pytest.raises(Invalid, match="at most 5"):
        integer(maximum=5)("6")


def test_decimals_are_exact():
    parse = decimal(places=2, minimum=Decimal("0.01"), maximum=Decimal(100))
    assert parse("19.90") == Decimal("19.90")
    for value, reason in [("1.005", "decimal places"), ("0", "at least 0.01"), ("101", "at most 100")]:
        with pytest.raises(Invalid, match=reason):
            parse(value)
    for value in ("NaN", "Infinity", "ten"):
        with pytest.raises(Invalid, match="must be a number"):
            parse(value)


def test_dates_and_choices():
    assert date("2024-02-29") == datetime.date(2024, 2, 29)
    for value in ("2023-02-29", "29.02.2024", "today"):
        with pytest.raises(Invalid, match="must be a date"):
            date(value)
    size = choice(["s", "m", "l"])
    assert size("m") == "m"
    with pytest.raises(Invalid, match="one of: s, m, l"):
        size("xl")


def test_patterns_match_the_whole_text():
    plate = text(pattern="[A-Z]{2}-[0-9]+")
    assert plate("AB-12") == "AB-12"
    with pytest.raises(Invalid, match="wrong format"):
        plate("AB-12 extra")


BROKEN = ["ada", "@example.org", "a@b", "a b@example.org", "a@-x.org", "a@x..org", "a" * 250 + "@x.org"]


@pytest.mark.parametrize("value", BROKEN)
def test_broken_addresses_are_refused(value):
    with pytest.raises(Invalid, match="e-mail"):
        email(value)


def test_values_that_are_no_text_are_an_error_of_their_field(form):
    assert form.validate({**VALID, "age": 36}).errors == {"age": ["must be text"]}


def test_a_form_has_fields():
    with pytest.raises(ValueError, match="at least one field"):
        Form({})
