"""What FERscope is, what is installed, and a face to begin with."""

import streamlit as st

from dashboard import services
from dashboard.plots.scores import installed
from dashboard.style import STILL
from dashboard.ui.example import live_example
from dashboard.ui.navigation import open_page
from dashboard.ui.network_picker import EMPTY, titles
from dashboard.ui.photo_sources import open_source, sample_cards

st.title("FERscope")
st.markdown("What networks read in a face, and how far to believe it.")

st.subheader("Begin with a portrait, or with a photo of your own")
portraits, own = st.columns([3, 1], gap="large")
with portraits:
    if sample_cards():
        open_page("analyze")
with own:
    st.markdown("Drop a photo or take a webcam snapshot. It stays in this session's memory and is never stored.")
    if st.button("Upload a photo", icon=":material/upload:", width="stretch", type="primary"):
        open_source("File")
    if st.button("Use the webcam", icon=":material/photo_camera:", width="stretch"):
        open_source("Webcam")

st.subheader("Three ways to look")
example = live_example()
journeys = (
    ("Explore predictions", "../pages/analyze.py", "frame_person", "Every face, every network, every probability."),
    ("Inspect saliency", "../pages/analyze.py", "visibility", "Which part of the face speaks for each expression."),
    ("Compare networks", "../pages/compare.py", "compare_arrows", "Curves, confusions and intervals side by side."),
)
for number, (column, (name, target, icon, line)) in enumerate(zip(st.columns(3), journeys, strict=True)):
    with column.container(border=True, height="stretch"):
        st.page_link(target, label=name, icon=f":material/{icon}:")
        st.caption(line)
        if example and number == 0:
            st.plotly_chart(
                example.probabilities,
                key="example-chart",
                config=STILL,
                alt="Probabilities of one network for a portrait",
            )
        elif example and number == 1:
            st.image(example.overlay, alt="A saliency map laid over a portrait", width=220)
        elif example and example.confusion:
            st.plotly_chart(
                example.confusion, key="example-confusion", config=STILL, alt="Confusion matrix of one network"
            )

st.subheader("Networks installed")
listing = services.listing()
for problem in listing.problems:
    st.warning(problem, icon=":material/warning:")
if listing.checkpoints:
    names = titles(list(listing.checkpoints))
    cards = [c.card for c in listing.checkpoints]
    st.dataframe(installed(cards, names), hide_index=True, alt="Installed networks with their scores")
    n = max((c.metrics["test"].n for c in cards if "test" in c.metrics), default=0)
    st.caption(
        f"Trained on FER2013 Training, chosen on PublicTest, scored once on PrivateTest (n = {n:,}); 95 % intervals. "
        "Milliseconds: one face at a time. "
        "FER2013 holds copies of some test images in Training: Compare shows every score without them too."
    )
else:
    st.info(EMPTY, icon=":material/info:")

st.subheader("What the numbers cannot tell")
st.markdown(
    "A network says which *expression* a picture was labeled with. It does not say what a person feels. People "
    "themselves gave about 65 % of FER2013's labels (Goodfellow et al. 2013); other kinds of photos are harder still, "
    "and *unsure* is a good answer."
)
st.page_link("../pages/about.py", label="Data, limits and law", icon=":material/info:")
