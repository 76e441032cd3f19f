"""Errors as ``application/problem+json`` (RFC 9457): a status and one sentence."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from core.errors import (
    BusyError,
    CheckpointError,
    DetectorUnavailableError,
    FerscopeError,
    ImageError,
    ImageTooLargeError,
    NotFiniteError,
    TooManyFacesError,
)

MEDIA_TYPE = "application/problem+json"
CLIENT_CLOSED_REQUEST = 499  # no client receives it, because it has gone; it appears in the metrics only
# The first class that fits decides; every other FerscopeError is about an option: 422.
STATUS_OF = (
    (ImageTooLargeError, 413),
    (TooManyFacesError, 413),
    (ImageError, 422),
    (BusyError, 429),
    (DetectorUnavailableError, 503),
    (CheckpointError, 503),
    (NotFiniteError, 503),
)
MEANINGS = {
    400: "The body cannot be read: it holds no photo, is truncated, or has a field that is not known.",
    401: "The bearer token is missing or wrong.",
    404: "The network or the address does not exist.",
    413: "A photo or the request exceeds a limit of size, pixels, photos or faces.",
    415: "The body is neither an image nor a multipart form.",
    422: "An option cannot be used, or no photo can be read.",
    429: "The queue is full; try again after the seconds in Retry-After.",
    503: "The networks or the detector are not available, or the response took too long.",
}


class Problem(Exception):  # noqa: N818  (the name of RFC 9457)
    """A request that is answered with a status and one sentence."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class ProblemRecord(BaseModel):
    """The body of every response that is not a success."""

    type: str = "about:blank"
    title: str = Field(description="the name of the status")
    status: int
    detail: str = Field(description="one sentence: what was expected, what was found and what to do")


def problem_of(error: FerscopeError) -> Problem:
    """An expected error with its status."""
    status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), 422)
    return Problem(status, error.sentence, **({"Retry_After": "1"} if status == 429 else {}))


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint can answer with, for the OpenAPI document."""
    schema = ProblemRecord.model_json_schema()
    return {
        status: {"description": MEANINGS[status], "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem."""
    handlers: dict[Any, Any] = {
        Problem: lambda _, error: _answer(error),
        FerscopeError: lambda _, error: _answer(problem_of(error)),
        RequestValidationError: lambda request, error: _answer(Problem(422, _option_problem(request, error))),
        HTTPException: _http_error,
        ClientDisconnect: lambda *_: Response(status_code=CLIENT_CLOSED_REQUEST),
        Exception: lambda *_: _answer(Problem(500, "The server failed; its log has the reason.")),
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, _awaitable(handler))


def _awaitable(handler: Any) -> Any:
    # Handlers that are not coroutines would be run in another thread.
    async def handle(request: Request, error: Exception) -> Response:
        answer: Response = handler(request, error)
        return answer

    return handle


def _answer(problem: Problem) -> Response:
    record = ProblemRecord(title=_title(problem.status), status=problem.status, detail=problem.detail)
    return JSONResponse(record.model_dump(), problem.status, problem.headers, MEDIA_TYPE)


def _title(status: int) -> str:
    return HTTPStatus(status).phrase


def _http_error(request: Request, error: HTTPException) -> Response:
    details = {
        404: f"There is no endpoint at {request.url.path}; {_documentation(request)} lists all endpoints.",
        405: f"{request.method} is not possible here; use {(error.headers or {}).get('Allow', 'another method')}.",
    }
    detail = details.get(error.status_code, str(error.detail))
    return _answer(Problem(error.status_code, detail, **dict(error.headers or {})))


def _documentation(request: Request) -> str:
    """The path of the documentation, below the path at which the API is mounted."""
    return f"{request.scope.get('root_path', '')}/docs"


def _option_problem(request: Request, error: RequestValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:]) or "the request"
    if first["type"] == "extra_forbidden":
        return f"The option {name!r} is not known; {_documentation(request)} lists all options."
    found = "" if first["type"] in ("missing", "value_error") else f", got {str(first.get('input'))[:60]!r}"
    return f"The option {name} cannot be used: {first['msg'][0].lower()}{first['msg'][1:]}{found}."
