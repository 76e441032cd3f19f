"""What can be taken along from Analyze whatever panel is open: the numbers, and the link."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from core.export import detailed_photo_record
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
    """All that is known of the photo as strict JSON; its shape is that of ``core.export.detailed_photo_record``."""
    known = findings.of_photo(face, question, questions.at_hand(face, question), target, views)
    found = detailed_photo_record(face.photo.name, face.analysis, face.networks, known)
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False)
