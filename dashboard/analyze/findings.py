"""What is known of a face by now, for the report, the JSON file and the words at a map. Nothing slow is made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.errors import CheckpointError, EvaluationError, NotFiniteError
from core.explain import Explanation
from core.inference import Predictor
from core.probes import Decision, TrustFindings, Uncertainty, regions_in_crop
from core.records import FaceDetails
from dashboard.analyze import computations, trust, uncertainty
from dashboard.analyze.saliency_options import Question
from dashboard.analyze.selected_face import FaceInQuestion
from dashboard.plots import trust as plots


def chance_words(face: FaceInQuestion, network: Predictor, explanation: Explanation) -> str:
    """What the chance test said of this map, whichever panel asked for it; empty where it has not been made."""
    tested = computations.chance(face, network, explanation)
    if not tested.ready:
        return ""
    return plots.BETTER if tested.get().better_than_chance else plots.CHANCE


def no_better(face: FaceInQuestion, explained: Mapping[str, Explanation]) -> str:
    """The names of the networks whose map is known to be no better than chance, as a sentence; empty without one."""
    networks = {n.model_id: n for n in face.networks}
    names = [face.names[m] for m, e in explained.items() if chance_words(face, networks[m], e) == plots.CHANCE]
    return f"No better than chance: the map of {', '.join(names)}." if names else ""


def of_face(
    face: FaceInQuestion, question: Question, explained: Mapping[str, Explanation], target: float, views: str
) -> FaceDetails:
    """``explained`` are the maps that answer ``question``; ``target`` and ``views`` are the doubt panel's."""
    try:
        found = computations.doubt(face, views)
    except NotFiniteError:  # the views changed the face; the face alone was answered
        found = computations.doubt(face, uncertainty.ONE_VIEW)
    return FaceDetails(
        uncertainty=found,
        decision=_decision(found, target),
        maps=explained,
        region_shares=shares(face, explained),
        trust=measured(face, question, explained),
    )


def of_photo(
    face: FaceInQuestion, question: Question, explained: Mapping[str, Explanation], target: float, views: str
) -> list[FaceDetails]:
    """One entry a face of the photo; only the face in question has maps and what was measured of them."""
    return [
        of_face(replace(face, number=number), question, explained if number == face.number else {}, target, views)
        for number in range(len(face.analysis.faces))
    ]


def shares(face: FaceInQuestion, explained: Mapping[str, Explanation]) -> dict[str, np.ndarray]:
    """(5,) by network, in the order of REGION_NAMES; a map without evidence has none."""
    networks = {n.model_id: n for n in face.networks}
    return {
        m: regions_in_crop(networks[m], face.analysis, face.number).shares(e.heatmap)
        for m, e in explained.items()
        if e.has_evidence
    }


def measured(
    face: FaceInQuestion, question: Question, explained: Mapping[str, Explanation]
) -> dict[str, TrustFindings]:
    """What was measured of each map; without those of which nothing was."""
    networks = {n.model_id: n for n in face.networks}
    found = {m: trust.pieces(face, question, networks[m], e).findings for m, e in explained.items()}
    return {m: of for m, of in found.items() if not of.empty}


def _decision(found: Uncertainty, target: float) -> Decision | None:
    try:
        return uncertainty.decision(found, target)
    except (CheckpointError, EvaluationError):
        return None
