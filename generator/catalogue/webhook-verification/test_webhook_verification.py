import hashlib
import hmac
import threading

import pytest

from webhook_verification import (
    TOLERANCE_SECONDS,
    InvalidSignature,
    ReplayedWebhook,
    StaleWebhook,
    WebhookRejected,
    WebhookVerifier,
    sign,
)

OLD, NEW = b"o" * 32, b"n" * 32
BODY = b'{"event": "paid", "amount": 100}'
NOW = 1_700_000_000


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def verifier(clock):
    return WebhookVerifier([NEW, OLD], tolerance_seconds=300, clock=clock)


def test_the_header_is_an_hmac_over_timestamp_and_body():
    expected = hmac.new(NEW, b"1700000000." + BODY, hashlib.sha256).hexdigest()
    assert sign(NEW, BODY, NOW) == f"t=1700000000,v1={expected}"


def test_a_genuine_delivery_is_accepted(verifier):
    assert verifier.verify(BODY, sign(NEW, BODY, NOW)) is None


def test_both_secrets_count_during_a_rotation(verifier):
    verifier.verify(BODY, sign(OLD, BODY, NOW))
    with pytest.raises(InvalidSignature, match="fits"):
        verifier.verify(BODY, sign(b"x" * 32, BODY, NOW))


def test_one_fitting_signature_among_several_is_enough(verifier):
    signature = sign(NEW, BODY, NOW).partition(",")[2]
    verifier.verify(BODY, f"t={NOW}, v0=abc, v1={'0' * 64}, {signature}")


def test_a_changed_body_or_timestamp_is_refused(verifier):
    header = sign(NEW, BODY, NOW)
    with pytest.raises(InvalidSignature):
        verifier.verify(BODY.replace(b"100", b"999"), header)
    with pytest.raises(InvalidSignature):
        verifier.verify(BODY, header.replace(str(NOW), str(NOW + 1)))


@pytest.mark.parametrize("age, fresh", [(300, True), (301, False), (-300, True), (-301, False)])
def test_the_tolerance_works_in_both_directions(verifier, age, fresh):
    header = sign(NEW, BODY, NOW - age)
    if fresh:
        verifier.verify(BODY, header)
    else:
        with pytest.raises(StaleWebhook, match="300"):
            verifier.verify(BODY, header)


def test_a_delivery_is_accepted_once(verifier):
    header = sign(NEW, BODY, NOW)
    verifier.verify(BODY, header)
    with pytest.raises(ReplayedWebhook):
        verifier.verify(BODY, header)


def test_the_same_delivery_under_the_other_secret_is_a_replay(verifier):
    verifier.verify(BODY, sign(NEW, BODY, NOW))
    with pytest.raises(ReplayedWebhook):
        verifier.verify(BODY, sign(OLD, BODY, NOW))


def test_the_same_body_at_another_time_is_another_delivery(verifier, clock):
    verifier.verify(BODY, sign(NEW, BODY, NOW))
    clock.now += 1
    verifier.verify(BODY, sign(NEW, BODY, NOW + 1))


def test_a_rejected_delivery_uses_nothing_up(verifier):
    with pytest.raises(InvalidSignature):
        verifier.verify(BODY, f"t={NOW},v1={'0' * 64}")
    verifier.verify(BODY, sign(NEW, BODY, NOW))


def test_a_delivery_whose_processing_failed_may_come_again(verifier):
    header = sign(NEW, BODY, NOW)
    verifier.verify(BODY, header)
    verifier.forget(BODY, header)
    verifier.verify(BODY, header)


@pytest.mark.parametrize(
    "header",
    [None, "", "t=1", f"v1={'0' * 64}", f"t=x,v1={'0' * 64}", f"t=1,t=2,v1={'0' * 64}", "t=1,v1=short", "=" * 2000, 7],
)
def test_malformed_headers_are_refused(verifier, header):
    with pytest.raises(InvalidSignature, match="header"):
        verifier.verify(BODY, header)


def test_every_refusal_is_a_rejection():
    for kind in (InvalidSignature, StaleWebhook, ReplayedWebhook):
        assert issubclass(kind, WebhookRejected)


def test_a_parsed_body_is_a_mistake(verifier):
    with pytest.raises(TypeError, match="raw bytes"):
        verifier.verify(BODY.decode(), sign(NEW, BODY, NOW))


@pytest.mark.parametrize("secrets", [[], [b"short"], NEW, ["n" * 32]])
def test_weak_secrets_are_refused(secrets):
    with pytest.raises(ValueError, match="secret"):
        WebhookVerifier(secrets)
    with pytest.raises(ValueError, match="tolerance"):
        WebhookVerifier([NEW], tolerance_seconds=0)


def test_the_default_tolerance_comes_from_the_constant(clock):
    verifier = WebhookVerifier([NEW], clock=clock)
    verifier.verify(BODY, sign(NEW, BODY, NOW - TOLERANCE_SECONDS))
    with pytest.raises(StaleWebhook):
        verifier.verify(BODY, sign(NEW, BODY, NOW - TOLERANCE_SECONDS - 1))


def test_of_many_threads_one_accepts_a_delivery(verifier):
    header, accepted = sign(NEW, BODY, NOW), []

    def worker():
        try:
            verifier.verify(BODY, header)
            accepted.append(1)
        except ReplayedWebhook:
            pass

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert accepted == [1]
