"""What one network answered on one split: logits per image, from which every figure is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import EvaluationError
from core.evaluation.probabilities import Answers, confidence, log_of_mean, softmax
from core.labels import LabelSet

COLUMNS = ("image_id", "truth", "copy_in_train")


# Compared by identity: an equality of arrays has no single truth value.
@dataclass(frozen=True, eq=False)
class EvaluationRun:
    """The answers of one network to N images. Arrays are read-only, so that sessions can share one run.

    ``image_ids`` are row numbers in the source of the data, ``truth`` positions in ``labels``. ``copy_in_train`` marks
    images with a pixel-identical copy in the training split; None where that is not known. ``mirrored`` are the logits
    for the mirror images, None where they were not asked for. Raises EvaluationError for arrays that do not fit
    together, a logit that is not a number (named by its row), or an image given twice.
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
        ids, truth = _integers(self, "image_ids"), _integers(self, "truth")
        n, k = len(ids), len(self.labels)
        logits = self._checked_logits("logits", self.logits, ids)
        mirrored = None if self.mirrored is None else self._checked_logits("mirrored", self.mirrored, ids)
        if truth.shape != (n,):
            raise self._error(f"truth must have shape ({n},) like image_ids", truth.shape)
        outside = (truth < 0) | (truth >= k)
        if outside.any():
            row = int(np.argmax(outside))
            raise self._error(f"truth must lie in 0..{k - 1} for {self.labels.name}", f"{truth[row]} in row {row}")
        if n > 1 and not (np.diff(ids) > 0).all():  # ids mostly ascend, which is cheaper to see than to sort
            values, counts = np.unique(ids, return_counts=True)
            if (counts > 1).any():
                twice = int(values[np.argmax(counts)])
                raise self._error("every image must appear once", f"image {twice} in {int(counts.max())} rows")
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

    def _checked_logits(self, name: str, values: np.ndarray, ids: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # what does not fit float32 becomes infinite and is refused below
            # One column after the other: every figure goes over the images, seven numbers at a time would be slow.
            logits = np.asarray(values, np.float32, order="F")
        n, k = len(ids), len(self.labels)
        if logits.shape != (n, k):
            raise self._error(f"{name} must have shape ({n}, {k}) for {n} images and {self.labels.name}", logits.shape)
        finite = np.isfinite(logits)
        if not finite.all():
            row = int(np.argmin(finite.all(axis=1)))
            raise self._error(f"row {row} (image {ids[row]}) must hold finite logits", logits[row].tolist())
        return logits

    def __len__(self) -> int:
        return len(self.image_ids)

    def _error(self, expected: str, found: object) -> EvaluationError:
        return EvaluationError(f"{self.model_id} on {self.split}: {expected}, got {found}")

    @cached_property
    def probabilities(self) -> np.ndarray:
        """(N, K) float64: softmax of ``logits / temperature``; rows sum to 1."""
        return _read_only(softmax(self.logits, self.temperature))

    @cached_property
    def _answers(self) -> Answers:
        return Answers.of(self.logits, self.truth, self.temperature)

    @property
    def predicted(self) -> np.ndarray:
        """(N,) int64: the class with the highest logit, the first of equals."""
        return self._answers.predicted

    @cached_property
    def correct(self) -> np.ndarray:
        """(N,) bool: where the prediction is the true class."""
        return _read_only(self.predicted == self.truth)

    @property
    def confidence(self) -> np.ndarray:
        """(N,) float64: the probability of the predicted class."""
        return self._answers.confidence

    @property
    def of_truth(self) -> np.ndarray:
        """(N,) float64: the probability of the true class."""
        return self._answers.of_truth

    @property
    def squared_error(self) -> np.ndarray:
        """(N,) float64: squared distance of the probabilities to the one-hot truth, 0 to 2."""
        return np.asarray(self._answers.squares - 2 * self.of_truth + 1)

    @property
    def raw_confidence(self) -> np.ndarray:
        """(N,) float64: the probability of the predicted class before temperature."""
        return self.confidence if self.temperature == 1 else confidence(self.logits)

    def select(self, mask: np.ndarray) -> EvaluationRun:
        """The rows where ``mask`` (N,) is true, or those it numbers."""
        mask = np.asarray(mask)
        if mask.dtype == np.bool_ and mask.shape != (len(self),):
            raise self._error(f"a mask must have shape ({len(self)},)", mask.shape)
        copies = None if self.copy_in_train is None else self.copy_in_train[mask]
        return replace(
            self,
            image_ids=self.image_ids[mask],
            truth=self.truth[mask],
            logits=self.logits[mask],
            copy_in_train=copies,
            mirrored=None if self.mirrored is None else self.mirrored[mask],
        )

    def on_images(self, image_ids: np.ndarray) -> EvaluationRun:
        """The rows of those images, in that order. Raises EvaluationError naming the first that is missing."""
        wanted = np.asarray(image_ids)
        order = np.argsort(self.image_ids, kind="stable")
        rows = np.searchsorted(self.image_ids[order], wanted)
        found = rows < len(self)
        found[found] = self.image_ids[order[rows[found]]] == wanted[found]
        if not found.all():
            raise self._error("every image asked for must have been answered", f"no image {wanted[np.argmin(found)]}")
        return self.select(order[rows])

    def without_copies(self) -> EvaluationRun:
        """The images without an identical copy in training. Raises EvaluationError where copies are not known."""
        if self.copy_in_train is None:
            raise self._error("copies in training must be known to leave them out", "a run without copy_in_train")
        return self.select(~self.copy_in_train)

    def mirror_averaged(self) -> EvaluationRun:
        """The mean of the probabilities for each image and its mirror image, as a run of its own at temperature 1.

        Raises EvaluationError where the mirror images were not answered.
        """
        if self.mirrored is None:
            raise self._error("the mirrored average needs answers for the mirror images", "none")
        mean = log_of_mean([self.logits, self.mirrored], [self.temperature] * 2, [0.5, 0.5])
        return replace(self, logits=mean, temperature=1.0, mirrored=None)

    def paired_with(self, other: EvaluationRun) -> tuple[EvaluationRun, EvaluationRun]:
        """Both runs with row i on the same image, in this run's order.

        Raises EvaluationError naming both runs where classes, images or their true classes differ: differences between
        networks are only measured on the same questions.
        """
        if self.labels.classes != other.labels.classes:
            raise EvaluationError(
                f"{self.model_id} answers {self.labels.name} ({', '.join(self.labels.classes)}) and {other.model_id} "
                f"{other.labels.name} ({', '.join(other.labels.classes)}); choose networks with the same classes"
            )
        if not np.array_equal(self.image_ids, other.image_ids):
            shared = len(np.intersect1d(self.image_ids, other.image_ids))
            if not shared == len(self) == len(other):
                raise EvaluationError(
                    f"{self.model_id} and {other.model_id} answered different images: {len(self):,} of {self.split} "
                    f"and {len(other):,} of {other.split}, {shared:,} in common; evaluate both on the same split"
                )
            other = other.on_images(self.image_ids)
        if not np.array_equal(self.truth, other.truth):
            row = int(np.argmax(self.truth != other.truth))
            mine, theirs = (self.labels.classes[r.truth[row]] for r in (self, other))
            raise EvaluationError(
                f"{self.model_id} and {other.model_id} were scored against different labels: image "
                f"{self.image_ids[row]} is {mine} for one and {theirs} for the other"
            )
        return self, other

    def mapped_to(self, labels: LabelSet, *, truth: np.ndarray | None = None) -> EvaluationRun:
        """The same answers among the classes of ``labels``: classes it lacks are dropped, the rest renormalized.

        Images whose true class is dropped are left out, unless ``truth`` (N,), positions in ``labels``, is given.
        Raises EvaluationError where ``labels`` asks for a class the network does not know.
        """
        positions = labels.positions_in(self.labels)
        unknown = [c for c, p in zip(labels.classes, positions, strict=True) if p is None]
        if unknown:
            raise self._error(f"a run maps to {labels.name} only if it answers all its classes", f"no {unknown[0]!r}")
        columns = [p for p in positions if p is not None]
        if truth is not None:
            # Dropping a logit and renormalizing the probabilities are the same thing.
            mirrored = None if self.mirrored is None else self.mirrored[:, columns]
            return replace(self, labels=labels, truth=truth, logits=self.logits[:, columns], mirrored=mirrored)
        new_position = np.full(len(self.labels), -1)
        new_position[columns] = np.arange(len(columns))
        kept = self.select(new_position[self.truth] >= 0)
        mirrored = None if kept.mirrored is None else kept.mirrored[:, columns]
        return replace(
            kept, labels=labels, truth=new_position[kept.truth], logits=kept.logits[:, columns], mirrored=mirrored
        )

    def save(self, path: Path) -> None:
        """Write a Parquet file: image_id, truth, copy_in_train, and ``logit_<class>`` for each class.

        Where mirror images were answered, also ``mirrored_<class>``.
        """
        columns = {"image_id": self.image_ids, "truth": self.truth}
        table = pa.table(columns).append_column(
            "copy_in_train",
            pa.array(self.copy_in_train if self.copy_in_train is not None else [None] * len(self), pa.bool_()),
        )
        for k, name in enumerate(self.labels.classes):
            table = table.append_column(f"logit_{name}", pa.array(self.logits[:, k]))
            if self.mirrored is not None:
                table = table.append_column(f"mirrored_{name}", pa.array(self.mirrored[:, k]))
        partial = path.with_suffix(".partial")
        pq.write_table(table, partial, compression="zstd")
        partial.replace(path)

    @classmethod
    def load(
        cls, path: Path, *, model_id: str, split: str, labels: LabelSet, temperature: float = 1.0
    ) -> EvaluationRun:
        """Read what :meth:`save` wrote. Raises EvaluationError naming the file and what is wrong in it."""
        logit_columns = [f"logit_{c}" for c in labels.classes]
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise EvaluationError(f"{path.name} cannot be read as a Parquet file of answers: {error}") from error
        missing = [c for c in (*COLUMNS, *logit_columns) if c not in table.column_names]
        if missing:
            raise EvaluationError(
                f"{path.name} lacks the column {missing[0]!r}; it has {', '.join(table.column_names)}"
            )
        extra = [c for c in table.column_names if c.startswith("logit_") and c not in logit_columns]
        if extra:
            raise EvaluationError(f"{path.name} has the column {extra[0]!r}, a class that {labels.name} lacks")
        copies = table["copy_in_train"]
        known = copies.null_count < len(copies) or not len(copies)
        mirror_columns = [f"mirrored_{c}" for c in labels.classes]
        has_mirrored = all(c in table.column_names for c in mirror_columns)
        try:
            return cls(
                model_id,
                split,
                labels,
                image_ids=_column(table, "image_id"),
                truth=_column(table, "truth"),
                logits=np.column_stack([_column(table, c) for c in logit_columns]),
                copy_in_train=_column(table, "copy_in_train") if known else None,
                temperature=temperature,
                mirrored=np.column_stack([_column(table, c) for c in mirror_columns]) if has_mirrored else None,
            )
        except EvaluationError as error:
            raise EvaluationError(f"{path.name}: {error}") from error


def _integers(run: EvaluationRun, name: str) -> np.ndarray:
    values = np.asarray(getattr(run, name))
    if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
        raise run._error(f"{name} must be whole numbers with shape (N,)", f"{values.dtype} {values.shape}")
    return values.astype(np.int64, copy=False)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _column(table: pa.Table, name: str) -> np.ndarray:
    column = table[name]
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy()))
        raise EvaluationError(f"row {row} of the column {name!r} is empty")
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type)):
        raise EvaluationError(f"the column {name!r} must hold numbers, got {column.type}")
    return np.asarray(column.to_numpy())
