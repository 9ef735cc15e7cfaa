"""Issue and verify HS256 JSON Web Tokens (RFC 7519) with the standard library."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

ALGORITHM = "HS256"
MIN_KEY_BYTES = 32
MAX_TOKEN_CHARS = 8192

# For whom a token is meant, and who issues it.
Parties = TypedDict("Parties", {"audience": str | list[str] | None, "issuer": str | None}, total=False)


class InvalidToken(Exception):
    """The token must not be trusted; the message says which check failed."""


def _encode_segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode_segment(segment: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("segment is not base64url") from error
    # Python's decoder skips foreign characters; one text per value, so that a token cannot be varied.
    if _encode_segment(data) != segment:
        raise InvalidToken("segment is not canonical base64url")
    return data


def _decode_object(segment: str) -> dict[str, Any]:
    try:
        value = json.loads(_decode_segment(segment))
    except (ValueError, RecursionError) as error:
        raise InvalidToken("segment is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidToken("segment is not a JSON object")
    return value


def _sign(key: bytes, signing_input: str) -> bytes:
    return hmac.new(key, signing_input.encode("ascii"), hashlib.sha256).digest()


def _check_key(key: bytes) -> None:
    if not isinstance(key, bytes) or len(key) < MIN_KEY_BYTES:
        raise ValueError(f"the key must be at least {MIN_KEY_BYTES} bytes")


def _numeric(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidToken(f"claim {name} must be a number")
    return value


def _party_claims(audience: str | list[str] | None = None, issuer: str | None = None) -> dict[str, Any]:
    claims = {"aud": audience, "iss": issuer}
    return {name: value for name, value in claims.items() if value is not None}


def create_token(
    key: bytes,
    subject: object,
    *,
    lifetime_seconds: float = 900,
    extra: Mapping[str, Any] | None = None,
    now: float | None = None,
    **parties: Unpack[Parties],
) -> str:
    """Return a signed token for `subject`; `extra` claims never replace the registered ones."""
    _check_key(key)
    if not subject:
        raise ValueError("the subject must not be empty")
    if lifetime_seconds <= 0:
        raise ValueError("the lifetime must be positive")
    issued_at = int(time.time() if now is None else now)
    claims = dict(extra or {})
    claims.update(sub=str(subject), iat=issued_at, nbf=issued_at, exp=issued_at + int(lifetime_seconds))
    claims.update(_party_claims(**parties))
    header = {"alg": ALGORITHM, "typ": "JWT"}
    parts = [_encode_segment(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
    signing_input = ".".join(parts)
    return f"{signing_input}.{_encode_segment(_sign(key, signing_input))}"


def _check_times(claims: Mapping[str, Any], now: float, leeway_seconds: float) -> None:
    if now >= _numeric(claims, "exp") + leeway_seconds:
        raise InvalidToken("expired")
    if "nbf" in claims and now < _numeric(claims, "nbf") - leeway_seconds:
        raise InvalidToken("not valid yet")


def _check_parties(claims: Mapping[str, Any], audience: str | None, issuer: str | None) -> None:
    found = claims.get("aud")
    audiences = found if isinstance(found, list) else [found]
    if audience is not None and audience not in audiences:
        raise InvalidToken("wrong audience")
    if audience is None and found is not None:
        raise InvalidToken("the token is meant for an audience, none was expected")
    if issuer is not None and claims.get("iss") != issuer:
        raise InvalidToken("wrong issuer")


def verify_token(
    key: bytes,
    token: str,
    *,
    audience: str | None = None,
    issuer: str | None = None,
    leeway_seconds: float = 0,
    now: float | None = None,
) -> dict[str, Any]:
    """Return the claims of a valid token, or raise `InvalidToken`."""
    _check_key(key)
    if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARS or not token.isascii():
        raise InvalidToken("not a token")
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidToken("a token has three segments")
    header_segment, claims_segment, signature_segment = parts
    # The algorithm is ours to choose: a header that asks for another one, or for none, is refused.
    header = _decode_object(header_segment)
    if header.get("alg") != ALGORITHM or "crit" in header:
        raise InvalidToken("unsupported algorithm")
    expected = _sign(key, f"{header_segment}.{claims_segment}")
    if not hmac.compare_digest(expected, _decode_segment(signature_segment)):
        raise InvalidToken("bad signature")
    claims = _decode_object(claims_segment)
    _check_times(claims, time.time() if now is None else now, leeway_seconds)
    _check_parties(claims, audience, issuer)
    return claims


def authenticate(key: bytes, authorization_header: str | None, **expectations: Any) -> str:
    """Return the subject named by an `Authorization: Bearer ...` header, or raise `InvalidToken`."""
    scheme, _, token = (authorization_header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken("no bearer token")
    subject = verify_token(key, token.strip(), **expectations).get("sub")
    if not isinstance(subject, str) or not subject:
        raise InvalidToken("no subject")
    return subject
