import base64
import json
import secrets
import threading

import pytest

from access_tokens import InvalidToken, create_access_token, verify_access_token
from token_sessions import TokenSessions

KEY = secrets.token_bytes(32)


class Clock:
    def __init__(self):
        self.now = 1_700_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    return TokenSessions(KEY, access_seconds=900, session_seconds=86_400, clock=clock)


def segment(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_pair_authenticates_its_subject(sessions):
    pair = sessions.sign_in("ada")
    assert sessions.authenticate(pair.access_token) == "ada"
    assert pair.expires_in == 900


def test_a_refresh_gives_a_new_pair_and_keeps_the_session(sessions, clock):
    first = sessions.sign_in("ada")
    clock.now += 900
    with pytest.raises(InvalidToken, match="expired"):
        sessions.authenticate(first.access_token)
    second = sessions.refresh(first.refresh_token)
    assert sessions.authenticate(second.access_token) == "ada"
    assert second.refresh_token != first.refresh_token


def test_a_refresh_token_used_twice_ends_the_whole_session(sessions):
    stolen = sessions.sign_in("ada")
    other = sessions.sign_in("ada")
    fresh = sessions.refresh(stolen.refresh_token)
    with pytest.raises(InvalidToken, match="used before"):
        sessions.refresh(stolen.refresh_token)
    with pytest.raises(InvalidToken, match="ended"):
        sessions.refresh(fresh.refresh_token)
    with pytest.raises(InvalidToken, match="ended"):
        sessions.authenticate(fresh.access_token)
    assert sessions.authenticate(other.access_token) == "ada"


def test_an_old_token_of_many_rotations_ago_is_a_reuse_too(sessions):
    first = sessions.sign_in("ada")
    pair = first
    for _ in range(5):
        pair = sessions.refresh(pair.refresh_token)
    with pytest.raises(InvalidToken, match="used before"):
        sessions.refresh(first.refresh_token)
    with pytest.raises(InvalidToken):
        sessions.refresh(pair.refresh_token)


def test_an_invented_token_ends_nobodys_session(sessions):
    pair = sessions.sign_in("ada")
    name, _, seal = pair.refresh_token.split(".")
    for invented in (f"{name}.{secrets.token_urlsafe(32)}.{seal}", f"{name}..", "a.b.c", "", "é.é.é", None, 7):
        with pytest.raises(InvalidToken, match="not a refresh token"):
            sessions.refresh(invented)
    assert sessions.refresh(pair.refresh_token)


def test_rotation_does_not_prolong_a_session(sessions, clock):
    pair = sessions.sign_in("ada")
    clock.now += 86_300
    pair = sessions.refresh(pair.refresh_token)
    assert pair.expires_in == 100
    clock.now += 100
    for use, token in ((sessions.refresh, pair.refresh_token), (sessions.authenticate, pair.access_token)):
        with pytest.raises(InvalidToken):
            use(token)


def test_signing_out_ends_the_session_at_once_and_only_that_one(sessions):
    pair, other = sessions.sign_in("ada"), sessions.sign_in("ada")
    sessions.sign_out(pair.refresh_token)
    sessions.sign_out(pair.refresh_token)
    with pytest.raises(InvalidToken, match="ended"):
        sessions.authenticate(pair.access_token)
    assert sessions.authenticate(other.access_token) == "ada"


def test_of_two_refreshes_at_once_exactly_one_wins(sessions):
    pair = sessions.sign_in("ada")
    together, outcomes = threading.Barrier(8), []

    def refresh():
        together.wait()
        try:
            outcomes.append(sessions.refresh(pair.refresh_token))
        except InvalidToken:
            outcomes.append(None)

    threads = [threading.Thread(target=refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([outcome for outcome in outcomes if outcome]) == 1


def test_neither_token_passes_for_the_other(sessions):
    pair = sessions.sign_in("ada")
    with pytest.raises(InvalidToken):
        sessions.authenticate(pair.refresh_token)
    with pytest.raises(InvalidToken):
        sessions.refresh(pair.access_token)


def test_tokens_do_not_show_in_a_printed_pair(sessions):
    pair = sessions.sign_in("ada")
    assert pair.access_token not in repr(pair) and pair.refresh_token not in repr(pair)


@pytest.mark.parametrize("algorithm", ["none", "RS256", "hs256", None])
def test_the_header_does_not_choose_the_algorithm(sessions, clock, algorithm):
    _, claims, signature = sessions.sign_in("ada").access_token.split(".")
    with pytest.raises(InvalidToken, match="header"):
        verify_access_token(KEY, f"{segment({'alg': algorithm, 'typ': 'JWT'})}.{claims}.{signature}", now=clock.now)


def test_another_key_or_a_changed_claim_breaks_the_signature(sessions, clock):
    token = sessions.sign_in("ada").access_token
    with pytest.raises(InvalidToken, match="signature"):
        verify_access_token(secrets.token_bytes(32), token, now=clock.now)
    header, _, signature = token.split(".")
    changed = f"{header}.{segment({'sub': 'root', 'sid': 's', 'exp': clock.now + 60})}.{signature}"
    with pytest.raises(InvalidToken, match="signature"):
        verify_access_token(KEY, changed, now=clock.now)


def test_misuse_is_refused(clock):
    with pytest.raises(ValueError, match="32 bytes"):
        TokenSessions(b"short")
    with pytest.raises(ValueError, match="outlive"):
        TokenSessions(KEY, access_seconds=900, session_seconds=60)
    with pytest.raises(ValueError, match="subject"):
        TokenSessions(KEY).sign_in("")
    with pytest.raises(ValueError, match="32 bytes"):
        create_access_token(b"short", "ada", "s", now=clock.now, lifetime_seconds=60)
