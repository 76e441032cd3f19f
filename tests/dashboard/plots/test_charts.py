"""Learning curves say what the history holds."""

import pandas as pd
import pytest

from dashboard.plots import charts
from dashboard.style import FORMS

HISTORY = pd.DataFrame(
    {"epoch": [1, 2, 3], "train_accuracy": [0.2, 0.4, 0.6], "val_accuracy": [0.1, 0.5, 0.3], "val_loss": [3, 2, 1]}
)


def drawn(inks, **options):
    forms = {"one": FORMS["ensemble"]}
    options = {"images": {}} | options
    return charts.learning_curves({"one": HISTORY}, {"one": 2}, forms, {"one": "One"}, inks, "accuracy", **options)


def test_lines_are_the_history_and_the_chosen_epoch_is_marked(inks):
    training, validation, chosen = drawn(inks).data
    assert list(training.y) == [0.2, 0.4, 0.6]
    assert list(validation.y) == [0.1, 0.5, 0.3]
    assert (list(chosen.x), list(chosen.y)) == ([2], [0.5])


def test_the_chosen_epoch_has_the_interval_of_its_images(inks):
    _, _, chosen = drawn(inks, images={"one": 100}).data
    # Wilson's 95 % interval of 50 right answers among 100, as in Brown, Cai & DasGupta (2001): 0.404 to 0.596.
    assert list(chosen.error_y.array) == pytest.approx([0.096], abs=5e-4)
    assert list(chosen.error_y.arrayminus) == pytest.approx([0.096], abs=5e-4)


def test_smoothing_weighs_the_past_and_leaves_the_mark(inks):
    _, validation, chosen = drawn(inks, smoothing=0.5).data
    # 0.1; then (0.5 * 0.5 + 0.25 * 0.1) / 0.75; then (0.5 * 0.3 + 0.25 * 0.5 + 0.125 * 0.1) / 0.875
    assert list(validation.y) == pytest.approx([0.1, 0.275 / 0.75, 0.2875 / 0.875])
    assert list(chosen.y) == [0.5]


def test_axes_become_logarithmic_one_by_one(inks):
    layout = drawn(inks, log_epochs=True).layout
    assert (layout.xaxis.type, layout.yaxis.type) == ("log", "linear")
    assert drawn(inks, log_values=True).layout.yaxis.type == "log"
