import pytest

from schema_validator import SchemaError, Violation, is_valid, validate

PERSON = {
    "type": "object",
    "required": ["name", "age"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 10},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "uniqueItems": True},
        "code": {"type": ["string", "null"], "pattern": "^[a-z]+$"},
    },
}


def test_valid_data_has_no_violations():
    data = {"name": "ada", "age": 36, "tags": ["a", "b"], "code": None}
    assert validate(PERSON, data) == []
    assert is_valid(PERSON, data)


def test_every_violation_is_reported_with_its_path():
    data = {"age": -1, "tags": ["a", 7, "a"], "code": "NO", "extra": 1}
    assert validate(PERSON, data) == [
        Violation("/name", "is required"),
        Violation("/age", "must be at least 0"),
        Violation("/tags", "must have at most 2 items"),
        Violation("/tags", "must not hold an item twice"),
        Violation("/tags/1", "must be of type string"),
        Violation("/code", "must match the pattern"),
        Violation("/extra", "is not allowed here"),
    ]
    assert not is_valid(PERSON, data)


@pytest.mark.parametrize(
    "kind, value, valid",
    [
        ("integer", 1, True),
        ("integer", 1.0, True),
        ("integer", 1.5, False),
        ("integer", True, False),
        ("number", 1.5, True),
        ("number", False, False),
        ("boolean", True, True),
        ("boolean", 1, False),
        ("null", None, True),
        ("null", 0, False),
        ("string", "", True),
        ("array", (), False),
        ("object", [], False),
    ],
)
def test_types_are_those_of_json(kind, value, valid):
    assert is_valid({"type": kind}, value) is valid


def test_true_is_not_one():
    assert not is_valid({"enum": [1]}, True)
    assert not is_valid({"const": [0]}, [False])
    assert is_valid({"type": "array", "uniqueItems": True}, [1, True, 0, False])
    assert is_valid({"const": {"a": [1]}}, {"a": [1.0]})


def test_alternatives():
    schema = {"anyOf": [{"type": "string", "minLength": 2}, {"type": "integer"}]}
    assert is_valid(schema, "ab")
    assert is_valid(schema, 5)
    assert validate(schema, "a") == [Violation("", "must match at least one of the alternatives")]


def test_additional_properties_can_have_a_schema():
    schema = {"additionalProperties": {"type": "integer"}}
    assert is_valid(schema, {"a": 1})
    assert validate(schema, {"a/b~c": "x"}) == [Violation("/a~1b~0c", "must be of type integer")]


@pytest.mark.parametrize("schema", [{"typ": "string"}, {"type": "text"}, {"items": 5}, []])
def test_a_mistake_in_the_schema_is_not_blamed_on_the_data(schema):
    with pytest.raises(SchemaError):
        validate(schema, [1])


def test_bottomless_data_is_a_violation_and_not_a_crash():
    schema = {"type": "array"}
    schema["items"] = schema
    data = []
    for _ in range(300):
        data = [data]
    assert [violation.message for violation in validate(schema, data)] == ["is nested deeper than 100 levels"]


def test_messages_do_not_repeat_the_data():
    private = "do-not-repeat"
    violations = validate({"type": "integer", "enum": [1], "maxLength": 1, "pattern": "^x"}, private)
    assert len(violations) == 4
    assert not any(private in violation.message for violation in violations)
