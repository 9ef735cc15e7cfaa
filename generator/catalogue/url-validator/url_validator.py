"""Parse, validate and normalise URLs: schemes, hosts, ports, and addresses that must not be reached."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

MAX_URL_LENGTH = 2048
DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}
DEFAULT_SCHEMES = ("http", "https")
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
NUMERIC_PART = re.compile(r"[0-9]+|0x[0-9a-f]*")
FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\<>\"{}|^`]")
BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
LOCAL_NAMES = ("localhost", "local", "internal", "localdomain")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class InvalidUrl(ValueError):
    """The text is not a URL that is allowed; the message says why."""


@dataclass(frozen=True)
class Url:
    """The parts of a valid URL. `host` is lower-case ASCII, `port` is None for the scheme's own."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str
    fragment: str
    username: str | None = None
    password: str | None = None

    @property
    def effective_port(self) -> int | None:
        """The port that a client connects to."""
        return DEFAULT_PORTS.get(self.scheme) if self.port is None else self.port

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        credentials = "" if self.username is None else self.username
        if self.password is not None:
            credentials += f":{self.password}"
        authority = (f"{credentials}@" if credentials else "") + host + ("" if self.port is None else f":{self.port}")
        query = f"?{self.query}" if self.query else ""
        fragment = f"#{self.fragment}" if self.fragment else ""
        return f"{self.scheme}://{authority}{self.path}{query}{fragment}"


@dataclass(frozen=True)
class UrlPolicy:
    """What is allowed. `allow_private=False` refuses local names and addresses that are not on the public internet."""

    schemes: Collection[str] = DEFAULT_SCHEMES
    allow_credentials: bool = False
    allow_private: bool = True
    require_domain: bool = False


DEFAULT_POLICY = UrlPolicy()


def parse_url(text: str, policy: UrlPolicy = DEFAULT_POLICY) -> Url:
    """Return the normalised parts of an absolute URL, or raise `InvalidUrl`."""
    parts = _split(text)
    if parts.scheme not in policy.schemes:
        raise InvalidUrl(f"the scheme must be one of {', '.join(sorted(policy.schemes))}")
    if "@" in parts.netloc and not policy.allow_credentials:
        raise InvalidUrl("the URL must not contain credentials")
    host = _host(parts, policy)
    port = _port(parts)
    return Url(
        scheme=parts.scheme,
        host=host,
        port=None if port == DEFAULT_PORTS.get(parts.scheme) else port,
        path=_encoded(parts.path, "/") or "/",
        query=_encoded(parts.query, "/?"),
        fragment=_encoded(parts.fragment, "/?"),
        username=parts.username,
        password=parts.password,
    )


def is_valid_url(text: str, policy: UrlPolicy = DEFAULT_POLICY) -> bool:
    """Return whether `parse_url` accepts the text."""
    try:
        parse_url(text, policy)
    except InvalidUrl:
        return False
    return True


def _split(text: str) -> SplitResult:
    if not isinstance(text, str) or not text:
        raise InvalidUrl("the URL must be text that is not empty")
    if len(text) > MAX_URL_LENGTH:
        raise InvalidUrl(f"the URL must have at most {MAX_URL_LENGTH} characters")
    # Checked before parsing, which would drop line breaks and tabs without a word.
    if FORBIDDEN.search(text):
        raise InvalidUrl("the URL contains a space, a control character or another character that must be encoded")
    if BROKEN_ESCAPE.search(text):
        raise InvalidUrl("a percent sign must be followed by two hexadecimal digits")
    try:
        return urlsplit(text)
    except ValueError as error:
        raise InvalidUrl("the URL is malformed") from error


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError as error:
        raise InvalidUrl("the port must be a number from 1 to 65535") from error
    if port == 0 or parts.netloc.endswith(":"):
        raise InvalidUrl("the port must be a number from 1 to 65535")
    return port


def _host(parts: SplitResult, policy: UrlPolicy) -> str:
    name = (parts.hostname or "").removesuffix(".")
    if not name:
        raise InvalidUrl("the URL has no host")
    address = _address(name)
    host = _domain(name) if address is None else str(address)
    if address is None and policy.require_domain and "." not in host:
        raise InvalidUrl("the host must be a domain name with a dot")
    if not policy.allow_private and not _is_public(host, address):
        raise InvalidUrl("the host is not public")
    return host


def _address(name: str) -> Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _domain(name: str) -> str:
    try:
        host = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InvalidUrl("the host is not a valid domain name") from error
    labels = host.split(".")
    # Clients read 127.1, 0x7f.1 and 2130706433 as addresses; a name does not end in a number.
    if ":" in host or NUMERIC_PART.fullmatch(labels[-1]):
        raise InvalidUrl("the host is not a valid address")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise InvalidUrl("the host is not a valid domain name")
    return host


def _is_public(host: str, address: Address | None) -> bool:
    if address is None:
        return host.rsplit(".", 1)[-1] not in LOCAL_NAMES
    # ::ffff:127.0.0.1 leads to 127.0.0.1.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    target = mapped or address
    return target.is_global and not target.is_multicast


def _encoded(text: str, safe: str) -> str:
    # Escapes that are there stay; everything else that is not allowed is escaped.
    return quote(text, safe=safe + "%:@!$&'()*+,;=-._~")
