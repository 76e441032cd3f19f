"""The parameters that a link to a page can have. A link with others is reported; see :func:`unknown`."""

from __future__ import annotations

import re
from collections.abc import Iterable

ANALYZE = (
    # the photo, and the controls of the whole page
    *("sample", "own_photo", "face", "class", "rather_than", "networks", "detector", "accuracy", "views", "show"),
    *("gallery_order", "panel", "method", "stage", "scale", "colors", "opacity"),
    # panels
    *("methods", "region", "brightness", "contrast", "blur", "noise", "jpeg_quality", "rotation_deg", "margin"),
    *("mirrored", "hidden_parts", "vary"),
)
COMPARE = (
    *("networks", "split", "with_ensemble", "group", "view", "measure_by_class"),
    *("ranking", "ranked", "against", "cost", "smoothing", "log_axes"),
    *("cells", "minuend", "subtrahend", "cell_of", "cell_true", "cell_predicted", "cell_page", "cell_saliency"),
    *("of", "list", "true", "predicted", "sort", "ascending", "errors_page", "errors_saliency"),
    *("confidence_range", "disagreement_range", "loss_range"),
    *("judge", "given", "suggested", "sort_labels", "labels_page"),
    *("embedding_of", "layout", "colored_by", "embedded_page", "embedded_saliency"),
    *("slices_of", "property", "slice", "slice_images_page", "slice_images_saliency"),
    *("bins", "threshold", "corruption"),
)
DATASET = (
    *("data_view", "read", "dataset", "data_split", "seed", "data_class", "finding", "finding_page", "voted_split"),
)
NAMES: dict[str, tuple[str, ...]] = {"Analyze": ANALYZE, "Compare": COMPARE, "Dataset": DATASET}
# Several comparisons of a page are numbered from the second on; each network has a weight in the ensemble.
NUMBERED, OF_NETWORK = re.compile(r"_\d+$"), re.compile(r"^weight_")


def unknown(page: str, names: Iterable[str]) -> list[str]:
    """Those of the names that no control of the page has; none for a page whose names are not listed."""
    listed = NAMES.get(page)
    if listed is None:
        return []
    return [n for n in names if NUMBERED.sub("", n) not in listed and n not in listed and not OF_NETWORK.match(n)]
