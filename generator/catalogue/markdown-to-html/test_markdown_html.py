import re

import pytest

from markdown_html import MAX_CHARACTERS, MAX_NESTING, is_safe_url, markdown_to_html


def check(markdown, expected):
    assert markdown_to_html(markdown) == expected


@pytest.mark.parametrize("level", range(1, 7))
def test_headings(level):
    check("#" * level + " Title *here* ##", f"<h{level}>Title <em>here</em></h{level}>\n")


def test_what_only_looks_like_a_heading():
    check("#tag and ####### seven", "<p>#tag and ####### seven</p>\n")


def test_paragraphs_are_parted_by_blank_lines():
    check("one\ntwo\n\n\nthree", "<p>one\ntwo</p>\n<p>three</p>\n")
    check("one  \ntwo\r\n", "<p>one<br>\ntwo</p>\n")
    check("", "")


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**bold** and __bold__", "<strong>bold</strong> and <strong>bold</strong>"),
        ("*em* and _em_", "<em>em</em> and <em>em</em>"),
        ("**bold *both* bold**", "<strong>bold <em>both</em> bold</strong>"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("`a < b` and ``a ` b``", "<code>a &lt; b</code> and <code>a ` b</code>"),
        ("`**not bold**`", "<code>**not bold**</code>"),
        (r"\*plain\* \<b\>", "*plain* &lt;b&gt;"),
        ("[text](https://example.org/?a=1&b=2)", '<a href="https://example.org/?a=1&amp;b=2" rel="nofollow noopener">text</a>'),
        ("[**x**](/page#top)", '<a href="/page#top" rel="nofollow noopener"><strong>x</strong></a>'),
        ("<https://example.org>", '<a href="https://example.org" rel="nofollow noopener">https://example.org</a>'),
        ('![a "b"](pic.png)', '<img src="pic.png" alt="a &quot;b&quot;">'),
        ("unclosed **bold and `code", "unclosed **bold and `code"),
    ],
)
def test_inline_forms(markdown, expected):
    check(markdown, f"<p>{expected}</p>\n")


def test_lists_and_nested_lists():
    check("- a\n- b\n", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n")
    check("1. a\n2) b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n")
    check("- a\n  1. x\n  2. y\n- b", "<ul>\n<li>a\n<ol>\n<li>x</li>\n<li>y</li>\n</ol>\n</li>\n<li>b</li>\n</ul>\n")
    check("- a\n\n- b\n\ntext", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p>text</p>\n")
    check("- a\n\n  more\n", "<ul>\n<li>a\n<p>more</p>\n</li>\n</ul>\n")


def test_quotes_nest():
    check("> a\n> > b\n\nc", "<blockquote>\n<p>a</p>\n<blockquote>\n<p>b</p>\n</blockquote>\n</blockquote>\n<p>c</p>\n")


def test_fenced_code_is_kept_as_it_is():
    code = '<pre><code class="language-python">if a &lt; b:\n    **x**\n</code></pre>\n'
    check("```python\nif a < b:\n    **x**\n```\nafter", f"{code}<p>after</p>\n")
    check("~~~\n```\n~~~", "<pre><code>```\n</code></pre>\n")
    check("```\nnever closed", "<pre><code>never closed\n</code></pre>\n")


@pytest.mark.parametrize("rule", ["---", "***", "_ _ _", "  -----"])
def test_rules(rule):
    check(f"a\n\n{rule}\n", "<p>a</p>\n<hr>\n")


def test_raw_html_is_text():
    check("<script>alert(1)</script> & <b>", "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;</p>\n")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "java\x01script:x",
        "//evil.example",
        "/\\evil.example",
        "a:b",
        "http://[",
        "file:///etc",
    ],
)
def test_unsafe_links_lose_their_target(url):
    assert not is_safe_url(url)
    for markdown in (f"[click]({url})", f"![click]({url})"):
        assert "href" not in markdown_to_html(markdown) and "src" not in markdown_to_html(markdown)


@pytest.mark.parametrize("url", ["https://example.org", "mailto:a@example.org", "/a", "a/b:c", "?q=a:b", "#top", ""])
def test_safe_links_are_kept(url):
    assert is_safe_url(url)


@pytest.mark.parametrize(
    "hostile",
    ['[x](https://a"onclick="b)', '![" onerror="x](a.png)', '[<img src=x onerror=y>](/a)', '```"><script>\nx\n```', "**<b>**", '<https://a"b>'],
)
def test_no_text_leaves_its_place(hostile):
    result = markdown_to_html(hostile)
    tags = re.findall(r"<[^>]*>", result)
    assert all(re.fullmatch(r'</?[a-z0-9]+(?: (?:href|rel|src|alt|class)="[^"<>]*")*>', tag) for tag in tags), result


@pytest.mark.parametrize("unit", ["*", "*a ", "[", "`a", "> ", "- ", "**a", "_a "])
def test_the_time_for_hostile_texts_is_bounded(unit):
    hostile = unit * 9_000
    assert len(markdown_to_html(hostile)) < 20 * len(hostile)


def test_nesting_and_length_are_bounded():
    assert markdown_to_html(">" * (MAX_NESTING + 5) + " x").count("<blockquote>") == MAX_NESTING
    with pytest.raises(ValueError, match="at most"):
        markdown_to_html("x" * (MAX_CHARACTERS + 1))
