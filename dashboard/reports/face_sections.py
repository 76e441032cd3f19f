"""The chapters of a face's report: doubt, where the networks looked, trust. What is not known is left out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.probes import Decision, TrustFindings, Uncertainty
from core.records import FaceDetails
from dashboard.plots import regions as region_plots
from dashboard.plots import trust as trust_plots
from dashboard.plots import uncertainty as uncertainty_plots
from dashboard.reports.face_report import Plot, Section
from dashboard.style import LIGHT, Form, class_color


def sections(
    known: FaceDetails,
    class_name: str,
    areas: np.ndarray,
    regions_from: str,
    forms: Mapping[str, Form],
    names: Mapping[str, str],
) -> list[Section]:
    """``class_name`` is what the maps are evidence for, ``areas`` (5,) and ``regions_from`` belong to the shares."""
    found = [] if known.uncertainty is None else [doubt(known.uncertainty, known.decision, names)]
    if known.region_shares:
        found.append(regions(known.region_shares, areas, regions_from, names))
    if known.trust:
        found.append(trust(known.trust, class_name, forms, names))
    return found


def doubt(found: Uncertainty, decision: Decision | None, names: Mapping[str, str]) -> Section:
    """The verdict with its threshold and its effect on the test images, then each network's prediction."""
    if decision is None:
        words = ["No threshold, so no verdict."]
    else:
        words = [
            f"{uncertainty_plots.verdict(decision)}: {uncertainty_plots.reason(decision)}",
            uncertainty_plots.protocol(decision, found.views),
        ]
    return Section(
        "Doubt", [*words, uncertainty_plots.spread(found)], tables=[("", uncertainty_plots.table(found, names))]
    )


def regions(
    shares: Mapping[str, np.ndarray], areas: np.ndarray, regions_from: str, names: Mapping[str, str]
) -> Section:
    """Each network's share of saliency on brows, eyes, nose, mouth and the rest."""
    table = region_plots.numbers(shares, areas, names).map(lambda v: f"{v:.3f}" if isinstance(v, float) else v)
    words = "Shares of the saliency. Area: the region's part of the crop, which a map that is even everywhere gives."
    return Section("Where the networks looked", [f"{words} {regions_from}"], tables=[("", table)])


def trust(
    found: Mapping[str, TrustFindings], class_name: str, forms: Mapping[str, Form], names: Mapping[str, str]
) -> Section:
    """The curves and correlations of each map as figures, its measures in a row, and every number folded away."""
    color = class_color(class_name)
    plots = [_plots(of, class_name, color, forms[model_id], names[model_id]) for model_id, of in found.items()]
    randomized = {m: of.randomization for m, of in found.items() if of.randomization is not None}
    if randomized:
        randomization = Plot(
            trust_plots.sanity(randomized, forms, names, LIGHT),
            "The map against itself while weights are made random from the head downwards (Adebayo et al. 2018). A "
            "map that explains the network falls to 0; one that only traces edges stays high.",
            "Rank correlation of the map with itself while the weights are randomized, one line a network",
        )
        plots.append([randomization])
    quick = {m: of for m, of in found.items() if of.measures is not None}
    numbers = trust_plots.numbers(found, names)
    numbers["value"] = [trust_plots.shown(v) for v in numbers["value"]]
    numbers["at"] = [f"{v:.3f}" if isinstance(v, float) else v for v in numbers["at"]]
    tables = [("", trust_plots.table(quick, names))] if quick else []
    contrast = any(of.measures is not None and of.measures.explanation.against is not None for of in quick.values())
    alone = ", where only it and the class it is set against are possible," if contrast else ""
    words = (
        f"Probability of {class_name}{alone} as the marked pixels are blurred away (deletion), brought back "
        "(insertion), or removed and filled in from their neighbors (ROAD). The chance test compares a map with "
        "99 shuffled copies."
    )
    return Section("Trust", [words], [group for group in plots if group], [*tables, ("Every number", numbers)])


def _plots(of: TrustFindings, class_name: str, color: str, form: Form, name: str) -> list[Plot]:
    plots: list[Plot] = []
    if of.measures is not None:
        said = trust_plots.verdict(of.chance)
        plots = [
            Plot(
                trust_plots.curves(of.measures.curves, color, form, LIGHT),
                f"{name}: deletion and insertion of {class_name}; chance test: {said}",
                f"Deletion and insertion curves of {name}; the map is {said}",
            ),
            Plot(
                trust_plots.road(of.measures.road, color, form, LIGHT),
                f"{name}: ROAD {of.measures.road.score:.3f}",
                f"ROAD curves of {name}",
            ),
        ]
    if of.agreement is not None:
        plots.append(
            Plot(
                trust_plots.agreement(of.agreement, LIGHT),
                f"{name}: Spearman's rank correlation of the methods' maps; maps that coincide count once",
                f"Rank correlation between the methods' maps for {name}",
            )
        )
    return plots
