import pytest

from slugify import markdown_to_text, slugify, unique_slug


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Hello, World!", "hello-world"),
        ("  many   spaces\tand\nlines ", "many-spaces-and-lines"),
        ("Crème Brûlée à la carte", "creme-brulee-a-la-carte"),
        ("Straße, Øre & Æther", "strasse-ore-aether"),
        ("It's Ada\u2019s idea", "its-adas-idea"),
        ("C++ / C# (2026)", "c-c-2026"),
        ("--already-a-slug--", "already-a-slug"),
        ("\ufb01ne \u00bd", "fine-1-2"),
        ("\u65e5\u672c\u8a9e", ""),
        ("", ""),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
def test_slugs(text, expected):
    assert slugify(text) == expected


@pytest.mark.parametrize("text", ["Hello, World!", "Crème Brûlée", "a b c", "x" * 200])
def test_a_slug_of_a_slug_is_the_same(text):
    assert slugify(slugify(text)) == slugify(text)


def test_long_titles_are_cut_between_words():
    assert slugify("one two three", max_length=9) == "one-two"
    assert slugify("one two three", max_length=7) == "one-two"
    assert slugify("extraordinary", max_length=5) == "extra"
    with pytest.raises(ValueError):
        slugify("x", max_length=0)


def test_another_separator():
    assert slugify("Hello World", separator="_") == "hello_world"


def test_unique_slugs():
    taken = {"post", "post-2"}
    assert unique_slug("Post", taken) == "post-3"
    assert unique_slug("Other", taken) == "other"
    assert unique_slug("\u65e5\u672c", {"item"}) == "item-2"
    assert unique_slug("abcdef", {"abcdef"}, max_length=6) == "abcd-2"


@pytest.mark.parametrize(
    "markdown, expected",
    [
        ("# Title #", "Title"),
        ("###### Deep", "Deep"),
        ("#hashtag", "#hashtag"),
        ("**bold** and *thin* and __bold__ and _thin_", "bold and thin and bold and thin"),
        ("***both***", "both"),
        ("~~gone~~", "gone"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("[text](https://example.com) and ![picture](a.png)", "text and picture"),
        ('[text](https://example.com "title")', "text"),
        ("<https://example.com>", "https://example.com"),
        ("`code **stays**` here", "code **stays** here"),
        ("> quoted\n> > twice", "quoted\ntwice"),
        ("* one\n+ two\n- [x] done\n  - nested", "- one\n- two\n- done\n  - nested"),
        ("1. first\n2. second", "1. first\n2. second"),
        ("above\n\n---\n\nbelow", "above\n\nbelow"),
        (r"\*not thin\*", "*not thin*"),
        ("", ""),
    ],
)
def test_markdown(markdown, expected):
    assert markdown_to_text(markdown) == expected


def test_code_blocks_are_kept_and_their_fences_are_not():
    assert markdown_to_text("```python\n# not a title\nx = a*b*c\n```\n# title") == "# not a title\nx = a*b*c\ntitle"
    assert markdown_to_text("~~~~\n~~~\n**x**\n~~~~") == "~~~\n**x**"
    assert markdown_to_text("```\nnever closed") == "never closed"


def test_hostile_input_takes_no_time():
    for text in ("[" * 20_000, "*" * 20_001, "_" * 20_001, "> " * 20_000, "`" * 20_001, "![" * 10_000):
        assert isinstance(markdown_to_text("x" + text), str)
