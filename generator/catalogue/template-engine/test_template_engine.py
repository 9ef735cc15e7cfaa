import pytest

from template_engine import MAX_NESTING, MAX_OUTPUT_CHARACTERS, SafeText, Template, TemplateError, render


def test_values_are_inserted_by_path():
    data = {"user": {"name": "Ada", "tags": ["x", "y"]}, "n": 0}
    assert render("Hi {{ user.name }}: {{user.tags.1}}, {{ n }}", data) == "Hi Ada: y, 0"


def test_values_are_escaped_and_the_template_is_not():
    assert render("<b>{{ x }}</b>", {"x": "<script>\"'&"}) == "<b>&lt;script&gt;&quot;&#x27;&amp;</b>"


def test_trusted_html_and_plain_text_are_not_escaped():
    assert render("{{ x }}", {"x": SafeText("<i>ok</i>")}) == "<i>ok</i>"
    assert Template("{{ x }}", escape=False).render({"x": "a < b"}) == "a < b"


def test_a_value_is_never_a_template():
    assert render("{{ x }}", {"x": "{{ secret }}{% if %}", "secret": 1}) == "{{ secret }}{% if %}"


@pytest.mark.parametrize(("data", "expected"), [({"x": 1}, "yes"), ({"x": []}, "no"), ({"x": None}, "no"), ({}, "no")])
def test_conditions_and_their_opposite(data, expected):
    assert render("{% if x %}yes{% else %}no{% end %}", data) == expected
    assert render("{% if not x %}no{% else %}yes{% end %}", data) == expected


def test_loops_nest_and_have_a_text_for_nothing():
    source = "{% for row in rows %}{% for cell in row %}{{ cell }},{% end %};{% else %}none{% end %}"
    assert render(source, {"rows": [[1, 2], [3]]}) == "1,2,;3,;"
    assert render(source, {"rows": []}) == "none"


def test_the_name_of_a_loop_hides_an_outer_value_inside_only():
    assert render("{% for x in xs %}{{ x }}{% end %}{{ x }}", {"xs": [1, 2], "x": "o"}) == "12o"


def test_iterators_can_be_looped_over():
    assert render("{% for x in xs %}{{ x }}{% end %}", {"xs": (n * n for n in range(3))}) == "014"


def test_filters_are_applied_in_order():
    shout = {"shout": lambda value: f"{value}!"}
    assert Template("{{ name | trim | upper | shout }}", filters=shout).render({"name": " ada "}) == "ADA!"
    assert render("{{ items | length }}", {"items": [1, 2]}) == "2"


def test_results_of_filters_are_escaped():
    assert Template("{{ x | tag }}", filters={"tag": lambda value: f"<{value}>"}).render({"x": "b"}) == "&lt;b&gt;"


def test_comments_are_dropped_and_none_is_nothing():
    assert render("a{# {{ not.used }} #}b{{ x }}c", {"x": None}) == "abc"


@pytest.mark.parametrize("path", ["x.__class__", "x.upper", "x.real", "items.append", "items.-1", "items.9"])
def test_attributes_are_out_of_reach(path):
    with pytest.raises(TemplateError):
        render("{{ " + path + " }}", {"x": "text", "items": [1]})


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("\n{{ x }", None),
        ("\n{{ 1 + 1 }}", "line 2: not a value"),
        ("{{ }}", "not a value"),
        ("{{ f(x) }}", "not a value"),
        ("{{ x | unknown }}", "unknown filter 'unknown'; known are upper"),
        ("\n\n{% while x %}", "line 3: unknown tag"),
        ("{% for x %}{% end %}", "unknown tag"),
        ("{% if a or b %}{% end %}", "unknown tag"),
        ("a\n{% if x %}b", "line 2: {% if x %} is not closed"),
        ("{% if x %}{% else %}{% else %}{% end %}", "is not closed"),
        ("{% end %}", "ends no block"),
        ("{% else %}", "ends no block"),
    ],
)
def test_malformed_templates_are_refused_with_the_line(source, reason):
    if reason is None:
        assert render(source, {}) == source
        return
    with pytest.raises(TemplateError) as caught:
        Template(source)
    assert reason in str(caught.value)


def test_missing_data_is_an_error_with_line_and_path():
    with pytest.raises(TemplateError, match="line 2: user.mail is not in the data: 'mail'") as caught:
        render("\n{{ user.mail }}", {"user": {}})
    assert caught.value.line == 2


def test_data_of_the_wrong_kind():
    for value in ("text", 5, None):
        with pytest.raises(TemplateError, match="is not a list"):
            render("{% for x in xs %}{% end %}", {"xs": value})
    with pytest.raises(TemplateError, match="a filter refused n"):
        render("{{ n | length }}", {"n": 5})


def test_nesting_and_output_are_bounded():
    with pytest.raises(TemplateError, match="nested more than"):
        Template("{% if x %}" * (MAX_NESTING + 1) + "{% end %}" * (MAX_NESTING + 1))
    with pytest.raises(TemplateError, match="output is longer"):
        render("{% for x in xs %}{{ x }}{% end %}", {"xs": ["x" * (MAX_OUTPUT_CHARACTERS // 2 + 1)] * 2})


def test_a_template_can_be_rendered_again():
    template = Template("{{ x }}")
    assert [template.render({"x": n}) for n in range(3)] == ["0", "1", "2"]
