"""The folders of the server that visitors may read: none, unless FERSCOPE_ROOTS names them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from core.batch.listing import PhotoSource, open_source
from core.errors import BatchError

ROOTS_VARIABLE = "FERSCOPE_ROOTS"


def allowed_roots() -> list[Path]:
    """The folders that FERSCOPE_ROOTS names, resolved."""
    named = os.environ.get(ROOTS_VARIABLE, "").split(os.pathsep)
    return [Path(name).expanduser().resolve() for name in named if name.strip()]


def open_allowed(place: str) -> PhotoSource:
    """A folder, pattern, zip or CSV below one of the allowed folders; a relative path is relative to the first one.

    Raises BatchError for any other place, whether it exists or not. Files that lead out are refused one by one.
    """
    for root in allowed_roots():
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # a null byte; a loop of links
            path = (root / place.strip()).resolve()
            if path.is_relative_to(root):
                return open_source(str(path), root)
    names = ", ".join(str(root) for root in allowed_roots()) or "none"
    raise BatchError(f"{place} is not below a folder that may be read here ({names}); choose a place below one of them")
