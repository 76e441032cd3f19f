"""What the networks learned from: classes, faces, copies, and what annotators say of the labels."""

import streamlit as st

from dashboard import dataset, services
from dashboard.dataset import audit, balance, faces, votes
from dashboard.services import DATA_VARIABLE

BALANCE, FACES, AUDIT, VOTES = VIEWS = ("Class balance", "Faces", "Audit", "Votes")

st.title("Dataset")
st.markdown(
    "What the networks learned from: how many faces of each expression, which are copies, which labels are disputed."
)
view = st.segmented_control("View", VIEWS, default=BALANCE, required=True, key="data_view", bind="query-params")
above = st.container()
unread = not services.is_read()
read = view == FACES or (
    unread
    and st.toggle(
        f"Read the images of {services.data_path().name}",
        key="read",
        bind="query-params",
        help="Counts and findings of known data sets stand in small tables; reading every image takes a while.",
    )
)
known, problem = dataset.available(read=read)
if not known:
    st.info(f"Nothing is known of any data set: {problem}.", icon=":material/info:")
    st.stop()
if problem and services.data_path():
    st.warning(f"{DATA_VARIABLE}: {problem}.", icon=":material/warning:")
number = 0
if len(known) > 1:
    number = above.selectbox(
        "Data set",
        range(len(known)),
        format_func=lambda i: f"{known[i].name}, n = {known[i].n:,}",
        key="dataset",
        bind="query-params",
        width=320,
    )
described = known[number]
if view == BALANCE:
    balance.draw(described)
elif view == FACES:
    faces.draw(described, problem)
elif view == AUDIT:
    audit.draw(described, problem)
else:
    votes.draw(described)
