"""Mean faces, and a random sample of faces."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.data.overview import MEAN_OF, drawn
from core.errors import DataError
from dashboard import services
from dashboard.dataset.description import Description
from dashboard.plots import saliency_pictures
from dashboard.section import Picture, Section
from dashboard.ui import links
from dashboard.ui import sections as ui
from dashboard.ui.face_grid import DatasetFace, draw_faces
from dashboard.ui.markdown import escaped
from dashboard.ui.messages import show_warning

WIDTH_PX = 84
OF_EACH, OF_ONE = 12, 60


def sections(description: Description, means: dict[str, tuple[np.ndarray, int]], split: str) -> list[Section]:
    """The mean face of each class of a split; ``means`` has the image and the number of images by class."""
    return [
        Section(
            title="Mean face of each class",
            pictures=tuple(
                Picture(
                    _rgb(saliency_pictures.enlarged(mean, 2 * WIDTH_PX)),
                    f"Mean of {n:,} images labeled {name}",
                    caption=f"{name}, {n:,}",
                )
                for name, (mean, n) in means.items()
            ),
            caption=f"{description.name} {description.split_names[split]}, n = {description.totals[split]:,}. Each "
            f"picture is the pixel-wise mean of the images of the class, or of {MEAN_OF:,} images drawn at random if "
            "there are more. Parts that look sharp are similar in most images.",
        )
    ]


def draw(description: Description, problem: str) -> None:
    """Mean faces and random faces of a split; without images a sentence on how to provide them."""
    facts, names = description.facts, description.split_names
    if facts is None or not description.has_images:
        st.info(problem or f"The images of {description.name} are not on this machine.", icon=":material/info:")
        return
    present = {s: name for s, name in names.items() if description.totals[s]}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        split = links.first_choice(
            st.segmented_control, "Split", present, key="data_split", aliases={s: [s] for s in present}
        )
        seed = links.number(
            "Random seed",
            0,
            9_999,
            key="seed",
            width=140,
            help="A different seed shows other faces; the same seed always shows the same faces.",
        )
    above = st.container()
    classes = [str(name) for name in description.counts.index[description.counts[split] > 0]]
    chosen = links.choice(st.pills, "Class", {name: name for name in classes}, key="data_class", default=None)
    count = OF_ONE if chosen else OF_EACH
    rows = {c: drawn(facts, count, seed, split=split, class_name=c) for c in ([chosen] if chosen else classes)}
    try:
        images = description.images(np.concatenate(list(rows.values())))
    except DataError as error:
        show_warning(error)
        return
    for name, of_class in rows.items():
        _random_faces(description, {int(row): images[int(row)] for row in of_class}, name)
    st.caption(
        f"{description.name} {names[split]}. A random sample without repetition, seed {seed}. The number is the row in "
        "the data set." + ("" if chosen else " Select a class to see more of its faces.")
    )
    with above:  # last, because every image of the split is read for them
        try:
            ui.draw(sections(description, services.mean_faces(split), split))
        except DataError as error:
            show_warning(error)


def _random_faces(description: Description, images: dict[int, np.ndarray], name: str) -> None:
    st.markdown(f"**{escaped(name)}**")
    draw_faces(
        [DatasetFace(row, image, "", f"Image {row}, labeled {name}") for row, image in images.items()],
        key=f"random-{name}",
        data=description.name,
        width_px=WIDTH_PX,
    )


def _rgb(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
