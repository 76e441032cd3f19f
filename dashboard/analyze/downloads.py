"""What can be taken along from Analyze whatever panel is open: the numbers, and the link."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.records import AnalysisRecord, PhotoRecord, to_json
from dashboard.analyze import findings, uncertainty
from dashboard.analyze import saliency_options as questions
from dashboard.analyze.link_parameters import parameters
from dashboard.analyze.saliency_options import Question
from dashboard.analyze.selected_face import FaceInQuestion
from dashboard.ui import links


def draw(face: FaceInQuestion, table: pd.DataFrame) -> None:
    """A quiet row; ``table`` has the probabilities by class and network."""
    # Read now: a download is made when the session is not at hand.
    question, (target, views) = questions.last(face), uncertainty.asked()
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
            lambda: values(face, question, target, views),
            file_name=f"{face.stem}.json",
            mime="application/json",
            icon=":material/data_object:",
            on_click="ignore",
        )
        # Opening it runs the page again, so that the link has what was changed in a panel meanwhile.
        with st.popover("Link", icon=":material/link:", on_change="rerun", key="link-open") as opened:
            if opened.open:
                st.code(links.address(parameters()), language=None, wrap_lines=True)
                st.caption(
                    "Opens Analyze with these networks, method, class and threshold. The photo is not in it: whoever "
                    "opens it brings their own."
                )


def values(face: FaceInQuestion, question: Question, target: float, views: str) -> str:
    """Everything known about the photo as strict JSON in the schema of ``core.records``."""
    details = findings.of_photo(face, question, questions.at_hand(face, question), target, views)
    photo = PhotoRecord.of(face.photo.name, face.analysis, details)
    return to_json(AnalysisRecord.of([photo], [network.card for network in face.networks]), indent=2)
