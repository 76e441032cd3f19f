"""What is asked of a map: which class, rather than which, by which method, at which stage. Shared by the panels."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.errors import ExplainError
from core.explain import Contrast, Explanation, SaliencyMethod, method_named, on_common_scale, saliency_methods
from core.explain.closed_form import Scale
from core.inference import Predictor
from dashboard import services
from dashboard.analyze import computations
from dashboard.analyze.selected_face import FaceInQuestion
from dashboard.ui import links, progress
from dashboard.ui.url_parameters import listed

DEFAULT_STAGE, BEFORE_POOLING = "each network's default", "before the pooling"
NO_OTHER = "any other"
COINCIDE = (
    "Before the pooling Grad-CAM, HiResCAM and XGrad-CAM coincide for networks that end in pooling and one linear "
    "layer, as these do: one map under three names."
)


@dataclass(frozen=True)
class Question:
    """One map a network is the answer."""

    class_name: str
    against: str | None
    method: SaliencyMethod
    stage: str

    def stage_of(self, network: Predictor) -> str:
        """The network's own name of the chosen stage; it may lack it."""
        special = {DEFAULT_STAGE: network.card.cam_layer, BEFORE_POOLING: network.network.closed_form_stage}
        return special.get(self.stage, self.stage)

    def target_of(self, network: Predictor) -> int | Contrast:
        """The class or the contrast by its numbers in the network's labels. Raises ExplainError for one it lacks."""
        labels = network.card.labels
        for name in (self.class_name, self.against):
            if name is not None and name not in labels.classes:
                raise ExplainError(f"this network has no class {name}; it has {', '.join(labels.classes)}")
        if self.against is None:
            return labels.index(self.class_name)
        return Contrast(labels.index(self.class_name), labels.index(self.against))

    def coincides_on(self, network: Predictor) -> bool:
        """Whether the chosen method makes the same map here as two others."""
        at_the_end = self.stage_of(network) == network.network.closed_form_stage
        return at_the_end and self.method.name in ("gradcam", "hirescam", "xgradcam")

    @property
    def evidence(self) -> str:
        """*happy*, or *happy rather than sad*."""
        return self.class_name + (f" rather than {self.against}" if self.against else "")


def check_link(face: FaceInQuestion) -> None:
    """What the link asks of the networks on the screen and they do not have is a sentence each, once."""
    verdict = face.found.verdict
    classes, of_networks = verdict.labels.classes, [n for n in face.networks if n.model_id == verdict.model_id]
    lacking = _lacking(face, of_networks or face.networks)
    shown = links.chosen(links.CLASS, classes) or verdict.expression
    links.unmet(links.CLASS, classes, asks="the class", why=lacking, shown=shown)
    others = [c for c in classes if c != shown]
    why = "the same class; there are" if links.chosen(links.AGAINST, [shown]) else lacking
    asks = f"the evidence for {shown} rather than"
    links.unmet(links.AGAINST, others, asks=asks, why=why, shown=f"{shown} rather than {NO_OTHER}")
    stages = [DEFAULT_STAGE, BEFORE_POOLING, *_inner_stages(face)]
    links.unmet(links.STAGE, stages, asks="the layer", why=_lacking(face, face.networks), shown=DEFAULT_STAGE)


def _lacking(face: FaceInQuestion, networks: Sequence[Predictor]) -> str:
    names = [face.names[n.model_id] for n in networks]
    one = len(names) == 1
    return f"which {listed(names, ' and ')} {'does not have; it has' if one else 'do not have; they have'}"


def _inner_stages(face: FaceInQuestion) -> list[str]:
    return sorted({s for n in face.networks for s in n.network.stages})


def ask(face: FaceInQuestion, *, with_method: bool = True) -> Question:
    """The controls of the question, each in the link. Without a method the question is Grad-CAM's."""
    verdict = face.found.verdict
    classes = verdict.labels.classes
    key = f"class-{face.key}"
    class_name = st.segmented_control(
        "Evidence for",
        classes,
        default=links.chosen(links.CLASS, classes) or verdict.expression,
        required=True,
        wrap=True,
        key=key,
        on_change=links.choose_from,
        args=(key, links.CLASS, verdict.expression),
    )
    known = saliency_methods()
    method = "gradcam"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        against = _against(face, class_name, [c for c in classes if c != class_name])
        if with_method:
            method = st.selectbox(
                "Method",
                list(known),
                format_func=lambda name: known[name].title,
                key="method",
                bind="query-params",
                width=200,
            )
        stage = st.selectbox(
            "Stage",
            [DEFAULT_STAGE, BEFORE_POOLING, *_inner_stages(face)],
            key="stage",
            bind="query-params",
            width=210,
            disabled=known[method].marks_pixels,
        )
    if class_name != verdict.expression or against:  # other networks have another verdict, and the class stays
        links.choose(links.CLASS, class_name)
    asked = Question(class_name, against, method_named(method), stage)
    st.session_state["asked"] = face.key, asked
    return asked


def last(face: FaceInQuestion) -> Question:
    """What was asked last, for what is taken along from a panel that asks nothing; of another face, its method and
    stage. Where nothing was asked yet, what the link asks."""
    verdict = face.found.verdict
    classes = verdict.labels.classes
    class_name = links.chosen(links.CLASS, classes) or verdict.expression
    if "asked" not in st.session_state:
        titles = {method.title: name for name, method in saliency_methods().items()}
        method = method_named(titles.get(st.query_params.get("method", ""), "gradcam"))
        against = links.chosen(links.AGAINST, [c for c in classes if c != class_name])
        return Question(class_name, against, method, st.query_params.get(links.STAGE, DEFAULT_STAGE))
    key, asked = st.session_state["asked"]
    if key == face.key and asked.class_name in classes:
        return asked  # type: ignore[no-any-return]  # what :func:`ask` put there
    return Question(class_name, None, asked.method, asked.stage)


def _against(face: FaceInQuestion, class_name: str, others: list[str]) -> str | None:
    key = f"against-{face.key}-{class_name}"
    chosen = links.chosen(links.AGAINST, others)
    against = st.selectbox(
        "rather than",
        [NO_OTHER, *others],
        index=0 if chosen is None else 1 + others.index(chosen),
        key=key,
        width=150,
        help="What speaks for one class and not for another: the evidence of the difference of the two scores.",
        on_change=links.choose_from,
        args=(key, links.AGAINST, NO_OTHER),
    )
    return None if against == NO_OTHER else against


def answer(
    face: FaceInQuestion, network: Predictor, question: Question, scale: Scale = "own", name: str = ""
) -> Explanation:
    """The map of one network; a slow one shows how far it is, and can be stopped. Raises ExplainError.

    Slow methods and contrasts are always on their own scale: one map for each class would take as many times as long.
    """
    stage, target = question.stage_of(network), question.target_of(network)
    if not question.method.marks_pixels and stage not in network.network.stages:
        raise ExplainError(f"this network has no {stage}; it has {', '.join(network.network.stages)}")
    if question.method.name == "gradcam" and isinstance(target, int):
        return services.saliency(face.photo, face.analysis, face.number, network, stage).explanation(target, scale)

    common = scale == "common" and isinstance(target, int) and not question.method.slow
    piece = _piece(face, network, question, None if common else target)
    found = list(piece.get() if piece.ready or not question.method.slow else _slowly(piece, question, network, name))
    if common and isinstance(target, int):
        return on_common_scale(found)[target]
    return found[0]


def at_hand(face: FaceInQuestion, question: Question) -> dict[str, Explanation]:
    """The maps that are made already or within a moment, by network; nothing is drawn meanwhile."""
    found = {}
    for network in face.networks:
        with contextlib.suppress(ExplainError):
            if not question.method.slow or _piece(face, network, question, question.target_of(network)).ready:
                found[network.model_id] = answer(face, network, question)
    return found


def _piece(
    face: FaceInQuestion, network: Predictor, question: Question, classes: int | Contrast | None
) -> computations.Computation[tuple[Explanation, ...]]:
    stage = network.card.cam_layer if question.method.marks_pixels else question.stage_of(network)
    return computations.explanations(face, network, method=question.method.name, stage=stage, classes=classes)


def _slowly(
    piece: computations.Computation[tuple[Explanation, ...]], question: Question, network: Predictor, name: str
) -> tuple[Explanation, ...]:
    """A map that takes its time, with its progress. Raises ExplainError where it was stopped."""
    key = f"map-{network.model_id}"
    if progress.stopped(key, piece.key):
        progress.go_on(key, f"{question.method.title} of {name or network.model_id}")
        raise ExplainError("stopped before this map was made")
    with progress.work(key, piece.key, 1) as work:
        return piece.get(work.part(f"{question.method.title} of {name or network.model_id}"))
