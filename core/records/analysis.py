"""Faces, photos and the document that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator

from core.checkpoints import ModelCard
from core.explain import REGION_NAMES, Explanation
from core.inference import FaceAnalysis, PhotoAnalysis
from core.probes import Decision, TrustFindings, Uncertainty
from core.records.base import Number, Record, Rows, Text, file_name
from core.records.predictions import GroupRecord, LabelsRecord
from core.records.probes import DecisionRecord, MapRecord, TrustRecord, UncertaintyRecord
from core.versions import versions

SCHEMA_VERSION = 2


class BoxRecord(Record):
    """A rectangle in px of the upright photo or frame; that of a photo is clipped to it."""

    left: Number
    top: Number
    width: Number
    height: Number


@dataclass(frozen=True, eq=False)
class FaceDetails:
    """What the panels of Analyze have computed for one face; what was not computed is empty."""

    uncertainty: Uncertainty | None = None
    decision: Decision | None = None
    maps: Mapping[str, Explanation] = field(default_factory=dict)
    map_pictures: Mapping[str, bytes] = field(default_factory=dict)  # PNG files of the maps, where requested
    region_shares: Mapping[str, np.ndarray] = field(default_factory=dict)  # (5,) in the order of REGION_NAMES
    trust: Mapping[str, TrustFindings] = field(default_factory=dict)


class FaceRecord(Record):
    """One face. Landmarks are the right eye, left eye, nose, right and left mouth corner, the person's right first."""

    number: int  # from 1
    box: BoxRecord
    score: Number  # the detector's own, 0 to 1; scores of different detectors cannot be compared
    uncertain: bool  # whether the score is below the level at which the detector is usually correct
    landmarks: Rows | None  # (x, y)
    roll_deg: Number  # clockwise
    groups: list[GroupRecord]  # the group with the most networks first
    uncertainty: UncertaintyRecord | None
    decision: DecisionRecord | None
    maps: dict[str, MapRecord]
    region_shares: dict[str, dict[str, Number]]  # by network and region: share of the saliency
    trust: dict[str, TrustRecord]

    @classmethod
    def of(cls, number: int, found: FaceAnalysis, details: FaceDetails, width: int, height: int) -> FaceRecord:
        """A face of an analysis; ``number`` counts from 1, ``width`` and ``height`` are the photo's in px."""
        shares = {m: dict(zip(REGION_NAMES, of, strict=True)) for m, of in details.region_shares.items()}
        classes = {m: prediction.labels.classes for m, prediction in found.predictions.items()}
        return cls.model_validate(
            {
                "number": number,
                "box": found.face.box.clipped(width, height),
                "score": found.face.score,
                "uncertain": found.face.uncertain,
                "landmarks": found.face.landmarks,
                "roll_deg": found.face.roll_deg,
                "groups": found.groups,
                "uncertainty": details.uncertainty,
                "decision": details.decision,
                "maps": {
                    m: MapRecord.of(explanation, classes[m], details.map_pictures.get(m))
                    for m, explanation in details.maps.items()
                },
                "region_shares": shares,
                "trust": details.trust,
            }
        )


class PhotoRecord(Record):
    """One photo with its faces, or with the reason why it could not be analyzed."""

    path: Annotated[str, BeforeValidator(file_name)]
    error: Text | None = None
    width: int | None = None
    height: int | None = None
    rotation_deg: int = 0  # clockwise, from the file to the upright photo
    detector: str | None = None
    left_out: tuple[str, ...] = ()  # networks that returned NaN or infinity
    faces: tuple[FaceRecord, ...] = ()

    @classmethod
    def of(cls, path: Path | str, analysis: PhotoAnalysis, details: Sequence[FaceDetails] | None = None) -> PhotoRecord:
        """An analyzed photo; ``details`` has one entry per face."""
        height, width = analysis.image.shape[:2]
        known = details or [FaceDetails()] * len(analysis.faces)
        return cls(
            path=str(path),
            width=width,
            height=height,
            rotation_deg=analysis.rotation_deg,
            detector=analysis.detector,
            left_out=analysis.left_out,
            faces=tuple(
                FaceRecord.of(number, face, of_face, width, height)
                for number, (face, of_face) in enumerate(zip(analysis.faces, known, strict=True), start=1)
            ),
        )


class NetworkRecord(Record):
    """What a reader needs to know of a network."""

    title: str
    architecture: str
    labels: LabelsRecord
    weights_sha256: str
    temperature: Number


class AnalysisRecord(Record):
    """Photos, with the networks and the versions that analyzed them."""

    schema_version: int
    versions: dict[str, str]
    networks: dict[str, NetworkRecord]
    photos: list[PhotoRecord]

    @classmethod
    def of(cls, photos: Iterable[PhotoRecord], cards: Iterable[ModelCard]) -> AnalysisRecord:
        """A document in the current schema."""
        return cls(
            schema_version=SCHEMA_VERSION,
            versions=versions(),
            networks={card.run_id: NetworkRecord.model_validate(card) for card in cards},
            photos=list(photos),
        )
