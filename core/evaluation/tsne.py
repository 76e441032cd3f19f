"""Maps of an embedding by t-SNE, stored next to it, because computing one takes half a minute."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from core.errors import EvaluationError
from core.evaluation.embedding import SEED, Embedding, pca_plane
from core.evaluation.parquet_columns import column, read_table, require_columns, write_table

# t-SNE is optimized in stages of scikit-learn's shortest run, to report progress and to allow stopping between them.
STAGE_ITERATIONS, STAGES = 250, 4
PERPLEXITY = 30.0
MIN_IMAGES = 4
METADATA = b"tsne"


@dataclass(frozen=True, eq=False)
class TsneMap:
    """The positions of the images that :meth:`Embedding.sample` draws.

    Raises EvaluationError if the arrays do not fit together and for a position that is not finite.
    """

    image_ids: np.ndarray  # (N,) int64, row numbers in the source of the data
    plane: np.ndarray  # (N, 2) float32
    weights_sha256: str

    def __post_init__(self) -> None:
        if self.plane.shape != (len(self.image_ids), 2) or not np.isfinite(self.plane).all():
            raise EvaluationError(
                f"a t-SNE map of {len(self.image_ids)} images needs two finite numbers for each, got {self.plane.shape}"
            )

    def fits(self, embedding: Embedding) -> bool:
        """Whether these are the images of an embedding of the same weights, in its order."""
        return self.weights_sha256 == embedding.weights_sha256 and np.array_equal(self.image_ids, embedding.image_ids)

    def save(self, path: Path) -> None:
        """Write a Parquet file with the columns image_id, x and y, and the settings in its metadata."""
        columns = {"image_id": self.image_ids, "x": self.plane[:, 0], "y": self.plane[:, 1]}
        about = settings() | {"weights_sha256": self.weights_sha256}
        table = pa.table(columns).replace_schema_metadata({METADATA: json.dumps(about).encode()})
        write_table(table, path, use_dictionary=False)

    @classmethod
    def load(cls, path: Path) -> TsneMap:
        """Read what :meth:`save` wrote. Raises EvaluationError for a damaged file and for one with other settings."""
        table = read_table(path, "a t-SNE map")
        require_columns(table, ("image_id", "x", "y"), path)
        try:
            about = json.loads((table.schema.metadata or {})[METADATA])
            weights_sha256 = str(about.pop("weights_sha256"))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise EvaluationError(f"{path.name} lacks the settings of its map; create the file again") from error
        if about != settings():
            raise EvaluationError(f"{path.name} was computed with {about}, expected {settings()}; create it again")
        ids, x, y = (column(table, name, path) for name in ("image_id", "x", "y"))
        return cls(ids, np.column_stack([x, y]).astype(np.float32), weights_sha256)


def settings() -> dict[str, Any]:
    """What determines the map of an embedding."""
    return {"perplexity": PERPLEXITY, "iterations": STAGES * STAGE_ITERATIONS, "seed": SEED}


def tsne_map(embedding: Embedding, progress: Callable[[int, int], None] | None = None) -> TsneMap:
    """The map of an embedding's sample; see :func:`tsne_plane`."""
    drawn = embedding.sample()
    return TsneMap(drawn.image_ids, tsne_plane(drawn, progress), drawn.weights_sha256)


def tsne_plane(embedding: Embedding, progress: Callable[[int, int], None] | None = None) -> np.ndarray:
    """t-SNE (van der Maaten and Hinton 2008) of the components, (N, 2) float32; deterministic.

    1,000 iterations of scikit-learn's Barnes-Hut t-SNE, starting from the first two components, with perplexity 30 (or
    a third of the number of neighbors if that is smaller): 250 with early exaggeration, then three stages of 250
    without. ``progress(done, total)`` is called after each stage; an exception it raises stops the computation. Raises
    EvaluationError for fewer than 4 images.
    """
    n = len(embedding)
    if n < MIN_IMAGES:
        raise EvaluationError(f"t-SNE of {embedding.model_id} needs at least {MIN_IMAGES} images, got {n}")
    from sklearn.manifold import TSNE

    space = embedding.components.astype(np.float32)
    plane = pca_plane(embedding)
    plane = plane / max(float(plane[:, 0].std()), np.finfo(np.float32).tiny) * 1e-4  # as scikit-learn starts from PCA
    for stage in range(STAGES):
        exaggeration = 12.0 if stage == 0 else 1.0
        tsne = TSNE(
            init=plane,
            perplexity=min(PERPLEXITY, (n - 1) / 3),
            early_exaggeration=exaggeration,
            learning_rate=max(n / 12 / 4, 50.0),  # what "auto" gives in the first stage, used in all stages
            max_iter=STAGE_ITERATIONS,
            random_state=SEED,
        )
        plane = np.asarray(tsne.fit_transform(space), np.float32)
        if progress:
            progress(stage + 1, STAGES)
    return plane
