import numpy as np
import pytest

from core.errors import EvaluationError
from core.evaluation import ConfusionMatrix
from core.labels import LabelSet
from dashboard.plots import confusion
from dashboard.style import DARK


@pytest.fixture
def run(predicted_run):
    """a: 2 correct, 1 predicted as b; b: 1 correct; c has no image."""
    return predicted_run([0, 0, 0, 1], [0, 0, 1, 1], "net")


def test_cells_have_the_counts_and_color_has_the_share(run, inks):
    heat = confusion.matrix(ConfusionMatrix.from_run(run), inks).data[0]
    assert heat.text[0] == ["2", "1", "0"]
    assert heat.z[0] == pytest.approx([2 / 3, 1 / 3, 0])
    assert (heat.zmin, heat.zmax) == (0, 1)


def test_a_class_without_images_is_blank_and_not_zero(run, inks):
    by_true = confusion.matrix(ConfusionMatrix.from_run(run), inks, show="by true class").data[0]
    assert by_true.text[2] == ["", "", ""]
    assert np.isnan(by_true.z[2]).all()


def test_by_predicted_class_the_columns_sum_to_one(run, inks):
    heat = confusion.matrix(ConfusionMatrix.from_run(run), inks, show="by predicted class").data[0]
    assert np.asarray(heat.z)[:, 1] == pytest.approx([0.5, 0.5, 0])
    assert heat.text[0][1] == "0.50"
    assert [row[2] for row in heat.text] == ["", "", ""]  # never predicted
    assert heat.colorbar.title.text == "share of the predicted class"


def test_a_click_on_a_cell_names_its_classes(run, inks):
    figure = confusion.matrix(ConfusionMatrix.from_run(run), inks)
    squares = figure.data[-1]
    assert squares.marker.opacity == 0
    at = [(x, y) for x, y in zip(squares.x, squares.y, strict=True)].index(("b", "a"))
    assert list(squares.customdata[at][:2]) == [0, 1]  # true a, predicted b
    assert squares.customdata[at][2] == "1 image, 0.333 (0.061 to 0.792) of the true class"


def test_the_selected_cell_is_outlined(run, inks):
    shape = confusion.matrix(ConfusionMatrix.from_run(run), inks, selected=(0, 1)).layout.shapes[0]
    assert (shape.x0, shape.x1, shape.y0, shape.y1) == (0.5, 1.5, -0.5, 0.5)


@pytest.mark.parametrize("dark", [False, True])
def test_a_difference_of_zero_has_the_color_of_the_background(predicted_run, run, inks, dark):
    other = predicted_run([0, 0, 0, 1], [0, 1, 1, 1], "other")
    paper = DARK if dark else inks
    heat = confusion.difference(run, other, paper).data[0]
    assert heat.z[0] == pytest.approx([1 / 3, -1 / 3, 0])
    assert heat.zmin == -heat.zmax == pytest.approx(-1 / 3)
    assert heat.colorscale[1] == (0.5, paper.paper)
    assert "<b>" not in heat.text[0][0]  # one image is no evidence


def test_a_cell_that_always_differs_is_measurable_and_bold(predicted_run, inks):
    truth = [0] * 40
    first, second = predicted_run(truth, truth, "first"), predicted_run(truth, [1] * 40, "second")
    assert confusion.difference(first, second, inks).data[0].text[0][0] == "<b>+1.00</b>"
    numbers = confusion.difference_numbers(first, second)
    assert list(numbers[numbers["measurable"]]["difference_of_shares"]) == [1, -1]


def test_other_classes_have_no_difference(predicted_run, inks):
    with pytest.raises(EvaluationError, match="with the same classes"):
        confusion.difference(
            predicted_run([0], [0]), predicted_run([0], [0], labels=LabelSet("others", ("x", "y", "z"))), inks
        )


def test_the_file_has_a_row_for_each_cell(run):
    numbers = confusion.numbers(ConfusionMatrix.from_run(run))
    assert len(numbers) == 9
    assert numbers["images"].sum() == 4
