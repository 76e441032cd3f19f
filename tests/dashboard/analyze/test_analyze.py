"""Every panel of Analyze through the entry file, with networks that were really trained."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.explain import saliency_methods
from core.probes import uncertainty
from core.sample_photos import sample_photos

ENTRY = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"


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


def labeled(widgets, label: str):
    return next(w for w in widgets if w.label == label)


def test_every_method_draws_a_map_of_every_network(lab, said):
    app = lab("Saliency", method="Occlusion")
    assert app.selectbox(key="method").value == "occlusion"
    for name, method in saliency_methods().items():
        app.selectbox(key="method").set_value(name).run()
        assert not app.exception
        text = said(app)
        assert text.count(f"· {method.title}, ") + text.count("no evidence for this class") == 2
        assert method.source in text


def test_methods_that_coincide_before_the_pooling_say_so(lab, said):
    app = lab("Saliency", method="HiResCAM", stage="before the pooling")
    assert "coincide" in said(app)
    app.selectbox(key="method").set_value("layercam").run()
    assert "coincide" not in said(app)


def test_one_class_rather_than_another(lab, said):
    app = lab("Saliency")
    verdict = labeled(app.segmented_control, "Evidence for").value
    against = labeled(app.selectbox, "rather than")
    assert verdict not in against.options
    against.set_value(against.options[1]).run()
    assert not app.exception
    assert "own scale" not in said(app)
    app.segmented_control(key="scale").set_value("common").run()
    assert "contrasts are drawn on their own scale" in said(app)


def test_without_a_change_what_if_shows_the_answer_as_it_was(lab, said):
    app = lab("What if")
    assert "Nothing is changed" in said(app)
    assert "Largest move" not in said(app)


def test_a_slider_moves_the_answer_and_undo_brings_it_back(lab, said):
    app = lab("What if", brightness="-0.5")
    assert app.slider(key="brightness").value == -0.5
    assert "Nothing is changed" not in said(app)
    assert " · unchanged " in said(app)
    assert "Largest move" in said(app)
    app.selectbox(key="along").set_value("noise").run()
    labeled(app.button, "Undo all changes").click().run()
    assert not app.exception
    assert app.slider(key="brightness").value == 0
    assert "Nothing is changed" in said(app)


def test_hiding_everything_is_a_sentence(lab, said):
    app = lab("What if")
    app.pills(key="hidden_parts").set_value(["left half", "right half"]).run()
    assert not app.exception
    assert "The whole face is hidden; leave at least one cell visible." in said(app)
    assert "Nothing is changed" not in said(app)
    assert "What the networks now see" not in said(app)
    assert not [b.label for b in app.get("download_button") if b.label in ("Answers (CSV)", "Curve (CSV)")]
    app.slider(key="brightness").set_value(0.2).run()
    assert not app.exception
    assert "The answer" not in said(app)
    app.pills(key="hidden_parts").set_value(["mouth"]).run()
    assert "The whole face is hidden" not in said(app)
    assert "Nothing is changed" not in said(app)


def test_a_link_that_hides_everything_can_be_undone(lab, said):
    app = lab("What if", hidden_parts=["left half", "right half"])
    assert "The whole face is hidden" in said(app)
    labeled(app.button, "Undo all changes").click().run()
    assert not app.exception
    assert "Nothing is changed" in said(app)


def test_trust_is_measured_when_asked_for(lab, said):
    app = lab("Trust")
    assert "ROAD" not in said(app)
    labeled(app.button, "Measure").click().run()
    assert not app.exception
    assert "shuffled maps" in said(app) or "marks no place" in said(app)
    if "shuffled maps" in said(app):
        table = app.dataframe[-1].value
        assert set(table["chance test"]) <= {"better than chance", "no better than chance"}
    app.selectbox(key="method").set_value("eigencam").run()
    assert "ROAD" not in said(app)  # another question has not been measured


def test_doubt_is_stricter_the_more_often_it_must_be_right(lab, said):
    app = lab("Doubt", target="0.5")
    assert "Threshold chosen on PublicTest (n = 36) for an accuracy of 0.50. On PrivateTest (n = 36)" in said(app)
    assert "Jensen-Shannon" in said(app)
    app.segmented_control(key="views").set_value("mirror").run()
    assert not app.exception
    assert "over mirror" in app.dataframe[-1].value.columns
    assert "Both were measured on the face alone" in said(app)


def test_an_answer_below_the_threshold_is_unsure(lab, said, monkeypatch):
    monkeypatch.setattr(uncertainty, "threshold_for", lambda *_: 1.1)
    app = lab("Doubt")
    assert "Unsure is a good answer" in said(app)
    assert "not defined" in said(app)  # nobody is answered, so nobody is answered rightly


def test_doubt_without_stored_answers_gives_no_verdict(lab, said, networks, monkeypatch):
    from core.checkpoints import Checkpoint
    from core.errors import CheckpointError

    def missing(self, split):
        raise CheckpointError(f"{self.card.run_id} has no stored predictions for the {split} split")

    monkeypatch.setattr(Checkpoint, "evaluation", missing)
    assert "No threshold, so no verdict: tiny_cnn has no stored predictions for the val split." in said(lab("Doubt"))


def test_the_report_has_the_photo_only_where_that_is_wished(lab, said, monkeypatch):
    from dashboard.analyze import report

    made, real = [], report._report
    monkeypatch.setattr(report, "_report", lambda *args, **options: made.append(real(*args, **options)) or made[-1])
    app = lab("Report")
    assert "2 maps" in said(app)
    assert "without the photo" in said(app)
    app.toggle(key="report_photo").set_value(True).run()
    assert not app.exception
    assert "; with the photo" in said(app)
    without, with_photo = made[0], made[-1]
    assert not any("photo" in picture.alt for picture in without.pictures)
    assert "photo" in with_photo.pictures[0].alt
    assert any(b.label == "Report (HTML)" for b in app.get("download_button"))
