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

from core.explain.explanation import Target
from core.explain.registry import Request, score_of

# A window of a sixth of the face (8 of 48 px: an eye, a corner of the mouth), moved by half of it.
WINDOWS_PER_SIDE = 6
INTEGRATION_STEPS = 32
FACES_PER_BATCH = 16


class _Score(nn.Module):
    """Faces (N, channels, S, S) -> what the target stands for, (N, 1)."""

    def __init__(self, request: Request, target: Target) -> None:
        super().__init__()
        self.network = request.network
        self.counter = request.counter
        self.target = target

    def forward(self, faces: Tensor) -> Tensor:
        self.counter.advance(len(faces))
        return score_of(self.target, self.network(faces).logits)[:, None]


class _GuidedReLUs(TorchFunctionMode):
    """Guides every ReLU and ReLU6, also those called as functions, which the package's replacing of modules misses."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (F.relu, torch.relu, Tensor.relu):
            return GuidedBackpropReLU.apply(args[0])
        if func is F.hardtanh and (kwargs.get("min_val"), kwargs.get("max_val")) == (0.0, 6.0):  # what nn.ReLU6 calls
            return GuidedBackpropReLU.apply(args[0]).clamp(max=6)
        return func(*args, **kwargs)


def guided_backprop(request: Request) -> Tensor:
    """Size of the guided gradient by pixel, the largest over the colors: (N, T, S, S)."""

    def attribution(score: _Score, face: Tensor) -> Tensor:
        with _GuidedReLUs():
            gradient = GuidedBackpropReLUModel(score)(face.clone(), target_category=0)
        return torch.from_numpy(gradient).abs().amax(dim=2)

    return _face_by_face(request, attribution, passes=1)


def occlusion(request: Request) -> Tensor:
    """Loss of score under a square of the face's mean gray, the mean of the squares over a pixel: (N, T, S, S)."""
    channels, height, width = request.inputs.shape[1:]
    window = max(2, height // WINDOWS_PER_SIDE), max(2, width // WINDOWS_PER_SIDE)
    step = window[0] // 2, window[1] // 2

    def attribution(score: _Score, face: Tensor) -> Tensor:
        lost = Occlusion(score).attribute(
            face,
            sliding_window_shapes=(channels, *window),
            strides=(channels, *step),
            baselines=_even_gray(face),
            target=0,
            perturbations_per_eval=FACES_PER_BATCH,
        )
        return torch.sum(lost[0], dim=0)

    places = [-(-(size - w) // s) + 1 for size, w, s in zip((height, width), window, step, strict=True)]
    with torch.no_grad():
        return _face_by_face(request, attribution, passes=places[0] * places[1] + 1)


def integrated_gradients(request: Request) -> Tensor:
    """Attribution by pixel against the face's mean gray, added over the colors: (N, T, S, S)."""

    def attribution(score: _Score, face: Tensor) -> Tensor:
        found = IntegratedGradients(score).attribute(
            face.clone().requires_grad_(True),
            baselines=_even_gray(face),
            target=0,
            n_steps=INTEGRATION_STEPS,
            internal_batch_size=FACES_PER_BATCH,
        )
        return torch.sum(found.detach()[0], dim=0)

    return _face_by_face(request, attribution, passes=INTEGRATION_STEPS)


def _even_gray(face: Tensor) -> Tensor:
    # Black or the data set's mean would be a change of lighting as well; the face's own mean is not.
    return face.mean(dim=(2, 3), keepdim=True).expand_as(face).contiguous()


def _face_by_face(request: Request, attribution: Callable[[_Score, Tensor], Tensor], passes: int) -> Tensor:
    request.counter.start(len(request.inputs) * len(request.targets) * passes)
    scores = [_Score(request, target) for target in request.targets]
    faces = torch.split(request.inputs, 1)
    return torch.stack([torch.stack([attribution(score, face).float().cpu() for score in scores]) for face in faces])
