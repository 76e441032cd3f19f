import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.colors import sample_colorscale

from dashboard.plots.cells import colorscale, heatmap, text_color
from dashboard.style import DARK, LIGHT, class_color
from tests.dashboard.test_style import contrast


@pytest.mark.parametrize("inks", [LIGHT, DARK])
def test_every_number_has_a_contrast_of_at_least_4_5_to_its_cell(inks):
    values = np.linspace(0, 2, 101)
    heat = go.Heatmap(
        z=[values], x=values, y=["row"], text=[[f"{v:g}" for v in values]], zmin=0, zmax=2, colorscale=colorscale(inks)
    )
    figure = heatmap(heat, inks)
    written = {
        float(x): (trace.textfont.color, text)
        for trace in figure.data[1:]
        for x, text in zip(trace.x, trace.text, strict=True)
    }
    assert len(written) == len(values)
    for value, color in zip(values, sample_colorscale(colorscale(inks), values / 2), strict=True):
        ink, text = written[value]
        assert text == f"{value:g}"
        red, green, blue = (round(float(v)) for v in color.removeprefix("rgb(").removesuffix(")").split(","))
        assert contrast(ink, f"#{red:02x}{green:02x}{blue:02x}") >= 4.5


def test_an_empty_cell_has_the_color_of_the_paper():
    for inks, color in ((LIGHT, "#000000"), (DARK, "#FFFFFF")):
        heat = go.Heatmap(z=[[np.nan]], x=["a"], y=["b"], text=[["–"]], zmin=-1, zmax=1, colorscale="RdBu")
        (trace,) = [t for t in heatmap(heat, inks).data[1:] if t.text]
        assert (trace.textfont.color, trace.text) == (color, ("–",))


@pytest.mark.parametrize("name", ["happy", "sad", "angry", "neutral", "fear"])
def test_text_on_a_bar_has_the_higher_contrast(name):
    color = class_color(name)
    assert contrast(text_color(color), color) >= 4.5
