"""Records as flat rows for tables: one row per face, one for a photo without a face or a file that cannot be read.

The columns depend on the networks only, so that every row of a batch has the same ones. They are, in this order:

- the file: ``path``, ``error``, ``width``, ``height``, ``rotation_deg``, ``detector``, ``left_out``, ``faces`` (number
  of faces in the photo);
- the face: ``face`` (from 1), ``box_left``, ``box_top``, ``box_width``, ``box_height``, ``score``, ``uncertain``,
  ``roll_deg``;
- the verdict of the networks with the same classes, which is their ensemble if they are several: ``expression``,
  ``confidence``, ``sure``, ``entropy_bits``, ``agreeing``, ``disagreement_bits`` and ``p_<class>``; of a second group
  of networks the same with ``_2`` at the end;
- each network: ``<run id>_expression``, ``<run id>_confidence`` and ``<run id>_p_<class>``.

Units and meaning are those of the records that the values are taken from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from core.checkpoints import ModelCard
from core.labels import LabelSet, groups_by_classes
from core.records.analysis import FaceRecord, PhotoRecord
from core.records.predictions import GroupRecord, PredictionRecord

Value = str | int | float | bool | None
Row = dict[str, Value]

FILE_COLUMNS: Mapping[str, type] = {
    "path": str,
    "error": str,
    "width": int,
    "height": int,
    "rotation_deg": int,
    "detector": str,
    "left_out": str,
    "faces": int,
}
FACE_COLUMNS: Mapping[str, type] = {
    "face": int,
    "box_left": float,
    "box_top": float,
    "box_width": float,
    "box_height": float,
    "score": float,
    "uncertain": bool,
    "roll_deg": float,
}
VERDICT_COLUMNS: Mapping[str, type] = {
    "expression": str,
    "confidence": float,
    "sure": bool,
    "entropy_bits": float,
    "agreeing": int,
    "disagreement_bits": float,
}


@dataclass(frozen=True)
class RowGroup:
    """Networks with the same classes. ``threshold`` is the confidence from which their verdict is called sure, None if
    it is not known."""

    labels: LabelSet
    model_ids: tuple[str, ...]
    threshold: float | None = None


@dataclass(frozen=True)
class RowLayout:
    """The columns of the rows for some networks, and how records are written into them."""

    groups: tuple[RowGroup, ...]  # the largest first

    @classmethod
    def of(cls, cards: Iterable[ModelCard], thresholds: Mapping[tuple[str, ...], float] | None = None) -> RowLayout:
        """The layout for these networks; ``thresholds`` are by the classes of a group."""
        labels = {card.run_id: card.labels for card in cards}
        return cls(
            tuple(
                RowGroup(labels[ids[0]], ids, (thresholds or {}).get(labels[ids[0]].classes))
                for ids in groups_by_classes(labels)
            )
        )

    @cached_property
    def columns(self) -> Mapping[str, type]:
        """The type of each column, in the order of the columns; every value may also be None."""
        found = {**FILE_COLUMNS, **FACE_COLUMNS}
        for number, group in enumerate(self.groups):
            verdict = {**VERDICT_COLUMNS, **{f"p_{name}": float for name in group.labels.classes}}
            found |= {name + _suffix(number): kind for name, kind in verdict.items()}
        for group in self.groups:
            for model_id in group.model_ids:
                found |= {f"{model_id}_expression": str, f"{model_id}_confidence": float}
                found |= {f"{model_id}_p_{name}": float for name in group.labels.classes}
        return found

    def rows(self, photo: PhotoRecord) -> list[Row]:
        """The rows of one photo; at least one."""
        of_file: Row = {
            "path": photo.path,
            "error": photo.error,
            "width": photo.width,
            "height": photo.height,
            "rotation_deg": None if photo.error else photo.rotation_deg,
            "detector": photo.detector,
            "left_out": " ".join(photo.left_out) or None,
            "faces": None if photo.error else len(photo.faces),
        }
        empty: Row = dict.fromkeys(self.columns)
        return [empty | of_file | self._of_face(face) for face in photo.faces] or [empty | of_file]

    def _of_face(self, face: FaceRecord) -> Row:
        row: Row = {
            "face": face.number,
            **{f"box_{name}": value for name, value in face.box.model_dump().items()},
            "score": face.score,
            "uncertain": face.uncertain,
            "roll_deg": face.roll_deg,
        }
        found = {frozenset(group.labels.classes): group for group in face.groups}
        for number, group in enumerate(self.groups):
            record = found.get(frozenset(group.labels.classes))
            if record is None:
                continue
            verdict = _verdict(record, group)
            row |= {name + _suffix(number): value for name, value in verdict.items()}
            for model_id, prediction in record.predictions.items():
                row |= {
                    f"{model_id}_expression": prediction.expression,
                    f"{model_id}_confidence": prediction.confidence,
                }
                row |= {f"{model_id}_{name}": value for name, value in _probabilities(prediction).items()}
        return row


def _verdict(record: GroupRecord, group: RowGroup) -> Row:
    verdict = record.ensemble or next(iter(record.predictions.values()))
    # The threshold was chosen for all networks of the group, so it does not apply where one is left out.
    complete = len(record.predictions) == len(group.model_ids)
    known = group.threshold is not None and complete and verdict.confidence is not None
    return {
        "expression": verdict.expression,
        "confidence": verdict.confidence,
        "sure": verdict.confidence >= group.threshold if known else None,  # type: ignore[operator]
        "entropy_bits": verdict.entropy_bits,
        "agreeing": record.agreeing,
        "disagreement_bits": record.disagreement_bits,
        **_probabilities(verdict),
    }


def _probabilities(prediction: PredictionRecord) -> Row:
    return {f"p_{name}": value for name, value in prediction.probabilities.items()}


def _suffix(number: int) -> str:
    return "" if number == 0 else f"_{number + 1}"
