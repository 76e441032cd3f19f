"""Figures of the regions, the grid of methods and the clickable photo."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.explain import REGION_NAMES, Contrast, Explanation, face_regions
from core.labels import LabelSet
from core.probes import SplitRegionShares
from dashboard.plots import method_grid, regions
from dashboard.style import LIGHT, network_styles

NAMES = {"one": "One", "two": "Two"}
STYLES = network_styles({"one": "cnn", "two": "residual_cnn"}, LIGHT)
LABELS = LabelSet("letters", ("a", "b", "c"))


def shares_of(model_id: str) -> SplitRegionShares:
    return SplitRegionShares(
        model_id=model_id,
        split="test",
        stage="stage 3",
        labels=LABELS,
        predicted=np.array([0, 0, 1]),
        shares=np.array([[0.1, 0.2, 0.3, 0.4, 0.0], [0.3, 0.2, 0.1, 0.2, 0.2], [0.2] * 5]),
        areas=face_regions().areas,
    )


def test_each_network_is_a_marker_in_the_row_of_each_region(inks):
    found = {"one": np.array([0.1, 0.2, 0.3, 0.4, 0.0]), "two": np.array([0.2] * 5)}
    areas = dict.fromkeys(found, face_regions().areas)
    figure = regions.shares(found, areas, "happy", STYLES, NAMES, inks)
    bar, first, second = figure.data
    assert list(bar.x) == list(face_regions().areas)
    assert [first.marker.symbol, second.marker.symbol] == ["circle", "square"]
    assert list(first.x) == [0.1, 0.2, 0.3, 0.4, 0.0]
    assert figure.layout.xaxis.range[0] < 0  # a marker at 0 is not cut off
    table = regions.numbers(found, areas, NAMES)
    assert list(table["region"]) == [*REGION_NAMES, *REGION_NAMES]
    assert table.groupby("network")["share"].sum().to_dict() == pytest.approx({"One": 1, "Two": 1})


def test_networks_with_different_crops_have_their_own_share_of_a_uniform_map(inks):
    found = {"one": np.array([0.1, 0.2, 0.3, 0.4, 0.0]), "two": np.array([0.2] * 5)}
    areas = {"one": np.array([0.1, 0.1, 0.1, 0.1, 0.6]), "two": np.array([0.05, 0.05, 0.05, 0.05, 0.8])}
    lines = [t for t in regions.shares(found, areas, "happy", STYLES, NAMES, inks).data if "uniform" in t.name]
    assert [list(line.x) for line in lines] == [list(of) for of in areas.values()]
    assert [line.showlegend for line in lines] == [True, False]
    table = regions.numbers(found, areas, NAMES)
    assert table.loc[table["network"] == "Two", "area"].tolist() == list(areas["two"])


def test_the_mean_of_a_class_without_images_is_not_drawn(inks):
    found = {m: shares_of(m) for m in NAMES}
    figure = regions.by_class(found, "mouth", STYLES, NAMES, inks)
    marks = next(t for t in figure.data if t.name == "One" and t.x[0] is not None)
    assert marks.x[0] == pytest.approx(0.3)
    assert np.isnan(marks.x[2])
    assert figure.layout.shapes[0].x0 == pytest.approx(face_regions().areas[3])
    table = regions.class_numbers(found, NAMES)
    assert len(table) == 2 * 3 * 5
    assert table.loc[(table["predicted"] == "c"), "images"].eq(0).all()


def test_networks_with_the_classes_in_another_order_have_their_markers_in_the_rows_of_these_classes(inks):
    one = shares_of("one")
    order = [2, 0, 1]
    labels = LabelSet("other", tuple(one.labels.classes[k] for k in order))
    two = replace(one, model_id="two", labels=labels, predicted=np.argsort(order)[one.predicted])
    figure = regions.by_class({"one": one, "two": two}, "mouth", STYLES, NAMES, inks)
    first, second = (next(t for t in figure.data if t.name == name and t.x[0] is not None) for name in ("One", "Two"))
    np.testing.assert_allclose(first.x, second.x)
    np.testing.assert_allclose(first.error_x.array, second.error_x.array)
    assert [c[1] for c in first.customdata] == [c[1] for c in second.customdata]


def test_outlines_change_a_small_part_of_a_copy():
    picture = np.full((336, 336, 3), 128, np.uint8)
    drawn = regions.outlined(picture, face_regions())
    changed = (drawn != picture).any(axis=2)
    assert 0.01 < changed.mean() < 0.2
    assert (picture == 128).all()


def test_the_sheet_has_a_row_per_method_and_a_column_per_network():
    red, blue = np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    data = method_grid.sheet({"A": {"One": red, "Two": blue}, "B = C": {"Two": blue}}, "heading", "viridis")
    sheet = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    rows, columns = np.nonzero((sheet == [255, 0, 0]).all(axis=2))
    assert len(rows) == 1600
    blue_rows, blue_columns = np.nonzero((sheet == [0, 0, 255]).all(axis=2))
    assert len(blue_rows) == 3200
    assert blue_columns.min() > columns.max()


def test_the_numbers_of_the_grid_have_a_row_per_cell():
    of_class = Explanation("one", "layercam", 1, "stage 2", np.eye(3, dtype=np.float32), 1.0)
    contrast = replace(of_class, model_id="two", target=Contrast(1, 2))
    table = method_grid.numbers([of_class, contrast], dict.fromkeys(NAMES, LABELS.classes), NAMES)
    assert len(table) == 18
    assert table["saliency"].sum() == pytest.approx(6)
    described = table[["network", "stage", "expression", "against"]].drop_duplicates().to_numpy().tolist()
    assert described == [["One", "stage 2", "b", ""], ["Two", "stage 2", "b", "c"]]
