"""Error handling for HTTP APIs: exceptions become problem details (RFC 9457) and never leak what is internal."""

import functools
import json
import logging
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ParamSpec

Parameters = ParamSpec("Parameters")
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

CONTENT_TYPE = "application/problem+json"
RESERVED = frozenset({"type", "title", "status", "detail", "instance"})


class ApiError(Exception):
    """An error that the client may see. Subclasses set the status; `extensions` become members of the JSON."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    type = "about:blank"

    def __init__(self, detail: str = "", *, headers: Mapping[str, str] | None = None, **extensions: Any) -> None:
        super().__init__(detail or self.status.phrase)
        clash = RESERVED.intersection(extensions)
        if clash:
            raise ValueError(f"{min(clash)} is a member of every problem and cannot be an extension")
        self.detail = detail
        self.headers = dict(headers or {})
        self.extensions = extensions


class BadRequestError(ApiError):
    """The request is malformed."""

    status = HTTPStatus.BAD_REQUEST


class UnauthorizedError(ApiError):
    """The request has no valid credentials."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str = "", *, challenge: str = "Bearer", **extensions: Any) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge}, **extensions)


class ForbiddenError(ApiError):
    """The credentials are valid and do not suffice."""

    status = HTTPStatus.FORBIDDEN


class NotFoundError(ApiError):
    """The resource does not exist, or the client may not know of it."""

    status = HTTPStatus.NOT_FOUND


class ConflictError(ApiError):
    """The request does not fit the present state of the resource."""

    status = HTTPStatus.CONFLICT


class ValidationError(ApiError):
    """The content breaks rules; `errors` maps each field to its messages."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, errors: Mapping[str, list[str]], detail: str = "The content is not valid.") -> None:
        super().__init__(detail, errors={field: list(messages) for field, messages in errors.items()})


class TooManyRequestsError(ApiError):
    """The client must wait."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, retry_after_seconds: int, detail: str = "") -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


@dataclass(frozen=True)
class Response:
    """An HTTP response, in the terms of no framework."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def problem_response(error: ApiError, *, instance: str | None = None) -> Response:
    """Return the response of an error that the client may see."""
    problem: dict[str, Any] = {"type": error.type, "title": error.status.phrase, "status": int(error.status)}
    if error.detail:
        problem["detail"] = error.detail
    if instance is not None:
        problem["instance"] = instance
    problem.update(error.extensions)
    # An extension that is not JSON must not turn one error into another.
    body = json.dumps(problem, default=str).encode()
    headers = {**error.headers, "Content-Type": CONTENT_TYPE, "Content-Length": str(len(body))}
    return Response(int(error.status), headers, body)


def _new_instance() -> str:
    return uuid.uuid4().urn


class ErrorHandler:
    """Turn whatever an endpoint raises into a response. Unexpected errors are logged and answered without details."""

    def __init__(
        self,
        translations: Mapping[type[Exception], type[ApiError]] | None = None,
        *,
        logger: logging.Logger | None = None,
        new_instance: Callable[[], str] = _new_instance,
    ) -> None:
        self._translations = dict(translations or {})
        self._logger = logger or logging.getLogger(__name__)
        self._new_instance = new_instance

    def respond(self, error: Exception) -> Response:
        """Return the response to an exception. Its `instance` is also in the log, to find the one by the other."""
        instance = self._new_instance()
        known = self._known(error)
        if known is not None and known.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._logger.info("Problem %s: %d %s", instance, known.status, type(error).__name__)
            return problem_response(known, instance=instance)
        self._logger.error("Problem %s: unexpected error", instance, exc_info=error)
        # Whatever it says may be internal: queries, paths, credentials.
        return problem_response(known or ApiError(), instance=instance)

    def _known(self, error: Exception) -> ApiError | None:
        if isinstance(error, ApiError):
            return error
        # The most specific class first, as in `except` clauses that are written in the right order.
        found = [self._translations[kind] for kind in type(error).__mro__ if kind in self._translations]
        # Only the status is translated: the text of a foreign exception is not meant for clients.
        return found[0]() if found else None

    def endpoint(self, function: Callable[Parameters, Response]) -> Callable[Parameters, Response]:
        """Decorate an endpoint, so that it returns a problem where it would raise."""

        @functools.wraps(function)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Response:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # the last line of defence: every error becomes an answer
                return self.respond(error)

        return guarded

    def middleware(self, app: WsgiApp) -> WsgiApp:
        """Wrap a WSGI application. Bodies are collected, so that an error in the middle of one is answered too."""

        def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            chunks: Iterable[bytes] = ()
            try:
                chunks = app(environ, start_response)
                return [b"".join(chunks)]
            except Exception as error:  # as above
                response = self.respond(error)
                status = HTTPStatus(response.status)
                headers = list(response.headers.items())
                start_response(f"{status.value} {status.phrase}", headers, sys.exc_info())
                return [response.body]
            finally:
                close = getattr(chunks, "close", None)
                if close is not None:
                    close()

        return guarded
