import asyncio
import io
import json
import logging

import pytest

from json_logging import MAX_TEXT_LENGTH, REDACTED, JsonFormatter, configure_logging, log_context


@pytest.fixture
def output():
    return io.StringIO()


@pytest.fixture
def logger(output):
    made = logging.Logger("shop.orders")
    configure_logging(logging.DEBUG, stream=output, logger=made)
    return made


def entries(output):
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_record_is_one_line_of_json(logger, output):
    logger.info("paid %d of %s", 3, "€5\nnow")
    (entry,) = entries(output)
    assert entry.pop("time").endswith("Z")
    assert entry == {"level": "INFO", "logger": "shop.orders", "message": "paid 3 of €5\nnow"}


def test_the_time_is_utc_in_milliseconds():
    record = logging.makeLogRecord({"created": 1704067200.25, "msg": "x"})
    assert json.loads(JsonFormatter().format(record))["time"] == "2024-01-01T00:00:00.250Z"


def test_extra_values_are_fields(logger, output):
    logger.warning("slow", extra={"order_id": 7, "timings": {"db": 1.5}, "tags": ("a", "b")})
    (entry,) = entries(output)
    assert (entry["order_id"], entry["timings"], entry["tags"]) == (7, {"db": 1.5}, ["a", "b"])


def test_values_that_are_not_json_become_text(logger, output):
    class Broken:
        def __str__(self):
            raise RuntimeError

    cyclic = []
    cyclic.append(cyclic)
    logger.info("x", extra={"path": IndexError("i"), "nan": float("nan"), "broken": Broken(), "cyclic": cyclic, "map": {1: {2}}})
    (entry,) = entries(output)
    assert (entry["path"], entry["nan"], entry["map"]) == ("i", "nan", {"1": [2]})
    assert entry["broken"] == "<Broken: RuntimeError in str>"
    assert "cyclic" in entry


def test_sensitive_values_are_redacted_at_any_depth(logger, output):
    hidden = "x" * 8
    logger.info("login", extra={"password": hidden, "request": {"Authorization": "Bearer x", "headers": [{"Cookie": "y"}]}})
    (entry,) = entries(output)
    assert entry["password"] == REDACTED
    assert entry["request"] == {"Authorization": REDACTED, "headers": [{"Cookie": REDACTED}]}


def test_exceptions_are_structured(logger, output):
    try:
        raise ValueError("bad order")
    except ValueError:
        logger.exception("failed")
    (entry,) = entries(output)
    assert (entry["level"], entry["exception"]["type"], entry["exception"]["message"]) == ("ERROR", "ValueError", "bad order")
    assert "Traceback" in entry["exception"]["traceback"]


def test_context_is_added_inside_its_block_and_nests(logger, output):
    with log_context(request_id="r1"):
        with log_context(user="ada"):
            logger.info("inner")
        logger.info("outer")
    logger.info("after")
    found = [(entry.get("request_id"), entry.get("user")) for entry in entries(output)]
    assert found == [("r1", "ada"), ("r1", None), (None, None)]


def test_tasks_do_not_share_their_context(logger, output):
    async def work(name):
        with log_context(task=name):
            await asyncio.sleep(0)
            logger.info(name)

    async def main():
        await asyncio.gather(work("a"), work("b"))

    asyncio.run(main())
    assert [(entry["task"], entry["message"]) for entry in entries(output)] == [("a", "a"), ("b", "b")]


def test_long_texts_are_shortened(logger, output):
    logger.info("x" * (MAX_TEXT_LENGTH + 5))
    (entry,) = entries(output)
    assert entry["message"] == "x" * MAX_TEXT_LENGTH + "... [5 more characters]"


def test_our_own_keys_are_not_replaced(logger, output):
    logger.info("x", extra={"level": 9, "time": "never"})
    (entry,) = entries(output)
    assert (entry["level"], entry["level_"], entry["time_"]) == ("INFO", 9, "never")


def test_a_wrong_placeholder_loses_nothing(logger, output):
    logger.info("count %d", "many")
    (entry,) = entries(output)
    assert entry["message"].startswith("count %d ('many',)")


def test_configuring_again_replaces_only_our_handler(output):
    made = logging.Logger("again")
    other = logging.NullHandler()
    made.addHandler(other)
    configure_logging("WARNING", stream=io.StringIO(), logger=made)
    configure_logging("INFO", stream=output, static={"service": "shop"}, logger=made)
    made.info("x")
    assert [entry["service"] for entry in entries(output)] == ["shop"]
    assert len(made.handlers) == 2 and other in made.handlers


def test_a_stack_is_a_field(logger, output):
    logger.info("x", stack_info=True)
    assert "Stack (most recent call last)" in entries(output)[0]["stack"]
