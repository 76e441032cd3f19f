"""Where a network looked in an analysed face, for every class at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from core.explain import Explanation, class_maps, grad_cam_maps, normalise
from core.explain.closed_form import Scale
from core.inference.analysis import FaceAnalysis
from core.inference.predictor import Predictor


@dataclass(frozen=True)
class ClassMaps:
    """Grad-CAM of one network for all K classes of one face, not yet normalised."""

    model_id: str
    stage: str
    closed_form: bool
    maps: np.ndarray  # (K, h, w) float32, none negative

    def explanation(self, class_index: int, scale: Scale = "own") -> Explanation:
        """One class's map in [0, 1]: on its own scale, or on the scale ``"common"`` to all classes."""
        if not 0 <= class_index < len(self.maps):
            raise IndexError(f"{self.model_id} has {len(self.maps)} classes, there is no class number {class_index}")
        scaled = normalise(torch.from_numpy(self.maps)[None], scale=scale)[0]
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
    elsewhere the tail of the network is differentiated once a class. Raises KeyError for a stage the network lacks.
    """
    network, stage = predictor.network, stage or predictor.card.cam_layer
    network.stage_module(stage)
    features = face.predictions[predictor.model_id].features
    closed_form = stage == network.closed_form_stage and features is not None
    if closed_form:
        with torch.inference_mode():
            maps = class_maps(torch.from_numpy(features)[None], network.head.weight)
    else:
        inputs = predictor.card.preprocessing.to_tensor([face.inputs[predictor.model_id]])
        with predictor.lock:
            maps = grad_cam_maps(network, inputs, stage)
    return ClassMaps(predictor.model_id, stage, closed_form, maps[0].numpy())
