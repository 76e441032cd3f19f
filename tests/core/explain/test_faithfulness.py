from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from core.errors import ExplainError
from core.explain import chance_test, confidence_drop, deletion_insertion, explain, rank_agreement, road
from core.models.network import Network

Predict = Callable[[Tensor], Tensor]


@pytest.fixture
def predict(patch_network: Network) -> Predict:
    return lambda faces: patch_network(faces).logits.softmax(dim=1)


def marking(rows: slice, columns: slice) -> np.ndarray:
    """Cells of 2 px with a gentle slope elsewhere, so that there is an order everywhere."""
    heatmap = np.linspace(0, 0.1, 64, dtype=np.float32).reshape(8, 8)
    heatmap[rows, columns] = 1.0
    return heatmap


RIGHT = marking(slice(4, 6), slice(2, 4))
WRONG = marking(slice(0, 2), slice(5, 7))


def blurred(face: Tensor) -> Tensor:
    """One gray face (1, 16, 16), blurred by an eighth of its side."""
    return torch.from_numpy(cv2.GaussianBlur(face[0].numpy(), (0, 0), 2))[None]


def test_the_map_of_the_known_patch_scores_higher(predict: Predict, patch_face: Tensor) -> None:
    right = deletion_insertion(predict, patch_face, RIGHT, 0)
    wrong = deletion_insertion(predict, patch_face, WRONG, 0)
    assert right.deletion_area < 0.2 < wrong.deletion_area
    assert right.insertion_area > 0.8 > wrong.insertion_area
    assert right.score > 0.6 > 0.3 > wrong.score
    assert right.fractions.shape == right.deletion.shape == right.insertion.shape == (25,)


def test_the_curves_begin_and_end_at_the_face_and_its_replacement(predict: Predict, patch_face: Tensor) -> None:
    curves = deletion_insertion(predict, patch_face[None], RIGHT, 0, steps=5)
    with torch.no_grad():
        whole, empty = (float(predict(x[None])[0, 0]) for x in (patch_face, blurred(patch_face)))
    assert curves.deletion[0] == curves.insertion[-1] == pytest.approx(whole)
    assert curves.deletion[-1] == curves.insertion[0] == pytest.approx(empty)


def test_areas_are_those_of_a_straight_line_where_every_pixel_counts_the_same() -> None:
    def mean_brightness(faces: Tensor) -> Tensor:
        p = faces.mean(dim=(1, 2, 3))
        return torch.stack([p, 1 - p], dim=1)

    face = torch.cat([torch.ones(1, 8, 16), torch.zeros(1, 8, 16)], dim=1)  # mean 0.5
    heatmap = np.repeat(np.array([[1.0], [0.0]], np.float32), 2, axis=1)  # upper half first
    curves = deletion_insertion(mean_brightness, face, heatmap, 0, steps=2)
    # The blurred face has the mean 0.5 too, and its upper half the mean m. Upper half blurred: m / 2; the rest blurred:
    # 0.5 again. Insertion: 0.5, then 0.5 + (1 - m) / 2, then 0.5.
    m = float(blurred(face)[0, :8].mean())
    np.testing.assert_allclose(curves.deletion, [0.5, m / 2, 0.5], atol=1e-6)
    np.testing.assert_allclose(curves.insertion, [0.5, 1 - m / 2, 0.5], atol=1e-6)
    assert curves.deletion_area == pytest.approx((1 + m) / 4)
    assert curves.score == pytest.approx((1 - m) / 2)


def test_all_steps_are_one_batch(predict: Predict, patch_face: Tensor) -> None:
    batches: list[int] = []

    def counting(faces: Tensor) -> Tensor:
        batches.append(len(faces))
        return predict(faces)

    deletion_insertion(counting, patch_face, RIGHT, 0, steps=10)
    assert batches == [22]


def test_the_right_map_is_better_than_chance_and_a_wrong_one_is_not(predict: Predict, patch_face: Tensor) -> None:
    right, wrong = (chance_test(predict, patch_face, m, 0) for m in (RIGHT, WRONG))
    assert right.better_than_chance
    assert right.p_value <= 0.05
    assert right.score > right.percentile_95
    assert not wrong.better_than_chance
    assert wrong.p_value > 0.2
    assert right.copies == 99


def share_passing(predict: Predict, face: Tensor, maps: Iterable[np.ndarray], copies: int) -> float:
    """Share of the maps that are better than chance."""
    results = [chance_test(predict, face, m, 0, copies=copies, seed=seed) for seed, m in enumerate(maps)]
    return float(np.mean([r.better_than_chance for r in results]))


@pytest.mark.parametrize("kind", ["white", "smooth", "moved"])
def test_at_most_7_percent_of_unrelated_maps_are_better_than_chance(
    predict: Predict, patch_face: Tensor, kind: str
) -> None:
    random = np.random.default_rng(0)

    def unrelated_map() -> np.ndarray:
        if kind == "moved":
            return np.roll(np.rot90(RIGHT, random.integers(4)), tuple(random.integers(0, 8, 2)), axis=(0, 1))
        noise = random.normal(size=(16, 16))
        return np.float32(gaussian_filter(noise, 3.0) if kind == "smooth" else noise)

    # 39 copies are enough for a p-value of 0.05, and make the simulation short.
    assert share_passing(predict, patch_face, (unrelated_map() for _ in range(150)), copies=39) <= 0.07


def test_at_least_90_percent_of_maps_of_the_true_patch_are_better_than_chance(
    predict: Predict, patch_face: Tensor
) -> None:
    random = np.random.default_rng(0)
    noise = (0.3 * gaussian_filter(random.normal(size=(8, 8)), 1.0) for _ in range(50))
    assert share_passing(predict, patch_face, (np.float32(RIGHT + n) for n in noise), copies=99) >= 0.9


def test_a_network_that_ignores_the_face_gives_a_p_value_of_one_half(patch_face: Tensor) -> None:
    result = chance_test(lambda faces: torch.full((len(faces), 2), 0.5), patch_face, RIGHT, 0)
    assert result.p_value == pytest.approx(0.5, abs=0.01)
    assert not result.better_than_chance


def test_the_chance_test_is_reproducible_and_counts_maps(predict: Predict, patch_face: Tensor) -> None:
    seen: list[tuple[int, int]] = []
    first = chance_test(predict, patch_face, RIGHT, 0, copies=200, progress=lambda d, t: seen.append((d, t)))
    assert first == chance_test(predict, patch_face, RIGHT, 0, copies=200)
    assert seen[-1] == (201, 201)


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # the package hands numpy a tensor
def test_road_prefers_the_right_map(predict: Predict, patch_face: Tensor) -> None:
    right, wrong = (road(predict, patch_face, m, 0) for m in (RIGHT, WRONG))
    assert right.score > 0.2 > wrong.score
    assert right.most_relevant_first.shape == right.fractions.shape == (5,)
    # A tenth covers the patch (1/16) and leaves nothing of it; removing the other nine tenths leaves all of it.
    assert right.most_relevant_first[0] < 0.1
    assert right.least_relevant_first[-1] > 0.9
    again = road(predict, patch_face, RIGHT, 0)
    np.testing.assert_array_equal(right.most_relevant_first, again.most_relevant_first)


def test_hiding_the_marked_tenth_lowers_the_probability_only_where_the_network_looks(
    predict: Predict, patch_face: Tensor
) -> None:
    right, wrong = (confidence_drop(predict, patch_face, m, 0) for m in (RIGHT, WRONG))
    assert right.before == wrong.before > 0.99
    assert right.drop > 0.8
    assert abs(wrong.drop) < 1e-6


def test_the_networks_own_map_passes_every_test(patch_network: Network, predict: Predict, patch_face: Tensor) -> None:
    for stage in patch_network.stages:
        (own,) = explain(patch_network, patch_face[None], stage=stage, targets=0)
        rows, columns = np.nonzero(own.heatmap)
        cell = 16 // own.heatmap.shape[0]
        assert {(r * cell // 4, c * cell // 4) for r, c in zip(rows, columns, strict=True)} == {(2, 1)}
        assert chance_test(predict, patch_face, own.heatmap, 0).better_than_chance
        assert confidence_drop(predict, patch_face, own.heatmap, 0).drop > 0.8


def test_a_constant_map_is_refused(predict: Predict, patch_face: Tensor) -> None:
    empty = np.zeros((8, 8), np.float32)
    for check in (deletion_insertion, chance_test, road, confidence_drop):
        with pytest.raises(ExplainError, match="marks no place"):
            check(predict, patch_face, empty, 0)  # type: ignore[operator]
    with pytest.raises(ExplainError, match="no class 2; it has 2"):
        confidence_drop(predict, patch_face, RIGHT, 2)
    with pytest.raises(ExplainError, match="one face"):
        confidence_drop(predict, patch_face[0], RIGHT, 0)


def test_agreement_is_spearmans_across_resolutions() -> None:
    rising = np.arange(16, dtype=np.float32).reshape(4, 4)
    finer = np.kron(rising, np.ones((3, 3), np.float32))
    agreement = rank_agreement([rising, rising**3, -rising, finer, np.zeros((4, 4), np.float32)])
    np.testing.assert_allclose(agreement[:4, :4], [[1, 1, -1, 1], [1, 1, -1, 1], [-1, -1, 1, -1], [1, 1, -1, 1]])
    assert np.isnan(agreement[4]).all(), "a constant map has no ranks"
    assert rank_agreement([rising]).shape == (1, 1)
    # d = (0, 1, -1, 0): 1 - 6 * 2 / (4 * 15)
    two = rank_agreement([np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[1.0, 3.0, 2.0, 4.0]])])
    assert two[0, 1] == pytest.approx(0.8)
