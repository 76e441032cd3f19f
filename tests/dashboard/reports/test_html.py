"""Reports as HTML: escaped text, figures drawn by one copy of Plotly, tables with bold cells."""

import re
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.reports.html import Chapter, versions_section, write
from dashboard.section import Figure, Note, Picture, Section, Table

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>"


def report(*sections: Section, title: str = "Title", summary: tuple[str, ...] = ()) -> str:
    return write(title, summary, [Chapter("A chapter", lambda: sections)], created_at=NOW)


def test_all_text_entered_by_users_is_escaped():
    text = report(
        Section(
            HOSTILE,
            text=(HOSTILE,),
            notes=(Note(HOSTILE),),
            pictures=(Picture(np.zeros((4, 4, 3), np.uint8), alt=HOSTILE, title=HOSTILE, caption=HOSTILE),),
            color_scale=Picture(np.zeros((4, 4, 3), np.uint8), alt=HOSTILE, caption=HOSTILE),
            table=Table(pd.DataFrame({HOSTILE: [HOSTILE]}), HOSTILE),
            code=HOSTILE,
            caption=HOSTILE,
        ),
        Section(HOSTILE, folded=True),
        title=HOSTILE,
        summary=(HOSTILE,),
    )
    assert HOSTILE not in text
    assert text.count("&lt;script&gt;alert") >= 14


def test_a_title_inside_a_figure_cannot_end_the_script():
    figure = go.Figure(layout={"title": {"text": "</script><b>x</b>"}})
    assert "</script><b>x</b>" not in report(Section(figures=(Figure(figure, "key", "alt"),)))


def test_plotly_is_included_once_and_nothing_is_fetched():
    figures = tuple(Figure(go.Figure(go.Bar(x=[1], y=[2])), f"k{n}", "Bars") for n in range(3))
    text = report(Section(figures=figures))
    assert text.count("plotly.js v") == 1
    assert text.count("Plotly.newPlot(") >= 3
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']https?:", text)


def test_no_button_of_a_figure_sends_its_data_to_another_host():
    text = report(Section(figures=(Figure(go.Figure(go.Bar(x=[1], y=[2])), "k", "Bars"),)))
    configuration = text[text.rindex("modeBarButtonsToRemove") :]
    assert '"sendChartToCloud"' in configuration[: configuration.index("]")]


def test_bold_cells_are_marked_and_numbers_have_three_decimals():
    table = Table(pd.DataFrame({"network": ["CNN"], "accuracy": [0.5]}), "Scores", bold=np.array([[False, True]]))
    text = report(Section(table=table))
    assert '<td class="number"><b>0.500</b></td>' in text
    assert "<td>CNN</td>" in text


def test_a_table_without_rows_has_its_heading():
    assert "<th>network</th>" in report(Section(table=Table(pd.DataFrame({"network": []}), "Scores")))


def test_chapters_are_linked_and_report_progress_before_each():
    seen = []
    chapters = [Chapter("First", lambda: [versions_section()]), Chapter("Second part", lambda: [Section(text=("x",))])]
    text = write("T", (), chapters, created_at=NOW, progress=lambda *step: seen.append(step))
    assert seen == [("First", 0, 2), ("Second part", 1, 2)]
    assert '<a href="#second-part">Second part</a>' in text
    assert '<h2 id="second-part">' in text
    assert "January 2, 2026, 03:04 UTC" in text


def test_a_long_text_without_spaces_is_broken_so_that_its_table_fits():
    table = Table(
        pd.DataFrame({"property": ["hash", "limits"], "value": ["a1" * 32, "A long sentence. " * 5]}), "Facts"
    )
    text = report(Section(table=table))
    assert f'<td class="unbroken">{"a1" * 32}</td>' in text
    assert text.count('class="unbroken"') == 1
