import datetime
import json
import logging

import pytest

from error_envelope import (
    ApiError,
    BadRequestError,
    ConflictError,
    ErrorHandler,
    ForbiddenError,
    NotFoundError,
    Response,
    TooManyRequestsError,
    UnauthorizedError,
    ValidationError,
    problem_response,
)


class OutOfStockError(ConflictError):
    type = "https://shop.example/problems/out-of-stock"


@pytest.fixture
def handler():
    return ErrorHandler({KeyError: NotFoundError, ValueError: BadRequestError}, new_instance=lambda: "urn:test:1")


def problem_of(response):
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Content-Length"] == str(len(response.body))
    return json.loads(response.body)


@pytest.mark.parametrize(
    "error, status, title",
    [
        (BadRequestError(), 400, "Bad Request"),
        (UnauthorizedError(), 401, "Unauthorized"),
        (ForbiddenError(), 403, "Forbidden"),
        (NotFoundError(), 404, "Not Found"),
        (ConflictError(), 409, "Conflict"),
        (TooManyRequestsError(30), 429, "Too Many Requests"),
        (ApiError(), 500, "Internal Server Error"),
    ],
)
def test_each_error_has_its_status_and_title(error, status, title):
    response = problem_response(error)
    assert response.status == status
    assert problem_of(response) == {"type": "about:blank", "title": title, "status": status}


def test_detail_instance_and_extensions_are_members():
    error = OutOfStockError("Only 2 are left.", available=2, until=datetime.date(2024, 2, 29))
    problem = problem_of(problem_response(error, instance="/orders/7"))
    assert (problem["type"], problem["detail"]) == (OutOfStockError.type, "Only 2 are left.")
    assert (problem["instance"], problem["available"], problem["until"]) == ("/orders/7", 2, "2024-02-29")


def test_validation_errors_are_listed_by_field():
    response = problem_response(ValidationError({"email": ["is required"], "age": ["is too low", "is odd"]}))
    assert response.status == 422
    assert problem_of(response)["errors"] == {"email": ["is required"], "age": ["is too low", "is odd"]}


def test_headers_that_belong_to_the_status_are_sent():
    assert problem_response(TooManyRequestsError(30)).headers["Retry-After"] == "30"
    assert problem_response(UnauthorizedError(challenge="Basic")).headers["WWW-Authenticate"] == "Basic"


@pytest.mark.parametrize("member", ["type", "title", "status", "instance"])
def test_extensions_cannot_replace_standard_members(member):
    with pytest.raises(ValueError, match=member):
        NotFoundError("gone", **{member: "mine"})


def test_an_endpoint_returns_what_it_returns(handler):
    @handler.endpoint
    def show(number, *, verbose=False):
        """Show an order."""
        return Response(200, {}, f"{number} {verbose}".encode())

    assert show(7, verbose=True) == Response(200, {}, b"7 True")
    assert (show.__name__, show.__doc__) == ("show", "Show an order.")


def test_an_endpoint_that_raises_answers_with_a_problem(handler):
    @handler.endpoint
    def show(number):
        raise NotFoundError(f"There is no order {number}.")

    problem = problem_of(show(7))
    assert (problem["status"], problem["detail"], problem["instance"]) == (404, "There is no order 7.", "urn:test:1")


def test_unexpected_errors_are_logged_and_reveal_nothing(handler, caplog):
    response = handler.respond(RuntimeError("password=hunter2 in /srv/app.py"))
    assert problem_of(response) == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "instance": "urn:test:1",
    }
    record = caplog.records[-1]
    assert (record.levelno, "urn:test:1" in record.getMessage()) == (logging.ERROR, True)
    assert record.exc_info[1].args == ("password=hunter2 in /srv/app.py",)


def test_foreign_exceptions_are_translated_without_their_text(handler):
    response = handler.respond(KeyError("internal_cache_key"))
    assert response.status == 404
    assert b"internal_cache_key" not in response.body


def test_the_most_specific_translation_counts():
    handler = ErrorHandler({LookupError: NotFoundError, KeyError: ConflictError, Exception: BadRequestError})
    statuses = [handler.respond(error).status for error in (KeyError(), IndexError(), OSError())]
    assert statuses == [409, 404, 400]


def test_instances_are_unique():
    handler = ErrorHandler()
    found = {problem_of(handler.respond(NotFoundError()))["instance"] for _ in range(20)}
    assert len(found) == 20


def test_the_end_of_the_program_is_not_an_error_to_answer(handler):
    @handler.endpoint
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()


def call(app):
    seen = {}

    def start_response(status, headers, exc_info=None):
        seen.update(status=status, headers=dict(headers))

    seen["body"] = b"".join(app({"PATH_INFO": "/"}, start_response))
    return seen


def test_middleware_passes_good_answers_on(handler):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"he", b"llo"]

    assert call(handler.middleware(app)) == {
        "status": "200 OK",
        "headers": {"Content-Type": "text/plain"},
        "body": b"hello",
    }


def test_middleware_answers_errors_even_in_the_middle_of_a_body(handler):
    closed = []

    def app(environ, start_response):
        try:
            start_response("200 OK", [])
            yield b"half"
            raise ForbiddenError("Not yours.")
        finally:
            closed.append(True)

    seen = call(handler.middleware(app))
    assert (seen["status"], json.loads(seen["body"])["detail"]) == ("403 Forbidden", "Not yours.")
    assert seen["headers"]["Content-Type"] == "application/problem+json"
    assert closed == [True]
