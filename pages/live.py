"""The faces in front of the camera: what each network predicts for them, and how that changes over time."""

import streamlit as st

from core.errors import DetectorUnavailableError
from core.evaluation import ENSEMBLE
from dashboard import services
from dashboard.live import camera_view, controls
from dashboard.live.frame_analysis import LiveSettings
from dashboard.live.session_viewer import session_viewer
from dashboard.style import ensemble_style
from dashboard.ui import busy, detector_picker, navigation, network_picker, session, theme
from dashboard.ui.messages import show_error

if session.photo_was_added():
    navigation.open_face()

with st.sidebar:
    chosen_networks = network_picker.pick_networks()
    networks = network_picker.load(chosen_networks)
    detector_name = detector_picker.choose()

st.title("Live", anchor=False)
st.markdown(
    "Which expression each network predicts for the faces in front of the camera, and how it changes over time."
)
session.draw_refused()
if not networks:
    network_picker.ask_for_networks()
    busy.end_page()
try:
    detector = services.detector(detector_name)
except DetectorUnavailableError as error:
    show_error(error)
    busy.end_page()

names = network_picker.titles(chosen_networks)
with st.sidebar:
    options = controls.choose(networks, names)
viewer = session_viewer(
    LiveSettings(
        tuple(networks), detector, options.detection_interval, options.smoothing_s, saliency_of=options.saliency_of
    )
)
inks = theme.ink()
styles = {**network_picker.styles(chosen_networks, inks), ENSEMBLE: ensemble_style(inks)}
camera_view.draw(viewer, controls.series_titles(networks, names), styles, options)
smoothing = f"smoothed with a time constant of {options.smoothing_s:g} s" if options.smoothing_s else "not smoothed"
st.caption(
    f"Probabilities after temperature scaling, {smoothing}; detector: {services.DETECTORS[detector.name]}. A saliency "
    "map shows where the evidence for the predicted class lies (Grad-CAM before the pooling). Recorded numbers are not "
    "smoothed. A prediction is marked *unsure* if its probability is below a threshold: the lowest one for which the "
    "predictions for the validation images with at least this probability have an accuracy of "
    f"{options.required_accuracy:.2f}."
)
