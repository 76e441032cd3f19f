import pandas as pd
import pytest

from dashboard.plots.learning_curves import learning_curves, numbers
from dashboard.style import LIGHT, network_styles

HISTORY = pd.DataFrame(
    {"epoch": [1, 2, 3], "train_accuracy": [0.2, 0.4, 0.6], "val_accuracy": [0.1, 0.5, 0.3], "val_loss": [3, 2, 1]}
)


def drawn(inks, **options):
    styles = network_styles({"one": "resnet50"}, LIGHT)
    options = {"images": {}} | options
    return learning_curves({"one": HISTORY}, {"one": 2}, styles, {"one": "One"}, inks, "accuracy", **options)


def test_lines_are_the_history_and_the_chosen_epoch_is_marked(inks):
    training, validation, chosen = drawn(inks).data
    assert list(training.y) == [0.2, 0.4, 0.6]
    assert list(validation.y) == [0.1, 0.5, 0.3]
    assert (list(chosen.x), list(chosen.y)) == ([2], [0.5])


def test_the_chosen_epoch_has_the_interval_of_its_images(inks):
    _, _, chosen = drawn(inks, images={"one": 100}).data
    # Wilson's 95 % interval of 50 correct predictions among 100, as in Brown, Cai & DasGupta (2001): 0.404 to 0.596.
    assert list(chosen.error_y.array) == pytest.approx([0.096], abs=5e-4)
    assert list(chosen.error_y.arrayminus) == pytest.approx([0.096], abs=5e-4)


def test_smoothing_changes_the_lines_and_not_the_mark(inks):
    _, validation, chosen = drawn(inks, smoothing=0.5).data
    # 0.1; then (0.5 * 0.5 + 0.25 * 0.1) / 0.75; then (0.5 * 0.3 + 0.25 * 0.5 + 0.125 * 0.1) / 0.875
    assert list(validation.y) == pytest.approx([0.1, 0.275 / 0.75, 0.2875 / 0.875])
    assert list(chosen.y) == [0.5]


def test_axes_become_logarithmic_one_by_one(inks):
    layout = drawn(inks, log_epochs=True).layout
    assert (layout.xaxis.type, layout.yaxis.type) == ("log", "linear")
    assert drawn(inks, log_values=True).layout.yaxis.type == "log"


def test_both_splits_have_the_hue_of_the_network_and_training_is_faint(inks):
    training, validation, chosen = drawn(inks, validation="PublicTest").data
    assert training.line.color == validation.line.color == chosen.marker.color == inks.hues[2]
    assert training.opacity < validation.opacity
    assert "One, PublicTest" in validation.hovertemplate


def test_the_legend_has_one_entry_per_network_that_hides_all_of_its_marks(inks):
    traces = drawn(inks).data
    assert [trace.name for trace in traces if trace.showlegend] == ["One"]
    assert len({trace.legendgroup for trace in traces}) == 1


def test_the_file_has_the_interval_where_the_number_of_images_is_known():
    table = numbers({"one": HISTORY}, {"one": 100})
    assert table["val_accuracy_low"].iloc[1] == pytest.approx(0.404, abs=5e-4)
    assert "val_accuracy_low" not in numbers({"one": HISTORY}, {})
