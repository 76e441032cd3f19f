import numpy as np
import pandas as pd
import pytest

from dashboard.plots.wrapped_table import wrapped_table
from dashboard.section import Table
from dashboard.style import DARK, LIGHT
from tests.wrapped_tables import read

DATA = pd.DataFrame({"network": ["CNN <1>", 'a "b" & *c*'], "accuracy": ["0.697 ± 0.015", "0.701"], "loss": [0.5, 2]})


@pytest.mark.parametrize("inks", [LIGHT, DARK])
def test_the_cells_are_text_whatever_they_contain(inks):
    shown = read(wrapped_table(Table(DATA, 'Scores of "all"'), inks))
    assert list(shown.columns) == ["network", "accuracy", "loss"]
    assert shown["network"].tolist() == ["CNN <1>", 'a "b" & *c*']
    assert shown["loss"].tolist() == ["0.500", "2.000"]


def test_an_interval_is_not_broken_after_its_sign():
    assert read(wrapped_table(Table(DATA, "Scores"), LIGHT))["accuracy"][0] == "0.697 ±\u00a00.015"


def test_cells_are_bold_and_the_table_has_its_name():
    bold = np.array([[False, True, False], [False, False, False]])
    body = wrapped_table(Table(DATA, 'Scores of "all"', bold), LIGHT)
    assert body.count("<b>") == 1
    assert "<b>0.697" in body
    assert 'aria-label="Scores of &quot;all&quot;"' in body


def test_the_style_is_kept_by_streamlit():
    style = wrapped_table(Table(DATA, "Scores"), LIGHT).partition("</style>")[0].removeprefix("<style>")
    assert "wrapped-table th" in style
    assert "<" not in style  # the browser's sanitizer would drop all of it


@pytest.mark.parametrize(
    ("cells", "are_numbers"),
    [
        (["0.697 ± 0.015", "0.701"], True),
        (["1,234", "−3 %", "<0.001", "–", ""], True),
        ([0.5, 2.0], True),
        (["0.5", "not measured", "that of each network"], True),
        (["not measured", "not measured"], False),
        (["CNN", "ResNet50"], False),
        (["3 networks predict another class than the label"], False),
    ],
)
def test_columns_of_numbers_are_aligned_to_the_right(cells, are_numbers):
    table = Table(pd.DataFrame({"value": cells}), "Values")
    assert table.numeric() == [are_numbers]
    assert wrapped_table(table, LIGHT).count(' class="number"') == (1 + len(cells)) * are_numbers


def test_a_table_without_rows_has_its_heading():
    assert '<th scope="col">value</th>' in wrapped_table(Table(pd.DataFrame({"value": []}), "Values"), LIGHT)
