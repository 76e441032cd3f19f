"""Every panel of Analyze through the entry file, with networks that were really trained."""

from pathlib import Path

import pytest
from core.sample_photos import sample_photos
from streamlit.testing.v1 import AppTest

from core.explain import methods

ENTRY = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"


@pytest.fixture
def lab(networks):
    """Analyze with a portrait, at a panel; further arguments are the rest of the link."""

    def opened(panel: str, **link: str) -> AppTest:
        app = AppTest.from_file(ENTRY, default_timeout=60)
        for key, value in {"panel": panel, **link}.items():
            app.query_params[key] = value
        app.run()
        app.switch_page("../pages/analyze.py").run()
        app.file_uploader(key="uploads").upload("portrait.jpg", next(iter(sample_photos().values())).data)
        app.run()
        assert not app.exception, app.exception
        assert not app.error, app.error[0].value
        return app

    return opened


def labelled(widgets, label: str):
    return next(w for w in widgets if w.label == label)


@pytest.mark.parametrize("method", list(methods()))
def test_every_method_draws_a_map_of_every_network(lab, said, method):
    title = methods()[method].title
    app = lab("Saliency", method=title)
    assert app.selectbox(key="method").value == method
    assert said(app).count(f"· {title}, ") + said(app).count("no evidence for this class") == 2
    assert methods()[method].source in said(app)


@pytest.mark.parametrize(("method", "coincides"), [("HiResCAM", True), ("LayerCAM", False)])
def test_methods_that_coincide_before_the_pooling_say_so(lab, said, method, coincides):
    assert ("coincide" in said(lab("Saliency", method=method, stage="before the pooling"))) is coincides


def test_one_class_rather_than_another(lab, said):
    app = lab("Saliency")
    verdict = labelled(app.segmented_control, "Evidence for").value
    against = labelled(app.selectbox, "rather than")
    assert verdict not in against.options
    against.set_value(against.options[1]).run()
    assert not app.exception
    assert "own scale" not in said(app)
    app.segmented_control(key="scale").set_value("common").run()
    assert "contrasts are drawn on their own scale" in said(app)


def test_a_stage_that_a_network_lacks_is_a_sentence(lab, said):
    app = lab("Saliency", stage="stage 9")
    assert not app.exception  # a link to a stage that nobody has falls back to the default
    assert app.selectbox(key="stage").value == "each network's default"
