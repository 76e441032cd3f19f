import xml.etree.ElementTree as ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from core.evaluation import ConfusionMatrix
from dashboard.plots import confusion
from dashboard.reports.static import svg
from dashboard.style import LIGHT


def texts(drawing):
    """Every text in the drawing; it must be well-formed."""
    return [e.text for e in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text") if e.text]


def parsed(figure, alt="a drawing"):
    return svg(figure, alt).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="x" ', 1)


def test_names_are_text_and_never_markup_or_mathematics():
    wild = ["<script>alert(1)</script>", "$\\frac{1}{2}$ & 'co'", "_hidden", "</svg>"]
    figure = go.Figure([go.Scatter(x=[1, 2], y=[k, k], mode="lines", name=name) for k, name in enumerate(wild)])
    drawing = parsed(figure, '"><script>')
    assert "<script" not in drawing
    assert {w.lstrip("_") for w in wild} <= {t.strip("\u200b").lstrip("_") for t in texts(drawing)}


def test_the_ink_is_the_pages_and_nothing_is_fetched():
    figure = go.Figure(go.Scatter(x=[1, 2], y=[1, 2], line={"color": LIGHT.text}))
    drawing = parsed(figure)
    assert "var(--ink)" in drawing
    assert LIGHT.text.lower() not in drawing
    assert 'href="http' not in drawing
    assert 'role="img" aria-label="a drawing"' in drawing


def test_a_confusion_matrix_shows_every_count(answering):
    run = answering([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 2])
    shown = texts(parsed(confusion.matrix(ConfusionMatrix.from_run(run), LIGHT, title="Net")))
    assert [t for t in shown if t.isdigit()] == ["2", "1", "0", "0", "2", "0", "0", "0", "1"]
    assert shown.count("a") == shown.count("c") == 2
    assert "Net" in [t.strip() for t in shown]


def test_an_undefined_row_is_drawn_without_words(answering):
    run = answering([0, 0, 1], [0, 2, 1])
    shown = texts(parsed(confusion.matrix(ConfusionMatrix.from_run(run), LIGHT, show=confusion.BY_TRUE)))
    assert shown.count("0.50") == 2


def test_panels_that_match_share_their_range_and_keep_their_titles():
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, subplot_titles=["left", "right"])
    figure.add_scatter(x=[0, 1], y=[0, 1], row=1, col=1, line={"color": LIGHT.text})
    figure.add_scatter(x=[0, 1], y=[0, 9], row=1, col=2, line={"color": LIGHT.text})
    shown = texts(parsed(figure))
    assert {"left", "right"} <= set(shown)
    assert shown.count("8") == 1  # the range of the right panel, said once, on the left


def test_ticks_marks_and_lines_across_are_drawn():
    figure = go.Figure(
        go.Scatter(
            x=[0.5, None],
            y=[0, 1],
            mode="markers",
            marker={"symbol": ["circle-open", "star"], "color": ["#D55E00", "#009E73"], "size": 9},
            error_x={"array": [0.1, np.nan], "arrayminus": [0.1, np.nan], "color": LIGHT.muted},
        )
    )
    figure.add_vline(x=0, line={"color": LIGHT.muted})
    figure.update_layout(
        xaxis={"tickformat": "+.3~f", "range": [-0.5, 1]}, yaxis={"tickvals": [0, 1], "ticktext": ["one", "two"]}
    )
    drawing = parsed(figure)
    assert {"one", "two", "+0.2", "-0.4"} <= {t.replace("−", "-") for t in texts(drawing)}
    assert "#d55e00" in drawing


def test_the_range_of_a_figure_reverses_and_starts_at_zero():
    figure = go.Figure(go.Scatter(x=[5, 6], y=[3, 4], line={"color": LIGHT.text}))
    figure.update_layout(xaxis={"rangemode": "tozero"}, yaxis={"autorange": "reversed"})
    assert "0" in texts(parsed(figure))


def places(drawing):
    """Where each text stands, in the drawing's points from its upper left corner."""
    elements = ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")
    return {e.text: (float(e.get("x", "nan")), float(e.get("y", "nan")), e.get("transform", "")) for e in elements}


def test_words_at_a_place_stand_there_and_not_on_the_paper():
    figure = go.Figure(go.Scatter(x=[0, 10], y=[0, 10], line={"color": LIGHT.text}))
    for words, at in (("low", 2), ("high", 8)):
        figure.add_annotation(x=at, y=at, text=words, showarrow=False)
    figure.add_annotation(x=0, xref="paper", xanchor="left", y=8, text="edge", showarrow=False)
    figure.update_layout(xaxis={"range": [0, 10]}, yaxis={"range": [0, 10]}, width=860, height=400)
    found = places(parsed(figure))
    assert found["low"][0] < found["high"][0]
    assert found["low"][1] > found["high"][1]  # a drawing counts downwards
    assert found["edge"][0] < found["low"][0]
    assert found["edge"][1] == pytest.approx(found["high"][1], abs=1)


def test_words_on_a_row_of_a_matrix_stand_at_the_row():
    figure = go.Figure(
        go.Heatmap(z=[[1, 0], [None, None]], x=["p", "q"], y=["a", "b"], colorscale="Blues", zmin=0, zmax=1)
    )
    figure.add_annotation(x=0, xref="paper", xanchor="left", y="b", text="not defined", showarrow=False)
    figure.update_layout(yaxis={"autorange": "reversed"})
    found = places(parsed(figure))
    assert found["not defined"][1] == pytest.approx(found["b"][1], abs=4)
    assert abs(found["not defined"][1] - found["a"][1]) > 50


def test_words_may_stand_upright():
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1]))
    figure.add_annotation(x=0.5, y=0.5, yref="paper", text="upright", textangle=-90, showarrow=False)
    assert "rotate(-90)" in places(parsed(figure))["upright"][2]


def test_a_line_in_steps_goes_across_before_it_goes_up():
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"shape": "hv", "color": "#D55E00"}))
    paths = ElementTree.fromstring(parsed(figure)).iter("{http://www.w3.org/2000/svg}path")
    step = next(p.get("d") for p in paths if "#d55e00" in p.get("style", "") and p.get("d").count("L") == 2)
    (_, y0), (x1, y1), (x2, _) = [line.split() for line in step.replace("M", "L").split("L")[1:]]
    assert y0 == y1
    assert x1 == x2


@pytest.mark.parametrize("symbol", ["line-ns-open", "triangle-left-open", "triangle-right-open"])
def test_the_marks_of_limits_are_drawn(symbol):
    figure = go.Figure(go.Scatter(x=[1], y=[1], mode="markers", name="limit", marker={"symbol": symbol, "size": 11}))
    assert "limit" in texts(parsed(figure))


def test_ticks_break_lines_keep_their_step_and_say_what_they_are():
    figure = go.Figure(go.Scatter(x=[1, 7], y=[0.6, 0.75], line={"color": LIGHT.text}))
    figure.update_layout(xaxis={"dtick": 1}, yaxis={"tickformat": ".2f"})
    shown = texts(parsed(figure))
    assert set("1234567") <= set(shown)
    steps = np.diff([float(t) for t in shown if t.startswith("0.")])
    assert steps == pytest.approx(steps[0])  # not 0.60, 0.63, 0.65 for steps of 0.025
    figure.update_layout(xaxis={"tickvals": [1, 7], "ticktext": ["one<br>1,000", "seven<br>9"]})
    assert {"one", "1,000", "seven", "9"} <= set(texts(parsed(figure)))


def test_a_log_axis_has_its_own_ticks_alone():
    figure = go.Figure(go.Scatter(x=[2e6, 8e6], y=[0, 1], mode="markers", marker={"color": LIGHT.text}))
    figure.update_layout(
        xaxis={"type": "log", "range": [6, 7], "tickvals": [2e6, 5e6], "ticktext": ["2 M", "5 M"]},
        yaxis={"showticklabels": False},
    )
    assert texts(parsed(figure)) == ["2 M", "5 M"]


def test_a_trace_that_reports_do_not_know_is_a_sentence():
    with pytest.raises(ValueError, match="draws scatter and heatmap traces, got 'pie'"):
        svg(go.Figure(go.Pie(values=[1])), "a pie")
