"""Share of the saliency in each region of the face, for an analyzed face and for a whole split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.data import Samples
from core.evaluation.intervals import NORMAL_QUANTILE
from core.explain import REGION_NAMES, FaceRegions, face_regions
from core.faces import points_in_crop
from core.inference import PhotoAnalysis, Predictor, explain_images, margin_for
from core.labels import LabelSet

MIN_IMAGES_FOR_INTERVAL = 2


def regions_in_crop(predictor: Predictor, analysis: PhotoAnalysis, face_number: int) -> FaceRegions:
    """The regions of one face in that network's crop: from the detector's landmarks, or the template where the
    detector gives none."""
    face = analysis.faces[face_number].face
    if face.landmarks is None:
        return face_regions()
    return face_regions(points_in_crop(face.landmarks, face, margin_for(predictor.card, analysis.detector)))


@dataclass(frozen=True, eq=False)
class SplitRegionShares:
    """Shares of one network's saliency in each region, for the images of a split; each map is for the predicted
    class."""

    model_id: str
    split: str
    stage: str
    labels: LabelSet
    predicted: np.ndarray  # (N,) index in labels
    shares: np.ndarray  # (N, 5) in the order of REGION_NAMES; NaN for a map without evidence
    areas: np.ndarray  # (5,) of the template: the shares of a uniform map

    def mean(self) -> np.ndarray:
        """(K, 5), mean over the images predicted as each class; NaN for a class without images."""
        return np.stack([self._of(k).mean(axis=0) if len(self._of(k)) else _UNDEFINED for k in range(len(self.labels))])

    def half_width(self) -> np.ndarray:
        """(K, 5), half the width of the mean's 95 % interval (normal approximation); NaN for fewer than two images."""
        return np.stack([_half_width(self._of(k)) for k in range(len(self.labels))])

    def counts(self) -> np.ndarray:
        """(K,) number of images with evidence, by predicted class."""
        return np.array([len(self._of(k)) for k in range(len(self.labels))])

    def _of(self, k: int) -> np.ndarray:
        rows = self.shares[self.predicted == k]
        return np.asarray(rows[np.isfinite(rows).all(axis=1)])


_UNDEFINED = np.full(len(REGION_NAMES), np.nan)


def _half_width(rows: np.ndarray) -> np.ndarray:
    if len(rows) < MIN_IMAGES_FOR_INTERVAL:
        return _UNDEFINED
    return np.asarray(NORMAL_QUANTILE * rows.std(axis=0, ddof=1) / np.sqrt(len(rows)))


def split_region_shares(
    predictor: Predictor,
    samples: Samples,
    split: str,
    *,
    stage: str | None = None,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> SplitRegionShares:
    """Grad-CAM of every image of a split for its predicted class (stage None: the card's), divided among the regions of
    the template, since data sets of cropped faces have no landmarks.

    ``progress(done, total)`` counts images. The network's lock is held for one batch at a time. Raises ExplainError for
    a stage that the network lacks, NotFiniteError, and DataError for a split without images.
    """
    stage = stage or predictor.card.cam_layer
    images = samples.of(split).images
    regions = face_regions()
    predicted: list[int] = []
    shares = []
    for start in range(0, len(images), batch_size):
        explanations = explain_images(predictor, list(images[start : start + batch_size]), stage=stage)
        predicted += [e.class_index for e in explanations]
        shares.append(regions.shares(np.stack([e.heatmap for e in explanations])))
        if progress is not None:
            progress(len(predicted), len(images))
    return SplitRegionShares(
        model_id=predictor.model_id,
        split=split,
        stage=stage,
        labels=predictor.card.labels,
        predicted=np.array(predicted),
        shares=np.concatenate(shares),
        areas=regions.areas,
    )
