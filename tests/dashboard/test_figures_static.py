import xml.etree.ElementTree as ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from core.evaluation import ConfusionMatrix
from dashboard.figures import confusion
from dashboard.figures.static import svg
from dashboard.theme import LIGHT


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


def test_a_trace_that_reports_do_not_know_is_a_sentence():
    with pytest.raises(ValueError, match="draws scatter and heatmap traces, got 'pie'"):
        svg(go.Figure(go.Pie(values=[1])), "a pie")
