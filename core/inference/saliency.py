"""Saliency maps of analyzed faces and of images of a data set; see ``core.explain.explain``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from core.explain import Explanation, Scale, Target, explain, is_closed_form
from core.inference.analysis import FaceAnalysis
from core.inference.predictor import Prediction, Predictor


def explain_face(
    predictor: Predictor,
    face: FaceAnalysis,
    *,
    method: str = "gradcam",
    stage: str | None = None,
    targets: Target | None = None,
    scale: Scale = "own",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Explanation, ...]:
    """Maps of an analyzed face for one target, or for every class (None); ``stage`` None is the card's.

    Holds the network's lock, except where the map has a closed form. Raises ExplainError.
    """
    model_id = predictor.model_id
    return _explain(
        predictor,
        [face.inputs[model_id]],
        [face.predictions[model_id]] if model_id in face.predictions else [],
        method=method,
        stage=stage,
        targets=targets,
        scale=scale,
        progress=progress,
    )


def explain_images(
    predictor: Predictor,
    images: Sequence[np.ndarray],
    targets: Sequence[Target] | None = None,
    *,
    stage: str | None = None,
) -> tuple[Explanation, ...]:
    """Grad-CAM of each face image (h, w) or (h, w, 3) uint8 of any size, for its own target or, by default, for its
    predicted class; ``stage`` None is the card's.

    Raises NotFiniteError where the network returns NaN or infinity, and ExplainError.
    """
    inputs = predictor.input_images(images)
    predictions = predictor.predict_inputs(inputs)
    chosen = [p.top for p in predictions] if targets is None else targets
    return _explain(predictor, inputs, predictions, stage=stage, targets=chosen)


def input_tensor(predictor: Predictor, face: FaceAnalysis) -> Tensor:
    """The face as it enters the network, (1, channels, S, S) float32."""
    return _normalized(predictor, [face.inputs[predictor.model_id]])


def _explain(
    predictor: Predictor,
    inputs: Sequence[np.ndarray],
    predictions: Sequence[Prediction],
    *,
    method: str = "gradcam",
    stage: str | None,
    targets: Target | Sequence[Target] | None,
    scale: Scale = "own",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Explanation, ...]:
    if not inputs:
        return ()
    stage = stage or predictor.card.cam_layer
    stored = [p.features for p in predictions if p.features is not None]
    features = None
    if len(stored) == len(inputs) and is_closed_form(predictor.network, method, stage):
        features = torch.from_numpy(np.stack(stored))
    # The closed form runs no module, so it need not wait for a slow method of another session.
    with predictor.lock if features is None else nullcontext():
        return explain(
            predictor.network,
            _normalized(predictor, inputs),
            method=method,
            stage=stage,
            targets=targets,
            features=features,
            scale=scale,
            model_id=predictor.model_id,
            progress=progress,
        )


def _normalized(predictor: Predictor, inputs: Sequence[np.ndarray]) -> Tensor:
    # Not ``to_tensor``: the inputs are already equalized, which must not be done twice.
    faces = predictor.card.preprocessing.normalize(torch.from_numpy(np.stack(inputs)))
    return faces.contiguous(memory_format=torch.channels_last)
