"""The saliency maps of the selected face: computed with progress where they are slow, and drawn as pictures."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import ExplainError
from core.explain import Explanation, on_common_scale
from core.faces import crop
from core.inference import Predictor, margin_for
from dashboard.analyze import computations
from dashboard.analyze.computations import Computation
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace
from dashboard.plots import saliency_pictures
from dashboard.plots.trust import chance_verdict
from dashboard.section import Note
from dashboard.ui import progress


@dataclass(frozen=True)
class Maps:
    """The maps that could be computed, by model id, and a note for each that could not."""

    explanations: Mapping[str, Explanation]
    notes: tuple[Note, ...] = ()


def compute(face: SelectedFace, options: MapOptions) -> Maps:
    """One map per network. A slow method shows its progress and can be stopped."""
    steps = []
    for network in face.networks:
        with contextlib.suppress(ExplainError):
            if options.method.slow:
                title = f"{options.method.title} of {face.names[network.model_id]}"
                steps.append(progress.Step(title, _result(face, network, options)[0]))
    progress.run("maps", steps)
    return available(face, options)


def available(face: SelectedFace, options: MapOptions) -> Maps:
    """Without slow maps that have not been computed."""
    found, notes = {}, []
    for network in face.networks:
        name = face.names[network.model_id]
        try:
            if options.method.slow and not _result(face, network, options)[0].ready:
                notes.append(Note(f"{name}: this map has not been computed."))
            else:
                found[network.model_id] = explanation(face, network, options)
        except ExplainError as error:
            notes.append(Note(f"{name}: {error}."))
    return Maps(found, tuple(notes))


def explanation(face: SelectedFace, network: Predictor, options: MapOptions) -> Explanation:
    """The map of one network. Raises ExplainError.

    Slow methods and contrasts are always on their own scale: the common one would need the maps of all classes.
    """
    target = options.target_of(network)
    if options.scale == "common" and isinstance(target, int) and not options.method.slow:
        stage = options.stage_of(network)
        of_all = computations.explanations(face, network, method=options.method.name, stage=stage, classes=None)
        return on_common_scale(of_all.get())[target]
    result, index = _result(face, network, options)
    return result.get()[index]


def _result(
    face: SelectedFace, network: Predictor, options: MapOptions
) -> tuple[Computation[tuple[Explanation, ...]], int]:
    return computations.target_explanation(
        face,
        network,
        method=options.method.name,
        stage=options.stage_of(network),
        target=options.target_of(network),
    )


def face_picture(face: SelectedFace, network: Predictor) -> np.ndarray:
    """The face of the photo, framed as the network's input is, (S, S, 3) uint8 at the photo's resolution."""
    return crop(face.analysis.image, face.found.face, margin_for(network.card, face.analysis.detector))


def over_photo(
    face: SelectedFace,
    network: Predictor,
    found: Explanation,
    options: MapOptions,
    size_px: int = saliency_pictures.SIZE_PX,
) -> np.ndarray:
    """A map over the face of the photo, (size_px, size_px, 3) uint8."""
    return saliency_pictures.overlay_picture(
        face_picture(face, network), found, opacity=options.opacity, colormap=options.colormap, size_px=size_px
    )


def over_input(face: SelectedFace, network: Predictor, found: Explanation, options: MapOptions) -> np.ndarray:
    """A map over the pixels that the network receives."""
    picture = saliency_pictures.enlarged(face.found.inputs[network.model_id])
    return saliency_pictures.overlay_picture(picture, found, opacity=options.opacity, colormap=options.colormap)


def chance_text(face: SelectedFace, network: Predictor, found: Explanation) -> str:
    """The result of the chance test of this map, which any panel may have run; empty if it has not been run."""
    tested = computations.chance(face, network, found)
    return chance_verdict(tested.get()) if tested.ready else ""


def caption(face: SelectedFace, network: Predictor, found: Explanation, options: MapOptions) -> str:
    """Probability of the class, method, stage, resolution and chance test of one map."""
    k = network.card.labels.index(options.class_name)
    probability = f"{options.class_name} {face.found.predictions[network.model_id].probabilities[k]:.3f}"
    if not found.has_evidence:
        return f"{probability} · no evidence for this class at {found.stage}"
    rows, columns = found.heatmap.shape
    cells = f"{columns} × {rows} {'pixels' if options.method.marks_pixels else 'cells'}"
    contrast = f"rather than {options.contrast}" if options.contrast else ""
    words = [
        probability,
        contrast,
        f"{options.method.title}, {found.stage}, {cells}",
        chance_text(face, network, found),
    ]
    return " · ".join(word for word in words if word)
