"""Which pixels the predictions depend on: one map per network, over the photo and over the network's input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st

from core.explain import Explanation, colorize, upsample
from dashboard.analyze import maps
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace
from dashboard.plots import saliency_pictures
from dashboard.section import Download, Picture, Section, listed
from dashboard.ui import sections

READING = (
    "0: no evidence, 1: maximum. A map shows where the evidence for a class lies; it does not prove why the network "
    "predicts it."
)


def draw_over_photo(face: SelectedFace, options: MapOptions) -> None:
    """The maps at the photo's resolution, next to the prediction."""
    found = maps.compute(face, options)
    sections.draw_notes(found.notes)
    with st.grid(max(3, len(face.networks)), min_column_width=104) as grid:
        for network in face.networks:
            explanation = found.explanations.get(network.model_id)
            if explanation is None:
                continue
            with grid.cell():
                name = face.names[network.model_id]
                st.image(
                    maps.over_photo(face, network, explanation, options),
                    alt=f"Saliency of {name} for {options.evidence}",
                    width="stretch",
                )
                st.caption(name if explanation.has_evidence else f"{name}: no evidence")


def draw(face: SelectedFace, options: MapOptions) -> None:
    """The maps over the pixels that the networks receive, with what a reader has to know."""
    found = maps.available(face, options)
    (section,) = saliency_sections(face, options)
    width_px = 190 * (len(section.pictures) + 1)
    with st.container(width=max(width_px, 560)):
        sections.draw([Section(pictures=section.pictures)])
    downloads = _downloads(face, options, found.explanations)
    sections.draw([replace(section, title="", notes=(), pictures=(), downloads=downloads)])


def saliency_sections(face: SelectedFace, options: MapOptions, *, with_photo: bool = True) -> list[Section]:
    """The maps that are available, over the networks' inputs, or without them if the face is not to be shown."""
    found = maps.available(face, options)
    pictures = []
    if with_photo:
        pictures = [_input_picture(title, image) for title, image in face.inputs(face.found)]
    for network in face.networks:
        explanation = found.explanations.get(network.model_id)
        if explanation is not None:
            name = face.names[network.model_id]
            drawn = maps.over_input(face, network, explanation, options) if with_photo else _alone(explanation, options)
            pictures.append(
                Picture(
                    drawn,
                    f"Saliency of {name} for {options.evidence}",
                    title=name,
                    caption=maps.caption(face, network, explanation, options),
                )
            )
    return [
        Section(
            f"Evidence for {options.evidence}",
            notes=found.notes,
            pictures=tuple(pictures),
            color_scale=saliency_pictures.color_scale(options.colormap, READING) if found.explanations else None,
            caption=" ".join(_notes(face, options)),
        )
    ]


def _input_picture(title: str, image: np.ndarray) -> Picture:
    kind = "gray" if image.ndim == 2 else "RGB"
    return Picture(
        saliency_pictures.enlarged(image),
        title,
        title=title,
        caption=f"{image.shape[1]} × {image.shape[0]} px, {kind}",
    )


def _alone(explanation: Explanation, options: MapOptions) -> np.ndarray:
    return colorize(upsample(explanation.heatmap, saliency_pictures.SIZE_PX), options.colormap)


def _notes(face: SelectedFace, options: MapOptions) -> list[str]:
    """What a reader has to know about this method on these networks."""
    method = options.method
    notes = [f"{method.title} ({method.source}): {method.summary}"]
    same = same_maps(face, options)
    if same:
        notes.append(same)
    if not method.class_specific:
        notes.append("This method computes the same map for all classes.")
    if options.scale == "common" and (method.slow or options.contrast):
        notes.append("Maps of slow methods and contrasts always have their own scale.")
    return notes


def same_maps(face: SelectedFace, options: MapOptions) -> str:
    """A sentence about the networks on which other methods give the same map; empty if there are none."""
    networks: dict[tuple[str, ...], list[str]] = {}
    for network in face.networks:
        if network.model_id in maps.available(face, options).explanations:
            titles = options.same_as(network)
            if len(titles) > 1:
                networks.setdefault(titles, []).append(network.model_id)
    return " ".join(
        f"{listed(titles)} give the same map on {face.list_names(model_ids)} at this stage, "
        "because only pooling and one linear layer follow it."
        for titles, model_ids in networks.items()
    )


def _downloads(
    face: SelectedFace, options: MapOptions, explanations: Mapping[str, Explanation]
) -> tuple[Download, ...]:
    if not explanations:
        return ()

    def sheet() -> bytes:
        pictures = {}
        for network in face.networks:
            if network.model_id in explanations:
                found = explanations[network.model_id]
                words = [face.names[network.model_id], maps.chance_text(face, network, found)]
                pictures["\n".join(word for word in words if word)] = maps.over_photo(face, network, found, options)
        title = f"Evidence for {options.evidence}, {face.title}, {options.method.title}"
        return saliency_pictures.contact_sheet(pictures, title, options.colormap)

    return (Download("Saliency maps (PNG)", f"{face.stem}-{options.class_name}.png", "image/png", sheet),)
