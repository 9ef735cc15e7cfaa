import secrets

import pytest

from csrf_tokens import TOKEN_CHARS, TOKEN_LIFETIME_SECONDS, CsrfError, CsrfProtector

KEY = secrets.token_bytes(32)
SESSION = "session-of-ada"


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.5

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def protector(clock):
    return CsrfProtector(KEY, allowed_origins=["https://app.example"], lifetime_seconds=3600, clock=clock)


def test_an_issued_token_is_accepted_as_often_as_needed(protector):
    token = protector.issue(SESSION)
    for _ in range(3):
        protector.check_token(SESSION, token)


def test_tokens_are_of_one_length_and_never_repeat(protector):
    tokens = {protector.issue(SESSION) for _ in range(200)}
    assert len(tokens) == 200
    assert {len(token) for token in tokens} == {TOKEN_CHARS}


def test_a_token_belongs_to_its_session(protector):
    token = protector.issue(SESSION)
    for other in ("session-of-eve", "", SESSION + "x"):
        with pytest.raises(CsrfError, match="this session"):
            protector.check_token(other, token)


def test_a_token_expires(protector, clock):
    token = protector.issue(SESSION)
    clock.now += 3599
    protector.check_token(SESSION, token)
    clock.now += 1
    with pytest.raises(CsrfError, match="expired"):
        protector.check_token(SESSION, token)


def test_the_default_lifetime_comes_from_the_constant(clock):
    protector = CsrfProtector(KEY, clock=clock)
    token = protector.issue(SESSION)
    clock.now += TOKEN_LIFETIME_SECONDS
    with pytest.raises(CsrfError, match="expired"):
        protector.check_token(SESSION, token)


def test_no_character_of_a_token_can_be_changed(protector):
    token = protector.issue(SESSION)
    for at, character in enumerate(token):
        changed = token[:at] + ("A" if character != "A" else "B") + token[at + 1 :]
        with pytest.raises(CsrfError):
            protector.check_token(SESSION, changed)


def test_another_key_does_not_fit(protector, clock):
    stranger = CsrfProtector(secrets.token_bytes(32), clock=clock)
    with pytest.raises(CsrfError, match="this session"):
        protector.check_token(SESSION, stranger.issue(SESSION))


@pytest.mark.parametrize("garbage", [None, "", "short", "!" * TOKEN_CHARS, "é" * TOKEN_CHARS, "A" * 5000, 7])
def test_garbage_is_no_token(protector, garbage):
    with pytest.raises(CsrfError, match="missing or malformed"):
        protector.check_token(SESSION, garbage)


@pytest.mark.parametrize("method", ["GET", "head", "OPTIONS"])
def test_methods_that_change_nothing_need_no_token(protector, method):
    protector.check_request(method, SESSION, None, "https://evil.example")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "anything"])
def test_other_methods_need_one(protector, method):
    protector.check_request(method, SESSION, protector.issue(SESSION))
    with pytest.raises(CsrfError):
        protector.check_request(method, SESSION, None)


@pytest.mark.parametrize(
    "origin", ["https://app.example", "https://APP.example:443", "https://app.example/page?x=1", None]
)
def test_requests_of_our_own_pages_pass(protector, origin):
    protector.check_request("POST", SESSION, protector.issue(SESSION), origin)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://evil.example/https://app.example",
        "null",
        "",
        "https://app.example:port",
    ],
)
def test_requests_of_other_origins_are_refused_even_with_a_token(protector, origin):
    with pytest.raises(CsrfError, match="origin"):
        protector.check_request("POST", SESSION, protector.issue(SESSION), origin)


def test_without_a_list_origins_are_not_compared(clock):
    protector = CsrfProtector(KEY, clock=clock)
    protector.check_request("POST", SESSION, protector.issue(SESSION), "https://anywhere.example")


@pytest.mark.parametrize("origins", ["https://app.example", ["app.example"], ["null"]])
def test_malformed_lists_of_origins_are_refused(origins):
    with pytest.raises(ValueError, match="origin"):
        CsrfProtector(KEY, allowed_origins=origins)


def test_weak_settings_are_refused(protector):
    with pytest.raises(ValueError, match="32"):
        CsrfProtector(b"short")
    with pytest.raises(ValueError, match="positive"):
        CsrfProtector(KEY, lifetime_seconds=0)
    with pytest.raises(ValueError, match="session_id"):
        protector.issue("")
