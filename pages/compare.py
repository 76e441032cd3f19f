"""Networks side by side: scores, errors and reliability, with the protocol behind every number."""

import streamlit as st

from dashboard.compare import report, scores
from dashboard.compare.comparison import SCORED_SPLITS, build_comparisons
from dashboard.compare.panels import GROUPS, REPORT
from dashboard.ui import busy, links, sections, theme
from dashboard.ui.markdown import escaped
from dashboard.ui.network_picker import ask_for_networks, pick_networks, pick_weights, warn_of_weights

with st.sidebar:
    checkpoints = pick_networks(to_predict=False)
    names = {split: list(dict.fromkeys(c.card.data.split_name(split) for c in checkpoints)) for split in SCORED_SPLITS}
    split = links.choice(
        st.segmented_control,
        "Split",
        {split: " / ".join(names[split]) or split for split in SCORED_SPLITS},
        key="split",
        default="test",
        aliases={name: [split] for split in SCORED_SPLITS for name in (*names[split], split)},
        help="The validation split chose the epoch and the temperature; the test split was scored once.",
    )
    with_ensemble = links.toggle("Include ensemble", key="with_ensemble", default=True)
    weights = pick_weights(checkpoints)
    if with_ensemble:
        warn_of_weights(checkpoints, weights)

st.title("Compare", anchor=False)
st.markdown("Which network is better, where each network fails, and how far its confidence can be trusted.")
if not checkpoints:
    ask_for_networks()
    busy.end_page()
comparisons, notes = build_comparisons(checkpoints, split, weights, with_ensemble=with_ensemble, inks=theme.ink())
sections.draw_notes(notes)
if not comparisons:
    busy.end_page()


def open_first_panel() -> None:
    """Another group was chosen; the panel in the address belongs to the previous one."""
    st.session_state["view"] = next(iter(GROUPS[st.session_state["group"]]))


group = links.first_choice(
    st.segmented_control,
    "Group",
    list(GROUPS),
    key="group",
    on_change=open_first_panel,
    label_visibility="collapsed",
)
panels = [*GROUPS[group], REPORT] if group == list(GROUPS)[-1] else list(GROUPS[group])
name = panels[0]
if len(panels) > 1:
    name = links.first_choice(st.segmented_control, "Panel", panels, key="view", label_visibility="collapsed")
if name == REPORT:
    report.draw(comparisons)
else:
    panel = GROUPS[group][name]
    for comparison in comparisons:
        if len(comparisons) > 1:
            st.header(escaped(comparison.title), divider="gray")
        if name != next(iter(GROUPS["Scores"])):
            scores.draw_folded(comparison)
        panel.draw(comparison)
    if panel.across is not None and len(comparisons) > 1:
        sections.draw(panel.across(comparisons))
