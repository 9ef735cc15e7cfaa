import base64
import hashlib
import secrets

import pytest

from password_hashing import hash_password, needs_rehash, verify_password

PASSWORD = secrets.token_urlsafe(12)
RECORD = hash_password(PASSWORD)


def weak_record(password, cost_log2=4):
    salt = secrets.token_bytes(16)
    derived = hashlib.scrypt(password.encode(), salt=salt, n=1 << cost_log2, r=8, p=1, dklen=32)
    return f"scrypt${cost_log2}$8$1${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


def test_the_right_password_verifies_and_others_do_not():
    assert verify_password(PASSWORD, RECORD)
    for wrong in (PASSWORD + "x", PASSWORD[:-1], PASSWORD.swapcase(), " " + PASSWORD, "", "x" * 5000):
        assert not verify_password(wrong, RECORD)


def test_the_record_holds_no_password_and_every_record_differs():
    assert PASSWORD not in RECORD
    assert hash_password(PASSWORD) != RECORD


def test_composed_and_decomposed_characters_are_the_same_password():
    assert verify_password("cafe\u0301", hash_password("caf\u00e9"))


@pytest.mark.parametrize("password, error", [("", ValueError), ("x" * 1025, ValueError), (b"bytes", TypeError), (None, TypeError)])
def test_unusable_passwords_are_refused(password, error):
    with pytest.raises(error):
        hash_password(password)


@pytest.mark.parametrize(
    "record",
    ["", "scrypt", "bcrypt$14$8$1$AAAA$AAAA", "scrypt$x$8$1$AAAA$AAAA", "scrypt$14$8$1$!$!", None, RECORD + "$", RECORD[:-8]],
)
def test_broken_records_are_an_error_and_not_a_wrong_password(record):
    with pytest.raises(ValueError):
        verify_password(PASSWORD, record)


@pytest.mark.parametrize("parameters", ["30$8$1", "14$4096$1", "14$8$999", "0$8$1", "-1$8$1"])
def test_a_planted_record_cannot_demand_unbounded_memory(parameters):
    salt_and_hash = RECORD.split("$", 4)[4]
    with pytest.raises(ValueError, match="out of bounds"):
        verify_password(PASSWORD, f"scrypt${parameters}${salt_and_hash}")


def test_older_parameters_still_verify_and_ask_for_a_rehash():
    record = weak_record(PASSWORD)
    assert verify_password(PASSWORD, record)
    assert needs_rehash(record)
    assert not needs_rehash(RECORD)
