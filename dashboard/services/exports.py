"""Exported networks as files to download."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import core
from core.checkpoints import Checkpoint
from core.errors import ExportError


def exported_file(checkpoint: Checkpoint, format_name: str) -> bytes:
    """The content of a network's file in a format of ``core.exporting``. Raises ExportError.

    It is made by the command line in a process of its own: the converters of PyTorch intercept the calls of every
    network in a process, which other sessions are using.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "network"
        command = [sys.executable, "-m", "core", "export", checkpoint.card.run_id, "--format", format_name]
        done = subprocess.run(
            [*command, "--out", str(target), "--checkpoints", str(checkpoint.path.parent)],
            cwd=Path(core.__file__).parents[1],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["the command line ended without a message"]
            raise ExportError(lines[-1].removeprefix("Error: "))
        return target.read_bytes()
