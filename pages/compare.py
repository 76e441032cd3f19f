"""Networks side by side: scores, errors and reliability, with the protocol behind every number."""

import streamlit as st

from dashboard.compare import report
from dashboard.compare.comparison import SPLITS, build_comparisons
from dashboard.compare.panels import GROUPS, REPORT
from dashboard.ui import sections, theme
from dashboard.ui.network_picker import pick_networks, pick_weights

with st.sidebar:
    checkpoints = pick_networks()
    titles = {split: " / ".join(dict.fromkeys(c.card.data.split_name(split) for c in checkpoints)) for split in SPLITS}
    split = st.segmented_control(
        "Split",
        SPLITS,
        format_func=lambda split: titles[split] or split,
        default="test",
        required=True,
        key="split",
        bind="query-params",
        help="The validation split chose the epoch and the temperature; the test split was scored once.",
    )
    with_ensemble = st.toggle("Include ensemble", value=True, key="with_ensemble", bind="query-params")
    weights = pick_weights(checkpoints)

st.title("Compare")
st.markdown("Which network is better, where it fails, and how far its confidence can be trusted.")
if not checkpoints:
    st.info("Choose at least one network in the sidebar.", icon=":material/info:")
    st.stop()
comparisons, notes = build_comparisons(checkpoints, split, weights, with_ensemble=with_ensemble, inks=theme.ink())
sections.draw_notes(notes)
if not comparisons:
    st.stop()

group = st.segmented_control(
    "Group",
    list(GROUPS),
    default="Scores",
    required=True,
    key="group",
    bind="query-params",
    label_visibility="collapsed",
)
panels = [*GROUPS[group], REPORT] if group == list(GROUPS)[-1] else list(GROUPS[group])
panel = panels[0]
if len(panels) > 1:
    panel = st.segmented_control(
        "Panel",
        panels,
        default=panels[0],
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
if panel == REPORT:
    report.draw(comparisons)
else:
    for comparison in comparisons:
        if len(comparisons) > 1:
            st.header(comparison.title, divider="gray")
        GROUPS[group][panel].draw(comparison)
    across = GROUPS[group][panel].across
    if across is not None and len(comparisons) > 1:
        sections.draw(across(comparisons))
