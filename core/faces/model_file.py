"""A file fetched once, kept in a cache and never used unchecked."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path

TIMEOUT_S = 20
MAX_BYTES = 20_000_000


class DownloadError(RuntimeError):
    """The file could not be fetched, is another file, or could not be written."""


def fetch(url: str, cached: Path, sha256: str) -> bytes:
    """The content of ``cached`` where it has that SHA-256, else that of ``url``, kept in ``cached``.

    A wrong file is never returned and never left behind. Raises DownloadError.
    """
    try:
        content = cached.read_bytes()
        if hashlib.sha256(content).hexdigest() == sha256:
            return content
        cached.unlink()
    except OSError:
        pass  # not there yet
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            content = bytes(response.read(MAX_BYTES))
    except (OSError, HTTPException, ValueError) as error:
        raise DownloadError(str(error) or type(error).__name__) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DownloadError(f"expected a file with SHA-256 {sha256[:12]}..., got {len(content)} bytes {found[:12]}...")
    try:
        _write(cached, content)
    except OSError as error:
        raise DownloadError(f"{cached.parent} cannot be written: {error.strerror}") from error
    return content


def _write(path: Path, content: bytes) -> None:
    """All or nothing, also where two processes write at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
