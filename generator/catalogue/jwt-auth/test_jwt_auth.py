import base64
import hashlib
import hmac
import json
import secrets

import pytest

from jwt_auth import InvalidToken, authenticate, create_token, verify_token

KEY = secrets.token_bytes(32)
NOW = 1_700_000_000


def segment(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(header, claims, key=KEY):
    signing_input = f"{segment(header)}.{segment(claims)}"
    signature = hmac.new(key, signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{segment(signature)}"


def test_a_fresh_token_is_accepted_and_carries_its_claims():
    token = create_token(KEY, "ada", extra={"role": "admin"}, now=NOW)
    claims = verify_token(KEY, token, now=NOW)
    assert (claims["sub"], claims["role"], claims["exp"] - claims["iat"]) == ("ada", "admin", 900)


def test_extra_claims_cannot_replace_registered_ones():
    token = create_token(KEY, "ada", extra={"sub": "root", "exp": NOW * 2}, now=NOW)
    claims = verify_token(KEY, token, now=NOW)
    assert claims["sub"] == "ada"
    assert claims["exp"] == NOW + 900


def test_the_token_of_the_rfc_7515_example_verifies():
    published = base64.urlsafe_b64decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow=="
    )
    example = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    assert verify_token(published, example, issuer="joe", now=1_300_819_379)["iss"] == "joe"


@pytest.mark.parametrize("offset, valid", [(899, True), (900, False), (901, False)])
def test_expiry_is_exclusive(offset, valid):
    token = create_token(KEY, "ada", now=NOW)
    if valid:
        assert verify_token(KEY, token, now=NOW + offset)
    else:
        with pytest.raises(InvalidToken, match="expired"):
            verify_token(KEY, token, now=NOW + offset)


def test_leeway_forgives_a_skewed_clock():
    token = create_token(KEY, "ada", now=NOW)
    assert verify_token(KEY, token, now=NOW + 905, leeway_seconds=10)
    assert verify_token(KEY, token, now=NOW - 5, leeway_seconds=10)


def test_a_token_from_the_future_is_refused():
    with pytest.raises(InvalidToken, match="not valid yet"):
        verify_token(KEY, create_token(KEY, "ada", now=NOW), now=NOW - 1)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "RS256", "hs256", "", None])
def test_the_header_does_not_choose_the_algorithm(algorithm):
    claims = {"sub": "ada", "exp": NOW + 60}
    with pytest.raises(InvalidToken, match="algorithm"):
        verify_token(KEY, forge({"alg": algorithm}, claims), now=NOW)


def test_an_unsigned_token_is_refused():
    unsigned = f"{segment({'alg': 'none'})}.{segment({'sub': 'ada', 'exp': NOW + 60})}."
    with pytest.raises(InvalidToken):
        verify_token(KEY, unsigned, now=NOW)


def test_another_key_or_a_changed_claim_breaks_the_signature():
    token = create_token(KEY, "ada", now=NOW)
    with pytest.raises(InvalidToken, match="signature"):
        verify_token(secrets.token_bytes(32), token, now=NOW)
    header, _, signature = token.split(".")
    changed = f"{header}.{segment({'sub': 'root', 'exp': NOW + 60})}.{signature}"
    with pytest.raises(InvalidToken, match="signature"):
        verify_token(KEY, changed, now=NOW)


@pytest.mark.parametrize("expiry", ["9999999999", True, None, [NOW]])
def test_a_missing_or_mistyped_expiry_is_refused(expiry):
    claims = {"sub": "ada"} if expiry is None else {"sub": "ada", "exp": expiry}
    with pytest.raises(InvalidToken, match="exp"):
        verify_token(KEY, forge({"alg": "HS256"}, claims), now=NOW)


def test_audience_and_issuer_must_match():
    token = create_token(KEY, "ada", audience="api", issuer="idp", now=NOW)
    assert verify_token(KEY, token, audience="api", issuer="idp", now=NOW)
    for expectations in ({"audience": "other"}, {}, {"audience": "api", "issuer": "other"}):
        with pytest.raises(InvalidToken):
            verify_token(KEY, token, now=NOW, **expectations)
    with pytest.raises(InvalidToken, match="audience"):
        verify_token(KEY, create_token(KEY, "ada", now=NOW), audience="api", now=NOW)


@pytest.mark.parametrize("garbage", ["", "a.b", "a.b.c.d", "..", "é.é.é", "!!.!!.!!", None, 7, "a" * 9000])
def test_garbage_is_refused_without_another_error(garbage):
    with pytest.raises(InvalidToken):
        verify_token(KEY, garbage, now=NOW)


def test_a_signature_with_changed_trailing_bits_is_refused():
    token = create_token(KEY, "ada", now=NOW)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]
    with pytest.raises(InvalidToken):
        verify_token(KEY, twin, now=NOW)


def test_weak_keys_and_empty_subjects_are_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        create_token(b"short", "ada")
    with pytest.raises(ValueError, match="subject"):
        create_token(KEY, "")
    with pytest.raises(ValueError, match="lifetime"):
        create_token(KEY, "ada", lifetime_seconds=0)


def test_authenticate_reads_a_bearer_header():
    token = create_token(KEY, "ada", now=NOW)
    assert authenticate(KEY, f"Bearer {token}", now=NOW) == "ada"
    for header in (None, "", token, f"Basic {token}", "Bearer "):
        with pytest.raises(InvalidToken):
            authenticate(KEY, header, now=NOW)
