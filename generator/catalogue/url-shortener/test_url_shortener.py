from itertools import chain, repeat

import pytest

from url_shortener import ALPHABET, AliasTaken, InvalidUrl, UnknownCode, UrlShortener

URL = "https://example.com/a/long/path?with=query#part"


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shortener(clock):
    return UrlShortener(clock=clock)


def test_a_code_leads_back_to_its_address(shortener):
    code = shortener.shorten(URL)
    assert len(code) == 7
    assert set(code) <= set(ALPHABET)
    assert shortener.resolve(code) == URL


def test_the_same_address_twice_gets_two_codes(shortener):
    assert shortener.shorten(URL) != shortener.shorten(URL)


def test_hits_are_counted(shortener):
    code = shortener.shorten(URL)
    for _ in range(3):
        shortener.resolve(code)
    assert shortener.hits(code) == 3


def test_aliases(shortener):
    assert shortener.shorten(URL, alias="my-link") == "my-link"
    assert shortener.resolve("my-link") == URL
    with pytest.raises(AliasTaken):
        shortener.shorten("https://example.org", alias="my-link")
    assert shortener.resolve("my-link") == URL


@pytest.mark.parametrize("alias", ["", "ab", "a/b", "a b c", "x" * 33, "abc\n", "\u00e4\u00f6\u00fc"])
def test_aliases_fit_into_an_address(shortener, alias):
    with pytest.raises(ValueError, match="alias"):
        shortener.shorten(URL, alias=alias)


def test_links_expire_and_their_alias_becomes_free(shortener, clock):
    shortener.shorten(URL, alias="brief", lifetime_seconds=10)
    clock.now += 9.9
    assert shortener.resolve("brief") == URL
    clock.now += 0.1
    with pytest.raises(UnknownCode):
        shortener.resolve("brief")
    assert shortener.shorten("https://example.org", alias="brief") == "brief"


def test_a_collision_takes_another_code(clock):
    codes = chain(["aaaaaaa", "aaaaaaa", "bbbbbbb"], repeat("aaaaaaa"))
    shortener = UrlShortener(clock=clock, new_code=lambda: next(codes))
    assert shortener.shorten(URL) == "aaaaaaa"
    assert shortener.shorten(URL) == "bbbbbbb"
    with pytest.raises(RuntimeError):
        shortener.shorten(URL)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https://user:pass@example.com",
        "https://example.com/a b",
        "https://example.com\r\nX-Header: 1",
        "https://example.com\\@other.example",
        "https://example.com:99999",
        "https://[::1",
        "https://example.com/" + "x" * 2048,
        None,
    ],
)
def test_addresses_that_must_not_be_redirected_to(shortener, url):
    with pytest.raises(InvalidUrl):
        shortener.shorten(url)


@pytest.mark.parametrize("url", ["http://example.com", "HTTPS://EXAMPLE.COM/x", "https://example.com:8443/", "https://[::1]/"])
def test_addresses_that_are_fine(shortener, url):
    assert shortener.resolve(shortener.shorten(url)) == url


def test_removed_and_unknown_codes(shortener):
    code = shortener.shorten(URL)
    assert shortener.remove(code)
    assert not shortener.remove(code)
    for action in (shortener.resolve, shortener.hits):
        with pytest.raises(UnknownCode):
            action(code)


def test_a_lifetime_is_positive(shortener):
    with pytest.raises(ValueError, match="lifetime"):
        shortener.shorten(URL, lifetime_seconds=0)
