"""The parameters that a link to a page can have. A link with others is reported; see :func:`unknown`.

The controls cannot register these names themselves: a control is known when it is drawn, and a link may have parameters
of panels that have not been opened. So the names are listed here, and :func:`require` ensures that none is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ANALYZE = (
    # the photo, and the controls of the whole page
    *("sample", "own_photo", "face", "class", "rather_than", "networks", "detector", "accuracy", "views", "show"),
    *("gallery_order", "panel", "method", "stage", "scale", "colors", "opacity"),
    # panels
    *("methods", "region", "brightness", "contrast", "blur", "noise", "jpeg_quality", "rotation_deg", "margin"),
    *("mirrored", "hidden_parts", "clicked_cells", "vary", "varied_class"),
)
COMPARE = (
    *("networks", "split", "with_ensemble", "group", "view", "measure_by_class"),
    *("ranking", "ranked", "against", "cost", "smoothing", "log_axes"),
    *("cells", "minuend", "subtrahend", "cell_of", "cell_true", "cell_predicted", "cell_page", "cell_saliency"),
    *("of", "list", "true", "predicted", "sort", "ascending", "errors_page", "errors_saliency"),
    *("confidence_range", "disagreement_range", "loss_range"),
    *("judge", "given", "suggested", "sort_labels", "ascending_labels", "labels_page"),
    *("embedding_of", "layout", "colored_by", "points", "embedded_page", "embedded_saliency"),
    *("slices_of", "property", "slice", "slice_images_page", "slice_images_saliency"),
    *("bins", "threshold", "corruption"),
)
DATASET = (
    *("data_view", "read", "dataset", "data_split", "seed", "data_class", "finding", "finding_page", "voted_split"),
)
LIVE = (
    *("networks", "detector", "live_shown", "live_saliency", "live_smoothing", "live_interval", "live_window"),
    *("live_mirror", "live_chart", "accuracy"),
)
VIDEO = (
    *("networks", "detector", "video_fps", "video_detect", "video_start", "video_end"),
    *("video_shown", "video_smoothing", "video_panel"),
)
FOLDER = (
    *("networks", "detector", "accuracy", "folder_whole", "folder_panel", "folder_page", "folder_order"),
    *("folder_classes", "folder_confidence", "folder_disagreement", "folder_certainty", "shares_by"),
)
NAMES: dict[str, tuple[str, ...]] = {
    "Overview": (),
    "Analyze": ANALYZE,
    "Live": LIVE,
    "Video": VIDEO,
    "Folder": FOLDER,
    "Compare": COMPARE,
    "Dataset": DATASET,
    "About": (),
}
# On Compare, each network has a weight in the ensemble, and the comparisons are numbered from the second on.
NUMBERED, OF_NETWORK = re.compile(r"_\d+$"), re.compile(r"^weight_")


def unknown(page: str, names: Iterable[str]) -> list[str]:
    """Those of the names that no control of the page has."""
    missing = [name for name in names if name not in NAMES[page]]
    if page == "Compare":
        missing = [n for n in missing if NUMBERED.sub("", n) not in NAMES[page] and not OF_NETWORK.match(n)]
    return missing


def require(page: str, name: str) -> None:
    """Raise ValueError if a control of the page has a name that is not listed, because links with it would lose it."""
    if unknown(page, [name]):
        raise ValueError(f"the parameter {name!r} is missing in the list of {page}; add it to {__name__}")
