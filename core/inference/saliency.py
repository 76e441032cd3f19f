"""Where a network looked in an analyzed face, for every class at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.errors import ExplainError
from core.explain import Contrast, Explanation, class_maps, explain, grad_cam_maps, normalize
from core.explain.closed_form import Scale
from core.inference.analysis import FaceAnalysis
from core.inference.predictor import Predictor


@dataclass(frozen=True)
class ClassMaps:
    """Grad-CAM of one network for all K classes of one face, not yet normalized."""

    model_id: str
    stage: str
    closed_form: bool
    maps: np.ndarray  # (K, h, w) float32, none negative

    def explanation(self, class_index: int, scale: Scale = "own") -> Explanation:
        """One class's map in [0, 1]: on its own scale, or on the scale ``"common"`` to all classes."""
        if not 0 <= class_index < len(self.maps):
            raise IndexError(f"{self.model_id} has {len(self.maps)} classes, there is no class number {class_index}")
        scaled = normalize(torch.from_numpy(self.maps)[None], scale=scale)[0]
        return Explanation(
            model_id=self.model_id,
            method="gradcam",
            class_index=class_index,
            layer=self.stage,
            heatmap=scaled[class_index].numpy(),
            evidence=float(self.maps[class_index].max()),
        )


def class_saliency(predictor: Predictor, face: FaceAnalysis, stage: str | None = None) -> ClassMaps:
    """Grad-CAM at a stage, by default the card's.

    Before the pooling the maps follow from the features of the prediction that was already made (``core.explain``);
    elsewhere the tail of the network is differentiated once a class. Raises KeyError for a stage the network lacks and
    ExplainError for a map with a value that is not a number.
    """
    network, stage = predictor.network, stage or predictor.card.cam_layer
    network.stage_module(stage)
    features = face.predictions[predictor.model_id].features
    closed_form = stage == network.closed_form_stage and features is not None
    if closed_form:
        with torch.inference_mode():
            maps = class_maps(torch.from_numpy(features)[None], network.head.weight)
    else:
        with predictor.lock:
            maps = grad_cam_maps(network, input_tensor(predictor, face), stage)
    if not torch.isfinite(maps).all():
        raise ExplainError(f"{predictor.model_id} met a value that is not a finite number; check the network's weights")
    return ClassMaps(predictor.model_id, stage, closed_form, maps[0].numpy())


def input_tensor(predictor: Predictor, face: FaceAnalysis) -> Tensor:
    """The face as it entered the network, (1, channels, S, S) float32."""
    # Not ``to_tensor``: the stored picture is already equalized, and must not be a second time.
    return predictor.card.preprocessing.normalize(torch.from_numpy(face.inputs[predictor.model_id])[None])


def explained(
    predictor: Predictor,
    face: FaceAnalysis,
    *,
    method: str,
    stage: str,
    classes: int | Contrast | None,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[Explanation, ...]:
    """The maps of an analyzed face by any method of ``core.explain``: for one class, for one rather than another, or
    for all (None). Holds the network's lock meanwhile. Raises ExplainError and Stopped as ``core.explain.explain``.
    """
    inputs = input_tensor(predictor, face)
    with predictor.lock:
        return tuple(
            explain(
                predictor.network,
                inputs,
                method=method,
                stage=stage,
                classes=classes,
                model_id=predictor.model_id,
                progress=progress,
                should_stop=should_stop,
            )
        )
