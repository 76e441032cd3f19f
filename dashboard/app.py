"""Page settings and navigation; the pages are in ``pages/``."""

from pathlib import Path

import streamlit as st

from dashboard import garbage
from dashboard.loading import PYTORCH
from dashboard.ui import busy, link_page, phone, progress, theme

# A local file, because the browser would fetch a Material symbol from another host.
MARK = str(Path(__file__).with_name("mark.svg"))
st.set_page_config(page_icon=MARK, layout="wide", initial_sidebar_state=260)
st.logo(MARK, size="large")
# Pages that are drawn while PyTorch is imported, which takes seconds; the modules of the others need it.
WITHOUT_PYTORCH = ("Overview", "About")

page = st.navigation(
    [
        st.Page(
            "../pages/overview.py",
            title="Overview",
            icon=":material/home:",
            default=True,
            help="What FERscope is, the installed networks and their scores, and portraits to try.",
        ),
        st.Page(
            "../pages/analyze.py",
            title="Analyze",
            icon=":material/frame_person:",
            help="What each network predicts for the faces in a photo, and what the predictions depend on.",
        ),
        st.Page(
            "../pages/live.py",
            title="Live",
            icon=":material/videocam:",
            help="What each network predicts for the faces in front of the camera, and how that changes over time.",
        ),
        st.Page(
            "../pages/video.py",
            title="Video",
            icon=":material/movie:",
            help="What each network predicts for the faces in a video, and how that changes over time.",
        ),
        st.Page(
            "../pages/folder.py",
            title="Folder",
            icon=":material/folder_open:",
            help="Every face in many photos: predictions in a table, and how they are distributed.",
        ),
        st.Page(
            "../pages/compare.py",
            title="Compare",
            icon=":material/compare_arrows:",
            help="Curves, confusion matrices and scores of the networks side by side, with their protocol.",
        ),
        st.Page(
            "../pages/dataset.py",
            title="Dataset",
            icon=":material/dataset:",
            help="Classes, faces, copies and conflicting labels of the data that the networks were trained on.",
        ),
        st.Page(
            "../pages/about.py",
            title="About",
            icon=":material/info:",
            help="Data, protocol, limitations, and the law on emotion recognition.",
        ),
    ],
    position="top",
)
st.set_page_config(page_title="FERscope" if page.title == "Overview" else f"{page.title} · FERscope")
with link_page.of_page(page.title):
    if page.title not in WITHOUT_PYTORCH:
        progress.wait_for_loading(PYTORCH)
    with busy.answered("page"):
        page.run()
    theme.follow()
    phone.close_sidebar()
garbage.collect_later()
