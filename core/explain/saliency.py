"""The entry point to saliency: :func:`explain`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from core.errors import ExplainError
from core.explain import methods as _registered  # noqa: F401  (importing the module registers the methods)
from core.explain.closed_form import class_maps, normalize, peaks
from core.explain.explanation import Contrast, Explanation, Scale, Target, on_common_scale
from core.explain.gradcam import checked_stage
from core.explain.private_copy import private_copy
from core.explain.registry import PassCounter, Request, method_named
from core.models.network import Network

INPUT_STAGE = "input"
# With a gradient that is constant over the cells all three are the same weighted sum (Draelos and Carin 2020; Fu et al.
# 2020).
SAME_BEFORE_POOLING = ("gradcam", "hirescam", "xgradcam")


def explain(
    network: Network,
    inputs: Tensor,
    *,
    method: str = "gradcam",
    stage: str | None = None,
    targets: Target | Sequence[Target] | None = None,
    features: Tensor | None = None,
    scale: Scale = "own",
    model_id: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Explanation, ...]:
    """Saliency maps of N faces, inputs (N, channels, S, S), in the order of the faces and of each face's targets.

    ``stage`` is one of ``network.stages`` (None: its default); methods that mark pixels ignore it. ``targets`` is one
    target for all faces, a sequence with one target per face, or None for every class of every face. ``features``
    (N, C, h, w) are those that ``forward`` returned for the inputs: where the map has a closed form
    (:func:`is_closed_form`) it is computed from them without another pass. ``scale`` "own" divides each map by its
    highest cell, "common" by the highest cell of all maps of the face. ``progress(done, total)`` counts faces that
    passed through the network; what it raises, such as :class:`Stopped`, ends the computation.

    The computation uses a private copy of the network's modules, so hooks, modes and gradients of ``network`` never
    change. The weights are shared: a caller that wants one computation at a time holds a lock around this call.

    Raises ExplainError for an unknown method, stage or class and for a map with NaN or infinity.
    """
    chosen = method_named(method)
    stage = checked_stage(network, stage)
    if inputs.ndim != 4:
        raise ExplainError(f"the faces must have shape (N, channels, S, S), got {tuple(inputs.shape)}")
    if scale not in ("own", "common"):
        raise ExplainError(f'scale must be "own" or "common", got {scale!r}')
    targets_of_faces = _targets_of_faces(targets, len(inputs), network.head.out_features)
    if not len(inputs):
        return ()
    if not torch.isfinite(inputs).all():
        raise ExplainError("a face contains NaN or infinity, so it cannot be explained")
    with torch.inference_mode(False), torch.enable_grad():
        weights = _logit_weights(targets_of_faces, network)
        if features is not None and is_closed_form(network, method, stage):
            maps = class_maps(features, weights @ network.head.weight.detach().float())
        else:
            faces = inputs.detach().clone().to(network.head.weight.device, torch.float32)
            counter = PassCounter(progress)
            maps = chosen.maps(Request(private_copy(network), faces, stage, weights, counter))
    place = INPUT_STAGE if chosen.marks_pixels else stage
    if not torch.isfinite(maps).all():
        raise ExplainError(
            f"{chosen.title} returned NaN or infinity (stage: {place}); choose another method or stage, or check that "
            "the network's weights are intact"
        )
    evidence, heatmaps = peaks(maps).cpu(), normalize(maps).cpu().float().numpy()
    found: list[Explanation] = []
    for face, of_face in enumerate(targets_of_faces):
        explanations = [
            Explanation(model_id, method, target, place, heatmaps[face, t], float(evidence[face, t]))
            for t, target in enumerate(of_face)
        ]
        found += on_common_scale(explanations) if scale == "common" else explanations
    return tuple(found)


def is_closed_form(network: Network, method: str, stage: str | None = None) -> bool:
    """Whether a method's map follows from the features that ``forward`` returns."""
    return method == "gradcam" and checked_stage(network, stage) == network.closed_form_stage


def distinct_methods(names: Sequence[str], network: Network, stage: str | None = None) -> tuple[tuple[str, ...], ...]:
    """The methods grouped by the map they compute, so that equal maps are counted once.

    At the stage before the pooling Grad-CAM, HiResCAM and XGrad-CAM coincide, since the head is pooling and one linear
    layer. Raises ExplainError for an unknown method or stage.
    """
    chosen = [method_named(name).name for name in names]
    if checked_stage(network, stage) != network.closed_form_stage:
        return tuple((name,) for name in chosen)
    same = tuple(name for name in chosen if name in SAME_BEFORE_POOLING)
    return tuple(dict.fromkeys(same if name in same else (name,) for name in chosen))


def _targets_of_faces(
    targets: Target | Sequence[Target] | None, faces: int, classes: int
) -> tuple[tuple[Target, ...], ...]:
    """The targets of each face. Raises ExplainError for an unknown class or another number of targets than faces."""
    if targets is None:
        return (tuple(range(classes)),) * faces
    if isinstance(targets, Sequence):
        if len(targets) != faces:
            raise ExplainError(f"expected one target per face, got {len(targets)} targets for {faces} faces")
        rows: tuple[tuple[Target, ...], ...] = tuple((target,) for target in targets)
    else:
        rows = ((targets,),) * max(faces, 1)
    for row in rows:
        for target in row:
            for index in (target.a, target.b) if isinstance(target, Contrast) else (target,):
                if not 0 <= index < classes:
                    raise ExplainError(
                        f"this network has no class {index}; it has {classes}, numbered 0 to {classes - 1}"
                    )
    return rows


def _logit_weights(targets_of_faces: Sequence[Sequence[Target]], network: Network) -> Tensor:
    """Targets as combinations of logits, (N, T, K): a class has a single 1, a contrast 1 and -1."""
    shape = len(targets_of_faces), len(targets_of_faces[0]), network.head.out_features
    weights = torch.zeros(shape, device=network.head.weight.device)
    for face, of_face in enumerate(targets_of_faces):
        for t, target in enumerate(of_face):
            if isinstance(target, Contrast):
                weights[face, t, target.a], weights[face, t, target.b] = 1.0, -1.0
            else:
                weights[face, t, target] = 1.0
    return weights
