import secrets

import pytest

from auth_service import (
    LOCKOUT_SECONDS,
    MAX_FAILED_LOGINS,
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    TOKEN_LIFETIME_SECONDS,
    AccountLocked,
    AuthError,
    AuthService,
    InvalidCredentials,
    InvalidToken,
)

KEY = secrets.token_bytes(32)
PASSWORD = ("correct horse battery staple " * 8)[:MAX_PASSWORD_LENGTH]


class Clock:
    def __init__(self):
        self.now = 1_700_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def service(clock):
    service = AuthService(KEY, clock=clock)
    service.register("ada", PASSWORD)
    return service


def fail(service, times, username="ada"):
    for _ in range(times):
        with pytest.raises(InvalidCredentials):
            service.login(username, "wrong")


def test_a_token_from_login_names_its_user(service):
    assert service.authenticate(service.login("ada", PASSWORD)) == "ada"


def test_tokens_expire(service, clock):
    token = service.login("ada", PASSWORD)
    clock.now += TOKEN_LIFETIME_SECONDS - 1
    assert service.authenticate(token) == "ada"
    clock.now += 1
    with pytest.raises(InvalidToken, match="expired"):
        service.authenticate(token)


def test_unknown_users_and_wrong_passwords_look_the_same(service):
    messages = set()
    for username in ("ada", "nobody"):
        with pytest.raises(InvalidCredentials) as refusal:
            service.login(username, "wrong")
        messages.add(str(refusal.value))
    assert len(messages) == 1


def test_too_many_failures_lock_even_the_right_password_out(service, clock):
    fail(service, MAX_FAILED_LOGINS)
    with pytest.raises(AccountLocked) as refusal:
        service.login("ada", PASSWORD)
    assert refusal.value.retry_after_seconds == LOCKOUT_SECONDS
    clock.now += LOCKOUT_SECONDS - 1
    with pytest.raises(AccountLocked, match="1 seconds"):
        service.login("ada", PASSWORD)
    clock.now += 1
    assert service.login("ada", PASSWORD)


def test_a_success_clears_the_failures(service):
    fail(service, MAX_FAILED_LOGINS - 1)
    service.login("ada", PASSWORD)
    fail(service, MAX_FAILED_LOGINS - 1)
    assert service.login("ada", PASSWORD)


def test_a_lockout_does_not_touch_other_accounts(service):
    service.register("grace", PASSWORD)
    fail(service, MAX_FAILED_LOGINS)
    assert service.authenticate(service.login("grace", PASSWORD)) == "grace"


def test_a_changed_password_revokes_older_tokens(service):
    token = service.login("ada", PASSWORD)
    service.change_password("ada", PASSWORD, PASSWORD[::-1])
    with pytest.raises(InvalidToken, match="revoked"):
        service.authenticate(token)
    with pytest.raises(InvalidCredentials):
        service.login("ada", PASSWORD)
    assert service.authenticate(service.login("ada", PASSWORD[::-1])) == "ada"


def test_a_change_needs_the_current_password(service):
    with pytest.raises(InvalidCredentials):
        service.change_password("ada", "wrong", PASSWORD[::-1])
    assert service.login("ada", PASSWORD)


def test_forged_and_foreign_tokens_are_refused(service, clock):
    payload, signature = service.login("ada", PASSWORD).split(".")
    stranger = AuthService(secrets.token_bytes(32), clock=clock)
    stranger.register("ada", PASSWORD)
    for token in (stranger.login("ada", PASSWORD), f"{payload[:-2]}AA.{signature}", f"{payload}.{signature[::-1]}"):
        with pytest.raises(InvalidToken):
            service.authenticate(token)


@pytest.mark.parametrize("garbage", ["", ".", "a.b", "a.b.c", "é.é", "!!.!!", None, 7])
def test_garbage_is_no_token(service, garbage):
    with pytest.raises(InvalidToken):
        service.authenticate(garbage)


def test_names_are_unique_and_plain(service):
    with pytest.raises(ValueError, match="taken"):
        service.register("ada", PASSWORD)
    for name in ("", "a", "Ada", "a b", "-ada", "x" * 65, None):
        with pytest.raises(ValueError, match="user names have"):
            service.register(name, PASSWORD)


@pytest.mark.parametrize("password", ["", "x" * (MIN_PASSWORD_LENGTH - 1), "x" * (MAX_PASSWORD_LENGTH + 1), None])
def test_unusable_passwords_are_refused(service, password):
    with pytest.raises(ValueError, match="passwords have"):
        service.register("grace", password)
    with pytest.raises(AuthError):
        service.login("ada", password)


def test_passwords_are_stored_only_as_hashes(service):
    assert PASSWORD not in repr(vars(service))


def test_weak_keys_are_refused():
    with pytest.raises(ValueError, match="32"):
        AuthService(b"short")
