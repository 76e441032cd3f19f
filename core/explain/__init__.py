"""Saliency maps of every kind, their overlay, and how far they can be trusted; on modules and tensors only."""

from core.explain.closed_form import class_maps, contrast_maps, normalize
from core.explain.explanation import Contrast, Explanation, Stopped, on_common_scale
from core.explain.faithfulness import (
    ChanceResult,
    ConfidenceDrop,
    FaithfulnessCurves,
    RoadCurves,
    chance_test,
    confidence_drop,
    deletion_insertion,
    rank_agreement,
    road,
)
from core.explain.gradcam import grad_cam_maps, predicted_class_maps
from core.explain.methods import distinct_methods, explain, explain_features
from core.explain.randomization import cascading_randomization
from core.explain.regions import REGION_NAMES, FaceRegions, face_regions
from core.explain.registry import SaliencyMethod, method_named, register_method, saliency_methods
from core.explain.rendering import COLORMAPS, colorize, overlay, upsample

__all__ = [
    "COLORMAPS",
    "REGION_NAMES",
    "ChanceResult",
    "ConfidenceDrop",
    "Contrast",
    "Explanation",
    "FaceRegions",
    "FaithfulnessCurves",
    "RoadCurves",
    "SaliencyMethod",
    "Stopped",
    "cascading_randomization",
    "chance_test",
    "class_maps",
    "colorize",
    "confidence_drop",
    "contrast_maps",
    "deletion_insertion",
    "distinct_methods",
    "explain",
    "explain_features",
    "face_regions",
    "grad_cam_maps",
    "method_named",
    "normalize",
    "on_common_scale",
    "overlay",
    "predicted_class_maps",
    "rank_agreement",
    "register_method",
    "road",
    "saliency_methods",
    "upsample",
]
