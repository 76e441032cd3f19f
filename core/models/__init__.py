"""Networks by name; importing this package registers every family."""

from core.models import cnn, mobilenet_v2, resnet50  # noqa: F401  (each module registers its families)
from core.models.network import (
    Network,
    NetworkOutput,
    count_macs,
    count_parameters,
    deepest_stage,
)
from core.models.registry import ModelFamily, build_network, build_unfilled, families, family, register_model

__all__ = [
    "ModelFamily",
    "Network",
    "NetworkOutput",
    "build_network",
    "build_unfilled",
    "count_macs",
    "count_parameters",
    "deepest_stage",
    "families",
    "family",
    "register_model",
]
