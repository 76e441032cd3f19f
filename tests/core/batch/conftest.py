"""Photos for batches, and a batch on small trained networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.batch.job import Batch, BatchOptions
from core.batch.part import ScoredPart
from tests.conftest import CLASSES, draw


@pytest.fixture(scope="session")
def many_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 150 generated pictures, which fill three parts, and a file that is none."""
    root = tmp_path_factory.mktemp("many") / "photos"
    random = np.random.default_rng(3)
    for number in range(150):
        name = CLASSES[number % 3]
        path = root / name / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(name, random)).save(path)
    (root / "bright" / "000.png").write_bytes(b"no picture")
    return root


@pytest.fixture
def batch(checkpoint_root: Path) -> Callable[..., Batch]:
    """A batch with both networks: ``batch(source)``."""

    def made(source: Path | str, **options: object) -> Batch:
        settings = {"root": checkpoint_root, "device": "cpu", "whole_image": True, "detector": "haar", **options}
        return Batch(BatchOptions(str(source), **settings))  # type: ignore[arg-type]

    return made


@pytest.fixture
def here() -> Callable[..., object]:
    """An engine without other processes."""

    def engine(batch, parts):
        for part in parts:
            files = [batch.preparation.of_entry(batch.source, entry) for entry in part.entries]
            yield ScoredPart(part, batch.scorer.rows(files))

    return engine


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, object]]]:
    """The rows of a Parquet file."""
    return lambda path: pq.read_table(path).to_pylist()
