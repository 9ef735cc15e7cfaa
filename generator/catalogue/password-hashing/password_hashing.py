"""Hash and verify passwords with scrypt (RFC 7914), salted and self-describing."""

import base64
import binascii
import hashlib
import hmac
import os
import unicodedata

SCHEME = "scrypt"
COST_LOG2 = 14
BLOCK_SIZE = 8
PARALLELISM = 1
SALT_BYTES = 16
HASH_BYTES = 32
MAX_PASSWORD_BYTES = 1024
# Bounds on what a stored record may ask for, so that a planted record cannot exhaust memory.
MAX_COST_LOG2 = 17
MAX_BLOCK_SIZE = 16
MAX_PARALLELISM = 4


def _normalise(password: str) -> bytes:
    if not isinstance(password, str):
        raise TypeError("the password must be text")
    # The same password typed on another keyboard must give the same bytes.
    data = unicodedata.normalize("NFKC", password).encode()
    if not data:
        raise ValueError("the password must not be empty")
    if len(data) > MAX_PASSWORD_BYTES:
        raise ValueError(f"the password must be at most {MAX_PASSWORD_BYTES} bytes")
    return data


def _derive(data: bytes, salt: bytes, cost_log2: int, block_size: int, parallelism: int) -> bytes:
    cost = 1 << cost_log2
    return hashlib.scrypt(
        data,
        salt=salt,
        n=cost,
        r=block_size,
        p=parallelism,
        dklen=HASH_BYTES,
        maxmem=256 * cost * block_size,
    )


def hash_password(password: str) -> str:
    """Return a record to store: scheme, parameters, salt and hash in one line of text."""
    salt = os.urandom(SALT_BYTES)
    derived = _derive(_normalise(password), salt, COST_LOG2, BLOCK_SIZE, PARALLELISM)
    parameters = f"{COST_LOG2}${BLOCK_SIZE}${PARALLELISM}"
    return f"{SCHEME}${parameters}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


def _parse(record: str) -> tuple[int, int, int, bytes, bytes]:
    parts = record.split("$") if isinstance(record, str) else []
    if len(parts) != 6 or parts[0] != SCHEME:
        raise ValueError("not a scrypt record")
    try:
        cost_log2, block_size, parallelism = (int(part) for part in parts[1:4])
        salt, derived = (base64.b64decode(part, validate=True) for part in parts[4:])
    except (ValueError, binascii.Error) as error:
        raise ValueError("not a scrypt record") from error
    in_bounds = (
        1 <= cost_log2 <= MAX_COST_LOG2
        and 1 <= block_size <= MAX_BLOCK_SIZE
        and 1 <= parallelism <= MAX_PARALLELISM
        and len(derived) == HASH_BYTES
    )
    if not in_bounds:
        raise ValueError("the record's parameters are out of bounds")
    return cost_log2, block_size, parallelism, salt, derived


def verify_password(password: str, record: str) -> bool:
    """Say whether `password` is the one that `record` was made from; a broken record raises `ValueError`."""
    cost_log2, block_size, parallelism, salt, derived = _parse(record)
    try:
        data = _normalise(password)
    except ValueError:
        return False
    return hmac.compare_digest(_derive(data, salt, cost_log2, block_size, parallelism), derived)


def needs_rehash(record: str) -> bool:
    """Say whether `record` was made with weaker parameters than today's; rehash it at the next sign-in."""
    cost_log2, block_size, parallelism, salt, _ = _parse(record)
    current = (COST_LOG2, BLOCK_SIZE, PARALLELISM)
    return (cost_log2, block_size, parallelism) != current or len(salt) < SALT_BYTES
