"""The data sets of the networks: classes, faces, copies, and the annotators' votes."""

import streamlit as st

from dashboard import services
from dashboard.dataset import audit, balance, faces, votes
from dashboard.dataset.description import available
from dashboard.services import DATA_VARIABLE
from dashboard.style import distinguish
from dashboard.ui import busy, links
from dashboard.ui.messages import show_warning

BALANCE, FACES, AUDIT, VOTES = VIEWS = ("Class balance", "Faces", "Audit", "Votes")

st.title("Dataset", anchor=False)
st.markdown("How many images there are of each expression, and which of them are copies or have disputed labels.")
view = links.first_choice(st.segmented_control, "View", VIEWS, key="data_view", label_visibility="collapsed")
above = st.container()
path = services.data_path()
unread = path is not None and not services.is_read() and services.recognized() is None
read = view == FACES or (
    path is not None
    and unread
    and links.toggle(
        f"Read the images of {path.name}",
        key="read",
        help="The counts and findings for known data sets come from precomputed tables. Turn this on to compute them "
        "from the images, which takes longer.",
    )
)
known, problem = available(read=read)
if not known:
    st.info(f"No data set found. {problem}", icon=":material/info:")
    busy.end_page()
if problem and services.data_path():
    show_warning(f"{DATA_VARIABLE}: {problem}")
    problem = ""  # it has been shown
number = 0
if len(known) > 1:
    titles = {i: f"{data.name}, n = {data.n:,}" for i, data in enumerate(known)}
    with above:
        number = links.first_choice(st.selectbox, "Data set", titles, key="dataset", width=320)
description = known[number]
distinguish(list(description.counts.index))
if view == BALANCE:
    balance.draw(description)
elif view == FACES:
    faces.draw(description, problem)
elif view == AUDIT:
    audit.draw(description, problem)
else:
    votes.draw(description)
