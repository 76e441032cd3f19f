"""Photo -> faces -> what each network says of them, and why."""

import pandas as pd
import streamlit as st

from core.errors import DetectorUnavailableError, NotFiniteError
from core.inference import ENSEMBLE, PhotoAnalysis
from dashboard import services
from dashboard.analyze import (
    PANELS,
    FaceInQuestion,
    downloads,
    face_picker,
    gallery,
    not_finite,
    saliency_options,
    too_small,
)
from dashboard.analyze.link_parameters import parameters
from dashboard.plots import charts
from dashboard.plots.boxed_photo import display_width, with_boxes
from dashboard.ui import links, session, theme
from dashboard.ui.network_picker import forms, load, pick_networks, titles
from dashboard.ui.photo_sources import sample_cards, source_picker

links.restore(parameters())

with st.sidebar:
    source_picker()
    chosen_networks = pick_networks()
    detector = st.selectbox(
        "Face detector",
        list(services.DETECTORS),
        format_func=services.DETECTORS.__getitem__,
        key="detector",
        bind="query-params",
    )

st.title("Analyze")
st.markdown("What each network says of a face, how much they agree, and where each one looked.")

for sentence in session.refused().values():
    st.error(sentence, icon=":material/broken_image:")

if too_many := session.too_many():
    st.warning(too_many, icon=":material/photo_library:")
links.tell()
photo = session.chosen_photo()
if photo is None:
    st.info("Upload a photo or take a snapshot in the sidebar, or begin with a portrait.", icon=":material/upload:")
    sample_cards()
    st.stop()

networks = load(chosen_networks)
if not networks:
    st.info("Choose at least one network in the sidebar.", icon=":material/info:")
    st.stop()

title_of = titles(chosen_networks) | {ENSEMBLE: "mean of the networks"}
form_of = forms(chosen_networks)
inks = theme.ink()


def analyzed(photo: services.Photo) -> PhotoAnalysis:
    """By the chosen detector; by Haar, and with a sentence, where that one cannot be had. Without an answer from any
    network the page ends with a sentence."""
    whole_image = st.session_state.get("whole_image") == photo.digest
    for by in (detector, "haar"):
        try:
            return services.analysis(photo, networks, by, whole_image=whole_image)
        except DetectorUnavailableError as error:
            st.error(f"{error} Until then the Haar cascade looks for faces.", icon=":material/cloud_off:")
        except NotFiniteError as error:
            st.error(not_finite(error.model_ids, title_of), icon=":material/error:")
            break
    return st.stop()


held = session.photos()
analysis = analyzed(photo) if len(held) == 1 else None
if analysis is None or len(analysis.faces) > 1:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show = st.segmented_control(
            "Show", (gallery.ONE, gallery.ALL), default=gallery.ONE, required=True, key="show", bind="query-params"
        )
        if show == gallery.ONE and len(held) > 1:
            photo = face_picker.pick_photo(photo)
    if show == gallery.ALL:
        gallery.draw(gallery.Gallery(held, networks, detector, title_of, form_of, inks))
        st.stop()

analysis = analysis or analyzed(photo)
if analysis.left_out:
    st.warning(f"{not_finite(analysis.left_out, title_of)} The rest goes on without.", icon=":material/warning:")
if not analysis.faces:
    boxed = with_boxes(analysis, -1)
    st.image(boxed, alt=f"{photo.name}, no face found", width=display_width(boxed))
    st.info(
        "No face was found. Try the other detector, a photo with a larger upright face, or analyze the whole image.",
        icon=":material/search_off:",
    )
    if st.button("Analyze the whole image", type="primary", icon=":material/crop_free:"):
        st.session_state["whole_image"] = photo.digest
        st.rerun()
    st.stop()

left, right = st.columns([5, 7], gap="large")
with left:
    number = face_picker.pick_face(photo, analysis, inks)
found = analysis.faces[number]
verdict = found.verdict
if few_pixels := too_small(found.face.box.side):
    st.warning(few_pixels, icon=":material/photo_size_select_small:")

with right:
    group = found.groups[0]
    singles, shown = group.model_ids, charts.with_ensemble(group)
    said = "networks say" if len(singles) > 1 else "network says"
    st.subheader(f"{said.capitalize()} {verdict.expression}, {verdict.probabilities[verdict.top]:.2f}")
    agree = f" · {group.agreeing} of {len(singles)} networks agree" if len(singles) > 1 else ""
    st.caption(f"Face {number + 1} of {len(analysis.faces)}{agree} · probabilities after temperature scaling")
    st.plotly_chart(
        charts.probabilities(shown, form_of, title_of, inks),
        key="probabilities",
        config=charts.CONFIG,
        alt=f"Probability of each expression by network; highest {verdict.expression}",
    )
    table = pd.DataFrame({title_of[m]: pd.Series(p.probabilities, index=p.labels.classes) for m, p in shown.items()})
    with st.expander("Numbers"):
        st.dataframe(table.style.format("{:.3f}"), alt="Probabilities by class and network")

face = FaceInQuestion(photo, analysis, number, analysis.predicting(networks), title_of, form_of, inks)
saliency_options.check_link(face)
panel = st.segmented_control(
    "Look at", list(PANELS), default="Saliency", required=True, wrap=True, key="panel", bind="query-params"
)
PANELS[panel](face)
downloads.draw(face, table)
