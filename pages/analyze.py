"""Photo -> faces -> what each network says of them, and why."""

import json

import pandas as pd
import streamlit as st

from core.faces import DetectorUnavailableError
from core.images import MIN_SIDE_PX
from core.inference import ENSEMBLE, photo_values
from dashboard import charts, services, state, theme
from dashboard.components.network_picker import forms, load, pick_networks, titles
from dashboard.components.photo_view import display_width, with_boxes
from dashboard.components.sources import sample_cards, source_picker
from dashboard.lab import PANELS, FaceInQuestion

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

for sentence in state.refused().values():
    st.error(sentence, icon=":material/broken_image:")

photo = state.chosen_photo()
if photo is None:
    st.info("Upload a photo or take a snapshot in the sidebar, or begin with a portrait.", icon=":material/upload:")
    sample_cards()
    st.stop()

held = state.photos()
if len(held) > 1:
    names = {p.digest: p.name for p in held}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.pills(
            "Photo", list(names), format_func=names.__getitem__, default=photo.digest, required=True, key="photo_pills"
        )
        st.button("Forget all photos", on_click=state.clear_photos, icon=":material/delete:", type="tertiary")
    st.session_state["photo"] = picked  # outlives the pills when another page is opened
    photo = next(p for p in held if p.digest == picked)

networks = load(chosen_networks)
if not networks:
    st.info("Choose at least one network in the sidebar.", icon=":material/info:")
    st.stop()

whole_image = st.session_state.get("whole_image") == photo.digest
try:
    analysis = services.analysis(photo, networks, detector, whole_image=whole_image)
except DetectorUnavailableError as error:
    st.error(f"{error} Until then the Haar cascade looks for faces.", icon=":material/cloud_off:")
    analysis = services.analysis(photo, networks, "haar", whole_image=whole_image)

if not analysis.faces:
    boxed = with_boxes(analysis, -1)
    st.image(boxed, alt=f"{photo.name}, no face found", width=display_width(boxed))
    st.info(
        "No face was found. Try the other detector, a photo with a larger upright face, or analyse the whole image.",
        icon=":material/search_off:",
    )
    if st.button("Analyse the whole image", type="primary", icon=":material/crop_free:"):
        st.session_state["whole_image"] = photo.digest
        st.rerun()
    st.stop()

title_of = titles(chosen_networks) | {ENSEMBLE: "mean of the networks"}
form_of = forms(chosen_networks)
inks = theme.ink()

left, right = st.columns([5, 7], gap="large")
with left:
    picture = st.empty()
    number = 0
    if len(analysis.faces) > 1:
        number = st.segmented_control(
            "Face",
            range(len(analysis.faces)),
            format_func=lambda i: f"{i + 1} · {analysis.faces[i].verdict.expression}",
            default=0,
            required=True,
            key=f"face-{photo.digest[:12]}-{detector}",
        )
    boxed = with_boxes(analysis, number)
    picture.image(boxed, alt=f"{photo.name} with {len(analysis.faces)} faces boxed", width=display_width(boxed))
    took = sum(analysis.elapsed_ms.values())
    found_by = services.DETECTORS.get(analysis.detector, "the whole image, no detector")
    st.caption(f"{photo.name} · {analysis.image.shape[1]} × {analysis.image.shape[0]} px · {found_by} · {took:.0f} ms")
found = analysis.faces[number]
verdict = found.verdict
if found.face.box.side < MIN_SIDE_PX:
    st.warning(
        f"This face is only {found.face.box.side:.0f} px wide. Below {MIN_SIDE_PX} px there is little to see; take a "
        "larger photo.",
        icon=":material/photo_size_select_small:",
    )

with right:
    singles = [m for m in found.predictions if m != ENSEMBLE]
    said = "networks say" if len(singles) > 1 else "network says"
    st.subheader(f"{said.capitalize()} {verdict.expression}, {verdict.probabilities[verdict.top]:.2f}")
    agree = f" · {found.agreeing} of {len(singles)} networks agree" if len(singles) > 1 else ""
    st.caption(f"Face {number + 1} of {len(analysis.faces)}{agree} · probabilities after temperature scaling")
    st.plotly_chart(
        charts.probabilities(found.predictions, form_of, title_of, inks),
        key="probabilities",
        config=charts.CONFIG,
        alt=f"Probability of each expression by network; highest {verdict.expression}",
    )
    table = pd.DataFrame(
        {title_of[m]: pd.Series(p.probabilities, index=p.labels.classes) for m, p in found.predictions.items()}
    )
    with st.expander("Numbers"):
        st.dataframe(table.style.format("{:.3f}"), alt="Probabilities by class and network")

face = FaceInQuestion(photo, analysis, number, tuple(networks), title_of, form_of, inks)
panel = st.segmented_control(
    "Look at", list(PANELS), default="Saliency", required=True, key="panel", bind="query-params"
)
PANELS[panel](face)

with st.container(horizontal=True):
    st.download_button(
        "Numbers (CSV)",
        lambda: table.to_csv(index_label="class"),
        file_name=f"{face.stem}.csv",
        mime="text/csv",
        icon=":material/table:",
        on_click="ignore",
    )
    st.download_button(
        "Everything (JSON)",
        lambda: json.dumps(photo_values(photo.name, analysis), indent=2, ensure_ascii=False),
        file_name=f"{face.stem}.json",
        mime="application/json",
        icon=":material/data_object:",
        on_click="ignore",
    )
