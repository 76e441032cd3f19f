"""Class activation maps of the grad-cam package, at the stage's own resolution and not normalized.

The package works on a small private network: an identity for its hooks, then the remaining layers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytorch_grad_cam.ablation_cam
import pytorch_grad_cam.score_cam
import torch
from pytorch_grad_cam import (
    AblationCAM,
    AblationLayer,
    EigenCAM,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    XGradCAM,
)
from torch import Tensor, nn

from core.explain.gradcam import split_at
from core.explain.registry import PassCounter, Request, per_face_and_target, per_target

__all__ = [
    "GradCAMPlusPlus",
    "HiResCAM",
    "LayerCAM",
    "XGradCAM",
    "ablation_cam",
    "eigen_cam",
    "gradient_cam",
    "score_cam",
]

# The package prints a progress bar per face to standard error; here progress is reported to the caller.
for _module in (pytorch_grad_cam.ablation_cam, pytorch_grad_cam.score_cam):
    _module.tqdm = SimpleNamespace(tqdm=lambda steps: steps)


class _Hooked(nn.Module):
    """inputs -> before -> place -> after. ``place`` is an identity, where the package attaches its hooks."""

    def __init__(self, before: nn.Module, after: nn.Module, counter: PassCounter | None = None) -> None:
        super().__init__()
        self.before = before
        self.place: nn.Module = nn.Identity()
        self.after = after
        self.counter = counter

    def forward(self, inputs: Tensor) -> Tensor:
        if self.counter is not None:
            self.counter.advance(len(inputs))
        logits: Tensor = self.after(self.place(self.before(inputs)))
        return logits


@cache
def _unscaled(cam_class: type[Any]) -> type[Any]:
    """The package's method without its last step, which scales the map to the image; returns signed maps (N, h, w)."""

    class Unscaled(cam_class):  # type: ignore[misc]  # the package has no types
        def compute_cam_per_layer(self, input_tensor: Tensor, targets: list[Any], eigen_smooth: bool) -> np.ndarray:
            seen = self.activations_and_grads
            activations = seen.activations[0].numpy()
            gradients = seen.gradients[0].numpy() if seen.gradients else None
            # Score-CAM and Ablation-CAM run the network many more times; the hook would store every activation.
            seen.release()
            maps: np.ndarray = self.get_cam_image(
                input_tensor, self.target_layers[0], targets, activations, gradients, eigen_smooth
            )
            return maps

        def aggregate_multi_layers(self, cam_per_target_layer: np.ndarray) -> np.ndarray:
            return cam_per_target_layer

    return Unscaled


def _raw_maps(
    cam_class: type[Any], network: _Hooked, inputs: Tensor, scores: list[Callable[[Tensor], Tensor]], **options: Any
) -> Tensor:
    """The package's maps (N, h, w) at ``network.place``, with one score function per face."""
    method = _unscaled(cam_class)  # type: ignore[arg-type]  # mypy does not know that classes are hashable
    cam = method(network, [network.place], **options)
    try:
        # Not `with cam:`, which suppresses every IndexError.
        return torch.from_numpy(np.asarray(cam(inputs, scores), dtype=np.float32))
    finally:
        cam.activations_and_grads.release()


def gradient_cam(cam_class: type[Any], request: Request) -> Tensor:
    """A method of the package that weights a stage's features by their gradients."""
    stem, tail = split_at(request.network, request.stage)
    with torch.no_grad():
        features = stem(request.inputs)

    def maps_of(target: int) -> Tensor:
        scores = [request.score(face, target) for face in range(len(features))]
        return _raw_maps(cam_class, _Hooked(nn.Identity(), tail), features.detach().requires_grad_(True), scores)

    return per_target(request, maps_of)


def eigen_cam(request: Request) -> Tensor:
    """The features along their first principal component, the same for every target.

    The sign of a principal component is arbitrary; it is chosen so that strong activation is bright.
    """
    request.counter.start(len(request.inputs))
    stem, tail = split_at(request.network, request.stage)
    with torch.no_grad():
        features = stem(request.inputs)
        if not torch.isfinite(features).all():
            # The package replaces NaN by 0; returned as NaN it is reported.
            return torch.full((len(features), request.target_count, *features.shape[2:]), torch.nan)
        maps = _raw_maps(EigenCAM, _Hooked(nn.Identity(), tail), features, [])
    agreement = (maps * features.sum(dim=1).cpu()).sum(dim=(1, 2), keepdim=True)
    maps = torch.where(agreement < 0, -maps, maps)
    request.counter.advance(len(request.inputs))
    return maps[:, None].repeat(1, request.target_count, 1, 1)


def score_cam(request: Request) -> Tensor:
    """One masked face per channel; face by face, since all masks of a face are in memory at once."""
    stem, tail = split_at(request.network, request.stage)
    network = _Hooked(stem, tail, request.counter)

    def map_of(face: Tensor, n: int, t: int) -> Tensor:
        return _raw_maps(ScoreCAM, network, face, [request.score(n, t)])[0]

    return per_face_and_target(request, _channels(request) + 1, map_of)


class _SetToZero(AblationLayer):  # type: ignore[misc]  # the package has no types
    """Ablates as Desai and Ramaswamy (2020) do; the package's layer writes -1e7 where a stage has negative values."""

    def __call__(self, _features: Tensor) -> Tensor:
        ablated: Tensor = self.activations
        channels = torch.as_tensor(self.indices[: len(ablated)], dtype=torch.long)
        ablated[torch.arange(len(ablated)), channels] = 0
        return ablated


def ablation_cam(request: Request) -> Tensor:
    """One forward pass of the tail per channel.

    The paper divides the drop by the score, which inverts the map where a logit is negative. The score is therefore
    shifted so that it is 1 for the unchanged face, and the weights are the drops themselves.
    """
    stem, tail = split_at(request.network, request.stage)

    def map_of(face: Tensor, n: int, t: int) -> Tensor:
        score = request.score(n, t)
        with torch.no_grad():
            features = stem(face)
            unchanged = score(tail(features)[0])
            return _raw_maps(
                AblationCAM,
                _Hooked(nn.Identity(), tail, request.counter),
                features,
                [lambda logits: score(logits) - unchanged + 1],
                ablation_layer=_SetToZero(),
            )[0]

    return per_face_and_target(request, _channels(request) + 1, map_of)


def _channels(request: Request) -> int:
    with torch.no_grad():
        features: Tensor = split_at(request.network, request.stage)[0](request.inputs[:1])
    return features.shape[1]
