"""Many faces at a glance: one small summary a face, to be sorted and chosen from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from core.faces import MEASURED, CropMargin, crop
from core.inference.analysis import ENSEMBLE, PhotoAnalysis
from core.inference.doubt import disagreement_bits

THUMBNAIL_PX = 96
ORDERS = ("photo", "expression", "confidence", "disagreement")


@dataclass(frozen=True, eq=False)
class FaceSummary:
    """What a gallery shows of one face."""

    photo: str  # whatever tells the photo from others
    number: int  # position among the photo's faces, from 0
    thumbnail: np.ndarray  # (96, 96, 3) uint8
    expression: str
    confidence: float  # probability of that expression, after temperature scaling
    disagreement: float | None  # Jensen-Shannon divergence of the networks in bits; None for a single network
    side_px: float = float("inf")  # of the detector's box, in the upright photo
    left_out: tuple[str, ...] = ()  # networks that met a value that is not a finite number in this photo


def summarize_faces(photo: str, analysis: PhotoAnalysis) -> tuple[FaceSummary, ...]:
    """One summary a face, in the order of the analysis; ``photo`` is passed on."""
    found = []
    for number, face in enumerate(analysis.faces):
        picture = crop(analysis.image, face.face, MEASURED.get(analysis.detector, CropMargin()))
        verdict = face.verdict
        single = [p.probabilities for model_id, p in face.predictions.items() if model_id != ENSEMBLE]
        found.append(
            FaceSummary(
                photo=photo,
                number=number,
                thumbnail=_small(picture),
                expression=verdict.expression,
                confidence=float(verdict.probabilities[verdict.top]),
                disagreement=disagreement_bits(single) if ENSEMBLE in face.predictions else None,
                side_px=face.face.box.side,
                left_out=analysis.left_out,
            )
        )
    return tuple(found)


def in_order(faces: Iterable[FaceSummary], order: str) -> list[FaceSummary]:
    """The faces sorted: "photo" leaves them as they come, "expression" goes by name and then by confidence,
    "confidence" begins with the surest, "disagreement" with the face the networks differ most about; faces without a
    value come last. Equal faces keep their order. Raises ValueError for another order.
    """
    if order not in ORDERS:
        raise ValueError(f"faces can be sorted by {', '.join(ORDERS)}, got {order!r}")
    given = list(faces)
    if order == "expression":
        return sorted(given, key=lambda f: (f.expression, -f.confidence))
    if order == "confidence":
        return sorted(given, key=lambda f: -f.confidence)
    if order == "disagreement":
        return sorted(given, key=lambda f: (f.disagreement is None, -(f.disagreement or 0.0)))
    return given


def _small(picture: np.ndarray) -> np.ndarray:
    shrinking = min(picture.shape[:2]) >= THUMBNAIL_PX
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=method))
