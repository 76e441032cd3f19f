"""Choosing networks, the same way on every page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core.checkpoints import Checkpoint
from core.ensembles import ENSEMBLES, ensemble_of, with_members
from core.errors import CheckpointError
from core.labels import LabelSet, groups_by_classes
from dashboard import services
from dashboard.style import Ink, NetworkStyle, distinguish, network_styles
from dashboard.ui import link_page, links
from dashboard.ui.messages import show_error, show_warning

if TYPE_CHECKING:
    from core.inference import Predictor

KEY, CARRIED = "networks", "carried-networks"
EMPTY = "No trained network is installed. Train one with: python -m core train cnn --data fer2013.csv"


def pick_networks(*, to_predict: bool = True) -> list[Checkpoint]:
    """Pills for the installed networks, the default ones selected at first; problems are shown as warnings.

    Where networks are needed ``to_predict``, those without weights cannot be chosen; a sentence says how to train them.
    """
    listing = services.listing()
    for problem in listing.problems:
        show_warning(problem)
    for checkpoint in listing.checkpoints:
        distinguish(checkpoint.card.labels.classes)
    offered = listing.with_weights if to_predict else listing.checkpoints
    if not offered:
        st.info(EMPTY, icon=":material/info:")
        return []
    names = titles(list(offered))
    default = tuple(c.card.run_id for c in listing.default or offered)
    _carry_over(list(names), default)
    chosen = links.choice(
        st.pills,
        "Networks",
        names,
        key=KEY,
        default=default,
        aliases=_names_of_programs(names),
    )
    if len(offered) < len(listing.checkpoints):
        _draw_without_weights([c for c in listing.checkpoints if not c.card.weights_shipped])
    return [c for c in offered if c.card.run_id in (chosen or ())]


def _carry_over(offered: list[str], default: tuple[str, ...]) -> None:
    """Keep a selection of Compare while a page that predicts is open, where networks without weights are not offered.

    Where nothing of it is left there, the default networks are selected, so that the page is never empty.
    """
    selected: list[str] | None = st.session_state.get(KEY)
    if selected is None:
        return
    if any(name not in offered for name in selected):
        here = [name for name in selected if name in offered] or list(default)
        st.session_state[CARRIED] = selected, here
        st.session_state[KEY] = here
    elif CARRIED in st.session_state and set(st.session_state[CARRIED][0]) <= set(offered):
        before, there = st.session_state.pop(CARRIED)
        if selected == there:  # not changed since
            st.session_state[KEY] = before


def ask_for_networks() -> None:
    """What to do where no network is chosen."""
    st.info("Choose at least one network in the sidebar.", icon=":material/info:")


def _draw_without_weights(checkpoints: list[Checkpoint]) -> None:
    with st.expander("Networks without weights", icon=":material/weight:"):
        st.markdown("Their weights are not shipped. Compare shows their scores. To use one here, train it:")
        st.code("\n".join(c.card.training_command for c in checkpoints), language=None, wrap_lines=True)


def _names_of_programs(run_ids: Collection[str]) -> dict[str, list[str]]:
    """The names that the command line and the API accept for these networks and their ensembles."""
    ensembles = [e.name for e in ENSEMBLES if set(e.members) <= set(run_ids)]
    return {name: with_members([name]) for name in (*run_ids, *ensembles)}


def pick_weights(checkpoints: list[Checkpoint]) -> dict[str, float]:
    """Weight of each network in the ensemble, by run id."""
    if len(checkpoints) < 2:
        return {c.card.run_id: 1.0 for c in checkpoints}
    names = titles(checkpoints)
    with link_page.messages_in(st.container()), st.expander("Weights of the ensemble", icon=":material/balance:"):
        return {
            c.card.run_id: links.slider(
                names[c.card.run_id],
                0.0,
                1.0,
                1.0,
                0.05,
                key=f"weight_{c.card.run_id}",
                help="0 leaves the network out; only the ratio of the weights matters.",
            )
            for c in checkpoints
        }


def warn_of_weights(checkpoints: Sequence[Checkpoint], weights: Mapping[str, float]) -> None:
    """Say where the weights leave no ensemble of networks that have the same classes."""
    groups = groups_by_classes({c.card.run_id: c.card.labels for c in checkpoints})
    if any(len(group) > 1 and sum(weights[run_id] > 0 for run_id in group) < 2 for group in groups):
        show_warning("An ensemble needs at least two networks with a weight above 0.", icon="balance")


def ensemble_name(weights: Mapping[str, float]) -> str:
    """The name of an ensemble of networks with these weights, some of which may be 0."""
    members = {run_id: weight for run_id, weight in weights.items() if weight > 0}
    is_equal = len(set(members.values())) == 1
    if is_equal and (named := ensemble_of(members)):
        return named.title
    return "Ensemble" if is_equal and len(members) == len(weights) else "Weighted ensemble"


def ensemble_of_classes(labels: LabelSet, *, several: bool) -> str:
    """The name of the mean of all networks with these classes, which are named where there are several such means."""
    return f"Ensemble ({labels.name})" if several else "Ensemble"


def load(checkpoints: list[Checkpoint]) -> list[Predictor]:
    """The networks ready for use; one that cannot be loaded is named and left out."""
    ready = []
    for checkpoint in checkpoints:
        try:
            ready.append(services.predictor(checkpoint))
        except CheckpointError as error:
            show_error(error)
    return ready


def titles(networks: Sequence[Checkpoint] | Sequence[Predictor]) -> dict[str, str]:
    """Name of each network for readers, by run id; the run id is added for networks with the same title."""
    cards = [network.card for network in networks]
    counted = [card.title for card in cards]
    return {
        card.run_id: card.title if counted.count(card.title) == 1 else f"{card.title} ({card.run_id})" for card in cards
    }


def styles(checkpoints: list[Checkpoint], inks: Ink) -> dict[str, NetworkStyle]:
    """How each network is drawn, by run id; the same for every selection of the installed networks."""
    drawn, installed = (
        {c.card.run_id: c.card.architecture for c in networks}
        for networks in (checkpoints, services.listing().checkpoints)
    )
    of_all = network_styles(installed if drawn.keys() <= installed.keys() else drawn, inks)
    return {run_id: of_all[run_id] for run_id in drawn}
