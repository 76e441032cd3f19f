"""A page whose prediction is refused, because too many computations wait for the network."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import services
from tests.dashboard.conftest import ENTRY

BUSY = "0 computations are already waiting for this network; try again."


class FullQueues:
    """The queues of the loaded networks, which can be made to refuse every call that does not wait."""

    def __init__(self):
        self.queues = [predictor.queue for predictor in services.runtime().loaded_predictors()]
        self.lanes = [(queue._free_lanes, queue._max_waiting) for queue in self.queues]

    def fill(self):
        for queue in self.queues:
            queue._free_lanes, queue._max_waiting = 0, 0

    def free(self):
        for queue, lanes in zip(self.queues, self.lanes, strict=True):
            queue._free_lanes, queue._max_waiting = lanes


@pytest.fixture
def app(networks):
    app = AppTest.from_file(ENTRY, default_timeout=60)
    app.run()
    app.switch_page("../pages/analyze.py").run()
    app.button(key="card-grace_hopper").click().run()
    assert not app.exception, app.exception
    return app


def errors(app):
    assert not app.exception, app.exception
    return [error.value for error in app.error]


@pytest.mark.parametrize("panel", ["Saliency", "What if"])
def test_a_refused_prediction_is_one_sentence_and_can_be_tried_again(app, panel, labeled):
    app.session_state["panel"] = panel
    app.run()
    assert not errors(app)
    queues = FullQueues()
    queues.fill()
    if panel == "What if":  # a fragment, whose errors Streamlit would catch itself
        app.slider(key="brightness").set_value(0.3).run()
    else:
        app.selectbox(key="views").set_value(app.selectbox(key="views").options[-1]).run()
    assert errors(app) == [BUSY]
    queues.free()
    labeled(app.button, "Try again").click().run()
    assert not errors(app)


def test_a_panel_and_its_page_can_both_be_refused(networks):
    def page():
        from core.errors import BusyError
        from dashboard.ui import busy

        with busy.answered("page"):
            with busy.answered("panel"):
                raise BusyError("1 computation is already waiting for this network")
            raise BusyError("2 computations are already waiting for this network")

    app = AppTest.from_function(page).run()
    assert len(errors(app)) == 2
    assert [b.label for b in app.button] == ["Try again", "Try again"]


def test_an_error_that_no_panel_expects_is_a_sentence(networks):
    def page():
        from core.errors import DataError
        from dashboard.ui import busy

        with busy.answered("page"):
            raise DataError("faces.csv, row 7: no label")

    app = AppTest.from_function(page).run()
    assert errors(app) == ["faces.csv, row 7: no label."]
