"""Regions drawn on a face, and shares that can be counted by hand."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import ExplainError
from core.explain import REGION_NAMES, face_regions
from core.explain.regions import SIZE, TEMPLATE_LANDMARKS, FaceRegions


def at(name: str) -> int:
    return REGION_NAMES.index(name)


@pytest.fixture
def halves() -> FaceRegions:
    """The upper half is eyes, the lower left quarter mouth, the lower right one rest."""
    labels = np.full((SIZE, SIZE), at("rest"), np.uint8)
    labels[: SIZE // 2] = at("eyes")
    labels[SIZE // 2 :, : SIZE // 2] = at("mouth")
    return FaceRegions(labels, from_landmarks=True)


def test_shares_are_the_saliency_that_lies_in_each_region(halves):
    heatmap = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert halves.shares(heatmap) == pytest.approx([0, 0.3, 0, 0.3, 0.4])
    assert halves.areas == pytest.approx([0, 0.5, 0, 0.25, 0.25])


def test_a_cell_in_several_regions_is_divided_by_area(halves):
    # The middle row of three lies half in the eyes, the middle column half in the mouth.
    middle = np.zeros((3, 3))
    middle[1, 1] = 5.0
    assert halves.shares(middle) == pytest.approx([0, 0.5, 0, 0.25, 0.25])


def test_a_uniform_map_gives_the_areas_at_every_resolution():
    for size in (1, 3, 6, 7, 48, 96, 224):
        assert face_regions().shares(np.ones((size, size))) == pytest.approx(face_regions().areas, abs=0.01)


def test_only_maps_without_evidence_have_undefined_shares(halves):
    maps = np.stack([np.zeros((2, 2)), np.eye(2)])
    found = halves.shares(maps)
    assert np.isnan(found[0]).all()
    assert found[1] == pytest.approx([0, 0.5, 0, 0, 0.5])


@pytest.mark.parametrize("wrong", [np.full((2, 2), np.nan), np.array([[1.0, -1.0]]), np.ones(4)])
def test_negative_or_not_finite_maps_are_refused(wrong):
    with pytest.raises(ExplainError, match="finite cells, none negative"):
        face_regions().shares(wrong)


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.float64, (3, 5, 7), elements=st.floats(0, 1e6)),
    arrays(np.float64, (5, 2), elements=st.floats(-0.5, 1.5)),
)
@example(np.full((3, 5, 7), 5e-324), np.zeros((5, 2)))
def test_shares_sum_to_one_for_any_map_and_landmarks(maps, landmarks):
    found = face_regions(landmarks).shares(maps)
    some = maps.sum(axis=(1, 2)) > 0
    assert np.isfinite(found[some]).all()
    assert found[some].sum(axis=1) == pytest.approx(1)
    assert np.isnan(found[~some]).all()


def test_the_template_has_the_regions_in_their_places():
    regions = face_regions()
    assert not regions.from_landmarks
    rows = {name: np.nonzero(regions.mask(name))[0].mean() / SIZE for name in REGION_NAMES}
    assert rows["brows"] < rows["eyes"] < rows["nose"] < rows["mouth"]
    assert 0.3 < regions.areas[at("rest")] < 0.8
    for x, y in TEMPLATE_LANDMARKS[:2]:
        assert regions.mask("eyes")[round(y * SIZE), round(x * SIZE)]
    for x, y in TEMPLATE_LANDMARKS[3:]:
        assert regions.mask("mouth")[round(y * SIZE), round(x * SIZE)]
    x, y = TEMPLATE_LANDMARKS[2]
    assert regions.mask("nose")[round(y * SIZE), round(x * SIZE)]


def test_regions_follow_the_landmarks():
    moved = face_regions(TEMPLATE_LANDMARKS + np.array([0.125, -0.0625]))
    assert moved.from_landmarks
    shifted = np.roll(face_regions().labels, (-SIZE // 16, SIZE // 8), axis=(0, 1))
    inner = np.s_[: -SIZE // 16, SIZE // 8 :]
    assert np.array_equal(moved.labels[inner], shifted[inner])


def test_a_rotated_face_has_rotated_regions():
    turned = (TEMPLATE_LANDMARKS - 0.5) @ np.array([[0, 1], [-1, 0]]) + 0.5  # a quarter, clockwise on the screen
    assert (np.rot90(face_regions().labels, -1) != face_regions(turned).labels).mean() < 0.01


def test_degenerate_landmarks_give_the_template():
    together = np.full((5, 2), 0.5)
    assert not face_regions(together).from_landmarks
    assert np.array_equal(face_regions(together).labels, face_regions().labels)
    with pytest.raises(ValueError, match="5 finite points"):
        face_regions(np.full((5, 2), np.nan))
