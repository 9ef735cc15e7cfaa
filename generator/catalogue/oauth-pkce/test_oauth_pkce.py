from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from oauth_pkce import (
    FLOW_LIFETIME_SECONDS,
    OAuthError,
    PkceClient,
    Provider,
    challenge_of,
    create_verifier,
)

PROVIDER = Provider("https://id.example/authorize?tenant=a", "https://id.example/token", "https://id.example")
REDIRECT = "https://app.example/callback"


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client(clock):
    return PkceClient(PROVIDER, "client-7", REDIRECT, clock=clock)


def query_of(url):
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def callback(**parameters):
    return f"{REDIRECT}?{urlencode(parameters)}"


def test_the_challenge_of_rfc_7636_appendix_b():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_verifiers_are_random_and_of_legal_form():
    verifiers = {create_verifier() for _ in range(100)}
    assert len(verifiers) == 100
    assert all(challenge_of(verifier) for verifier in verifiers)


@pytest.mark.parametrize("verifier", ["", "short", "x" * 129, "ä" * 50, "x" * 42 + "=", None])
def test_illegal_verifiers_are_refused(verifier):
    with pytest.raises(ValueError, match="43 to 128"):
        challenge_of(verifier)


def test_the_authorization_url_carries_the_challenge_and_not_the_verifier(client):
    flow = client.start(["openid", "email"], {"prompt": "login", "state": "mine", "client_id": "mine"})
    query = query_of(flow.authorization_url)
    assert query["code_challenge"] == challenge_of(flow.code_verifier)
    assert query["code_challenge_method"] == "S256"
    assert flow.code_verifier not in flow.authorization_url
    assert (query["tenant"], query["prompt"], query["scope"]) == ("a", "login", "openid email")
    assert (query["state"], query["client_id"], query["redirect_uri"]) == (flow.state, "client-7", REDIRECT)
    assert query["response_type"] == "code"


def test_each_flow_has_its_own_state_and_verifier(client):
    first, second = client.start(), client.start()
    assert first.state != second.state
    assert first.code_verifier != second.code_verifier


def test_a_callback_yields_its_code(client):
    flow = client.start()
    assert client.code_from_callback(flow, callback(code="c0de", state=flow.state)) == "c0de"


@pytest.mark.parametrize("state", ["", "forged", "fälschung"])
def test_a_foreign_state_is_refused(client, state):
    flow = client.start()
    with pytest.raises(OAuthError, match="state"):
        client.code_from_callback(flow, callback(code="c0de", state=state))


def test_a_late_answer_is_refused(client, clock):
    flow = client.start()
    clock.now += FLOW_LIFETIME_SECONDS
    with pytest.raises(OAuthError, match="expired"):
        client.code_from_callback(flow, callback(code="c0de", state=flow.state))


def test_another_issuer_is_refused(client):
    flow = client.start()
    good = callback(code="c0de", state=flow.state, iss="https://id.example")
    assert client.code_from_callback(flow, good) == "c0de"
    with pytest.raises(OAuthError, match="issuer"):
        client.code_from_callback(flow, callback(code="c0de", state=flow.state, iss="https://evil.example"))


def test_a_refusal_is_reported_only_with_the_right_state(client):
    flow = client.start()
    with pytest.raises(OAuthError, match="access_denied"):
        client.code_from_callback(flow, callback(error="access_denied", state=flow.state))
    with pytest.raises(OAuthError, match="state"):
        client.code_from_callback(flow, callback(error="access_denied"))


def test_answers_without_a_code_or_with_two_are_refused(client):
    flow = client.start()
    with pytest.raises(OAuthError, match="no authorization code"):
        client.code_from_callback(flow, callback(state=flow.state, code=""))
    with pytest.raises(OAuthError, match="repeats"):
        client.code_from_callback(flow, f"{REDIRECT}?state={flow.state}&code=a&code=b")


def test_the_token_request_proves_who_started_the_flow(client):
    flow = client.start()
    request = client.token_request(flow, "c0de/+")
    form = {name: values[0] for name, values in parse_qs(request.body).items()}
    assert request.url == "https://id.example/token"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (form["grant_type"], form["code"]) == ("authorization_code", "c0de/+")
    assert (form["code_verifier"], form["redirect_uri"]) == (flow.code_verifier, REDIRECT)


def test_a_refresh_request_names_the_client(client):
    form = parse_qs(client.refresh_request("r3fresh").body)
    assert form == {"grant_type": ["refresh_token"], "refresh_token": ["r3fresh"], "client_id": ["client-7"]}


@pytest.mark.parametrize("redirect", ["http://app.example/cb", "https://app.example/cb#x", "app://cb", "https:///cb"])
def test_unsafe_redirects_are_refused(redirect):
    with pytest.raises(ValueError, match="redirect_uri"):
        PkceClient(PROVIDER, "client-7", redirect)


def test_a_loopback_redirect_serves_command_line_tools():
    assert PkceClient(PROVIDER, "client-7", "http://127.0.0.1:8765/cb").start()
    with pytest.raises(ValueError, match="client_id"):
        PkceClient(PROVIDER, "", REDIRECT)
