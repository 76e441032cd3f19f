"""Where a network puts each image: its penultimate features as their first principal components, and maps of them.

Stored with the run as ``embeddings-{split}.parquet``, so that no page needs the network or the images.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from core.errors import EvaluationError

COMPONENTS = 50
PREFIX = "component_"
METADATA = b"embedding"
MAP_LIMIT = 4_000
# t-SNE is optimized in stages of scikit-learn's shortest run, so that there is progress to tell and a place to stop.
STAGE_ITERATIONS, STAGES = 250, 4
PERPLEXITY = 30.0
SEED = 0


@dataclass(frozen=True, eq=False)
class Embedding:
    """N images in the space of the D principal components of a network's penultimate features.

    ``explained`` are the components' shares of the variance of all C ``features``, falling; ``weights_sha256`` names
    the weights that made the features. Raises EvaluationError for arrays that do not fit together, a value that is not
    finite, or an image given twice.
    """

    model_id: str
    split: str
    image_ids: np.ndarray  # (N,) int64, row numbers in the source of the data
    components: np.ndarray  # (N, D) float16
    explained: np.ndarray  # (D,) float64 in [0, 1]
    features: int
    weights_sha256: str

    def __post_init__(self) -> None:
        n = len(self.image_ids)
        with np.errstate(over="ignore"):  # what does not fit half precision becomes infinite and is refused below
            components = np.asarray(self.components, np.float16)
        if components.ndim != 2 or len(components) != n or not components.shape[1]:
            raise self._error(f"components must have shape ({n}, D), one row for each image", components.shape)
        finite = np.isfinite(components).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            raise self._error(f"row {row} (image {self.image_ids[row]}) must hold finite components", "another value")
        explained = np.asarray(self.explained, np.float64)
        if explained.shape != (components.shape[1],) or not ((explained >= 0) & (explained <= 1)).all():
            raise self._error(f"explained must be {components.shape[1]} shares from 0 to 1", explained.tolist())
        if self.features < components.shape[1]:
            raise self._error(f"{components.shape[1]} components need at least as many features", self.features)
        if np.asarray(self.image_ids).dtype.kind not in "iu":
            raise self._error("image_ids must be whole numbers", np.asarray(self.image_ids).dtype)
        ids = np.asarray(self.image_ids, np.int64)
        values, counts = np.unique(ids, return_counts=True)
        if len(values) < n:
            raise self._error("every image must appear once", f"image {values[counts > 1][0]} in several rows")
        for name, array in (("image_ids", ids), ("components", components), ("explained", explained)):
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __len__(self) -> int:
        return len(self.image_ids)

    def _error(self, expected: str, found: object) -> EvaluationError:
        return EvaluationError(f"embedding of {self.model_id} on {self.split}: {expected}, got {found}")

    def sample(self, limit: int = MAP_LIMIT, seed: int = SEED) -> Embedding:
        """At most ``limit`` images, drawn at random with a fixed seed and kept in their order."""
        if len(self) <= limit:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), limit, replace=False))
        return replace(self, image_ids=self.image_ids[rows], components=self.components[rows])

    def save(self, path: Path) -> None:
        """Write a Parquet file: image_id and ``component_1`` ... in half precision; all else is in its metadata."""
        columns = {"image_id": self.image_ids}
        columns |= {f"{PREFIX}{d + 1}": self.components[:, d] for d in range(self.components.shape[1])}
        described = {
            "explained": [round(float(share), 8) for share in self.explained],
            "features": self.features,
            "weights_sha256": self.weights_sha256,
        }
        table = pa.table(columns).replace_schema_metadata({METADATA: json.dumps(described).encode()})
        partial = path.with_suffix(".partial")
        # Hardly a value comes twice: a dictionary of them would only add to the file.
        pq.write_table(table, partial, compression="zstd", use_dictionary=False)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path, *, model_id: str, split: str) -> Embedding:
        """Read what :meth:`save` wrote. Raises EvaluationError naming the file and what is wrong in it."""
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise EvaluationError(f"{path.name} cannot be read as a Parquet file of an embedding: {error}") from error
        try:
            described = json.loads((table.schema.metadata or {})[METADATA])
            explained, features = np.asarray(described["explained"], np.float64), int(described["features"])
            weights_sha256 = str(described["weights_sha256"])
        except (KeyError, TypeError, ValueError) as error:
            raise EvaluationError(
                f"{path.name} does not say how much its components explain; make the file again"
            ) from error
        names = [f"{PREFIX}{d + 1}" for d in range(len(explained))]
        missing = [c for c in ("image_id", *names) if c not in table.column_names]
        if missing:
            raise EvaluationError(
                f"{path.name} lacks the column {missing[0]!r}; it has {', '.join(table.column_names)}"
            )
        columns = [table[c] for c in ("image_id", *names)]
        if any(c.null_count or not (pa.types.is_integer(c.type) or pa.types.is_floating(c.type)) for c in columns):
            raise EvaluationError(f"{path.name} must hold a number in every cell, got an empty one or a text")
        ids, *of_components = (c.to_numpy() for c in columns)
        try:
            components = np.column_stack(of_components) if of_components else np.empty((len(ids), 0))
            return cls(model_id, split, ids, components, explained, features, weights_sha256)
        except EvaluationError as error:
            raise EvaluationError(f"{path.name}: {error}") from error


def principal_components(
    features: np.ndarray, image_ids: np.ndarray, *, model_id: str, split: str, weights_sha256: str
) -> Embedding:
    """Reduce features (N, C) to their first 50 principal components, or as many as N images and C features have.

    Raises EvaluationError for fewer than two images and for features that are not finite.
    """
    if features.ndim != 2 or len(features) != len(image_ids) or len(features) < 2:
        raise EvaluationError(
            f"{model_id} on {split}: features must have shape (N, C) for {len(image_ids)} images, at least 2, "
            f"got {features.shape}"
        )
    if not np.isfinite(features).all():
        row = int(np.argmin(np.isfinite(features).all(axis=1)))
        raise EvaluationError(f"{model_id} on {split}: the features of image {image_ids[row]} are not finite")
    count = min(COMPONENTS, len(features) - 1, features.shape[1])
    wide = features.astype(np.float64)
    with np.errstate(invalid="ignore"):  # images that are all alike have no variance to share out
        # The exact solver: the randomized one would give other components with every version.
        pca = PCA(count, svd_solver="covariance_eigh").fit(wide)
    total = float(wide.var(axis=0, ddof=1).sum())
    shares = pca.explained_variance_ / total if total > 0 else np.zeros(count)
    return Embedding(
        model_id,
        split,
        image_ids,
        pca.transform(wide),
        shares.clip(0, 1),
        features.shape[1],
        weights_sha256,
    )


def pca_plane(embedding: Embedding) -> np.ndarray:
    """The first two components of every image, (N, 2) float32; zeros where there is no second one."""
    plane = np.zeros((len(embedding), 2), np.float32)
    first_two = embedding.components[:, :2]
    plane[:, : first_two.shape[1]] = first_two
    return plane


def tsne_plane(embedding: Embedding, progress: Callable[[int, int], None] | None = None) -> np.ndarray:
    """t-SNE (van der Maaten and Hinton 2008) of the components, (N, 2) float32; the same for the same embedding.

    1,000 iterations of scikit-learn's Barnes-Hut t-SNE from the first two components, perplexity 30 (a third of the
    neighbors there are where they are fewer): 250 with early exaggeration, the rest in further stages of 250 without.
    ``progress(done, all)`` is told after each stage; what it raises ends the work. Raises EvaluationError for fewer
    than 4 images.
    """
    n = len(embedding)
    if n < 4:
        raise EvaluationError(f"t-SNE of {embedding.model_id} needs at least 4 images, got {n}")
    space = embedding.components.astype(np.float32)
    plane = pca_plane(embedding)
    plane = plane / max(float(plane[:, 0].std()), np.finfo(np.float32).tiny) * 1e-4  # as scikit-learn begins from PCA
    for stage in range(STAGES):
        exaggeration = 12.0 if stage == 0 else 1.0
        tsne = TSNE(
            init=plane,
            perplexity=min(PERPLEXITY, (n - 1) / 3),
            early_exaggeration=exaggeration,
            learning_rate=max(n / 12 / 4, 50.0),  # what "auto" takes in the first stage, kept for the others
            max_iter=STAGE_ITERATIONS,
            random_state=SEED,
        )
        plane = np.asarray(tsne.fit_transform(space), np.float32)
        if progress:
            progress(stage + 1, STAGES)
    return plane
