"""Bytes of photos -> rows, in two steps that may run in different processes.

``Preparation`` decodes a photo and finds its faces; it needs no network, and its result is small. ``Scorer`` predicts
the faces of many prepared photos, in batches across photos. Every engine uses these two, so their rows do not differ.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from core import heap, images
from core.batch.entry import Entry
from core.batch.listing import PhotoSource
from core.checkpoints import Checkpoint, ModelCard
from core.errors import CheckpointError, EvaluationError, FerscopeError, ImageError, NotFiniteError
from core.evaluation import ensemble_run, threshold_for
from core.faces import Detector, Face
from core.faces import detector as make_detector
from core.inference import Prediction, Predictor, analyzed_faces, face_thumbnail, prepare
from core.labels import groups_by_classes
from core.records import FaceDetails, FaceRecord, PhotoRecord
from core.records.face_rows import Row, RowLayout

FACES_PER_PASS = 64
THUMBNAIL_QUALITY = 80


@dataclass(frozen=True, eq=False)
class PreparedFile:
    """A file after decoding and detection, or the reason why it cannot be read. The photo itself is not kept."""

    entry: Entry
    error: str | None = None
    width: int = 0
    height: int = 0
    rotation_deg: int = 0
    detector: str = ""
    faces: tuple[Face, ...] = ()
    inputs: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)  # model id -> one image per face
    thumbnails: tuple[bytes, ...] = ()  # one JPEG per face, if they were requested

    @classmethod
    def unreadable(cls, entry: Entry, error: FerscopeError) -> PreparedFile:
        """A file that cannot be scored, with the error's sentence as the reason."""
        return cls(entry, error.sentence)


@dataclass(frozen=True)
class Preparation:
    """Decoding and detection for the networks of these cards. It can be sent to another process.

    ``detector`` is the name of a detector that is available, not ``"auto"``: every process must use the same one.
    """

    cards: tuple[ModelCard, ...]
    detector: str
    whole_image: bool = False
    with_thumbnails: bool = False

    def of_entry(self, source: PhotoSource, entry: Entry) -> PreparedFile:
        """A file of a source. What is wrong with it becomes its error."""
        try:
            if entry.problem:
                raise ImageError(entry.problem)
            return self.of_bytes(entry, source.read(entry))
        except ImageError as error:
            return PreparedFile.unreadable(entry, error)

    def of_bytes(self, entry: Entry, data: bytes) -> PreparedFile:
        """A file whose bytes are known. Raises ImageError."""
        heap.count_analysis()
        image = images.decode(data)
        photo = prepare(image, _detector(self.detector), self.cards, whole_image=self.whole_image)
        height, width = photo.image.shape[:2]
        thumbnails: tuple[bytes, ...] = ()
        if self.with_thumbnails:
            thumbnails = tuple(_jpeg(face_thumbnail(photo.image, face, photo.detector)) for face in photo.faces)
        return PreparedFile(
            entry, None, width, height, photo.rotation_deg, photo.detector, photo.faces, photo.inputs, thumbnails
        )


class Scorer:
    """Networks that predict prepared files. ``thresholds`` are by the classes of a group, see :func:`thresholds`."""

    def __init__(self, predictors: Sequence[Predictor], thresholds: Mapping[tuple[str, ...], float]) -> None:
        self.predictors = tuple(p.for_background() for p in predictors)
        self.layout = RowLayout.of((p.card for p in predictors), thresholds)

    def rows(self, files: Sequence[PreparedFile]) -> list[list[Row]]:
        """The rows of each file. The faces of all files pass through each network together.

        A network that returns NaN or infinity for a file is left out of that file's rows.
        """
        predicted = [_Predicted() for _ in files]
        for predictor in self.predictors:
            self._predict(predictor, files, predicted)
        return [self.layout.rows(_record(file, of_file)) for file, of_file in zip(files, predicted, strict=True)]

    def _predict(self, predictor: Predictor, files: Sequence[PreparedFile], predicted: Sequence[_Predicted]) -> None:
        model_id = predictor.model_id
        faces = [image for file in files for image in file.inputs.get(model_id, ())]
        try:
            found = iter(_in_passes(predictor, faces))
            for file, of_file in zip(files, predicted, strict=True):
                of_file.predictions[model_id] = [next(found) for _ in file.faces]
        except NotFiniteError:
            for file, of_file in zip(files, predicted, strict=True):
                try:
                    of_file.predictions[model_id] = _in_passes(predictor, file.inputs.get(model_id, ()))
                except NotFiniteError:
                    of_file.left_out.append(model_id)


def thresholds(
    checkpoints: Sequence[Checkpoint], accuracy: float, *, report: Callable[[str], None] | None = None
) -> dict[tuple[str, ...], float]:
    """The confidence from which on the verdict of each group of networks is called sure, by the group's classes.

    It is chosen on the stored predictions for the validation split. A group without them, or that does not have the
    accuracy at any threshold, has none; ``report`` receives a sentence about it.
    """
    by_id = {checkpoint.card.run_id: checkpoint for checkpoint in checkpoints}
    found = {}
    for run_ids in groups_by_classes({run_id: checkpoint.card.labels for run_id, checkpoint in by_id.items()}):
        try:
            runs = [by_id[run_id].evaluation("val") for run_id in run_ids]
            found[runs[0].labels.classes] = threshold_for(ensemble_run(runs) if len(runs) > 1 else runs[0], accuracy)
        except (CheckpointError, EvaluationError) as error:
            if report is not None:
                report(f"It is not known which predictions of {', '.join(run_ids)} are sure: {error}")
    return found


@dataclass(eq=False)
class _Predicted:
    """The predictions for the faces of one file by model id, and the networks without one."""

    predictions: dict[str, list[Prediction]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def _record(file: PreparedFile, predicted: _Predicted) -> PhotoRecord:
    if file.error is None and not predicted.predictions:
        file = PreparedFile.unreadable(file.entry, NotFiniteError(*predicted.left_out))
    if file.error is not None:
        return PhotoRecord(path=file.entry.path, error=file.error)
    found = analyzed_faces(file.faces, file.inputs, predicted.predictions)
    return PhotoRecord(
        path=file.entry.path,
        width=file.width,
        height=file.height,
        rotation_deg=file.rotation_deg,
        detector=file.detector,
        left_out=tuple(predicted.left_out),
        faces=tuple(
            FaceRecord.of(number, face, FaceDetails(), file.width, file.height)
            for number, face in enumerate(found, start=1)
        ),
    )


def _in_passes(predictor: Predictor, faces: Sequence[np.ndarray]) -> list[Prediction]:
    return [
        prediction
        for first in range(0, len(faces), FACES_PER_PASS)
        for prediction in predictor.predict_inputs(faces[first : first + FACES_PER_PASS], keep_features=False)
    ]


@functools.lru_cache(maxsize=2)
def _detector(name: str) -> Detector:
    """One per process."""
    return make_detector(name)


def _jpeg(picture: np.ndarray) -> bytes:
    options: list[Any] = [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()
