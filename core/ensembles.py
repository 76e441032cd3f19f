"""Ensembles that have a name of their own: the mean probabilities of fixed networks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class NamedEnsemble:
    """A published or recommended combination of networks, each with the same weight."""

    name: str  # accepted where networks are chosen to predict
    title: str
    summary: str
    members: tuple[str, ...]  # run ids


ENSEMBLES = (
    NamedEnsemble(
        "fer_best_ensemble",
        "Best ensemble",
        "The distilled CNN and the distilled residual CNN, averaged: the best combination on FER2013 PublicTest",
        ("fer_best", "fer_best_cnn"),
    ),
    NamedEnsemble(
        "ijirt2025_ensemble",
        "IJIRT 2025 ensemble",
        "MobileNetV2 and ResNet50 on the eight classes of FER+, averaged: the system of a paper in IJIRT (2025)",
        ("ferplus_mobilenet_v2", "ferplus_resnet50"),
    ),
)


def ensemble_of(run_ids: Collection[str]) -> NamedEnsemble | None:
    """The named ensemble of exactly these networks, if there is one."""
    return next((e for e in ENSEMBLES if set(e.members) == set(run_ids)), None)


def with_members(names: Collection[str]) -> list[str]:
    """The run ids of networks and of the members of named ensembles, each once, in the order given."""
    members = {e.name: e.members for e in ENSEMBLES}
    return list(dict.fromkeys(run_id for name in names for run_id in members.get(name, (name,))))
