"""Data, protocol, limitations, law and privacy."""

import streamlit as st

from dashboard import services
from dashboard.plots.scores import card_summary, data_summary, terms_of_use
from dashboard.ui.markdown import escaped
from dashboard.ui.network_picker import titles

st.title("About", anchor=False)
st.markdown("The data and the protocol behind the numbers, their limitations, and the law on emotion recognition.")

listing = services.listing()
st.header("Data and protocol", anchor=False)
for paragraph in data_summary(c.card for c in listing.checkpoints):
    st.markdown(paragraph)
st.markdown(
    """
FER2013 (Goodfellow et al., *Challenges in Representation Learning*, 2013) contains grayscale images of faces in seven
classes, 48 × 48 pixels each, collected from the web. It contains exact copies: 288 of the 3,589 images of PrivateTest
are also in Training. With 3,589 images, the 95 % interval of an
accuracy near 70 % is ± 1.5 percentage points. The page *Compare* tests whether the accuracies of two networks on the
same images differ significantly.
"""
)

st.header("Saliency", anchor=False)
st.markdown(
    """
The default map is Grad-CAM (Selvaraju et al. 2017) at the stage that each network's card names; every map states its
method and stage. At the last stage of these networks, Grad-CAM equals the class activation map (Zhou et al. 2016) and
follows from the same forward pass as the prediction. A map shows where the evidence for a class lies in the network's
own features. It does not prove why the network predicts a class, and a plausible map can belong to a wrong prediction.

Many maps are not significantly better than chance. The Trust panel compares a map with copies of itself that are
turned, mirrored and shifted. On random images of PrivateTest, 9 of 40 maps of the CNN, 20 of 40 of the residual CNN
and 15 of 40 of ResNet50 were better than 95 % of their copies.
"""
)

st.header("Limitations", anchor=False)
st.markdown(
    """
- A network predicts which expression a picture would be *labeled* with, not what a person feels. Expressions can be
  posed, mixed or polite, and they differ between cultures.
- The labels of FER2013 are disputed: the ten annotators of FER+ (Barsoum et al. 2016) often disagree with them and with
  each other.
- Age, skin tone, gender and culture are unevenly represented and not annotated, so fairness across them is unknown.
- A photo is cropped so that it is framed like the training images. Profiles, covered faces and strong light are outside
  the training data.
- Other photos are harder than the test set. On 600 portraits from the web, measured on a set that is not distributed,
  an ensemble of earlier networks of these three architectures predicted 67.5 % of the faces correctly, and 95 % of
  those with a confidence of at least 0.7. It predicted angry for 64 and sad for 55 of 298 neutral faces, and disgust
  for none of the 57 faces labeled disgust.
"""
)

st.header("Law", anchor=False)
st.markdown(
    """
Article 5(1)(f) of the **EU AI Act** (Regulation 2024/1689) prohibits placing on the market, putting into service for
this purpose, or using AI systems that infer emotions of natural persons **at the workplace or in education
institutions**, except for medical or safety reasons. It has applied since February 2, 2025. Elsewhere, emotion
recognition counts as high-risk (Annex III), and the people exposed to it must be informed (Article 50). FERscope is a
tool for studying networks and is not intended for assessing people.
"""
)

st.header("Privacy", anchor=False)
st.markdown(
    "Photos, videos and everything computed from them are held in the memory of your session only, and frames of the "
    "camera only while they are analyzed. They are never written to disk or logged. *Forget all photos* deletes the "
    "photos, the video and the results of Folder at once, and *Forget this video* deletes the video. Otherwise, they "
    "are deleted when the session ends."
)

st.header("Installed networks", anchor=False)
names = titles(list(listing.checkpoints))
for checkpoint in listing.checkpoints:
    st.markdown(f"**{names[checkpoint.card.run_id]}** (`{checkpoint.card.run_id}`)")
    st.markdown(escaped(card_summary(checkpoint.card)))
for paragraph in terms_of_use(c.card for c in listing.checkpoints):
    st.markdown(escaped(paragraph))
if not listing.checkpoints:
    st.markdown("No network is installed.")
