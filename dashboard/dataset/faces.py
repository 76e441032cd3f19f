"""Average faces, and faces drawn at random."""

from __future__ import annotations

import streamlit as st

from core.data import Samples
from core.data.overview import drawn
from dashboard import services
from dashboard.dataset.described import SPLITS, Described
from dashboard.plots import saliency_pictures
from dashboard.plots.errors import framed

WIDTH_PX = 84
OF_EACH, OF_ONE = 12, 60


def draw(described: Described, problem: str) -> None:
    """Pictures, where the images are on this machine; else one sentence on how to point to them."""
    samples = described.samples
    if samples is None:
        st.info(_sentence(problem or f"the images of {described.name} are not on this machine"), icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        split = st.segmented_control(
            "Split",
            [s for s in SPLITS if described.totals[s]],
            format_func=SPLITS.__getitem__,
            default=next(s for s in SPLITS if described.totals[s]),
            required=True,
            key="data_split",
            bind="query-params",
        )
        seed = st.number_input(
            "Draw",
            min_value=0,
            max_value=9_999,
            value=0,
            key="draw",
            bind="query-params",
            width=140,
            help="The number of the random draw: another number shows other faces, the same number the same ones.",
        )
    st.markdown("**Mean face of each class**")
    means = services.mean_faces(split)
    st.image(
        [framed(saliency_pictures.enlarged(mean, 2 * WIDTH_PX)) for mean, _ in means.values()],
        caption=[f"{name}, {n:,}" for name, (_, n) in means.items()],
        width=WIDTH_PX + 24,
        alt=[f"Mean face of {n:,} images labeled {name}" for name, (_, n) in means.items()],
    )
    st.caption(
        f"{described.name}, {SPLITS[split]}, n = {described.totals[split]:,}. Every pixel is the mean over the images "
        "of the class: what is sharp is alike in most of them."
    )
    chosen = st.pills("Class", list(means), key="data_class", bind="query-params")
    for name in [chosen] if chosen else means:
        _grid(samples, split, str(name), OF_ONE if chosen else OF_EACH, int(seed))
    st.caption(f"Drawn at random without repeats, draw {seed}; under a face its row number. Choose a class for more.")


def _grid(samples: Samples, split: str, name: str, count: int, seed: int) -> None:
    found = drawn(samples, count, seed, split=split, class_name=name)
    st.markdown(f"**{name}**")
    st.image(
        [framed(image) for image in found.images],
        caption=[f"{row}" for row in found.ids],
        width=WIDTH_PX,
        alt=[f"Row {row}, labeled {name}" for row in found.ids],
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
