"""A small summary per face, for a gallery that sorts the faces of many photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from core.faces import MEASURED, CropMargin, Face, crop
from core.inference.analysis import PhotoAnalysis

THUMBNAIL_PX = 96
FACE_ORDERS = ("photo", "expression", "confidence", "disagreement")


@dataclass(frozen=True, eq=False)
class FaceSummary:
    """What a gallery shows of one face."""

    photo: str  # identifies the photo
    number: int  # index among the photo's faces, from 0
    thumbnail: np.ndarray  # (96, 96, 3) uint8
    expression: str  # predicted by the largest label group
    confidence: float  # probability of that expression, after temperature scaling
    disagreement_bits: float | None  # Jensen-Shannon divergence in the largest label group; None for a single network
    name: str = ""  # see ``PhotoAnalysis.name_of``
    # Name of the classes, expression and confidence in each further label group.
    other_verdicts: tuple[tuple[str, str, float], ...] = ()
    side_px: float = float("inf")  # of the detector's box, in the upright photo
    left_out: tuple[str, ...] = ()  # networks that returned NaN or infinity for this photo


def summarize_faces(photo: str, analysis: PhotoAnalysis) -> tuple[FaceSummary, ...]:
    """One summary per face, in the order of the analysis; ``photo`` is passed on."""
    return tuple(
        FaceSummary(
            photo=photo,
            number=number,
            thumbnail=face_thumbnail(analysis.image, face.face, analysis.detector),
            expression=face.verdict.expression,
            confidence=face.verdict.confidence,
            disagreement_bits=face.groups[0].disagreement_bits,
            name=analysis.name_of(number),
            other_verdicts=tuple((g.labels.name, g.verdict.expression, g.verdict.confidence) for g in face.groups[1:]),
            side_px=face.face.box.side,
            left_out=analysis.left_out,
        )
        for number, face in enumerate(analysis.faces)
    )


def sort_faces(faces: Iterable[FaceSummary], order: str) -> list[FaceSummary]:
    """The faces sorted stably: "photo" keeps their order, "expression" sorts by name and then by falling confidence,
    "confidence" starts with the highest, "disagreement" with the largest; faces without a disagreement come last.

    Raises ValueError for another order.
    """
    if order not in FACE_ORDERS:
        raise ValueError(f"faces can be sorted by {', '.join(FACE_ORDERS)}, got {order!r}")
    given = list(faces)
    if order == "expression":
        return sorted(given, key=lambda f: (f.expression, -f.confidence))
    if order == "confidence":
        return sorted(given, key=lambda f: -f.confidence)
    if order == "disagreement":
        return sorted(given, key=lambda f: (f.disagreement_bits is None, -(f.disagreement_bits or 0.0)))
    return given


def face_thumbnail(image: np.ndarray, face: Face, detector: str) -> np.ndarray:
    """The upright face of a photo (H, W, 3) as a small picture (96, 96, 3) uint8; ``detector`` found it."""
    picture = crop(image, face, MEASURED.get(detector, CropMargin()))
    shrinking = min(picture.shape[:2]) >= THUMBNAIL_PX
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=method))
