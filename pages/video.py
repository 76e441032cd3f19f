"""The faces in a video: what each network predicts for them, and how that changes over time."""

import streamlit as st

from core.errors import DetectorUnavailableError
from dashboard import services
from dashboard.ui import busy, detector_picker, face_hover, link_page, navigation, network_picker, session, theme
from dashboard.ui.messages import show_error
from dashboard.video import video_choice, video_results
from dashboard.video.time_cursor import CHART

if session.photo_was_added():
    navigation.open_face()

with st.sidebar:
    chosen = network_picker.pick_networks()
    networks = network_picker.load(chosen)
    detector = detector_picker.choose()
    with link_page.messages_in(st.container()), st.expander("Options", icon=":material/tune:"):
        options = video_choice.choose_options()

st.title("Video", anchor=False)
st.markdown("Which expression each network predicts for the faces in a video, and how it changes over time.")
if not networks:
    network_picker.ask_for_networks()
    if (analyzed := video_choice.current()) is not None:
        video_results.draw(analyzed, theme.ink())
    busy.end_page()
try:
    detector = services.detector(detector).name
except DetectorUnavailableError as error:
    show_error(error)
    busy.end_page()

above = st.container()
video = video_choice.started(networks, detector, options)
if video is None:
    with above:
        video_choice.choose_video()
    face_hover.show_nothing(CHART)
    busy.end_page()
video_results.draw(video, theme.ink())
with st.expander("Another video", icon=":material/upload:"):
    video_choice.choose_video()
    st.button("Forget this video", on_click=video_choice.forget_video, icon=":material/delete:", type="tertiary")
