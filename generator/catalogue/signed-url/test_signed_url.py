import secrets
from urllib.parse import parse_qs, urlsplit

import pytest

from signed_url import MAX_LIFETIME_SECONDS, URL_LIFETIME_SECONDS, ExpiredUrl, InvalidUrl, UrlSigner

URL = "https://files.example/report.pdf?user=ada&page=2"
KEY = secrets.token_bytes(32)


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def signer(clock):
    return UrlSigner([KEY], clock=clock)


@pytest.mark.parametrize("url", [URL, "https://files.example", "/relative/path", "/a?x=", "/a%20b?q=%26"])
def test_a_signed_url_verifies_and_gives_back_the_original(signer, url):
    assert signer.verify(signer.sign(url)) == url


def test_a_signed_url_keeps_its_parameters(signer):
    query = parse_qs(urlsplit(signer.sign(URL)).query)
    assert (query["user"], query["page"]) == (["ada"], ["2"])
    assert query["expires"] == [str(1_700_000_000 + URL_LIFETIME_SECONDS)]


def test_it_expires(signer, clock):
    signed = signer.sign(URL, lifetime_seconds=60)
    clock.now += 59.9
    assert signer.verify(signed)
    clock.now += 0.1
    with pytest.raises(ExpiredUrl, match="expired"):
        signer.verify(signed)


def test_a_fraction_of_a_second_is_not_cut_off(signer, clock):
    clock.now += 0.5
    signed = signer.sign(URL, lifetime_seconds=1)
    clock.now += 0.9
    assert signer.verify(signed)


def test_no_part_can_be_changed(signer):
    signed = signer.sign(URL)
    expires = str(1_700_000_000 + URL_LIFETIME_SECONDS)
    changes = [
        ("user=ada", "user=eve"),
        ("files.example", "evil.example"),
        ("https", "http"),
        ("report", "secret"),
        (expires, expires[:-1] + "9" if expires[-1] != "9" else expires[:-1] + "8"),
        ("?user=ada&page=2", "?page=2&user=ada"),
    ]
    for old, new in changes:
        with pytest.raises(InvalidUrl, match="does not fit"):
            signer.verify(signed.replace(old, new, 1))


def test_nothing_can_be_added(signer):
    signed = signer.sign(URL)
    for forged in (signed + "&admin=1", signed + "#x", signed + "A", signed.replace("&expires", "&admin=1&expires")):
        with pytest.raises(InvalidUrl):
            signer.verify(forged)


def test_an_older_signature_inside_does_not_help(signer):
    signed = signer.sign(URL)
    with pytest.raises(InvalidUrl):
        signer.verify(f"{signed}&expires=9999999999&signature={'A' * 43}")


def test_the_method_belongs_to_the_signature(signer):
    upload = signer.sign(URL, method="put")
    assert signer.verify(upload, method="PUT") == URL
    with pytest.raises(InvalidUrl, match="method"):
        signer.verify(upload)


def test_keys_can_be_rotated(clock, signer):
    signed = signer.sign(URL)
    new_key = secrets.token_bytes(32)
    assert UrlSigner([new_key, KEY], clock=clock).verify(signed) == URL
    with pytest.raises(InvalidUrl):
        UrlSigner([new_key], clock=clock).verify(signed)


@pytest.mark.parametrize("garbage", ["", URL, URL + "&expires=1", "é" + URL, "x" * 9000, None, 7])
def test_what_is_not_signed_is_refused(signer, garbage):
    with pytest.raises(InvalidUrl):
        signer.verify(garbage)


@pytest.mark.parametrize(
    "url, reason",
    [
        ("https://files.example/a#top", "fragment"),
        ("https://files.example/a b", "percent-encoded"),
        ("https://files.example/é", "percent-encoded"),
        ("", "neither"),
        ("/a?expires=1", "already"),
        ("/a?Signature=1&signature=", "already"),
        ("/" + "a" * 9000, "at most"),
        (None, "percent-encoded"),
    ],
)
def test_unsignable_urls_are_refused(signer, url, reason):
    with pytest.raises(ValueError, match=reason):
        signer.sign(url)


@pytest.mark.parametrize("lifetime", [0, -1, MAX_LIFETIME_SECONDS + 1])
def test_senseless_lifetimes_are_refused(signer, lifetime):
    with pytest.raises(ValueError, match="lifetime_seconds"):
        signer.sign(URL, lifetime_seconds=lifetime)


@pytest.mark.parametrize("keys", [[], [b"short"], KEY, ["x" * 32]])
def test_weak_keys_are_refused(keys):
    with pytest.raises(ValueError, match="key"):
        UrlSigner(keys)
