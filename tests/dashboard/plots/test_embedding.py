import numpy as np
import pytest

from core.errors import EvaluationError
from core.evaluation.embedding import Embedding
from dashboard.plots import embedding as plots
from dashboard.style import DARK, LIGHT, class_color


@pytest.fixture
def run(predicted_run):
    """Images 100 to 105: three of a (one wrong), two of b, one of c (wrong)."""
    return predicted_run([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 0])


def embedding(ids) -> Embedding:
    components = np.column_stack([np.arange(len(ids)), -np.arange(len(ids))]).astype(float)
    return Embedding("network", "test", np.array(ids), components, np.array([0.7, 0.2]), 8, "w")


@pytest.fixture
def table(run):
    order = [105, 100, 101, 102, 103]  # another order than the run's, and not all of its images
    there = embedding(order)
    return plots.points(there, np.asarray(there.components, np.float32), run)


def test_points_have_the_predictions_of_their_own_image(table):
    assert table["image_id"].tolist() == [105, 100, 101, 102, 103]
    assert table["true"].tolist() == ["c", "a", "a", "a", "b"]
    assert table["predicted"].tolist() == ["a", "a", "a", "b", "b"]
    assert table["correct"].tolist() == [False, True, True, False, True]
    assert table["x"].tolist() == [0, 1, 2, 3, 4]


def test_an_image_without_a_prediction_is_named(run):
    there = embedding([100, 999])
    with pytest.raises(EvaluationError, match="none for image 999"):
        plots.points(there, np.zeros((2, 2)), run)


def drawn(figure):
    return {(t.legendgroup, t.marker.symbol): t for t in figure.data if t.customdata is not None}


@pytest.mark.parametrize("inks", [LIGHT, DARK])
def test_a_hue_denotes_a_class_and_a_cross_a_wrong_prediction(table, inks):
    by_true = drawn(plots.scatter(table, inks))
    assert set(by_true) == {("a", "circle"), ("a", "x"), ("b", "circle"), ("c", "x")}
    assert all(t.marker.color == class_color(name) for (name, _), t in by_true.items())
    assert [row[0] for row in by_true["a", "circle"].customdata] == [100, 101]
    assert all(t.selected.marker.size > t.marker.size for t in by_true.values())
    by_predicted = drawn(plots.scatter(table, inks, color=plots.PREDICTED))
    assert set(by_predicted) == {("a", "circle"), ("a", "x"), ("b", "circle"), ("b", "x")}
    assert [row[0] for row in by_predicted["a", "x"].customdata] == [105]


def test_classes_are_named_at_their_median_and_forms_in_the_legend(table):
    figure = plots.scatter(table, LIGHT)
    named = {a.text: (a.x, a.y) for a in figure.layout.annotations}
    assert named == {"a": (2, -2), "b": (4, -4), "c": (0, 0)}
    assert [t.name for t in figure.data if t.showlegend is not False] == ["a", "b", "c", "correct", "wrong"]


def test_only_components_have_numbers_on_their_axes(table):
    axes = plots.component_axes(embedding([1, 2]))
    assert axes == ("component 1 (70.0 % of the variance)", "component 2 (20.0 %)")
    single = Embedding("n", "test", np.arange(3), np.arange(3.0)[:, None], np.array([1.0]), 4, "w")
    assert plots.component_axes(single)[1] == "component 2 (0.0 %)"
    assert plots.scatter(table, LIGHT, axes=axes).layout.xaxis.showticklabels
    assert not plots.scatter(table, LIGHT).layout.xaxis.showticklabels


def test_names_that_would_overlap_are_moved_apart(predicted_run):
    run = predicted_run([0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2])
    there = embedding(run.image_ids)
    plane = np.array([[0, 0], [0, 0], [0, 0], [10, 10], [10, 10], [10, 10]])
    notes = plots.scatter(plots.points(there, plane, run), LIGHT).layout.annotations
    heights = sorted(n.y for n in notes)
    assert len(notes) == 3
    assert min(np.diff(heights)) >= 0.05 * 10
    alike = plots.points(there, np.zeros((6, 2)), run)
    assert len(plots.scatter(alike, LIGHT).layout.annotations) == 3


def test_a_fixed_random_part_of_many_images_is_drawn_or_all():
    some = plots.drawn(4_000)
    assert len(set(some)) == len(some) == plots.FEW
    assert (np.diff(some) > 0).all()
    assert 0 <= some.min() < 100
    assert 3_900 < some.max() < 4_000
    assert (plots.drawn(4_000) == some).all()
    assert plots.drawn(4_000, plots.ALL).tolist() == list(range(4_000))
    assert plots.drawn(plots.FEW).tolist() == list(range(plots.FEW))
