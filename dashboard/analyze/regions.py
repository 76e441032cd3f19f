"""How the saliency is distributed over the face: brows, eyes, nose, mouth and the rest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core.errors import DataError
from core.explain import REGION_NAMES, FaceRegions
from core.inference import NetworkKey
from core.probes import SplitRegionShares, regions_in_crop
from dashboard import services
from dashboard.analyze import computations, details, maps
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace
from dashboard.plots import regions as plots
from dashboard.plots import saliency_pictures
from dashboard.plots.trust import CHANCE
from dashboard.section import Figure, Note, Picture, Section, csv, listed
from dashboard.ui import links, progress, sections
from dashboard.ui.markdown import escaped

SPLIT = "test"
KEY = "split-regions"


def draw(face: SelectedFace, options: MapOptions) -> None:
    """Shares for this face; on request, means over the images that the networks were evaluated on."""
    outlines, shares = region_sections(face, options)
    left, right = st.columns([4, 8], gap="large")
    with left:
        sections.draw([outlines])
    with right:
        sections.draw([shares])
    _draw_split(face)


def region_sections(face: SelectedFace, options: MapOptions, *, with_photo: bool = True) -> list[Section]:
    """The outlines of the regions, and the share of the saliency in each by network."""
    first = face.networks[0]
    regions = {n.model_id: regions_in_crop(n, face.analysis, face.number) for n in face.networks}
    areas = {model_id: of.areas for model_id, of in regions.items()}
    found = maps.available(face, options)
    shares = details.region_shares(face, found.explanations)
    notes = [*found.notes]
    notes += [
        Note(f"{face.names[m]}: no evidence for {options.evidence} at {e.stage}.")
        for m, e in found.explanations.items()
        if not e.has_evidence
    ]
    picture = Picture(
        plots.outlined(saliency_pictures.enlarged(face.found.inputs[first.model_id]), regions[first.model_id]),
        "The input with the outlines of brows, eyes, nose and mouth",
        title="" if plots.same(list(areas.values())) else f"Input of {face.names[first.model_id]}",
    )
    outlines = Section(pictures=(picture,) if with_photo else (), caption=source(regions[first.model_id]))
    if not shares:
        return [outlines, Section(notes=tuple(notes))]
    names = [face.names[n.model_id] for n in face.networks if n.model_id in found.explanations]
    chance = [
        face.names[n.model_id]
        for n in face.networks
        if n.model_id in found.explanations
        and maps.chance_text(face, n, found.explanations[n.model_id]).startswith(CHANCE)
    ]
    figure = Figure(
        plots.shares(shares, areas, options.class_name, face.styles, face.names, face.inks),
        "region-shares",
        f"Share of the saliency of {', '.join(names)} on brows, eyes, nose, mouth and the rest; "
        f"{_highest(face, shares)}",
    )
    uniform = "The bar" if plots.same([areas[m] for m in shares]) else "The line at the height of each marker"
    caption = (
        f"Evidence for {options.evidence}, {options.method.title}. {uniform} marks the share of a uniform map, which "
        "is the area of the region relative to the crop. A cell that covers several regions is divided among them by "
        "area, so coarse maps extend beyond the borders of a region."
    )
    if chance:
        caption += f" No better than chance: the map{'s' if len(chance) > 1 else ''} of {listed(chance)}."
    numbers = csv(
        "Region shares (CSV)",
        f"{face.stem}-regions.csv",
        lambda: plots.numbers(shares, areas, face.names),
    )
    return [outlines, Section(notes=tuple(notes), figures=(figure,), caption=caption, downloads=(numbers,))]


def source(regions: FaceRegions) -> str:
    """Where the regions come from."""
    if regions.from_landmarks:
        return "Regions placed by the five landmarks of the detector."
    return (
        "Regions of the template, at the usual position in faces framed like those of FER2013. The detector gives no "
        "landmarks, so the template may not fit a turned or tilted face."
    )


def _highest(face: SelectedFace, shares: Mapping[str, np.ndarray]) -> str:
    return ", ".join(
        f"{face.names[m]} highest on the {REGION_NAMES[int(of[:-1].argmax())]}" for m, of in shares.items()
    )


def _draw_split(face: SelectedFace) -> None:
    splits = face.data_and_split(SPLIT, last=" and ")
    st.header(f"Mean over {escaped(splits)}", anchor=False)
    networks = tuple(n.key for n in face.networks)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Compute means by class", icon=":material/groups:", on_click=_request, args=(networks,))
        st.caption(
            "Grad-CAM of every image of the network's test split for its predicted class, at the network's default "
            "stage, with the regions of the template. This takes several minutes; it can be stopped, and finished "
            "networks are stored."
        )
    if st.session_state.get(f"requested-{KEY}") != networks:
        return
    found, notes = _split_shares(face)
    sections.draw_notes(notes)
    if not found:
        return
    region = links.choice(
        st.segmented_control, "Region", {name: name for name in REGION_NAMES}, key="region", default="mouth"
    )
    for number, group in enumerate(face.found.groups):
        of_group = {m: found[m] for m in group.model_ids if m in found}
        if of_group:
            sections.draw([_split_section(face, of_group, region, face.group_title(group), number)])


def _request(networks: tuple[NetworkKey, ...]) -> None:
    st.session_state[f"requested-{KEY}"] = networks
    progress.resume(KEY)


def _split_shares(face: SelectedFace) -> tuple[dict[str, SplitRegionShares], list[Note]]:
    """By network, and a note for each network that cannot be measured."""
    results, notes, steps = {}, [], []
    for network in face.networks:
        name = face.names[network.model_id]
        try:
            samples = services.dataset(network.card)
        except DataError as error:
            notes.append(Note(f"{name}: {error}."))
            continue
        result = computations.split_region_shares(network, samples, SPLIT, network.card.cam_layer)
        results[network.model_id] = result
        steps.append(progress.Step(f"{name} on {network.card.data.split_name(SPLIT)}", result, "images"))
    notes += [Note(problem) for problem in progress.run(KEY, steps)]
    return {model_id: result.get() for model_id, result in results.items() if result.ready}, notes


def _split_section(
    face: SelectedFace, found: Mapping[str, SplitRegionShares], region: str, title: str, number: int
) -> Section:
    n = max(len(of.predicted) for of in found.values())
    stages = ", ".join(f"{face.names[m]} {of.stage}" for m, of in found.items())
    split = face.data_and_split(SPLIT, found)
    figure = Figure(
        plots.by_class(found, region, face.styles, face.names, face.inks),
        f"regions-by-class-{number}",
        f"Mean share of the saliency on the {region} by predicted class, one marker per network",
    )
    return Section(
        title,
        figures=(figure,),
        caption=f"{split}, n = {n:,}, by predicted class; means with 95 % intervals. The vertical line is a uniform "
        f"map. Grad-CAM at {stages}; regions of the template.",
        downloads=(
            csv(
                "Mean region shares (CSV)",
                f"regions-{split}-{number + 1}.csv",
                lambda: plots.class_numbers(found, face.names),
            ),
        ),
    )
