"""How far each map can be trusted: measured on request, because it takes thousands of forward passes."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.explain import ChanceResult, Explanation, RandomizationStep, saliency_methods
from core.inference import Predictor
from core.probes import FaithfulnessMeasures, MethodAgreement, TrustFindings
from dashboard.analyze import computations, details, maps
from dashboard.analyze.computations import Computation
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace
from dashboard.plots import trust as plots
from dashboard.section import Figure, Note, Picture, Section, Table, csv
from dashboard.style import class_color
from dashboard.ui import progress, sections

QUICK = tuple(name for name, method in saliency_methods().items() if not method.slow)
KEY = "trust"
# Seconds per network and billion multiply-accumulate operations of one forward pass, on two CPU cores.
SECONDS_PER_GMAC = 25.0


@dataclass(frozen=True)
class Measurements:
    """What can be measured of one map."""

    faithfulness: Computation[FaithfulnessMeasures]
    agreement: Computation[MethodAgreement]
    chance: Computation[ChanceResult]
    randomization: Computation[tuple[RandomizationStep, ...]]

    def steps(self, name: str) -> list[progress.Step]:
        """The measurements in order, the quickest first."""
        return [
            progress.Step(f"{name}: deletion and insertion", self.faithfulness),
            progress.Step(f"{name}: other methods", self.agreement, "methods"),
            progress.Step(f"{name}: moved maps", self.chance, "maps"),
            progress.Step(f"{name}: randomized weights", self.randomization),
        ]

    @property
    def findings(self) -> TrustFindings:
        """What has been measured."""
        return TrustFindings(
            measures=self.faithfulness.get() if self.faithfulness.ready else None,
            chance=self.chance.get() if self.chance.ready else None,
            agreement=self.agreement.get() if self.agreement.ready else None,
            randomization=self.randomization.get() if self.randomization.ready else None,
        )


def measurements(face: SelectedFace, options: MapOptions, network: Predictor, explanation: Explanation) -> Measurements:
    """The measurements of one map, computed or not."""
    target, stage, method = options.target_of(network), options.stage_of(network), options.method.name
    compared = tuple(name for name in saliency_methods() if name in QUICK or name == method)
    return Measurements(
        faithfulness=computations.faithfulness(face, network, explanation),
        agreement=computations.agreement(face, network, target, stage, compared, explanation),
        chance=computations.chance(face, network, explanation),
        randomization=computations.randomization(face, network, target, stage, method),
    )


def draw(face: SelectedFace, options: MapOptions) -> None:
    """The maps; after the button was pressed, their measurements, one column per network."""
    request = (face.key, options, tuple(n.key for n in face.networks))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Measure", icon=":material/straighten:", on_click=_request, args=(request,))
        st.caption(
            "Blurs and restores the face where the map is highest, compares the map with moved copies of it and with "
            f"maps of other methods, and randomizes the weights. About {_estimate(face)} on two CPU cores, longer "
            "for a slow method. It can be stopped; finished measurements are stored. In an earlier measurement, most "
            "maps were not significantly better than chance; see the About page."
        )
    if st.session_state.get("trust-request") == request:
        sections.draw_notes(Note(problem) for problem in measure(face, options))
    columns = st.columns(len(face.networks))
    found = maps.available(face, options)
    sections.draw_notes(found.notes)
    for column, network in zip(columns, face.networks, strict=True):
        explanation = found.explanations.get(network.model_id)
        if explanation is not None:
            with column:
                sections.draw(_network_sections(face, options, network, explanation))
    sections.draw(_summary_sections(face, options))


def measure(face: SelectedFace, options: MapOptions) -> list[str]:
    """Measure what is missing, with progress; one sentence for each measurement that is not possible."""
    explanations = maps.available(face, options).explanations
    steps = [
        step
        for network in face.networks
        if network.model_id in explanations
        for step in measurements(face, options, network, explanations[network.model_id]).steps(
            face.names[network.model_id]
        )
    ]
    return progress.run(KEY, steps)


def trust_sections(face: SelectedFace, options: MapOptions) -> list[Section]:
    """The measurements by network, then of all networks together; empty if there are none."""
    explanations = maps.available(face, options).explanations
    if not details.trust_findings(face, options, explanations):
        return []
    by_network = [
        section
        for network in face.networks
        if network.model_id in explanations
        for section in _network_sections(face, options, network, explanations[network.model_id], with_map=False)
    ]
    return [*by_network, *_summary_sections(face, options)]


def _request(request: object) -> None:
    st.session_state["trust-request"] = request
    progress.resume(KEY)


def _estimate(face: SelectedFace) -> str:
    seconds = SECONDS_PER_GMAC * sum(n.card.macs for n in face.networks) / 1e9
    return progress.duration(max(5, 5 * round(seconds / 5)))


def _network_sections(
    face: SelectedFace, options: MapOptions, network: Predictor, explanation: Explanation, *, with_map: bool = True
) -> list[Section]:
    """The map of one network and what has been measured of it."""
    name = face.names[network.model_id]
    found = measurements(face, options, network, explanation).findings
    picture = Picture(
        maps.over_photo(face, network, explanation, options),
        f"Saliency of {name} for {options.evidence}",
        caption=f"{options.method.title}, {explanation.stage}: {plots.chance_verdict(found.chance)}",
    )
    built = [Section(name, pictures=(picture,) if with_map else ())]
    if found.measures is not None:
        built.append(_curves(face, options, network, found.measures, found.chance))
    if found.agreement is not None:
        figure = Figure(
            plots.agreement(found.agreement, face.inks),
            f"trust-agreement-{network.model_id}",
            f"Rank correlation between the methods' maps for {name}",
        )
        others = f"{options.method.title} and of the quick methods" if options.method.slow else "the quick methods"
        caption = (
            f"Spearman's rank correlation between the maps of {others}, at {options.stage_of(network)}; methods "
            "with the same map are counted once."
        )
        built.append(Section(figures=(figure,), caption=caption))
    return built


def _curves(
    face: SelectedFace,
    options: MapOptions,
    network: Predictor,
    measures: FaithfulnessMeasures,
    chance: ChanceResult | None,
) -> Section:
    figure = Figure(
        plots.curves(measures.curves, class_color(options.class_name), face.styles[network.model_id], face.inks),
        f"trust-curves-{network.model_id}",
        f"Deletion and insertion curves of {face.names[network.model_id]}",
    )
    among = f", if only {options.class_name} and {options.contrast} are possible," if options.contrast else ""
    text = (
        f"Probability of {options.class_name}{among} as the highest cells are blurred (deletion) or restored "
        f"(insertion). Hiding the highest tenth: {measures.drop.before:.3f} → {measures.drop.after:.3f}. ROAD (Rong "
        f"et al. 2022, higher is better): {measures.road.score:.3f}. "
    )
    return Section(figures=(figure,), caption=text + plots.chance_sentence(chance))


def _summary_sections(face: SelectedFace, options: MapOptions) -> list[Section]:
    """The numbers and the randomization check of all networks."""
    found = details.trust_findings(face, options, maps.available(face, options).explanations)
    built = []
    if any(of.measures for of in found.values()):
        built.append(
            Section(
                table=Table(plots.table(found, face.names), "Measurements of trust by network"),
                downloads=(
                    csv("Trust measurements (CSV)", f"{face.stem}-trust.csv", lambda: plots.numbers(found, face.names)),
                ),
            )
        )
    randomized = {m: of.randomization for m, of in found.items() if of.randomization is not None}
    if randomized:
        figure = Figure(
            plots.randomization(randomized, face.styles, face.names, face.inks),
            "trust-randomization",
            "Rank correlation of the map with itself while the weights are randomized, one line per network",
        )
        caption = (
            f"{options.method.title} of this face, evidence for {options.evidence}, compared with itself while the "
            "weights of the layers are randomized from the head downward (Adebayo et al. 2018). The map of a "
            "method that explains the network falls to 0; that of a method that only finds edges stays high. Where no "
            "map is left, or only a constant one, there is no map to compare: the line has a gap, and the layer does "
            "not count."
        )
        table = Table(plots.randomization_table(randomized, face.names), "Randomization check by network")
        built.append(
            Section("Does the map depend on what was learned?", figures=(figure,), table=table, caption=caption)
        )
    return built
