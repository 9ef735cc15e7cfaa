import pytest

from url_validator import MAX_URL_LENGTH, InvalidUrl, Url, UrlPolicy, is_valid_url, parse_url


def test_the_parts_of_a_url():
    url = parse_url("https://shop.example:8443/a/b?x=1&y=2#top")
    assert url == Url("https", "shop.example", 8443, "/a/b", "x=1&y=2", "top")
    assert str(url) == "https://shop.example:8443/a/b?x=1&y=2#top"


@pytest.mark.parametrize(
    "text, normal",
    [
        ("HTTPS://Shop.EXAMPLE", "https://shop.example/"),
        ("http://shop.example:80/a", "http://shop.example/a"),
        ("https://shop.example:443", "https://shop.example/"),
        ("https://shop.example./a", "https://shop.example/a"),
        ("https://bücher.example/straße", "https://xn--bcher-kva.example/stra%C3%9Fe"),
        ("https://shop.example/a%20b?q=%C3%A9", "https://shop.example/a%20b?q=%C3%A9"),
        ("http://[2001:DB8::0:1]:8080/", "http://[2001:db8::1]:8080/"),
        ("http://192.0.2.7/", "http://192.0.2.7/"),
        ("http://localhost:3000", "http://localhost:3000/"),
        ("https://shop.example?x=1", "https://shop.example/?x=1"),
    ],
)
def test_urls_are_normalised_and_stay_so(text, normal):
    assert str(parse_url(text)) == normal
    assert str(parse_url(normal)) == normal


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "not empty"),
        (None, "must be text"),
        ("shop.example", "scheme"),
        ("//shop.example/a", "scheme"),
        ("ftp://shop.example", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https://", "no host"),
        ("https:///path", "no host"),
        ("https://:80/", "no host"),
        ("https://user:pw@shop.example", "credentials"),
        ("https://shop.example:0", "port"),
        ("https://shop.example:65536", "port"),
        ("https://shop.example:http", "port"),
        ("https://shop.example:/a", "port"),
        ("https://shop .example", "space"),
        ("https://shop.example/\nx", "control"),
        ("https://shop.example\\@evil.example", "must be encoded"),
        ("https://shop.example/<b>", "must be encoded"),
        ("https://shop.example/100%", "percent"),
        ("https://-shop.example", "domain name"),
        ("https://shop..example", "domain name"),
        ("https://" + "a" * 64 + ".example", "domain name"),
        ("https://" + ".".join(["a" * 60] * 5), "domain name"),
        ("https://[::1", "malformed"),
        ("https://[::zz]", "malformed|valid address"),
        ("https://[fe80::1%eth0]", "percent|address"),
        ("http://127.1/", "valid address"),
        ("http://2130706433/", "valid address"),
        ("http://0x7f.0.0.1/", "valid address"),
        ("http://256.1.1.1/", "valid address"),
        ("http://010.0.0.1/", "valid address"),
    ],
)
def test_broken_urls_are_refused_with_a_reason(text, reason):
    with pytest.raises(InvalidUrl, match=reason):
        parse_url(text)
    assert not is_valid_url(text)


def test_length_is_bounded():
    host = "https://shop.example/"
    assert is_valid_url(host + "a" * (MAX_URL_LENGTH - len(host)))
    with pytest.raises(InvalidUrl, match=f"at most {MAX_URL_LENGTH}"):
        parse_url(host + "a" * (MAX_URL_LENGTH - len(host) + 1))


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "db.internal",
        "printer.local",
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "[::1]",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
def test_hosts_that_are_not_public_can_be_refused(host):
    assert is_valid_url(f"http://{host}/")
    with pytest.raises(InvalidUrl, match="not public"):
        parse_url(f"http://{host}/", UrlPolicy(allow_private=False))


@pytest.mark.parametrize("host", ["shop.example", "1.1.1.1", "[2606:4700::1111]", "localhost.shop.example"])
def test_public_hosts_pass(host):
    assert is_valid_url(f"https://{host}/", UrlPolicy(allow_private=False))


def test_domains_can_be_required():
    assert is_valid_url("https://intranet/")
    assert not is_valid_url("https://intranet/", UrlPolicy(require_domain=True))
    assert is_valid_url("https://192.0.2.7/", UrlPolicy(require_domain=True))


def test_other_schemes_can_be_allowed():
    url = parse_url("wss://shop.example:443/live", UrlPolicy(schemes=["ws", "wss"]))
    assert (url.port, url.effective_port) == (None, 443)
    assert parse_url("redis://cache:6379/0", UrlPolicy(schemes=["redis"])).effective_port == 6379
    assert parse_url("redis://cache/0", UrlPolicy(schemes=["redis"])).effective_port is None


def test_credentials_can_be_allowed():
    url = parse_url("https://ada:s3cret@shop.example/", UrlPolicy(allow_credentials=True))
    assert (url.username, url.password, str(url)) == ("ada", "s3cret", "https://ada:s3cret@shop.example/")
