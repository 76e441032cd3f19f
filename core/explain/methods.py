"""The one door to saliency: :func:`explain`, and the methods it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from core.errors import ExplainError
from core.explain.closed_form import class_maps, normalize, peaks
from core.explain.explanation import Contrast, Explanation, Target
from core.explain.gradcam import checked_stage, checked_targets, target_maps, target_rows
from core.explain.private_copy import private_copy
from core.explain.registry import PassCounter, Request, method_named, register_method
from core.models.network import Network

# The packages take two seconds to import, so methods that need them import them when first used.

AT_INPUT = "input"
# With a constant gradient over the cells all three are the same weighted sum (Draelos and Carin 2020; Fu et al. 2020).
SAME_BEFORE_POOLING = ("gradcam", "hirescam", "xgradcam")


def explain(
    network: Network,
    inputs: Tensor,
    *,
    method: str = "gradcam",
    stage: str | None = None,
    classes: int | Contrast | None = None,
    model_id: str = "",
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Explanation]:
    """Saliency maps of N faces, inputs (N, channels, S, S): face by face, and for each its targets.

    ``stage`` is one of ``network.stages`` (None: its default; methods that mark pixels do without). ``classes`` is one
    class, a contrast of two, or all classes (None). ``progress(done, total)`` counts faces that passed the network, and
    ``should_stop`` is asked between them.

    Works on a private copy of the network's modules, so that hooks, modes and gradients of ``network`` stay as they are
    whatever happens. The weights are shared: a caller that may change them meanwhile, or that wants one computation at
    a time, holds a lock around this call; locking is the caller's job.

    Raises ExplainError for a method, stage or class there is not, and for a map with a value that is not a number;
    Stopped when ``should_stop`` says so.
    """
    chosen = method_named(method)
    stage = checked_stage(network, stage)
    count = network.head.out_features
    targets = checked_targets(range(count) if classes is None else (classes,), count)
    if inputs.ndim != 4:
        raise ExplainError(f"faces must have shape (N, channels, S, S), got {tuple(inputs.shape)}")
    if not len(inputs):
        return []
    if not torch.isfinite(inputs).all():
        raise ExplainError("a face has a value that is not a finite number, so nothing about it can be explained")
    layer = AT_INPUT if chosen.marks_pixels else stage
    with torch.inference_mode(False), torch.enable_grad():
        faces = inputs.detach().clone().to(network.head.weight.device, torch.float32)
        maps = chosen.maps(Request(private_copy(network), faces, stage, targets, PassCounter(progress, should_stop)))
    if not torch.isfinite(maps).all():
        raise ExplainError(
            f"{chosen.title} met a value that is not a finite number (layer: {layer}); "
            "choose another method or layer, or check that the network's weights are sound"
        )
    return _explanations(maps, targets, model_id=model_id, method=method, layer=layer)


def explain_features(
    features: Tensor, head_weight: Tensor, *, layer: str, classes: int | Contrast | None = None, model_id: str = ""
) -> list[Explanation]:
    """Grad-CAM in closed form from what ``forward`` returned: features (N, C, h, w) entering the pooling, head (K, C).

    No further pass; order and errors as in :func:`explain`.
    """
    count = len(head_weight)
    targets = checked_targets(range(count) if classes is None else (classes,), count)
    maps = class_maps(features, target_rows(targets, count).to(head_weight) @ head_weight)
    if not torch.isfinite(maps).all():
        raise ExplainError("the features hold a value that is not a finite number; check the network's weights")
    return _explanations(maps, targets, model_id=model_id, method="gradcam", layer=layer)


def distinct_methods(names: Sequence[str], network: Network, stage: str | None = None) -> tuple[tuple[str, ...], ...]:
    """The methods grouped by the map they make, for counting each map once.

    At the stage before the pooling Grad-CAM, HiResCAM and XGrad-CAM coincide, since the head is pooling and one linear
    layer. Raises ExplainError for a method or stage there is not.
    """
    chosen = [method_named(name).name for name in names]
    if checked_stage(network, stage) != network.closed_form_stage:
        return tuple((name,) for name in chosen)
    same = tuple(name for name in chosen if name in SAME_BEFORE_POOLING)
    groups: list[tuple[str, ...]] = []
    for name in chosen:
        group = same if name in same else (name,)
        if group not in groups:
            groups.append(group)
    return tuple(groups)


def _explanations(
    maps: Tensor, targets: Sequence[Target], *, model_id: str, method: str, layer: str
) -> list[Explanation]:
    evidence = peaks(maps).cpu()
    heatmaps = normalize(maps).cpu().float()
    found = []
    for face in range(len(maps)):
        for position, target in enumerate(targets):
            found.append(
                Explanation(
                    model_id=model_id,
                    method=method,
                    class_index=target.a if isinstance(target, Contrast) else target,
                    layer=layer,
                    heatmap=heatmaps[face, position].numpy(),
                    evidence=float(evidence[face, position]),
                    against=target.b if isinstance(target, Contrast) else None,
                )
            )
    return found


@register_method("gradcam", title="Grad-CAM", needs="forward", source="Selvaraju et al. 2017")
def _gradcam(request: Request) -> Tensor:
    """Each channel weighted by its mean gradient; before the pooling in closed form, from the forward pass alone."""
    network = request.network
    request.counter.start(len(request.inputs))
    if request.stage == network.closed_form_stage:
        with torch.no_grad():
            features = network.trunk(request.inputs)
        maps = class_maps(
            features, target_rows(request.targets, network.head.out_features).to(features) @ network.head.weight
        )
    else:
        maps = target_maps(network, request.inputs, request.stage, request.targets)
    request.counter.advance(len(request.inputs))
    return maps


@register_method("gradcam++", title="Grad-CAM++", needs="gradient", source="Chattopadhay et al. 2018")
def _gradcam_plus_plus(request: Request) -> Tensor:
    """Positive gradients only, weighted so that several places of evidence count alike."""
    from core.explain import cams

    return cams.gradient_cam(cams.GradCAMPlusPlus, request)


@register_method("hirescam", title="HiResCAM", needs="gradient", source="Draelos and Carin 2020")
def _hirescam(request: Request) -> Tensor:
    """Gradient times feature, cell by cell, without averaging the gradient first."""
    from core.explain import cams

    return cams.gradient_cam(cams.HiResCAM, request)


@register_method("xgradcam", title="XGrad-CAM", needs="gradient", source="Fu et al. 2020")
def _xgradcam(request: Request) -> Tensor:
    """Grad-CAM with gradients averaged by how strong the feature is."""
    from core.explain import cams

    return cams.gradient_cam(cams.XGradCAM, request)


@register_method("layercam", title="LayerCAM", needs="gradient", source="Jiang et al. 2021")
def _layercam(request: Request) -> Tensor:
    """Positive gradient times feature, cell by cell; sharp at early stages."""
    from core.explain import cams

    return cams.gradient_cam(cams.LayerCAM, request)


@register_method(
    "eigencam", title="Eigen-CAM", needs="forward", source="Muhammad and Yeasin 2020", class_specific=False
)
def _eigencam(request: Request) -> Tensor:
    """The main direction of the features; the same map for every class."""
    from core.explain import cams

    return cams.eigen_cam(request)


@register_method("scorecam", title="Score-CAM", needs="forward-many", source="Wang et al. 2020")
def _scorecam(request: Request) -> Tensor:
    """Each channel weighted by the score of the face seen through it: one pass a channel."""
    from core.explain import cams

    return cams.score_cam(request)


@register_method("ablationcam", title="Ablation-CAM", needs="forward-many", source="Desai and Ramaswamy 2020")
def _ablationcam(request: Request) -> Tensor:
    """Each channel weighted by what the score loses without it: one pass a channel."""
    from core.explain import cams

    return cams.ablation_cam(request)


@register_method(
    "guided_backprop",
    title="Guided backpropagation",
    needs="gradient",
    source="Springenberg et al. 2015",
    marks_pixels=True,
)
def _guided_backprop(request: Request) -> Tensor:
    """The score's gradient by pixel, passed back through positive gradients only; its size, without its sign."""
    from core.explain import pixels

    return pixels.guided_backprop(request)


@register_method(
    "occlusion", title="Occlusion", needs="forward-many", source="Zeiler and Fergus 2014", marks_pixels=True
)
def _occlusion(request: Request) -> Tensor:
    """What the score loses when a gray square covers the place."""
    from core.explain import pixels

    return pixels.occlusion(request)


@register_method(
    "integrated_gradients",
    title="Integrated gradients",
    needs="gradient-many",
    source="Sundararajan et al. 2017",
    marks_pixels=True,
)
def _integrated_gradients(request: Request) -> Tensor:
    """Gradients added up on the way from an even gray to the face; pixels that raise the score."""
    from core.explain import pixels

    return pixels.integrated_gradients(request)
