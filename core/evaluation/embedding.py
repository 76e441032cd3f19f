"""The penultimate features of a network for each image, as their first principal components.

They are stored next to the weights, so that no page needs the network or the images.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.errors import EvaluationError
from core.evaluation.parquet_columns import column, read_table, require_columns, write_table

COMPONENTS = 50
PREFIX = "component_"
METADATA = b"embedding"
MAP_LIMIT = 4_000
SEED = 0


@dataclass(frozen=True, eq=False)
class Embedding:
    """N images in the space of the D first principal components of a network's penultimate features.

    ``explained`` are the components' shares of the variance of all C ``features``, in descending order;
    ``weights_sha256`` identifies the weights that computed the features. Raises EvaluationError if the arrays do not
    fit together, for a value that is not finite, and for an image that appears twice.
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
        with np.errstate(over="ignore"):  # values beyond half precision become infinite and are refused below
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
        return EvaluationError(f"the embedding of {self.model_id} on {self.split}: {expected}, got {found}")

    def sample(self, limit: int = MAP_LIMIT, seed: int = SEED) -> Embedding:
        """At most ``limit`` images, drawn at random with a fixed seed, in their original order."""
        if len(self) <= limit:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), limit, replace=False))
        return replace(self, image_ids=self.image_ids[rows], components=self.components[rows])

    def save(self, path: Path) -> None:
        """Write a Parquet file with the columns image_id and ``component_1`` ... in half precision, and everything else
        in its metadata."""
        columns = {"image_id": self.image_ids}
        columns |= {f"{PREFIX}{d + 1}": self.components[:, d] for d in range(self.components.shape[1])}
        metadata = {
            "explained": [round(float(share), 8) for share in self.explained],
            "features": self.features,
            "weights_sha256": self.weights_sha256,
        }
        table = pa.table(columns).replace_schema_metadata({METADATA: json.dumps(metadata).encode()})
        # Values rarely repeat, so a dictionary would only enlarge the file.
        write_table(table, path, use_dictionary=False)

    @classmethod
    def load(cls, path: Path, *, model_id: str, split: str) -> Embedding:
        """Read what :meth:`save` wrote. Raises EvaluationError naming the file and what is wrong in it."""
        table = read_table(path, "an embedding")
        try:
            metadata = json.loads((table.schema.metadata or {})[METADATA])
            explained, features = np.asarray(metadata["explained"], np.float64), int(metadata["features"])
            weights_sha256 = str(metadata["weights_sha256"])
        except (KeyError, TypeError, ValueError) as error:
            raise EvaluationError(f"{path.name} lacks the metadata on its components; create the file again") from error
        names = [f"{PREFIX}{d + 1}" for d in range(len(explained))]
        require_columns(table, ("image_id", *names), path)
        ids, *components = (column(table, name, path) for name in ("image_id", *names))
        stacked = np.column_stack(components) if components else np.empty((len(ids), 0))
        try:
            return cls(model_id, split, ids, stacked, explained, features, weights_sha256)
        except EvaluationError as error:
            raise EvaluationError(f"{path.name}: {error}") from error


def principal_components(
    features: np.ndarray, image_ids: np.ndarray, *, model_id: str, split: str, weights_sha256: str
) -> Embedding:
    """Reduce features (N, C) to their first 50 principal components, or fewer if N or C allows fewer.

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
    from sklearn.decomposition import PCA  # scikit-learn takes a second to import, and stored maps do not need it

    count = min(COMPONENTS, len(features) - 1, features.shape[1])
    wide = features.astype(np.float64)
    with np.errstate(invalid="ignore"):  # identical images have no variance
        # The exact solver, because the randomized one may give other components with another version of scikit-learn.
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
    """The first two components of every image, (N, 2) float32; zeros if there is no second component."""
    plane = np.zeros((len(embedding), 2), np.float32)
    first_two = embedding.components[:, :2]
    plane[:, : first_two.shape[1]] = first_two
    return plane
