"""How unsure the answer is, and whether it should be given at all."""

from __future__ import annotations

import contextlib

import streamlit as st

from core.errors import CheckpointError, EvaluationError, NotFiniteError
from core.evaluation import Abstention, EvaluationRun, risk_coverage
from core.inference import ENSEMBLE
from core.probes import VIEWS, Decision, Uncertainty, decide
from dashboard import services, style
from dashboard.analyze import computations
from dashboard.analyze.selected_face import FaceInQuestion, not_finite
from dashboard.plots import calibration, charts, uncertainty
from dashboard.plots.dumbbells import dumbbells

VIEW_NAMES = {"one": "the face alone", "mirror": "with its mirror image", "ten crops": "ten crops"}
TARGET, ONE_VIEW = 0.8, "one"
LOWEST, HIGHEST = 0.5, 0.95


def ask() -> tuple[float, str]:
    """The controls: how often to be right, and the views that are averaged over. Both are in the link."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        target = st.slider(
            "Be right this often",
            LOWEST,
            HIGHEST,
            TARGET,
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
            default=ONE_VIEW,
            required=True,
            key="views",
            bind="query-params",
        )
    st.session_state["doubt-asked"] = target, views
    return target, views


def asked() -> tuple[float, str]:
    """What was asked last, or what the link asks for, for what is taken along from another panel."""
    if "doubt-asked" in st.session_state:
        last: tuple[float, str] = st.session_state["doubt-asked"]
        return last
    views = {word: view for view, word in VIEW_NAMES.items()}  # a link has the words
    target = TARGET
    with contextlib.suppress(ValueError):
        target = float(st.query_params.get("target", TARGET))
    return target, views.get(st.query_params.get("views", ""), ONE_VIEW)


def draw(face: FaceInQuestion) -> None:
    """The verdict at the chosen strictness, then what it rests on."""
    target, views = ask()
    try:
        found = computations.doubt(face, views)
    except NotFiniteError as error:
        st.info(not_finite(error.model_ids, face.names), icon=":material/info:")
        return
    missing = [n.model_id for n in face.networks if n.model_id not in found.predictions]
    if missing:
        st.info(not_finite(missing, face.names), icon=":material/info:")
    _verdict(face, found, target)
    words = ("before temperature", "after" if views == "one" else f"after, over {views}")
    alt = "Probability of each expression before and after temperature scaling, by network"
    before, after = (charts.with_ensemble(of) for of in (found.groups[0].raw, found.groups[0].augmented))
    st.html(dumbbells(before, after, face.forms, face.names, face.inks, alt=alt, words=words))
    st.caption(
        "Hollow: straight from the network. Filled: after temperature scaling, fitted on PublicTest"
        + ("." if views == "one" else f", and averaged over the {'mirror image too' if views == 'mirror' else views}.")
    )
    st.dataframe(uncertainty.table(found, face.names), hide_index=True, alt="Probabilities and entropy by network")
    st.caption(uncertainty.spread(found))


def decision(found: Uncertainty, target: float) -> Decision:
    """Whether the answer is given. Raises CheckpointError without stored answers and EvaluationError where no threshold
    reaches the target."""
    return decide(found.verdict, _runs(found, "val"), _runs(found, "test"), target)


def _verdict(face: FaceInQuestion, found: Uncertainty, target: float) -> None:
    try:
        made = decision(found, target)
    except (CheckpointError, EvaluationError) as error:
        st.info(f"No threshold, so no verdict: {error}.", icon=":material/info:")
        return
    title, reason = uncertainty.verdict(made), uncertainty.reason(made)
    if made.sure:
        st.success(reason, title=title, icon=":material/check:")
    else:
        st.warning(reason, title=title, icon=":material/help:")
    st.caption(uncertainty.protocol(made, found.views))
    with st.expander("Risk and coverage", on_change="rerun", key="doubt-risk") as opened:
        if opened.open:
            _risk(face, _runs(found, "test"), made.effect)


def _risk(face: FaceInQuestion, run: EvaluationRun, effect: Abstention) -> None:
    forms = {**face.forms, ENSEMBLE: style.FORMS["ensemble"]}
    curve = {run.model_id: risk_coverage(run)}
    st.plotly_chart(
        calibration.risk_coverage(curve, {run.model_id: effect}, forms, face.names, face.inks),
        key="doubt-risk-chart",
        config=charts.CONFIG,
        alt="Share of wrong answers by share of faces answered on PrivateTest; the threshold is marked",
    )
    st.caption(f"PrivateTest, n = {len(run):,}. The most confident answers first; marked: the threshold.")


def _runs(found: Uncertainty, split: str) -> EvaluationRun:
    """The stored answers behind the verdict: the ensemble's, or the first network's where there is none."""
    listing = services.listing()
    runs = [services.evaluation(listing.get(model_id), split) for model_id in found.groups[0].augmented.model_ids]
    return services.ensemble(runs) if len(runs) > 1 else runs[0]
