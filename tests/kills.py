"""Processes that are killed at a write, to test what a crash or a power cut leaves behind."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")


def kills_at_every_write(action: Callable[[], object], *folders: Path) -> Iterator[int]:
    """Run ``action`` in forked processes, killed at the first, second ... change below ``folders``, until one ends.

    Yields the number of the change after each killed process. A change is a file opened for writing, a file or folder
    that is renamed or removed, or a folder that is created; SIGKILL comes just before it.
    """
    for number in count():
        process = os.fork()
        if process == 0:
            try:
                _kill_at(number, folders)
                action()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "the action failed by itself; see its traceback"
            return
        assert os.WTERMSIG(status) == signal.SIGKILL
        yield number


def _kill_at(number: int, folders: tuple[Path, ...]) -> None:
    below = tuple(str(folder) for folder in folders)
    seen = count()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            changes = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        elif event in CHANGES:
            path, changes = arguments[0], True
        else:
            return
        inside = isinstance(path, str | os.PathLike) and os.fspath(path).startswith(below)
        if changes and inside and next(seen) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
