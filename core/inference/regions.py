"""Where networks look: the parts of an analyzed face, and their share of the saliency over a whole data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from core.data import Samples
from core.errors import ExplainError
from core.explain import FaceRegions, Stopped, answered_maps, face_regions
from core.faces import points_in_crop
from core.inference.analysis import PhotoAnalysis, margin_for
from core.inference.dataset import prepared_images
from core.inference.predictor import Predictor
from core.labels import LabelSet

MINIMUM_FOR_AN_INTERVAL = 2


def regions_of(predictor: Predictor, analysis: PhotoAnalysis, face_number: int) -> FaceRegions:
    """The parts of one face as that network's crop shows them: by the detector's landmarks, or the template where it
    gives none."""
    face = analysis.faces[face_number].face
    if face.landmarks is None:
        return face_regions()
    return face_regions(points_in_crop(face.landmarks, face, margin_for(predictor, analysis.detector)))


@dataclass(frozen=True, eq=False)
class DatasetShares:
    """One network's shares of saliency on the images of a split, each map for the class the network answered with."""

    model_id: str
    split: str
    stage: str
    labels: LabelSet
    answered: np.ndarray  # (N,) position in labels
    shares: np.ndarray  # (N, 5) in the order of REGION_NAMES; NaN where nothing speaks for the class
    areas: np.ndarray  # (5,) of the template: what an even map would give

    def mean(self) -> np.ndarray:
        """(K, 5) over the images answered with each class; NaN for a class without one."""
        return np.stack([self._of(k).mean(axis=0) if len(self._of(k)) else _NOTHING for k in range(len(self.labels))])

    def half_width(self) -> np.ndarray:
        """(K, 5), half of the 95 % interval of the mean (normal approximation); NaN below two images."""
        return np.stack([_half_width(self._of(k)) for k in range(len(self.labels))])

    def counts(self) -> np.ndarray:
        """(K,) images with a map, by the class they were answered with."""
        return np.array([len(self._of(k)) for k in range(len(self.labels))])

    def _of(self, k: int) -> np.ndarray:
        rows = self.shares[self.answered == k]
        return np.asarray(rows[np.isfinite(rows).all(axis=1)])


_NOTHING = np.full(5, np.nan)


def _half_width(rows: np.ndarray) -> np.ndarray:
    if len(rows) < MINIMUM_FOR_AN_INTERVAL:
        return _NOTHING
    return np.asarray(1.96 * rows.std(axis=0, ddof=1) / np.sqrt(len(rows)))


def dataset_shares(
    predictor: Predictor,
    samples: Samples,
    split: str,
    *,
    stage: str | None = None,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> DatasetShares:
    """Grad-CAM of every image of a split for the class the network answers with (None: at the card's stage), divided
    among the template's regions: data sets of framed faces come without landmarks.

    ``progress(done, total)`` counts images. The network's lock is held for a batch at a time. Raises ExplainError for a
    stage the network lacks or a value that is not a number, DataError for a split without images, and Stopped.
    """
    network, stage = predictor.network, stage or predictor.card.cam_layer
    images = prepared_images(samples.of(split), predictor.card.preprocessing)
    regions = face_regions()
    answered, shares = [], []
    for start in range(0, len(images), batch_size):
        if should_stop is not None and should_stop():
            raise Stopped(f"stopped after {start} of {len(images)} images")
        faces = predictor.card.preprocessing.normalize(images[start : start + batch_size])
        with predictor.lock:
            logits, maps = answered_maps(network, faces.contiguous(memory_format=torch.channels_last), stage)
        if not (torch.isfinite(logits).all() and torch.isfinite(maps).all()):
            raise ExplainError(f"{predictor.model_id} met a value that is not a finite number; check its weights")
        answered.append(logits.argmax(dim=1).numpy())
        shares.append(regions.shares(maps.numpy()))
        if progress is not None:
            progress(start + len(faces), len(images))
    return DatasetShares(
        model_id=predictor.model_id,
        split=split,
        stage=stage,
        labels=predictor.card.labels,
        answered=np.concatenate(answered),
        shares=np.concatenate(shares),
        areas=regions.areas,
    )
