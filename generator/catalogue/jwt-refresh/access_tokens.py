"""Issue and verify short-lived HS256 access tokens (RFC 7519) with the standard library."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

MIN_KEY_BYTES = 32
MAX_TOKEN_CHARS = 4096
HEADER = {"alg": "HS256", "typ": "JWT"}


class InvalidToken(Exception):
    """The token must not be trusted; the message says which check failed."""


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _encode_object(value: dict[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _decode(segment: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("segment is not base64url") from error
    # Python's decoder skips foreign characters; one text per value, so that a token cannot be varied.
    if _encode(data) != segment:
        raise InvalidToken("segment is not canonical base64url")
    return data


def _decode_object(segment: str) -> dict[str, Any]:
    try:
        value = json.loads(_decode(segment))
    except (ValueError, RecursionError) as error:
        raise InvalidToken("segment is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidToken("segment is not a JSON object")
    return value


def _sign(key: bytes, signing_input: str) -> bytes:
    return hmac.new(key, signing_input.encode("ascii"), hashlib.sha256).digest()


def check_key(key: bytes) -> None:
    """Refuse a key that is too short to be safe."""
    if not isinstance(key, bytes) or len(key) < MIN_KEY_BYTES:
        raise ValueError(f"the key must be at least {MIN_KEY_BYTES} bytes")


def create_access_token(key: bytes, subject: str, session: str, *, now: float, lifetime_seconds: float) -> str:
    """Return a signed token that names its subject and the session it belongs to."""
    check_key(key)
    claims = {"sub": subject, "sid": session, "iat": int(now), "exp": int(now) + int(lifetime_seconds)}
    signing_input = f"{_encode_object(HEADER)}.{_encode_object(claims)}"
    return f"{signing_input}.{_encode(_sign(key, signing_input))}"


def _verified_claims(key: bytes, token: str) -> dict[str, Any]:
    """Return what the key signed; the times are not checked."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARS or not token.isascii():
        raise InvalidToken("not a token")
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidToken("a token has three segments")
    header, claims, signature = parts
    # The algorithm is ours to choose: a header that asks for another one, or for none, is refused.
    if _decode_object(header) != HEADER:
        raise InvalidToken("unsupported header")
    if not hmac.compare_digest(_sign(key, f"{header}.{claims}"), _decode(signature)):
        raise InvalidToken("bad signature")
    return _decode_object(claims)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def verify_access_token(key: bytes, token: str, *, now: float) -> dict[str, Any]:
    """Return the claims of a valid token, or raise `InvalidToken`."""
    check_key(key)
    found = _verified_claims(key, token)
    expiry = found.get("exp")
    if not _is_number(expiry) or now >= expiry:
        raise InvalidToken("expired")
    if not isinstance(found.get("sub"), str) or not isinstance(found.get("sid"), str):
        raise InvalidToken("no subject or session")
    return found
