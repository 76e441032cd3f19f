"""Files and folders that are either complete or absent, also after a crash or a full disk."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

# What the zip module raises for a damaged file, an unknown method and an encrypted member.
DAMAGED_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file next to ``path``, then move it into place.

    A reader sees the previous file or the new one, never a part of it. Raises OSError where the folder cannot be
    written; the previous file is then unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        write(partial)
        _sync(partial)
        os.replace(partial, path)  # noqa: PTH105  (one call per step, so that a test can interrupt between them)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with :func:`write_atomically`."""
    write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def temporary_folder(target: Path) -> Path:
    """An empty folder next to ``target``, for :func:`replace_folder`; the remains of an interrupted one are removed."""
    finish_replacement(target)
    fresh = _partial_folder(target, "new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def replace_folder(target: Path, fresh: Path) -> None:
    """Replace ``target`` by ``fresh``, a folder from :func:`temporary_folder`.

    No system replaces a folder that has content in one step, so the previous folder is first renamed. A process that is
    killed in between leaves both folders complete, and :func:`finish_replacement` restores the previous one.
    """
    for path in fresh.iterdir():
        _sync(path)
    _sync(fresh)
    previous = _partial_folder(target, "old")
    if target.exists():
        target.rename(previous)
    try:
        fresh.rename(target)
    except OSError:
        if not target.exists():
            raise
        # Another process found no folder and has just restored the previous one.
        target.rename(previous)
        fresh.rename(target)
    _sync(target.parent)
    shutil.rmtree(previous, ignore_errors=True)


def finish_replacement(target: Path) -> None:
    """Restore or remove what an interrupted :func:`replace_folder` of ``target`` left behind."""
    previous = _partial_folder(target, "old")
    if not previous.is_dir():
        return
    if target.exists():
        shutil.rmtree(previous, ignore_errors=True)
        return
    try:
        previous.rename(target)
    except OSError:
        if not target.exists():  # otherwise, another process has finished the replacement
            raise


def interrupted_replacements(root: Path) -> list[Path]:
    """The folders below ``root`` that :func:`finish_replacement` has to restore."""
    found = [root / path.name[1 : -len(".old.partial")] for path in root.glob(".*.old.partial")]
    return [target for target in found if not target.exists()]


def _partial_folder(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{kind}.partial")


def _sync(path: Path) -> None:
    """Wait until the file or the folder's entries are on the disk."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open a folder
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
