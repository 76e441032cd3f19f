"""The limits of the API: one table of environment variables, from which they are read and documented."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import SettingError
from core.images import MAX_BYTES, MAX_PIXELS
from core.validation import first_problem

PREFIX = "FERSCOPE_API_"


class Limits(BaseModel):
    """What a request may ask for. Each field is the environment variable ``FERSCOPE_API_`` + its name in capitals."""

    model_config = ConfigDict(frozen=True)

    photo_mb: float = Field(default=MAX_BYTES / 1e6, gt=0, le=MAX_BYTES / 1e6, description="megabytes of one photo")
    megapixels: float = Field(
        default=MAX_PIXELS / 1e6, gt=0, le=MAX_PIXELS / 1e6, description="megapixels of one photo"
    )
    files: int = Field(default=16, ge=1, description="photos in one request")
    request_mb: float = Field(default=64.0, gt=0, description="megabytes of one request")
    faces: int = Field(default=100, ge=1, description="faces in one photo")
    seconds: float = Field(
        default=60.0, gt=0, description="seconds for one request, from its first byte to its response"
    )
    queue: int = Field(
        default=64,
        ge=1,
        description="requests in progress at the same time: being received, waiting or being computed",
    )
    workers: int = Field(default=8, ge=1, description="requests that are computed at the same time")
    token: str = Field(default="", repr=False, description="bearer token that clients must send; empty: none is needed")
    origins: str = Field(
        default="", description="web origins that may call the API, separated by commas (CORS); empty: none"
    )

    @property
    def allowed_origins(self) -> list[str]:
        """The web origins, one by one."""
        return [origin.strip() for origin in self.origins.split(",") if origin.strip()]


def limits_from(environment: Mapping[str, str] = os.environ) -> Limits:
    """The limits that are set in an environment. Raises SettingError naming the variable that cannot be used."""
    given = {
        name: environment[variable] for name in Limits.model_fields if (variable := variable_of(name)) in environment
    }
    try:
        return Limits.model_validate(given)
    except ValidationError as error:
        name, _, problem = first_problem(error).partition(": ")
        raise SettingError(f"{variable_of(name)} ({Limits.model_fields[name].description}): {problem}") from None


def variable_of(name: str) -> str:
    """The environment variable of a field."""
    return PREFIX + name.upper()


def table(limits: Limits | None = None) -> str:
    """The table of all variables in Markdown: with their defaults, or with the values of ``limits``."""
    rows = [f"| variable | {'default' if limits is None else 'here'} | limit |", "|---|---|---|"]
    for name, field in Limits.model_fields.items():
        value = field.default if limits is None else getattr(limits, name)
        if name == "token" and value:
            value = "set"
        shown = f"{value:g}" if isinstance(value, int | float) else value or "empty"
        rows.append(f"| `{variable_of(name)}` | {shown} | {field.description} |")
    return "\n".join(rows)
