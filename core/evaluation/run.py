"""The predictions of one network on one split: logits per image, from which every statistic is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.errors import EvaluationError
from core.evaluation.parquet_columns import column, read_table, require_columns, write_table
from core.labels import LabelSet


# Compared by identity, because comparing arrays gives no single truth value.
@dataclass(frozen=True, eq=False)
class EvaluationRun:
    """The logits of one network for N images. The arrays are read-only, so that sessions can share a run.

    ``image_ids`` are row numbers in the source of the data, ``truth`` are positions in ``labels``. ``copy_in_train``
    marks images with a pixel-identical copy in the training split; None if that is not known. ``mirrored`` are the
    logits of the mirror images; None if they were not computed. Raises EvaluationError if the arrays do not fit
    together, for a logit that is not finite (naming its row), and for an image that appears twice.
    """

    model_id: str
    split: str
    labels: LabelSet
    image_ids: np.ndarray  # (N,) int64
    truth: np.ndarray  # (N,) int64
    logits: np.ndarray  # (N, K) float32
    copy_in_train: np.ndarray | None = None  # (N,) bool
    temperature: float = 1.0
    mirrored: np.ndarray | None = None  # (N, K) float32

    def __post_init__(self) -> None:
        ids, truth = self._checked_integers("image_ids"), self._checked_integers("truth")
        n, k = len(ids), len(self.labels)
        logits = self._checked_logits("logits", self.logits, ids)
        mirrored = None if self.mirrored is None else self._checked_logits("mirrored", self.mirrored, ids)
        if truth.shape != (n,):
            raise self._error(f"truth must have shape ({n},) like image_ids", truth.shape)
        outside = (truth < 0) | (truth >= k)
        if outside.any():
            row = int(np.argmax(outside))
            raise self._error(f"truth must lie in 0..{k - 1} for {self.labels.name}", f"{truth[row]} in row {row}")
        if not (np.diff(ids) > 0).all():  # mostly the ids ascend, which is faster to check than to sort them
            values, counts = np.unique(ids, return_counts=True)
            if (counts > 1).any():
                repeated = int(values[np.argmax(counts)])
                raise self._error("every image must appear once", f"image {repeated} in {int(counts.max())} rows")
        if not 0 < self.temperature < np.inf:
            raise self._error("temperature must be positive and finite", self.temperature)
        copies = self.copy_in_train
        if copies is not None:
            copies = np.asarray(copies)
            if copies.shape != (n,) or copies.dtype != np.bool_:
                raise self._error(f"copy_in_train must be bool with shape ({n},)", f"{copies.dtype} {copies.shape}")
        arrays = {
            "image_ids": ids,
            "truth": truth,
            "logits": logits,
            "copy_in_train": copies,
            "mirrored": mirrored,
        }
        for name, array in arrays.items():
            object.__setattr__(self, name, None if array is None else _read_only(array))

    def _checked_integers(self, name: str) -> np.ndarray:
        values = np.asarray(getattr(self, name))
        if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
            raise self._error(f"{name} must be whole numbers with shape (N,)", f"{values.dtype} {values.shape}")
        return values.astype(np.int64, copy=False)

    def _checked_logits(self, name: str, values: np.ndarray, ids: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # values beyond float32 become infinite and are refused below
            # Contiguous columns: NumPy computes with K columns of N values twice as fast as with N rows of K values.
            logits = np.asarray(values, np.float32, order="F")
        n, k = len(ids), len(self.labels)
        if logits.shape != (n, k):
            raise self._error(f"{name} must have shape ({n}, {k}) for {n} images and {self.labels.name}", logits.shape)
        finite = np.isfinite(logits).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            raise self._error(f"row {row} (image {ids[row]}) must hold finite logits", logits[row].tolist())
        return logits

    def __len__(self) -> int:
        return len(self.image_ids)

    def _error(self, expected: str, found: object) -> EvaluationError:
        return EvaluationError(f"{self.model_id} on {self.split}: {expected}, got {found}")

    @cached_property
    def probabilities(self) -> np.ndarray:
        """(N, K) float64: softmax of ``logits / temperature``; rows sum to 1."""
        # In place, because allocating arrays for a million images takes longer than computing with them.
        values = self.logits.astype(np.float64)
        values /= self.temperature
        values -= values.max(axis=1, keepdims=True)
        np.exp(values, out=values)
        values /= values.sum(axis=1, keepdims=True)
        return _read_only(values)

    @cached_property
    def predicted(self) -> np.ndarray:
        """(N,) int64: the class with the highest logit; the first one if several are equal."""
        return _read_only(self.logits.argmax(axis=1))

    @cached_property
    def correct(self) -> np.ndarray:
        """(N,) bool: whether the predicted class is the true class."""
        return _read_only(self.predicted == self.truth)

    @cached_property
    def confidence(self) -> np.ndarray:
        """(N,) float64: the probability of the predicted class."""
        return _read_only(self.probabilities[np.arange(len(self)), self.predicted])

    @cached_property
    def true_probability(self) -> np.ndarray:
        """(N,) float64: the probability of the true class."""
        return _read_only(self.probabilities[np.arange(len(self)), self.truth])

    @cached_property
    def uncalibrated(self) -> EvaluationRun:
        """The same logits at temperature 1, before temperature scaling."""
        if self.temperature == 1:
            return self
        run = replace(self, temperature=1.0)
        vars(run).update(predicted=self.predicted, correct=self.correct)  # they do not depend on the temperature
        return run

    def select(self, rows: np.ndarray) -> EvaluationRun:
        """The rows for which a mask (N,) is true, or the rows with the given positions."""
        rows = np.asarray(rows)
        if rows.dtype == np.bool_ and rows.shape != (len(self),):
            raise self._error(f"a mask must have shape ({len(self)},)", rows.shape)
        return replace(
            self,
            image_ids=self.image_ids[rows],
            truth=self.truth[rows],
            logits=self.logits[rows],
            copy_in_train=None if self.copy_in_train is None else self.copy_in_train[rows],
            mirrored=None if self.mirrored is None else self.mirrored[rows],
        )

    def on_images(self, image_ids: np.ndarray) -> EvaluationRun:
        """The rows of these images, in this order. Raises EvaluationError naming the first that is missing."""
        wanted = np.asarray(image_ids)
        order = np.argsort(self.image_ids, kind="stable")
        rows = np.searchsorted(self.image_ids[order], wanted)
        found = rows < len(self)
        found[found] = self.image_ids[order[rows[found]]] == wanted[found]
        if not found.all():
            raise self._error("a prediction is needed for every image", f"none for image {wanted[np.argmin(found)]}")
        return self.select(order[rows])

    def paired_with(self, other: EvaluationRun) -> tuple[EvaluationRun, EvaluationRun]:
        """Both runs with the same image in each row and the same class in each column, in the order of this run.

        Raises EvaluationError naming both runs if their classes, splits, images or true classes differ, because
        networks can only be compared on the same images and labels.
        """
        both = f"{self.model_id} and {other.model_id}"
        if not self.labels.same_classes(other.labels):
            raise EvaluationError(
                f"{self.model_id} predicts {self.labels.name} ({', '.join(self.labels.classes)}) and {other.model_id} "
                f"{other.labels.name} ({', '.join(other.labels.classes)}); choose networks with the same classes"
            )
        if self.labels.classes != other.labels.classes:
            other = other.mapped_to(self.labels)
        if not np.array_equal(self.image_ids, other.image_ids):
            shared = len(np.intersect1d(self.image_ids, other.image_ids))
            if not shared == len(self) == len(other):
                raise EvaluationError(
                    f"{both} were evaluated on different images: {len(self):,} of {self.split} and {len(other):,} of "
                    f"{other.split}, {shared:,} in common; evaluate both on the same split"
                )
            other = other.on_images(self.image_ids)
        if self.split != other.split:
            raise EvaluationError(
                f"{both} were evaluated on different splits, {self.split} and {other.split}; evaluate both on the same"
            )
        if not np.array_equal(self.truth, other.truth):
            row = int(np.argmax(self.truth != other.truth))
            first, second = (run.labels.classes[run.truth[row]] for run in (self, other))
            raise EvaluationError(
                f"{both} were evaluated against different labels: image {self.image_ids[row]} is {first} for one and "
                f"{second} for the other"
            )
        return self, other

    def mapped_to(self, labels: LabelSet, *, truth: np.ndarray | None = None) -> EvaluationRun:
        """The predictions among the classes of ``labels``: other classes are dropped, the rest is renormalized.

        Images whose true class is dropped are left out, unless ``truth`` (N,), positions in ``labels``, is given.
        Raises EvaluationError if ``labels`` has a class that the network does not predict.
        """
        positions = labels.positions_in(self.labels)
        columns = [p for p in positions if p is not None]
        if len(columns) < len(positions):
            unknown = labels.classes[positions.index(None)]
            raise self._error(f"mapping to {labels.name} needs a network with all its classes", f"no {unknown!r}")
        run = self
        if truth is None:
            new_position = np.full(len(self.labels), -1)
            new_position[columns] = np.arange(len(columns))
            run = self.select(new_position[self.truth] >= 0)
            truth = new_position[run.truth]
        # Dropping logits is the same as dropping probabilities and renormalizing.
        mirrored = None if run.mirrored is None else run.mirrored[:, columns]
        return replace(run, labels=labels, truth=truth, logits=run.logits[:, columns], mirrored=mirrored)

    def save(self, path: Path) -> None:
        """Write a Parquet file with the columns image_id, truth, copy_in_train and ``logit_<class>`` per class, and
        ``mirrored_<class>`` if there are logits of mirror images."""
        copies = self.copy_in_train if self.copy_in_train is not None else [None] * len(self)
        columns = {"image_id": self.image_ids, "truth": self.truth, "copy_in_train": pa.array(copies, pa.bool_())}
        for k, name in enumerate(self.labels.classes):
            columns[f"logit_{name}"] = self.logits[:, k]
            if self.mirrored is not None:
                columns[f"mirrored_{name}"] = self.mirrored[:, k]
        write_table(pa.table(columns), path)

    @classmethod
    def load(
        cls, path: Path, *, model_id: str, split: str, labels: LabelSet, temperature: float = 1.0
    ) -> EvaluationRun:
        """Read what :meth:`save` wrote. Raises EvaluationError naming the file and what is wrong in it."""
        table = read_table(path, "predictions")
        logit_columns = [f"logit_{c}" for c in labels.classes]
        require_columns(table, ("image_id", "truth", "copy_in_train", *logit_columns), path)
        extra = [c for c in table.column_names if c.startswith("logit_") and c not in logit_columns]
        if extra:
            raise EvaluationError(f"{path.name} has the column {extra[0]!r}, a class that {labels.name} lacks")

        def stacked(names: list[str]) -> np.ndarray:
            return np.stack([column(table, name, path) for name in names]).T

        copies = table["copy_in_train"]
        copies_known = copies.null_count < len(copies) or not len(copies)
        mirrored_columns = [f"mirrored_{c}" for c in labels.classes]
        has_mirrored = all(c in table.column_names for c in mirrored_columns)
        ids, truth, logits = column(table, "image_id", path), column(table, "truth", path), stacked(logit_columns)
        copy_in_train = column(table, "copy_in_train", path) if copies_known else None
        mirrored = stacked(mirrored_columns) if has_mirrored else None
        try:
            return cls(model_id, split, labels, ids, truth, logits, copy_in_train, temperature, mirrored)
        except EvaluationError as error:
            raise EvaluationError(f"{path.name}: {error}") from error


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
