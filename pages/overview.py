"""What FERscope is, photos to start with, and the installed networks."""

import streamlit as st

from dashboard import services
from dashboard.loading import FIRST_NETWORK
from dashboard.overview import example, network_files, networks
from dashboard.plots.scores import data_summary
from dashboard.ui import navigation, photo_sources, progress, sections, session
from dashboard.ui.messages import show_warning
from dashboard.ui.network_picker import EMPTY

if session.photo_was_added():
    navigation.open_face()

st.title("FERscope", anchor=False)
st.markdown("What networks see in a face, and how far to trust it.")

session.draw_refused()
own_photo, portraits = st.columns([5, 7], gap="large")
with own_photo:
    photo_sources.photo_input(with_portraits=False)
with portraits:
    st.markdown("**Or start with a portrait**")
    photo_sources.sample_cards()

tasks = (
    ("Explore predictions", "analyze", "frame_person", "The expression that each network predicts for every face."),
    ("Inspect saliency", "analyze", "visibility", "The parts of the face that a prediction depends on."),
    ("Compare networks", "compare", "compare_arrows", "Scores, learning curves and errors with their intervals."),
)
places = []
for column, (name, page, icon, description) in zip(st.columns(3), tasks, strict=True):
    with column.container(border=True, height="stretch"):
        st.page_link(f"{navigation.PAGES}/{page}.py", label=name, icon=f":material/{icon}:")
        st.caption(description)
        places.append(st.container())

listing = services.listing()
if len({c.card.role for c in listing.checkpoints}) < 2:  # otherwise each group has its title
    st.header("Installed networks", anchor=False)
for problem in listing.problems:
    show_warning(problem)
if not listing.checkpoints:
    st.info(EMPTY, icon=":material/info:")
else:
    cards = [c.card for c in listing.checkpoints]
    sections.draw(networks.sections(listing.checkpoints))
    hardware = " · ".join(dict.fromkeys(card.milliseconds.hardware for card in cards if card.milliseconds))
    st.caption(
        "Test scores with 95 % intervals. ECE: expected calibration error, 0 is best. "
        + (f"Milliseconds per face were measured on: {hardware}. " if hardware else "")
        + "*Compare* can measure the milliseconds per face on this machine."
    )
    if listing.with_weights:
        network_files.draw(listing.with_weights)

    st.header("Data and protocol", anchor=False)
    for paragraph in data_summary(cards):
        st.markdown(paragraph)

st.header("Limitations", anchor=False)
st.markdown(
    "A network predicts which *expression* a picture would be labeled with, not what a person feels. Human accuracy on "
    "FER2013 is about 65 % (Goodfellow et al. 2013). The networks are less accurate on other photos than on the test "
    "images, and *unsure* is a valid result."
)
st.page_link(f"{navigation.PAGES}/about.py", label="Data, limitations and law", icon=":material/info:")

# Last, so that everything above is drawn before PyTorch and the network are loaded.
if (matrix := example.confusion_matrix()) is not None:
    places[2].html(matrix)
with places[0]:
    progress.wait_for_loading(FIRST_NETWORK)
if (prediction := example.live_prediction()) is not None:
    with places[0].container(key="example-probabilities"):
        st.html(prediction.probabilities)
    places[1].html(prediction.saliency)
sections.preload_figures()
