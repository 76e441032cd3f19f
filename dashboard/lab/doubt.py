"""How unsure the answer is, and whether it should be given at all."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.checkpoints import CheckpointError
from core.evaluation import Abstention, EvaluationError, EvaluationRun, abstention, risk_coverage, threshold_for
from core.inference import ENSEMBLE, VIEWS, Doubt
from dashboard import charts, services, theme
from dashboard.figures import calibration, lab_doubt
from dashboard.figures.dumbbells import dumbbells
from dashboard.lab import kept
from dashboard.lab.face_in_question import FaceInQuestion

VIEW_NAMES = {"one": "the face alone", "mirror": "with its mirror image", "ten crops": "ten crops"}


def draw(face: FaceInQuestion) -> None:
    """The verdict at the chosen strictness, then what it rests on."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        target = st.slider(
            "Be right this often",
            0.5,
            0.95,
            0.8,
            0.05,
            key="target",
            bind="query-params",
            width=230,
            help="The threshold is the lowest confidence above which the answers on PublicTest are right this often.",
        )
        views = st.segmented_control(
            "Average over",
            VIEWS,
            format_func=VIEW_NAMES.__getitem__,
            default="one",
            required=True,
            key="views",
            bind="query-params",
        )
    found = kept.doubt(face, views)
    _verdict(face, found, target)
    words = ("before temperature", "after" if views == "one" else f"after, over {views}")
    alt = "Probability of each expression before and after temperature scaling, by network"
    st.html(dumbbells(found.raw, found.augmented, face.forms, face.names, face.inks, alt=alt, words=words))
    st.caption(
        "Hollow: straight from the network. Filled: after temperature scaling, fitted on PublicTest"
        + ("." if views == "one" else f", and averaged over the {'mirror image too' if views == 'mirror' else views}.")
    )
    st.dataframe(lab_doubt.table(found, face.names), hide_index=True, alt="Probabilities and entropy by network")
    st.caption(_spread(found))


def _verdict(face: FaceInQuestion, found: Doubt, target: float) -> None:
    answer = found.verdict
    confidence = float(answer.probabilities[answer.top])
    try:
        chosen_on, shown_on = _runs(face, "val"), _runs(face, "test")
        threshold = threshold_for(chosen_on, target)
    except (CheckpointError, EvaluationError) as error:
        st.info(f"No threshold, so no verdict: {error}.", icon=":material/info:")
        return
    effect = abstention(shown_on, threshold)
    said = f"{answer.expression} {confidence:.3f}, threshold {threshold:.3f}"
    if confidence < threshold:
        st.warning(f"{said}. Unsure is a good answer.", title="Unsure", icon=":material/help:")
    else:
        st.success(f"{said}.", title=f"Sure enough to say {answer.expression}", icon=":material/check:")
    st.caption(
        f"Threshold chosen on PublicTest (n = {len(chosen_on):,}) for an accuracy of {target:.2f}. On PrivateTest "
        f"(n = {len(shown_on):,}) it answers {effect.coverage} of the faces and is right on {effect.accuracy} of "
        "those; 95 % (Wilson). "
        + ("" if found.views == "one" else "Both were measured on the face alone, without further views. ")
        + "Faces unlike these data sets' may be answered worse."
    )
    with st.expander("Risk and coverage", on_change="rerun", key="doubt-risk") as opened:
        if opened.open:
            _risk(face, shown_on, effect)


def _risk(face: FaceInQuestion, run: EvaluationRun, effect: Abstention) -> None:
    forms = {**face.forms, ENSEMBLE: theme.FORMS["ensemble"]}
    curve = {run.model_id: risk_coverage(run)}
    st.plotly_chart(
        calibration.risk_coverage(curve, {run.model_id: effect}, forms, face.names, face.inks),
        key="doubt-risk-chart",
        config=charts.CONFIG,
        alt="Share of wrong answers by share of faces answered on PrivateTest; the threshold is marked",
    )
    st.caption(f"PrivateTest, n = {len(run):,}. The most confident answers first; marked: the threshold.")


def _runs(face: FaceInQuestion, split: str) -> EvaluationRun:
    """The stored answers behind the verdict: the ensemble's, or the first network's where there is none."""
    listing = services.networks()
    members = face.networks if ENSEMBLE in face.found.predictions else face.networks[:1]
    runs = [services.evaluation(listing.get(n.model_id), split) for n in members]
    return services.ensemble(runs) if len(runs) > 1 else runs[0]


def _spread(found: Doubt) -> str:
    text = "Entropy: 0 for one certain class; the second figure is reached where all classes are alike."
    if found.disagreement is None:
        return text + " Disagreement needs two networks with the same classes."
    most = np.log2(len(found.augmented) - 1)
    bits = f"{found.disagreement:.3f} bits of at most {most:.3f}"
    return f"Disagreement between the networks (Jensen-Shannon): {bits}. {text}"
