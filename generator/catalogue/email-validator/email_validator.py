"""Check the syntax of e-mail addresses (the dot-atom form of RFC 5321) and normalise them."""

import re

MAX_ADDRESS = 254
MAX_LOCAL = 64
MAX_DOMAIN = 253

# One character class and no nesting: matching takes linear time whatever the input.
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class InvalidEmail(ValueError):
    """The text is not an address; the message says why and never repeats the text."""


def _check_local(local: str) -> None:
    if not local:
        raise InvalidEmail("nothing stands before the @")
    if len(local) > MAX_LOCAL:
        raise InvalidEmail(f"the part before the @ is longer than {MAX_LOCAL} characters")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise InvalidEmail("a dot is at an end of the part before the @, or doubled")
    if not all(_ATOM.fullmatch(atom) for atom in local.split(".")):
        raise InvalidEmail("the part before the @ has a character that is not allowed")


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise InvalidEmail("the domain is not a valid international name") from error


def _check_domain(domain: str) -> None:
    if not domain:
        raise InvalidEmail("nothing stands after the @")
    if len(domain) > MAX_DOMAIN:
        raise InvalidEmail(f"the domain is longer than {MAX_DOMAIN} characters")
    labels = domain.split(".")
    if len(labels) < 2:
        raise InvalidEmail("the domain has no dot")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidEmail("a part of the domain is empty, too long, or has a character that is not allowed")
    if labels[-1].isdigit():
        raise InvalidEmail("the last part of the domain is a number")


def normalise_email(text: str) -> str:
    """Return the address with a lower-case ASCII domain, or raise `InvalidEmail`.

    The part before the @ is left as it is: only the receiving server knows whether its case matters.
    """
    if not isinstance(text, str):
        raise InvalidEmail("an address is text")
    address = text.strip()
    local, at, domain = address.rpartition("@")
    if not at:
        raise InvalidEmail("there is no @")
    _check_local(local)
    domain = _ascii_domain(domain)
    _check_domain(domain)
    normalised = f"{local}@{domain}"
    if len(normalised) > MAX_ADDRESS:
        raise InvalidEmail(f"the address is longer than {MAX_ADDRESS} characters")
    return normalised


def is_valid_email(text: str) -> bool:
    """Say whether `text` is a syntactically valid address."""
    try:
        normalise_email(text)
    except InvalidEmail:
        return False
    return True
