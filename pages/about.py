"""Data, protocol, limits and law."""

import streamlit as st

from dashboard import services
from dashboard.plots.scores import card_summary
from dashboard.ui.network_picker import titles

st.title("About")
st.markdown("Where the numbers come from, what they cannot tell, and what the law says.")

st.subheader("Data and protocol")
st.markdown(
    """
The installed networks were trained on the *Training* split of **FER2013** (Goodfellow et al., *Challenges in
Representation Learning*, 2013): 28,709 gray faces of 48 × 48 pixels in seven classes, collected from the web. The
epoch and the temperature were chosen on *PublicTest* (3,589 images); *PrivateTest* (3,589 images) was scored once.

FER2013 repeats itself: 288 PrivateTest images have a pixel-identical copy in Training. Scores are therefore given
with and without them. A 95 % interval at 73 % accuracy is ± 1.5 points wide; a difference below that
may be none, and Compare's Significance view tests it on the same images.
"""
)

st.subheader("Saliency")
st.markdown(
    """
Maps are Grad-CAM (Selvaraju et al. 2017). Before the pooling it equals the class activation map (Zhou et al. 2016)
and follows from the same forward pass as the answer. A map shows where the evidence for a class lies in the
network's own features. It does not prove a reason, and a plausible map can belong to a wrong answer.
"""
)

st.subheader("Limits")
st.markdown(
    """
- Networks say which expression a picture was *labeled* with, not what a person feels. Expressions are posed,
  mixed, polite, cultural.
- FER2013's labels are disputed: ten annotators of FER+ (Barsoum et al. 2016) often disagree with them and with each
  other.
- Age, skin tone, gender and culture are unevenly represented and not annotated, so fairness across them is unknown.
- A photo is cropped to be framed as FER2013 frames faces. Profiles, occlusions and strong light are outside what
  was trained.
"""
)

st.subheader("Law")
st.markdown(
    """
Article 5(1)(f) of the **EU AI Act** (Regulation 2024/1689) prohibits placing on the market, putting into service
for this purpose, or using AI systems that infer emotions of natural persons **at the workplace or in education
institutions**, except for medical or safety reasons. It has applied since 2 February 2025. Elsewhere emotion
recognition counts as high-risk (Annex III) and the people exposed to it must be told (Article 50). FERscope is a
laboratory for looking at networks; it is not meant for judging people.
"""
)

st.subheader("Privacy")
st.markdown(
    "Photos are held in this session's memory, are never written to disk or logged, and leave with the session."
)

st.subheader("Networks")
listing = services.listing()
names = titles(list(listing.checkpoints))
for checkpoint in listing.checkpoints:
    st.markdown(f"**{names[checkpoint.card.run_id]}** (`{checkpoint.card.run_id}`)")
    st.markdown(card_summary(checkpoint.card))
if not listing.checkpoints:
    st.markdown("None is installed.")
