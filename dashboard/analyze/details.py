"""What has been computed for the faces of a photo, for the JSON download. Nothing slow is computed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.errors import CheckpointError, EvaluationError
from core.explain import Explanation
from core.probes import Decision, TrustFindings, regions_in_crop
from core.records import FaceDetails
from dashboard.analyze import computations, maps, prediction, trust, uncertainty
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace


def of_photo(face: SelectedFace, options: MapOptions) -> list[FaceDetails]:
    """One entry per face of the photo; only the selected one has several views, maps and their measurements."""
    found = []
    for number in range(len(face.analysis.faces)):
        selected = number == face.number
        of_number = face if selected else replace(face, number=number, views="one")
        found.append(_of_face(of_number, options, selected=selected))
    return found


def region_shares(face: SelectedFace, explanations: Mapping[str, Explanation]) -> dict[str, np.ndarray]:
    """(5,) by network in the order of REGION_NAMES, without maps that have no evidence."""
    networks = {n.model_id: n for n in face.networks}
    return {
        model_id: regions_in_crop(networks[model_id], face.analysis, face.number).shares(explanation.heatmap)
        for model_id, explanation in explanations.items()
        if explanation.has_evidence
    }


def trust_findings(
    face: SelectedFace, options: MapOptions, explanations: Mapping[str, Explanation]
) -> dict[str, TrustFindings]:
    """The measurements of each map; maps without measurements are left out."""
    networks = {n.model_id: n for n in face.networks}
    found = {m: trust.measurements(face, options, networks[m], e).findings for m, e in explanations.items()}
    return {model_id: findings for model_id, findings in found.items() if not findings.empty}


def _of_face(face: SelectedFace, options: MapOptions, *, selected: bool) -> FaceDetails:
    explanations = maps.available(face, options).explanations if selected else {}
    return FaceDetails(
        uncertainty=computations.uncertainty(face).get(),
        decision=_decision(face),
        maps=explanations,
        region_shares=region_shares(face, explanations),
        trust=trust_findings(face, options, explanations),
    )


def _decision(face: SelectedFace) -> Decision | None:
    try:
        return uncertainty.decision(face, prediction.groups(face)[0])
    except (CheckpointError, EvaluationError):
        return None
