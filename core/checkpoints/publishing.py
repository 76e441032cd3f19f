"""Replacing a checkpoint as a whole: a failure at any moment leaves the previous one intact."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.checkpoints.folder import CheckpointFolder, read_checkpoint
from core.errors import CheckpointError
from core.files import replace_folder, temporary_folder


@contextmanager
def publishing(root: Path, run_id: str) -> Iterator[CheckpointFolder]:
    """A temporary folder to fill with the files of the checkpoint ``run_id``; at the end it moves into ``root``.

    Before it replaces the previous checkpoint, its card, weights and predictions are read back. Raises CheckpointError
    where they do not agree, or where the disk is full; the previous checkpoint is then unchanged.
    """
    target = root / run_id
    if target.resolve().parent != root.resolve():
        raise CheckpointError(f"{run_id!r} would be written outside {root}; choose another name")
    try:
        fresh = temporary_folder(target)
        try:
            yield CheckpointFolder(fresh)
            _check(fresh, run_id)
            replace_folder(target, fresh)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    except OSError as error:
        raise CheckpointError(
            f"{target} cannot be written ({error.strerror or error}); the previous checkpoint is unchanged. Free some "
            "disk space or check the permissions, then run the same command again"
        ) from error


def _check(path: Path, run_id: str) -> None:
    checkpoint = read_checkpoint(path)
    if checkpoint.card.run_id != run_id:
        raise CheckpointError(f"the card describes {checkpoint.card.run_id!r}, expected {run_id!r}")
    if checkpoint.card.weights_shipped:
        checkpoint.network()
    for split, summary in checkpoint.card.metrics.items():
        stored = len(checkpoint.evaluation(split))
        if stored != summary.n:
            raise CheckpointError(f"{run_id}: {stored} stored predictions for the {split} split, expected {summary.n}")
