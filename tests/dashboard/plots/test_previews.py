import re

import numpy as np
from plotly.colors import sample_colorscale

from core.evaluation import ConfusionMatrix
from core.labels import LabelSet
from dashboard.plots import previews
from dashboard.plots.cells import colorscale
from dashboard.style import DARK, LIGHT, class_color

LABELS = LabelSet("two", ("happy", "<sad>"))


def test_each_class_has_a_bar_of_its_probability_in_its_color():
    html = previews.probabilities(LABELS, np.array([0.25, 0.75]), LIGHT, alt='A "portrait"')
    assert re.findall(r"width:([\d.]+)%;background:(#\w+)", html) == [
        ("25.00", class_color("happy")),
        ("75.00", class_color("<sad>")),
    ]
    assert "0.250" in html
    assert "&lt;sad&gt;" in html
    assert 'role="img" aria-label="A &quot;portrait&quot;"' in html


def test_cells_have_the_colors_of_the_confusion_matrix_row_by_row():
    counted = ConfusionMatrix(LABELS, np.array([[3, 1], [0, 0]]))
    for inks in (LIGHT, DARK):
        html = previews.confusion(counted, inks, alt="matrix")
        cells = re.findall(r'<b style="background:([^"]+)"', html)
        assert cells == sample_colorscale(colorscale(inks), [0.75, 0.25, 0.0, 0.0])  # a class without images is empty
