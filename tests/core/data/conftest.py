"""Small data sets of random images, written the way the official files are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

USAGES = ("Training", "PublicTest", "PrivateTest")
FERPLUS_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


@dataclass(frozen=True)
class Faces:
    """The content of a file."""

    images: np.ndarray  # (N, 48, 48) uint8
    emotions: list[int]
    usages: list[str]

    def lines(self) -> list[str]:
        """Rows as in the official fer2013.csv."""
        pixels = (" ".join(map(str, image.ravel().tolist())) for image in self.images)
        return [f"{e},{p},{u}" for e, p, u in zip(self.emotions, pixels, self.usages, strict=True)]

    def write(self, path: Path, lines: Sequence[str] | None = None) -> Path:
        path.write_text("\n".join(["emotion,pixels,Usage", *(self.lines() if lines is None else lines)]) + "\n")
        return path


def some_faces(n: int, seed: int = 0) -> Faces:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 48, 48), dtype=np.uint8)
    return Faces(images, [i % 7 for i in range(n)], [USAGES[i % 3] for i in range(n)])


@pytest.fixture
def faces() -> Faces:
    return some_faces(9)


@pytest.fixture
def official_csv(tmp_path: Path, faces: Faces) -> Path:
    return faces.write(tmp_path / "fer2013.csv")


@pytest.fixture
def write_votes(tmp_path: Path) -> Callable[..., Path]:
    """Writes fer2013new.csv next to fer2013.csv; ``votes`` are rows of ten numbers or texts."""

    def write(usages: Sequence[str], votes: Sequence[Sequence[object]], name: str = "fer2013new.csv") -> Path:
        rows = [
            f"{u},fer{i:07}.png,{','.join(map(str, v))}" for i, (u, v) in enumerate(zip(usages, votes, strict=True))
        ]
        path = tmp_path / name
        path.write_text("\n".join([FERPLUS_HEADER, *rows]) + "\n")
        return path

    return write


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Two classes, three splits under three spellings, four file types; 24 x 20 RGB pixels."""
    root = tmp_path / "faces"
    rng = np.random.default_rng(1)
    for relative in (
        "Training/happy/a.png",
        "Training/anger/b.jpg",
        "Public Test/happy/c.webp",
        "PrivateTest/anger/d.bmp",
        "PrivateTest/happy/e.JPEG",
    ):
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (24, 20, 3), dtype=np.uint8)).save(path)
    return root
