"""Sections on the page."""

from streamlit.testing.v1 import AppTest


def page():
    import plotly.graph_objects as go
    import streamlit as st

    from dashboard.section import Figure, Note, Section
    from dashboard.ui import sections

    figures = tuple(Figure(go.Figure(), name, name, title=name) for name in ("one", "two", "three"))
    sections.draw(
        [Section("a *b*", notes=(Note("$5, $6. Run:", command="ls *"),), figures=figures, caption="`c` [d](e)")],
        beside={"two": lambda: st.markdown("beside two")},
    )


def test_a_figure_with_something_beside_it_keeps_its_place():
    app = AppTest.from_function(page).run()
    assert not app.exception
    assert [m.value for m in app.markdown][1:] == ["**one**", "**two**", "beside two", "**three**"]


def test_texts_are_shown_as_they_are():
    app = AppTest.from_function(page).run()
    assert app.markdown[0].value == r"## a \*b\*"
    assert app.info[0].value == "\\$5, \\$6. Run:"
    assert app.code[0].value == "ls *"
    assert app.caption[0].value == r"\`c\` \[d\](e)"
