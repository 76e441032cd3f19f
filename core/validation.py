"""One sentence for errors of other libraries, such as those about values that do not fit a pydantic model."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError


def first_problem(error: ValidationError) -> str:
    """The first problem of ``error`` with the field's path, e.g. ``metrics.test.n: field required``."""
    first = error.errors(include_url=False)[0]
    if isinstance(cause := first.get("ctx", {}).get("error"), Exception):
        message = str(cause)
    else:
        message = first["msg"][0].lower() + first["msg"][1:]
        if first["type"] not in ("missing", "missing_argument", "json_invalid"):
            message += f", got {_shown(first['input'])}"
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {message}" if field else message


def first_line(error: Exception) -> str:
    """The first line of the message of ``error``; the name of its type if there is no message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def unknown_key(error: ValidationError) -> str | None:
    """The path of the first key that the model does not have, None where every key is known."""
    for problem in error.errors(include_url=False):
        if problem["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            return ".".join(str(part) for part in problem["loc"])
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
