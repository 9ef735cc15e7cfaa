import logging

import pytest

from secret_redactor import MAX_DEPTH, PLACEHOLDER, RedactingFilter, Redactor

# Put together here, so that no scanner takes this file for a leak.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9
SLACK = "xoxb-" + "1234567890-abcdef"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjt"
GOOGLE = "AIza" + "SyA1234567890abcdefghijklmnopqrstuv"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
CARD = "4111 1111 1111 1111"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAbc+/=\n-----END RSA PRIVATE KEY-----"


@pytest.fixture
def redactor():
    return Redactor()


@pytest.mark.parametrize("secret", [AWS, GITHUB, SLACK, STRIPE, GOOGLE, JWT, CARD, CARD.replace(" ", "-"), PEM])
def test_secrets_of_a_known_form_are_replaced(redactor, secret):
    assert redactor.text(f"before {secret} after") == f"before {PLACEHOLDER} after"


@pytest.mark.parametrize(
    "text, redacted",
    [
        ("Authorization: Bearer abc.def-123456", f"Authorization: Bearer {PLACEHOLDER}"),
        ("authorization: basic YWRhOnMzY3JldA==", f"authorization: basic {PLACEHOLDER}"),
        ("postgres://ada:s3cret@db:5432/shop", f"postgres://ada:{PLACEHOLDER}@db:5432/shop"),
        ("redis://:s3cret@cache", f"redis://:{PLACEHOLDER}@cache"),
        ("password=hunter2 user=ada", f"password={PLACEHOLDER} user=ada"),
        ("DB_PASSWORD: 'two words' next", f"DB_PASSWORD: {PLACEHOLDER} next"),
        ('{"api_key": "abc", "user": "ada"}', f'{{"api_key": {PLACEHOLDER}, "user": "ada"}}'),
        ("GET /x?access_token=abc123&page=2", f"GET /x?access_token={PLACEHOLDER}&page=2"),
        ("client-secret = xyz", f"client-secret = {PLACEHOLDER}"),
    ],
)
def test_only_the_secret_part_is_replaced(redactor, text, redacted):
    assert redactor.text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "the password was changed",
        "token bucket with 5 tokens",
        "https://shop.example:8443/a?page=2",
        "order 4111 1111 1111 1112 and 1234567890123456",
        "2024-02-29 10:11:12.123456 took 35 ms",
        "ada@example.org logged in",
        "",
    ],
)
def test_harmless_text_stays_as_it_is(redactor, text):
    assert redactor.text(text) == text


@pytest.mark.parametrize("text", [f"password=hunter2 {AWS} {JWT}", f"Bearer {JWT}", f'{{"token": "{GITHUB}"}}'])
def test_redacting_twice_changes_nothing_more(redactor, text):
    once = redactor.text(text)
    assert redactor.text(once) == once
    assert AWS not in once and JWT not in once and GITHUB not in once


def test_known_secrets_are_replaced_wherever_they_are():
    redactor = Redactor(known_secrets=["swordfish", "swordfish-2"])
    assert redactor.text("xswordfish-2x swordfish") == f"x{PLACEHOLDER}x {PLACEHOLDER}"
    with pytest.raises(ValueError, match="6 characters"):
        Redactor(known_secrets=["abc"])


def test_patterns_keys_and_placeholder_can_be_added():
    redactor = Redactor(extra_patterns={"badge": r"\bB-\d{6}\b"}, sensitive_keys=["date-of-birth"], placeholder="***")
    assert redactor.text("badge B-123456") == "badge ***"
    assert redactor.data({"dateOfBirth": "1815-12-10", "name": "Ada"}) == {"dateOfBirth": "***", "name": "Ada"}


@pytest.mark.parametrize("key", ["password", "DB_PASSWORD", "apiKey", "x-api-key", "Authorization", "Set-Cookie"])
def test_sensitive_keys_are_found_in_every_spelling(redactor, key):
    assert redactor.is_sensitive_key(key)


@pytest.mark.parametrize("key", ["user", "token_type", "max_tokens", "path", 7, None])
def test_other_keys_are_not(redactor, key):
    assert not redactor.is_sensitive_key(key)


def test_nested_data_is_copied_without_secrets(redactor):
    data = {
        "user": "ada",
        "auth": {"password": "hunter2", "attempts": 3},
        "headers": [("Accept", "json"), {"Cookie": ["a", "b"]}],
        "note": f"key {AWS}",
        7: None,
    }
    assert redactor.data(data) == {
        "user": "ada",
        "auth": {"password": PLACEHOLDER, "attempts": 3},
        "headers": [("Accept", "json"), {"Cookie": PLACEHOLDER}],
        "note": f"key {PLACEHOLDER}",
        7: None,
    }
    assert data["auth"]["password"] == "hunter2"


def test_data_that_is_too_deep_or_circular_ends(redactor):
    loop = {}
    loop["self"] = loop
    found = redactor.data(loop)
    for _ in range(MAX_DEPTH):
        found = found["self"]
    assert found == PLACEHOLDER


class Memory(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []
        self.records = []

    def emit(self, record):
        self.lines.append(self.format(record))
        self.records.append(record)


@pytest.fixture
def log(redactor):
    handler = Memory()
    handler.addFilter(RedactingFilter(redactor))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger, handler


def test_log_messages_and_arguments_are_redacted(log):
    logger, handler = log
    logger.info("password=%s for %s", "hunter2", "ada")
    logger.info("plain %d%%", 5)
    assert handler.lines == [f"password={PLACEHOLDER} for ada", "plain 5%"]


def test_tracebacks_and_extra_fields_are_redacted(log):
    logger, handler = log
    try:
        raise ConnectionError("postgres://ada:s3cret@db refused")
    except ConnectionError:
        logger.exception("failed", extra={"request": {"token": "abc", "path": "/x"}, "api_key": "abc"})
    assert "s3cret" not in handler.lines[0]
    assert f"postgres://ada:{PLACEHOLDER}@db refused" in handler.lines[0]
    record = handler.records[0]
    assert (record.request, record.api_key) == ({"token": PLACEHOLDER, "path": "/x"}, PLACEHOLDER)


def test_long_hostile_text_takes_no_long_time(redactor):
    for text in ("a" * 50_000, "password" * 5_000, "-----BEGIN PRIVATE KEY-----" * 500, "1 " * 20_000, "x://" * 10_000):
        redactor.text(text)
