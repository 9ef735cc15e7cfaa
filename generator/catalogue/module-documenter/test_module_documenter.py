import pytest

from module_documenter import (
    MAX_SOURCE_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    DocumentationError,
    document_file,
    document_source,
    undocumented,
)

SOURCE = '''"""Prices of the shop.

>>> discounted(100, 10)
90
"""

RATE = 0.19
LIMITS: dict[str, int] = {"a": 1}
_HIDDEN = 1
lower = 2


def discounted(price: int, percent: int = 0, *, rounded: bool = True) -> int:
    """Return the price without a share.

    # not a heading
    """
    if percent > 100:
        raise ValueError("percent")
    try:
        return price
    except errors.Stopped as error:
        raise error


async def fetch(*names, **options):
    raise errors.Unavailable


def _private():
    """Hidden."""


class Basket(list):
    """Items to buy."""

    owner: str
    size: int | None = None
    _secret: int = 0

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def total(self) -> int:
        """Add the prices."""

    @property
    def is_empty(self):
        return True

    def _internal(self):
        pass
'''


@pytest.fixture(scope="module")
def page():
    return document_source(SOURCE, "shop_prices")


def test_the_page_starts_with_name_and_description(page):
    assert page.startswith("# shop\\_prices\n\nPrices of the shop.\n\n```python\n>>> discounted(100, 10)\n90\n```\n")


def test_public_constants_are_a_table(page):
    assert "| `RATE` | `0.19` |\n| `LIMITS` | `{'a': 1}` |" in page
    assert "_HIDDEN" not in page and "lower" not in page


def test_functions_have_signature_description_and_errors(page):
    signature = "def discounted(price: int, percent: int=0, *, rounded: bool=True) -> int"
    description = "Return the price without a share.\n\n\\# not a heading\n\nRaises: `ValueError`\n"
    assert f"### `discounted`\n\n```python\n{signature}\n```\n\n{description}" in page
    assert "```python\nasync def fetch(*names, **options)\n```\n\n*No description.*\n\nRaises: `errors.Unavailable`" in page


def test_classes_have_bases_fields_and_public_methods(page):
    fields = "- `owner: str`\n- `size: int \\| None = None`\n"
    assert f"### `Basket`\n\n```python\nclass Basket(list)\n```\n\nItems to buy.\n\n{fields}" in page
    assert "#### `Basket.__init__`" in page and "#### `Basket.total`" in page and "#### `Basket.is_empty`" in page


def test_private_names_are_left_out(page):
    for name in ("_private", "_internal", "_secret"):
        assert name not in page


def test_all_decides_what_is_public():
    source = "__all__ = ['_used']\n\ndef _used(): pass\n\ndef other(): pass\n"
    page = document_source(source, "m")
    assert "`_used`" in page and "other" not in page


def test_an_empty_module_has_a_page():
    assert document_source("", "empty") == "# empty\n\n*The module has no description.*\n"


def test_the_module_is_not_run():
    page = document_source("raise SystemExit('ran')\n\ndef f(): pass\n", "m")
    assert "### `f`" in page


def test_missing_docstrings_are_listed():
    assert undocumented(SOURCE, "shop") == ["fetch", "Basket.is_empty"]
    assert undocumented("class A:\n    def f(self): pass\n", "m") == ["m", "A", "A.f"]
    assert undocumented('"""Doc."""') == []


def test_long_values_are_cut_and_bars_and_backticks_stay_in_their_cell():
    source = f"LONG = {'x' * (MAX_VALUE_CHARACTERS + 10)!r}\nODD = 'a|b`c'\n"
    page = document_source(source, "m")
    assert "xxx...` |" in page
    assert "| `ODD` | `` 'a\\|b`c' `` |" in page


def test_functions_inside_other_statements_are_not_public_names():
    assert "inner" not in document_source("def outer():\n    def inner(): pass\n", "m")


def test_files_are_named_by_their_stem(tmp_path):
    path = tmp_path / "tools.py"
    path.write_text('"""Werkzeuge für alle."""\n', encoding="utf-8")
    assert document_file(path) == "# tools\n\nWerkzeuge für alle.\n"


@pytest.mark.parametrize("source", ["def f(:", "\x00", "return = 1"])
def test_what_is_not_python_is_refused(source):
    with pytest.raises(DocumentationError, match="broken is not Python"):
        document_source(source, "broken")


def test_very_long_sources_are_refused():
    with pytest.raises(DocumentationError, match="more than"):
        document_source("#" * (MAX_SOURCE_CHARACTERS + 1), "m")
