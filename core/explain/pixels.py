"""Methods that mark pixels instead of a stage's cells: guided backpropagation, occlusion, integrated gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from captum.attr import IntegratedGradients, Occlusion
from pytorch_grad_cam.guided_backprop import GuidedBackpropReLU, GuidedBackpropReLUModel
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from core.explain.registry import Request, per_face_and_target

# A window of a sixth of the face (8 of 48 px: an eye, a corner of the mouth), moved by half of it.
WINDOWS_PER_SIDE = 6
INTEGRATION_STEPS = 32
FACES_PER_BATCH = 16


class _Score(nn.Module):
    """Faces (N, channels, S, S) -> score of the target of one face, (N, 1)."""

    def __init__(self, request: Request, face: int, target: int) -> None:
        super().__init__()
        self.network = request.network
        self.counter = request.counter
        self.score = request.score(face, target)

    def forward(self, faces: Tensor) -> Tensor:
        self.counter.advance(len(faces))
        return self.score(self.network(faces).logits)[:, None]


class _GuidedReLUs(TorchFunctionMode):
    """Guides every ReLU and ReLU6, including those called as functions, which the package does not replace."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (F.relu, torch.relu, Tensor.relu):
            return GuidedBackpropReLU.apply(args[0])
        if func is F.hardtanh and (kwargs.get("min_val"), kwargs.get("max_val")) == (0.0, 6.0):  # what nn.ReLU6 calls
            return GuidedBackpropReLU.apply(args[0]).clamp(max=6)
        return func(*args, **kwargs)


def guided_backprop(request: Request) -> Tensor:
    """Absolute guided gradient per pixel, the largest over the colors: (N, T, S, S)."""

    def attribution(score: _Score, face: Tensor) -> Tensor:
        with _GuidedReLUs():
            gradient = GuidedBackpropReLUModel(score)(face.clone(), target_category=0)
        return torch.from_numpy(gradient).abs().amax(dim=2)

    return _face_by_face(request, attribution, passes=1)


def occlusion(request: Request) -> Tensor:
    """Drop in score under a square of the face's mean gray, averaged over the squares on a pixel: (N, T, S, S)."""
    channels, height, width = request.inputs.shape[1:]
    window = max(2, height // WINDOWS_PER_SIDE), max(2, width // WINDOWS_PER_SIDE)
    step = window[0] // 2, window[1] // 2

    def attribution(score: _Score, face: Tensor) -> Tensor:
        lost = Occlusion(score).attribute(
            face,
            sliding_window_shapes=(channels, *window),
            strides=(channels, *step),
            baselines=_mean_gray(face),
            target=0,
            perturbations_per_eval=FACES_PER_BATCH,
        )
        return torch.sum(lost[0], dim=0)

    places = [-(-(size - w) // s) + 1 for size, w, s in zip((height, width), window, step, strict=True)]
    with torch.no_grad():
        return _face_by_face(request, attribution, passes=places[0] * places[1] + 1)


def integrated_gradients(request: Request) -> Tensor:
    """Attribution per pixel relative to the face's mean gray, summed over the colors: (N, T, S, S)."""

    def attribution(score: _Score, face: Tensor) -> Tensor:
        found = IntegratedGradients(score).attribute(
            face.clone().requires_grad_(True),
            baselines=_mean_gray(face),
            target=0,
            n_steps=INTEGRATION_STEPS,
            internal_batch_size=FACES_PER_BATCH,
        )
        return torch.sum(found.detach()[0], dim=0)

    return _face_by_face(request, attribution, passes=INTEGRATION_STEPS)


def _mean_gray(face: Tensor) -> Tensor:
    # Black or the data set's mean would change the lighting as well; the face's own mean does not.
    return face.mean(dim=(2, 3), keepdim=True).expand_as(face).contiguous()


def _face_by_face(request: Request, attribution: Callable[[_Score, Tensor], Tensor], passes: int) -> Tensor:
    def map_of(face: Tensor, n: int, t: int) -> Tensor:
        return attribution(_Score(request, n, t), face).float().cpu()

    return per_face_and_target(request, passes, map_of)
