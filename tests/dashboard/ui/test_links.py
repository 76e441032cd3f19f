"""Links to Analyze: what they carry, and what they ask for that cannot be had; on networks that were really trained."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from core.sample_photos import sample_photos

ENTRY = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
PANELS = ("Saliency", "Methods", "Regions", "What if", "Trust", "Doubt", "Report")


@pytest.fixture
def opened(networks):
    """Analyze by a link, with a photo."""

    def make(photo: str = "grace_hopper", **link: str | list[str]) -> AppTest:
        app = AppTest.from_file(ENTRY, default_timeout=120)
        for key, value in link.items():
            app.query_params[key] = value
        app.run()
        app.switch_page("../pages/analyze.py").run()
        if photo:
            app.file_uploader(key="uploads").upload("photo.jpg", sample_photos()[photo].data)
            app.run()
        assert not app.exception, app.exception
        return app

    return make


def labeled(widgets, label: str):
    return next(w for w in widgets if w.label == label)


def link_of(app: AppTest) -> dict[str, list[str]]:
    """The link as the popover shows it, which is opened and closed again."""
    app.session_state["link-open"] = True
    app.run()
    assert not app.exception
    shown = app.code[0].value
    app.session_state["link-open"] = False
    app.run()
    assert urlsplit(shown).path.endswith("/analyze")
    return parse_qs(urlsplit(shown).query, keep_blank_values=True)


def show(app: AppTest, panel: str) -> AppTest:
    app.segmented_control(key="panel").set_value(panel).run()
    assert not app.exception
    return app


def set_everything(app: AppTest) -> None:
    """By hand, panel by panel."""
    app.pills(key="networks").set_value(["tiny_residual"]).run()
    show(app, "Saliency")
    labeled(app.segmented_control, "Evidence for").set_value("striped").run()
    labeled(app.selectbox, "rather than").set_value("dark").run()
    app.selectbox(key="method").set_value("layercam").run()
    app.selectbox(key="stage").set_value("stage 2").run()
    app.segmented_control(key="scale").set_value("common").run()
    app.selectbox(key="colors").set_value("magma").run()
    app.slider(key="opacity").set_value(0.3).run()
    show(app, "Methods").pills(key="methods").set_value(["gradcam", "occlusion"]).run()
    show(app, "What if").slider(key="brightness").set_value(-0.2).run()
    app.toggle(key="mirrored").set_value(True).run()
    app.pills(key="hidden_parts").set_value(["mouth", "eyes"]).run()
    app.selectbox(key="along").set_value("noise").run()
    show(app, "Doubt").slider(key="target").set_value(0.9).run()
    app.segmented_control(key="views").set_value("mirror").run()


def check_everything(app: AppTest) -> None:
    """Every panel is as it was set."""
    assert app.pills(key="networks").value == ["tiny_residual"]
    for panel in ("Saliency", "Regions", "Trust", "Report"):
        show(app, panel)
        assert labeled(app.segmented_control, "Evidence for").value == "striped"
        assert labeled(app.selectbox, "rather than").value == "dark"
        assert app.selectbox(key="method").value == "layercam"
        assert app.selectbox(key="stage").value == "stage 2"
    show(app, "Saliency")
    assert app.segmented_control(key="scale").value == "common"
    assert app.selectbox(key="colors").value == "magma"
    assert app.slider(key="opacity").value == 0.3
    assert show(app, "Methods").pills(key="methods").value == ["gradcam", "occlusion"]
    assert show(app, "What if").slider(key="brightness").value == -0.2
    assert app.toggle(key="mirrored").value
    assert set(app.pills(key="hidden_parts").value) == {"mouth", "eyes"}
    assert app.selectbox(key="along").value == "noise"
    assert show(app, "Doubt").slider(key="target").value == 0.9
    assert app.segmented_control(key="views").value == "mirror"


def test_a_link_carries_everything_whatever_panel_is_open_and_restores_it_in_every_panel(opened, said):
    app = opened()
    set_everything(app)
    check_everything(app)
    links = {panel: link_of(show(app, panel)) for panel in PANELS}
    everything = links["Doubt"] | {"panel": ["-"]}
    assert all(link | {"panel": ["-"]} == everything for link in links.values())
    assert {panel: link.get("panel", ["Saliency"]) for panel, link in links.items()} == {p: [p] for p in PANELS}
    for panel in ("Doubt", "Saliency"):
        other = opened(**links[panel])
        assert "This link asks" not in said(other)
        assert link_of(other) == links[panel]  # also of the panels that have not been looked at
        check_everything(other)


def test_the_link_of_an_untouched_page_has_nothing_but_the_page(opened):
    assert link_of(opened()) == {}


def test_no_network_chosen_is_carried_too(opened, said):
    app = opened(networks="")
    assert "Choose at least one network" in said(app)


def test_the_face_and_the_class_are_in_the_link(opened):
    link = link_of(opened("two_faces", face="2", **{"class": "dark"}))
    assert link == {"face": ["2"], "class": ["dark"]}


def test_what_a_link_asks_of_a_network_that_lacks_it_is_a_sentence_shown_once(opened, said):
    app = opened(**{"class": "contempt", "rather_than": "pain", "stage": "layer99", "networks": "CNN"})
    verdict = labeled(app.segmented_control, "Evidence for").value
    text = said(app)
    assert (
        "This link asks for the class `contempt`, which CNN does not have; it has bright, dark, striped. "
        f"Shown: {verdict}." in text
    )
    assert f"This link asks for the evidence for {verdict} rather than `pain`, which CNN does not have; it has " in text
    assert "This link asks for the layer `layer99`, which CNN does not have; it has each network's default, " in text
    assert labeled(app.selectbox, "rather than").value == "any other"
    assert app.selectbox(key="stage").value == "each network's default"
    assert {"class", "rather_than", "stage"}.isdisjoint(app.query_params)
    assert link_of(app) == {"networks": ["CNN"]}
    assert "This link asks" not in said(app)


def test_a_class_is_not_set_against_itself(opened, said):
    app = opened(**{"class": "dark", "rather_than": "dark"})
    assert "rather than `dark`, the same class; there are bright, striped. Shown: dark rather than any other." in said(
        app
    )
    assert labeled(app.segmented_control, "Evidence for").value == "dark"


def test_several_networks_that_lack_a_class_are_named(opened, said):
    text = said(opened(**{"class": "joy"}, panel="Doubt"))
    assert "which CNN and Residual CNN do not have; they have bright, dark, striped." in text


def test_words_and_numbers_that_there_are_not_are_sentences_before_there_is_a_photo(opened, said):
    app = opened("", method="voodoo", brightness="9", blur="nan", target="x", networks=["nobody", "CNN"], panel="Tarot")
    text = said(app)
    assert "This link asks for the method `voodoo`; there is none of that name, there are Grad-CAM, " in text
    assert "Shown: Grad-CAM." in text
    assert "This link asks for Brightness `9`; it goes from -0.5 to 0.5. Shown: 0.5." in text
    assert "This link asks for Blur `nan`; it goes from 0 to 10. Shown: 0." in text
    assert "This link asks for an accuracy of `x`; it goes from 0.5 to 0.95. Shown: 0.8." in text
    assert "the network `nobody`; there is none of that name, there are CNN, Residual CNN. Shown: CNN." in text
    assert "the panel `Tarot`; " in text
    app.file_uploader(key="uploads").upload("photo.jpg", sample_photos()["grace_hopper"].data).run()
    assert not app.exception
    assert "This link asks" not in said(app)
    assert link_of(app) == {"networks": ["CNN"], "brightness": ["0.5"]}
    assert app.selectbox(key="method").value == "gradcam"
    show(app, "What if")
    assert app.slider(key="brightness").value == 0.5
    assert app.slider(key="blur").value == 0
    assert show(app, "Doubt").slider(key="target").value == 0.8


def test_a_face_the_photo_lacks_is_a_sentence(opened, said):
    app = opened("two_faces", face="99")
    assert "This link asks for face `99`, which this photo does not have; it has 1, 2. Shown: 1." in said(app)
    assert "Face 1 of 2" in said(app)
    app.run()
    assert "This link asks" not in said(app)


def test_a_link_cannot_write_on_the_page(opened, said):
    text = said(opened("", method="[free](http://a.example)`**x**`" + "y" * 99))
    assert "the method `[free](http://a.example)**x**yyyyyyyyy`; there" in text


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_opens_from_a_link_of_nonsense(opened, said, panel):
    nonsense = {"class": "joy", "rather_than": "bright,dark", "face": "99", "method": "tarot", "stage": "9"}
    numbers = {"target": "inf", "noise": "-1", "opacity": "", "mirrored": "perhaps"}
    app = opened(panel=panel, networks="nobody,CNN", methods="tarot", show="x", views="seven", **nonsense, **numbers)
    assert not app.error
    assert link_of(app) == {"target": ["0.95"]} | ({} if panel == "Saliency" else {"panel": [panel]})
