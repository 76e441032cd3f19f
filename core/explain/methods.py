"""The saliency methods; each is registered under its name."""

from __future__ import annotations

import torch
from torch import Tensor

from core.explain.closed_form import class_maps
from core.explain.gradcam import gradient_maps
from core.explain.registry import Request, register_method

# The packages take two seconds to import, so the methods that need them import them on first use.


@register_method("gradcam", title="Grad-CAM", needs="forward", source="Selvaraju et al. 2017")
def _gradcam(request: Request) -> Tensor:
    """Each channel is weighted by its mean gradient; before pooling, the map follows from the forward pass alone."""
    network = request.network
    request.counter.start(len(request.inputs))
    if request.stage == network.closed_form_stage:
        with torch.no_grad():
            features = network.trunk(request.inputs)
        maps = class_maps(features, request.logit_weights @ network.head.weight)
    else:
        maps = gradient_maps(network, request.inputs, request.stage, request.logit_weights)
    request.counter.advance(len(request.inputs))
    return maps


@register_method("gradcam++", title="Grad-CAM++", needs="gradient", source="Chattopadhay et al. 2018")
def _gradcam_plus_plus(request: Request) -> Tensor:
    """Positive gradients only, weighted so that several regions with evidence count equally."""
    from core.explain import cams

    return cams.gradient_cam(cams.GradCAMPlusPlus, request)


@register_method("hirescam", title="HiResCAM", needs="gradient", source="Draelos and Carin 2020")
def _hirescam(request: Request) -> Tensor:
    """Gradient times feature, cell by cell, without averaging the gradient first."""
    from core.explain import cams

    return cams.gradient_cam(cams.HiResCAM, request)


@register_method("xgradcam", title="XGrad-CAM", needs="gradient", source="Fu et al. 2020")
def _xgradcam(request: Request) -> Tensor:
    """Grad-CAM with gradients averaged in proportion to the activations."""
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
    """The first principal component of the features; the same map for every class."""
    from core.explain import cams

    return cams.eigen_cam(request)


@register_method("scorecam", title="Score-CAM", needs="forward-many", source="Wang et al. 2020")
def _scorecam(request: Request) -> Tensor:
    """Each channel is weighted by the score of the face masked with it: one pass per channel."""
    from core.explain import cams

    return cams.score_cam(request)


@register_method("ablationcam", title="Ablation-CAM", needs="forward-many", source="Desai and Ramaswamy 2020")
def _ablationcam(request: Request) -> Tensor:
    """Each channel is weighted by the drop in score without it: one pass per channel."""
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
    """Absolute gradient of the score per pixel, propagated through positive gradients only."""
    from core.explain import pixels

    return pixels.guided_backprop(request)


@register_method(
    "occlusion", title="Occlusion", needs="forward-many", source="Zeiler and Fergus 2014", marks_pixels=True
)
def _occlusion(request: Request) -> Tensor:
    """Drop in score when a gray square covers the pixel."""
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
    """Gradients integrated from a uniform gray to the face; pixels that raise the score."""
    from core.explain import pixels

    return pixels.integrated_gradients(request)
