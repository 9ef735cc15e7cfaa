"""The client's side of OAuth 2.0 authorization code flow with PKCE (RFC 6749, 7636, 9207). No network."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

VERIFIER_BYTES = 48
STATE_BYTES = 24
FLOW_LIFETIME_SECONDS = 600
VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


class OAuthError(Exception):
    """The authorization failed or its answer must not be trusted."""


@dataclass(frozen=True)
class Provider:
    """Where to send the user and the token request; `issuer` is compared where the answer names one."""

    authorization_endpoint: str
    token_endpoint: str
    issuer: str | None = None


@dataclass(frozen=True)
class Flow:
    """What to keep in the user's session between the redirect and the callback. The verifier is secret."""

    authorization_url: str
    state: str
    code_verifier: str
    redirect_uri: str
    expires_at: float


@dataclass(frozen=True)
class TokenRequest:
    """A form to send by POST."""

    url: str
    headers: Mapping[str, str]
    body: str


def create_verifier() -> str:
    """Return a random code verifier of 64 characters."""
    return secrets.token_urlsafe(VERIFIER_BYTES)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a code verifier."""
    if not isinstance(verifier, str) or not VERIFIER.fullmatch(verifier):
        raise ValueError("a code verifier has 43 to 128 characters: letters, digits, '-', '.', '_' and '~'")
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _check_url(name: str, url: str) -> None:
    parts = urlsplit(url)
    is_loopback = parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
    if not (parts.scheme == "https" and parts.hostname) and not is_loopback:
        raise ValueError(f"{name} must be an https URL, or http on a loopback address")
    if parts.fragment:
        raise ValueError(f"{name} must not have a fragment")


class PkceClient:
    """A public client: it proves with PKCE, not with a secret, that it started the flow."""

    def __init__(
        self, provider: Provider, client_id: str, redirect_uri: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        if not client_id:
            raise ValueError("client_id must not be empty")
        _check_url("authorization_endpoint", provider.authorization_endpoint)
        _check_url("token_endpoint", provider.token_endpoint)
        _check_url("redirect_uri", redirect_uri)
        self._provider = provider
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        self._clock = clock

    def start(self, scopes: Sequence[str] = (), extra: Mapping[str, str] | None = None) -> Flow:
        """Begin a flow; redirect the user to its `authorization_url`."""
        verifier, state = create_verifier(), secrets.token_urlsafe(STATE_BYTES)
        parameters = dict(extra or {})
        parameters.update(
            response_type="code",
            client_id=self._client_id,
            redirect_uri=self._redirect_uri,
            state=state,
            code_challenge=challenge_of(verifier),
            code_challenge_method="S256",
        )
        if scopes:
            parameters["scope"] = " ".join(scopes)
        parts = urlsplit(self._provider.authorization_endpoint)
        query = urlencode([*parse_qsl(parts.query), *parameters.items()])
        url = urlunsplit(parts._replace(query=query))
        return Flow(url, state, verifier, self._redirect_uri, self._clock() + FLOW_LIFETIME_SECONDS)

    def code_from_callback(self, flow: Flow, callback_url: str) -> str:
        """Check the answer that came to the redirect URI and return its authorization code."""
        answer = _single_values(urlsplit(callback_url).query)
        if self._clock() >= flow.expires_at:
            raise OAuthError("the flow has expired; start again")
        # The state first: without it, nothing else in the answer is known to belong to this user.
        if not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
            raise OAuthError("the state does not match this flow")
        issuer = answer.get("iss")
        if issuer is not None and self._provider.issuer is not None and issuer != self._provider.issuer:
            raise OAuthError("the answer comes from another issuer")
        if "error" in answer:
            raise OAuthError(f"the provider refused: {answer.get('error_description') or answer['error']}")
        if not answer.get("code"):
            raise OAuthError("the answer has no authorization code")
        return answer["code"]

    def token_request(self, flow: Flow, code: str) -> TokenRequest:
        """Return the request that exchanges the code for tokens; the caller sends it once."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect_uri,
            "client_id": self._client_id,
            "code_verifier": flow.code_verifier,
        }
        return self._form_request(form)

    def refresh_request(self, refresh_token: str) -> TokenRequest:
        """Return the request that exchanges a refresh token for new tokens."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self._client_id}
        return self._form_request(form)

    def _form_request(self, form: Mapping[str, str]) -> TokenRequest:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return TokenRequest(self._provider.token_endpoint, headers, urlencode(form))


def _single_values(query: str) -> dict[str, str]:
    values = parse_qs(query, keep_blank_values=True, max_num_fields=50)
    repeated = sorted(name for name, found in values.items() if len(found) > 1)
    if repeated:
        raise OAuthError(f"the answer repeats a parameter: {repeated[0]}")
    return {name: found[0] for name, found in values.items()}
