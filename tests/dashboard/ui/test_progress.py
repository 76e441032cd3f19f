"""The progress of slow work."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ui import progress


@pytest.fixture
def app(monkeypatch):
    """Two works that are under way."""
    monkeypatch.setattr(progress.Work, "close", lambda _: None)

    def page():
        import streamlit as st

        from dashboard.ui import progress

        stop = lambda: st.session_state.update(panel="other")  # noqa: E731
        with progress.work("remembered", "request", 1, patience_s=0) as shown:
            shown.part("Map", "stages")(1, 4)
        with progress.work("answered", "request", 1, on_stop=stop, patience_s=0) as shown:
            shown.part("Map", "stages")

    app = AppTest.from_function(page).run()
    assert not app.exception, app.exception
    return app


def test_the_bar_names_the_work_and_what_is_done(app):
    first, second = [bar.proto.text for bar in app.get("progress")]
    assert first == "Map: 1 of 4 stages"
    assert second == "Map"


def test_a_stop_is_remembered_for_the_request(app):
    app.button(key="stop-remembered").click().run()
    assert app.session_state["stopped-remembered"] == "request"
    assert "panel" not in app.session_state


def test_a_stop_can_do_something_else(app):
    app.button(key="stop-answered").click().run()
    assert app.session_state["panel"] == "other"
    assert "stopped-answered" not in app.session_state
