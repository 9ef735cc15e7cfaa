import base64
import threading
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from totp import (
    ALGORITHM,
    DIGITS,
    PERIOD_SECONDS,
    TotpVerifier,
    decode_secret,
    generate_secret,
    hotp,
    provisioning_uri,
    step_at,
    totp,
)

RFC_KEYS = {
    "sha1": b"12345678901234567890",
    "sha256": b"12345678901234567890123456789012",
    "sha512": b"1234567890123456789012345678901234567890123456789012345678901234",
}
RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
RFC_6238 = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]
NOW = 1_700_000_000


class Clock:
    def __init__(self):
        self.now = float(NOW)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def verifier(clock):
    return TotpVerifier(window_steps=1, clock=clock)


@pytest.fixture
def secret():
    return generate_secret()


@pytest.mark.parametrize("counter, code", list(enumerate(RFC_4226)))
def test_the_counter_values_of_rfc_4226(counter, code):
    assert hotp(RFC_KEYS["sha1"], counter, digits=6, algorithm="sha1") == code


@pytest.mark.parametrize("row", RFC_6238)
def test_the_time_values_of_rfc_6238(row):
    moment, *codes = row
    for (algorithm, key), code in zip(RFC_KEYS.items(), codes, strict=True):
        assert hotp(key, moment // 30, digits=8, algorithm=algorithm) == code


def test_a_code_belongs_to_its_time_step(secret):
    start = step_at(NOW) * PERIOD_SECONDS
    code = totp(secret, start)
    assert len(code) == DIGITS
    assert totp(secret, start + PERIOD_SECONDS - 1) == code
    assert code == hotp(decode_secret(secret), step_at(start), digits=DIGITS, algorithm=ALGORITHM)


def test_secrets_are_random_base32_of_160_bits():
    found = {generate_secret() for _ in range(50)}
    assert len(found) == 50
    assert {len(decode_secret(secret)) for secret in found} == {20}


def test_secrets_may_be_typed_with_spaces_and_in_lower_case(secret):
    typed = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)).lower()
    assert totp(typed, NOW) == totp(secret, NOW)
    assert decode_secret(base64.b32encode(b"x" * 16).decode()) == b"x" * 16


@pytest.mark.parametrize("bad", ["", "A1B8!", "GEZDGNBV", None, 7])
def test_broken_and_short_secrets_are_refused(bad):
    with pytest.raises(ValueError, match="secret"):
        totp(bad, NOW)


@pytest.mark.parametrize("shift, accepted", [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_neighbouring_steps_are_accepted(verifier, secret, shift, accepted):
    code = totp(secret, NOW + shift * PERIOD_SECONDS)
    assert verifier.verify("ada", secret, code) is accepted


def test_a_code_works_once_and_older_ones_no_more(verifier, secret, clock):
    previous, current = totp(secret, NOW - PERIOD_SECONDS), totp(secret, NOW)
    assert verifier.verify("ada", secret, current)
    assert not verifier.verify("ada", secret, current)
    assert not verifier.verify("ada", secret, previous)
    clock.now += PERIOD_SECONDS
    assert verifier.verify("ada", secret, totp(secret, clock.now))


def test_users_do_not_share_what_was_used(verifier, secret):
    code = totp(secret, NOW)
    assert verifier.verify("ada", secret, code)
    assert verifier.verify("grace", secret, code)


def test_codes_may_be_typed_with_a_space(verifier, secret):
    code = totp(secret, NOW)
    assert verifier.verify("ada", secret, f" {code[:3]} {code[3:]} ")


def test_wrong_and_malformed_codes_are_refused(verifier, secret):
    wrong = str((int(totp(secret, NOW)) + 1) % 10**DIGITS).zfill(DIGITS)
    exact = TotpVerifier(window_steps=0, clock=lambda: NOW)
    assert not exact.verify("ada", secret, wrong)
    for code in ("", "12345", "1" * 9, "abcdef", "١٢٣٤٥٦", None, 123456):
        assert not verifier.verify("ada", secret, code)


def test_the_uri_for_authenticator_apps(secret):
    uri = urlsplit(provisioning_uri(secret, "ada@example.org", "My App"))
    query = {name: values[0] for name, values in parse_qs(uri.query).items()}
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/My App:ada@example.org")
    assert (query["secret"], query["issuer"], query["algorithm"]) == (secret, "My App", ALGORITHM.upper())
    assert (query["digits"], query["period"]) == (str(DIGITS), str(PERIOD_SECONDS))
    for account, issuer in [("", "App"), ("ada", ""), ("a:b", "App"), ("ada", "a:b")]:
        with pytest.raises(ValueError, match="without a colon"):
            provisioning_uri(secret, account, issuer)


@pytest.mark.parametrize("setting", [{"digits": 5}, {"digits": 9}, {"algorithm": "md5"}])
def test_settings_outside_the_rfc_are_refused(setting):
    with pytest.raises(ValueError, match="must be one of|6 to 8 digits"):
        hotp(b"k" * 20, 1, **setting)


def test_senseless_times_and_windows_are_refused(secret):
    with pytest.raises(ValueError, match="1970"):
        totp(secret, -1)
    with pytest.raises(ValueError, match="64 bits"):
        hotp(b"k" * 20, -1)
    with pytest.raises(ValueError, match="window_steps"):
        TotpVerifier(window_steps=11)


def test_of_many_threads_one_uses_a_code(verifier, secret):
    code, results = totp(secret, NOW), []
    threads = [
        threading.Thread(target=lambda: results.append(verifier.verify("ada", secret, code))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(True) == 1
