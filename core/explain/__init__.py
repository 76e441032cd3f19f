"""Saliency maps, their rendering, and how far they can be trusted; on modules and tensors only."""

from core.explain.closed_form import class_maps, normalize
from core.explain.explanation import Contrast, Explanation, Scale, Stopped, Target, on_common_scale
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
from core.explain.randomization import RandomizationStep, cascading_randomization
from core.explain.regions import REGION_NAMES, FaceRegions, face_regions
from core.explain.registry import SaliencyMethod, method_named, register_method, saliency_methods
from core.explain.rendering import COLORMAPS, colorize, overlay, upsample
from core.explain.saliency import distinct_methods, explain, is_closed_form

__all__ = [
    "COLORMAPS",
    "REGION_NAMES",
    "ChanceResult",
    "ConfidenceDrop",
    "Contrast",
    "Explanation",
    "FaceRegions",
    "FaithfulnessCurves",
    "RandomizationStep",
    "RoadCurves",
    "SaliencyMethod",
    "Scale",
    "Stopped",
    "Target",
    "cascading_randomization",
    "chance_test",
    "class_maps",
    "colorize",
    "confidence_drop",
    "deletion_insertion",
    "distinct_methods",
    "explain",
    "face_regions",
    "is_closed_form",
    "method_named",
    "normalize",
    "on_common_scale",
    "overlay",
    "rank_agreement",
    "register_method",
    "road",
    "saliency_methods",
    "upsample",
]
