"""Exported networks as files to download."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import core
from core.checkpoints import Checkpoint
from core.errors import ExportError

MARK = "Error: "  # before the sentence of an expected error on the command line
EXPECTED_S = 20  # that a conversion takes at most, as a rule
POLL_S = 0.1


def exported_file(checkpoint: Checkpoint, format_name: str, progress: Callable[[int, int], None]) -> bytes:
    """The content of a network's file in a format of ``core.exporting``. Raises ExportError.

    The file is made by the command line in a process of its own: the converters of PyTorch intercept the calls of every
    network in a process, which other sessions are using. ``progress`` is called several times a second with the seconds
    so far and EXPECTED_S; what it raises ends the conversion.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "network"
        command = [sys.executable, "-m", "core", "export", checkpoint.card.run_id, "--format", format_name]
        messages = Path(folder) / "messages"
        with messages.open("w") as file:
            process = subprocess.Popen(
                [*command, "--out", str(target), "--checkpoints", str(checkpoint.path.parent)],
                cwd=Path(core.__file__).parents[1],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL,
                stderr=file,
            )
        begun = time.monotonic()
        try:
            while process.poll() is None:
                progress(min(int(time.monotonic() - begun), EXPECTED_S - 1), EXPECTED_S)
                time.sleep(POLL_S)
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            raise ExportError(_reason(messages.read_text(errors="replace"), process.returncode))
        return target.read_bytes()


def _reason(messages: str, status: int) -> str:
    """The sentence that the command line printed, or that there was none."""
    errors = [line for line in messages.splitlines() if line.startswith(MARK)]
    if errors:
        return errors[-1].removeprefix(MARK)
    return (
        f"the process that converts the network ended with status {status} before it was finished, perhaps for lack of "
        "memory; try again, or use the command line: python -m core export"
    )
