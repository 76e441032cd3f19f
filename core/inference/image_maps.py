"""Saliency of images of a data set, many at once: the closed form, straight from the features of their answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from core.errors import ExplainError, NotFiniteError
from core.explain import Explanation, class_maps, normalize
from core.inference.predictor import Predictor


def image_maps(
    predictor: Predictor, images: Sequence[np.ndarray], class_indices: Sequence[int]
) -> tuple[Explanation, ...]:
    """Grad-CAM before the pooling of each image for its own class, each map on its own scale; one forward pass.

    ``images`` are faces of any size, (h, w) or (h, w, 3) uint8. Raises IndexError for a class the network lacks,
    ValueError for counts that differ, and ExplainError for a map with a value that is not a number.
    """
    classes = len(predictor.card.labels)
    for k in class_indices:
        if not 0 <= k < classes:
            raise IndexError(f"{predictor.model_id} has {classes} classes, there is no class number {k}")
    if len(images) != len(class_indices):
        raise ValueError(f"every image needs one class, got {len(images)} images and {len(class_indices)} classes")
    if not images:
        return ()
    try:
        answers = predictor.predict(images)
    except NotFiniteError as error:
        raise ExplainError(str(error)) from error
    features = torch.from_numpy(np.stack([a.features for a in answers if a.features is not None]))
    with torch.inference_mode():
        maps = class_maps(features, predictor.network.head.weight)
        if not torch.isfinite(maps).all():
            raise ExplainError(f"{predictor.model_id} met a value that is not a finite number; check its weights")
        scaled = normalize(maps).numpy()
    return tuple(
        Explanation(
            model_id=predictor.model_id,
            method="gradcam",
            class_index=k,
            layer=predictor.network.closed_form_stage,
            heatmap=scaled[row, k],
            evidence=float(maps[row, k].max()),
        )
        for row, k in enumerate(class_indices)
    )
