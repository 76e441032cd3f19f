"""Links to Analyze: what they contain, and requested values that are not available; on trained networks."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from core.faces import Box, Detector, Face
from core.sample_photos import sample_photos
from dashboard import services
from dashboard.ui.link_names import NAMES, require
from dashboard.ui.url_parameters import Choice, Number, Range, Switch

ROOT = Path(__file__).resolve().parents[3]
PANELS = ("Saliency", "Methods", "Regions", "What if", "Trust", "Uncertainty", "Report")


class FindsOne(Detector):
    """Finds one face in every photo."""

    name = "haar"

    def _load(self):
        return None

    def _find(self, view, _):
        return [Face(Box(4.0, 4.0, len(view) / 3, len(view) / 3), 0.9)]


@pytest.fixture
def opened(networks, open_analyze):
    """Analyze opened by a link, with a photo."""
    return open_analyze


def link_of(app: AppTest) -> dict[str, list[str]]:
    """The link as the popover shows it, which is opened and closed again."""
    app.session_state["link-open"] = True
    app.run()
    assert not app.exception, app.exception
    shown = app.code[0].value
    app.session_state["link-open"] = False
    app.run()
    assert urlsplit(shown).path.endswith("/analyze")
    return parse_qs(urlsplit(shown).query, keep_blank_values=True)


@pytest.fixture
def set_everything(show_panel, labeled):
    """Change every control by hand, panel by panel."""

    def change(app: AppTest) -> None:
        app.pills(key="networks").set_value(["tiny_residual"]).run()
        labeled(app.segmented_control, "Evidence for the class").set_value("striped").run()
        labeled(app.selectbox, "Rather than").set_value("dark").run()
        app.selectbox(key="method").set_value("layercam").run()
        app.selectbox(key="stage").set_value("stage 2").run()
        app.selectbox(key="scale").set_value("common").run()
        app.selectbox(key="colors").set_value("magma").run()
        app.slider(key="opacity").set_value(0.3).run()
        app.slider(key="accuracy").set_value(0.9).run()
        app.selectbox(key="views").set_value("mirror").run()
        show_panel(app, "Methods").pills(key="methods").set_value(["gradcam", "occlusion"]).run()
        show_panel(app, "What if").slider(key="brightness").set_value(-0.2).run()
        app.toggle(key="mirrored").set_value(True).run()
        app.pills(key="hidden_parts").set_value(["mouth", "eyes"]).run()
        app.selectbox(key="vary").set_value("noise").run()

    return change


@pytest.fixture
def check_everything(show_panel, labeled):
    """Every control has the value of :func:`set_everything`."""

    def check(app: AppTest) -> None:
        assert app.pills(key="networks").value == ["tiny_residual"]
        assert labeled(app.segmented_control, "Evidence for the class").value == "striped"
        assert labeled(app.selectbox, "Rather than").value == "dark"
        assert app.selectbox(key="method").value == "layercam"
        assert app.selectbox(key="stage").value == "stage 2"
        assert app.selectbox(key="scale").value == "common"
        assert app.selectbox(key="colors").value == "magma"
        assert app.slider(key="opacity").value == 0.3
        assert app.slider(key="accuracy").value == 0.9
        assert app.selectbox(key="views").value == "mirror"
        assert show_panel(app, "Methods").pills(key="methods").value == ["gradcam", "occlusion"]
        assert show_panel(app, "What if").slider(key="brightness").value == -0.2
        assert app.toggle(key="mirrored").value
        assert set(app.pills(key="hidden_parts").value) == {"mouth", "eyes"}
        assert app.selectbox(key="vary").value == "noise"

    return check


def test_a_link_contains_and_restores_every_choice_in_every_panel(
    opened, page_text, show_panel, set_everything, check_everything
):
    app = opened()
    set_everything(app)
    check_everything(app)
    links = {panel: link_of(show_panel(app, panel)) for panel in PANELS}
    everything = links["Uncertainty"] | {"panel": ["-"]}
    assert all(link | {"panel": ["-"]} == everything for link in links.values())
    assert {panel: link.get("panel", ["Saliency"]) for panel, link in links.items()} == {p: [p] for p in PANELS}
    other = opened(**links["Uncertainty"])
    assert "This link requests" not in page_text(other)
    assert link_of(other) == links["Uncertainty"]  # including the panels that have not been opened
    check_everything(other)


def test_the_link_of_an_untouched_page_has_no_parameters(opened):
    assert link_of(opened()) == {}


def test_the_panel_stays_open_when_a_portrait_is_picked(opened, labeled):
    app = opened("", panel="Regions")
    labeled(app.button, "Grace Hopper").click().run()
    assert not app.exception
    assert app.session_state["panel"] == "Regions"
    assert link_of(app) == {"panel": ["Regions"], "sample": ["grace_hopper"]}


def test_a_link_with_a_portrait_opens_it(opened, page_text):
    app = opened("", sample="two_faces", face="2")
    assert "Face 2 of 2" in page_text(app)
    assert "Two faces · 949" in page_text(app)
    assert link_of(app) == {"sample": ["two_faces"], "face": ["2"]}


def test_an_unknown_portrait_is_a_message(opened, page_text):
    assert "requests the portrait `mona_lisa`, which is not available. Available: grace_hopper" in page_text(
        opened("", sample="mona_lisa")
    )


def test_a_reload_that_loses_the_photo_is_reported(opened, page_text):
    app = opened()
    assert app.query_params["own_photo"] == "yes"
    assert "not stored" not in page_text(app)
    reloaded = opened("", own_photo="yes")
    assert "an uploaded photo. Photos are not stored, so please add it again." in page_text(reloaded)
    reloaded.file_uploader(key="uploads").upload("again.jpg", sample_photos()["grace_hopper"].data).run()
    assert "not stored" not in page_text(reloaded)


def test_no_network_chosen_is_part_of_the_link(opened, page_text):
    assert "Choose at least one network" in page_text(opened(networks=""))


def test_the_face_and_the_class_are_part_of_the_link(opened):
    link = link_of(opened("two_faces", face="2", **{"class": "dark"}))
    assert link == {"face": ["2"], "class": ["dark"]}


def test_the_face_of_another_photo_is_not_part_of_the_link(opened, labeled, page_text):
    app = opened("", sample="two_faces", face="2")
    app.segmented_control(key="source").set_value("Portraits").run()
    labeled(app.button, "Grace Hopper").click().run()
    assert "Face 1 of 1" in page_text(app)
    assert link_of(app) == {"sample": ["grace_hopper"]}


def test_the_face_of_another_photo_is_not_part_of_the_address_of_all_faces(opened, labeled):
    app = opened("", sample="two_faces", face="2", show="All faces")
    app.segmented_control(key="source").set_value("Portraits").run()
    labeled(app.button, "Grace Hopper").click().run()
    assert app.query_params["sample"] in ("grace_hopper", ["grace_hopper"])
    assert "face" not in app.query_params


def test_what_is_no_longer_available_is_not_part_of_the_link(opened, labeled, monkeypatch):
    app = opened("two_faces")
    labeled(app.segmented_control, "Face").set_value(1).run()
    labeled(app.segmented_control, "Evidence for the class").set_value("bright").run()
    labeled(app.selectbox, "Rather than").set_value("dark").run()
    labeled(app.segmented_control, "Evidence for the class").set_value("dark").run()
    assert link_of(app) == {"face": ["2"], "class": ["dark"]}
    monkeypatch.setattr(services.runtime(), "detector", lambda _: FindsOne(min_score=0.5))
    app.selectbox(key="detector").set_value("haar").run()
    assert link_of(app) == {"detector": ["Haar cascade"], "class": ["dark"]}


def test_what_the_networks_lack_is_a_message_shown_once(opened, page_text, labeled):
    app = opened(**{"class": "contempt", "rather_than": "pain", "stage": "layer99", "networks": "CNN"})
    predicted = labeled(app.segmented_control, "Evidence for the class").value
    text = page_text(app)
    assert (
        "This link requests `contempt` for *Evidence for the class*, which is not available. Available: bright, dark, "
        f"striped. Shown: {predicted}." in text
    )
    assert "This link requests `pain` for *Rather than*, which is not available." in text
    assert "This link requests `layer99` for *Stage*, which is not available. Available: each network's default" in text
    assert labeled(app.selectbox, "Rather than").value == "any other class"
    assert app.selectbox(key="stage").value == "each network's default"
    assert {"class", "rather_than"}.isdisjoint(app.query_params)
    assert link_of(app) == {"networks": ["CNN"]}
    assert "This link requests" not in page_text(app)


def test_a_class_is_not_contrasted_with_itself(opened, page_text, labeled):
    app = opened(**{"class": "dark", "rather_than": "dark"})
    assert (
        "`dark` for *Rather than*, which is not available. Available: any other class, bright, striped."
        in page_text(app)
    )
    assert labeled(app.segmented_control, "Evidence for the class").value == "dark"


def test_unknown_words_and_numbers_are_reported_next_to_the_controls(opened, page_text, show_panel):
    wrong = {"brightness": "9", "blur": "nan", "accuracy": "x", "networks": ["nobody", "CNN"], "panel": "Tarot"}
    app = opened("", sample="grace_hopper", method="voodoo", **wrong)
    text = page_text(app)
    assert "This link requests `voodoo` for *Method*, which is not available. Available: Grad-CAM, " in text
    assert "Shown: Grad-CAM." in text
    assert "`x` for *Required accuracy*; the range is 0.5 to 0.95. Shown: 0.8." in text
    assert "`nobody` for *Networks*, which is not available. Available: CNN, Residual CNN. Shown: CNN." in text
    assert "`Tarot` for *Panel*, which is not available" in text
    text = page_text(show_panel(app, "What if"))
    assert "for *Brightness (fraction)*; the range is -0.5 to 0.5. Shown: 0.5." in text
    assert "`nan` for *Blur (% of side)*; the range is 0 to 10. Shown: 0." in text
    assert app.slider(key="brightness").value == 0.5
    assert app.slider(key="blur").value == 0
    app.run()
    assert "This link requests" not in page_text(app)
    expected = {"networks": ["CNN"], "brightness": ["0.5"], "panel": ["What if"], "sample": ["grace_hopper"]}
    assert link_of(app) == expected


def test_messages_about_the_options_of_the_maps_are_not_folded(opened):
    app = opened(method="voodoo", stage="layer99", opacity="7")
    (options,) = [box for box in app.expander if box.label == "Options of the maps"]
    assert not options.info
    requested = [message.value for message in app.info if message.value.startswith("This link requests")]
    assert len(requested) == 3


def test_the_controls_of_other_pages_are_not_part_of_the_link(opened):
    app = opened()
    app.switch_page("../pages/compare.py").run()
    app.segmented_control(key="group").set_value("Errors").run()
    app.switch_page("../pages/analyze.py").run()
    assert link_of(app) == {}


def test_a_face_the_photo_lacks_is_a_message(opened, page_text):
    app = opened("two_faces", face="99")
    assert "This link requests `99` for *Face*, which is not available. Available: 1, 2. Shown: 1." in page_text(app)
    assert "Face 1 of 2" in page_text(app)
    app.run()
    assert "This link requests" not in page_text(app)


def test_a_link_cannot_write_markdown_on_the_page(opened, page_text):
    text = page_text(opened(method="[free](http://a.example)`**x**`" + "y" * 99))
    assert "`[free](http://a.example)**x**yyyyyyyyy` for *Method*, which" in text


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_opens_from_an_invalid_link(opened, panel):
    nonsense = {"class": "joy", "rather_than": "bright,dark", "face": "99", "method": "tarot", "stage": "9"}
    numbers = {"accuracy": "inf", "noise": "-1", "opacity": "", "mirrored": "perhaps"}
    app = opened(panel=panel, networks="nobody,CNN", methods="tarot", show="x", views="seven", **nonsense, **numbers)
    assert not app.error
    link = link_of(app)
    assert link["accuracy"] == ["0.95"]
    assert link.get("panel", ["Saliency"]) == [panel]


def test_a_parameter_that_the_page_does_not_know_is_reported_once(opened, page_text):
    app = opened("", sample="grace_hopper", zoom="2", **{"`x`": "1"}, brightness="0.2", weight_tiny_cnn="1")
    named = "`zoom`, `x` and `weight_tiny_cnn`"
    assert f"This link has parameters that Analyze does not have: {named}. The other" in page_text(app)
    assert app.query_params["brightness"] == "0.2"  # of a panel that has not been opened
    assert "zoom" not in app.query_params
    app.run()
    assert "This link has" not in page_text(app)


def test_every_control_has_a_listed_parameter_and_every_listed_parameter_a_control():
    sources = [p for folder in ("core/probes", "dashboard", "pages") for p in (ROOT / folder).rglob("*.py")]
    texts = [p.read_text(encoding="utf-8") for p in sources if p.name != "link_names.py"]
    words = {word for text in texts for word in re.findall(r'"(?:\{key\}|\{field\})?(\w+)"', text)}
    for name in {name for names in NAMES.values() for name in names}:
        prefix, _, suffix = name.rpartition("_")
        assert name in words or {prefix, f"_{suffix}"} <= words, f"no control has the parameter {name}"
    with pytest.raises(ValueError, match="'zoom' is missing in the list of Analyze"):
        require("Analyze", "zoom")
    require("Compare", "bins_2")  # of the second comparison
    require("Compare", "weight_cnn")
    for name in ("panel_2", "weight_cnn"):
        with pytest.raises(ValueError, match="is missing in the list of Analyze"):
            require("Analyze", name)


@pytest.mark.parametrize("page", ["overview", "about", "live", "video", "folder", "dataset", "compare"])
def test_every_page_reports_unknown_parameters(networks, page, page_text):
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=120)
    app.run()
    app.switch_page(f"../pages/{page}.py")
    app.query_params["zoom"] = "2"
    app.run()
    assert not app.exception
    assert f"This link has a parameter that {page.capitalize()} does not have: `zoom`." in page_text(app)
    assert "zoom" not in app.query_params


def test_an_invalid_value_is_corrected_in_the_address_at_once(opened):
    app = opened(method="voodoo", networks=["nobody", "CNN"], accuracy="7", views="seven")
    assert app.query_params["networks"] in ("CNN", ["CNN"])
    assert {"method", "views"}.isdisjoint(app.query_params)
    assert app.run().query_params["accuracy"] in ("0.95", ["0.95"])  # Streamlit writes a slider's in the next run


@pytest.mark.parametrize("unknown", [(), ("nobody",)])
def test_names_of_programs_and_titles_can_be_mixed(opened, page_text, unknown):
    app = opened("", networks=["tiny_residual", "CNN", *unknown])
    assert set(app.pills(key="networks").value) == {"tiny_cnn", "tiny_residual"}
    assert ("`nobody`" in page_text(app)) == bool(unknown)  # at once, also without a photo


def test_names_of_programs_are_replaced_by_titles_in_the_address(opened):
    app = opened(networks=["tiny_residual"])
    assert app.pills(key="networks").value == ["tiny_residual"]
    assert app.run().query_params["networks"] in ("Residual CNN", ["Residual CNN"])  # in the next run
    assert link_of(app)["networks"] == ["Residual CNN"]


def test_parameters_read_what_they_write():
    colors = Choice("color", {"r": "red", "g": "green"}, "r")
    assert colors.written("g") == ["green"]
    assert colors.read(["green"]) == ("g", None)
    assert colors.written("r") == []
    several = Choice("color", {"r": "red", "g": "green", "b": "blue"}, ("r", "g"))
    assert several.written(["g", "r"]) == []
    assert several.written([]) == [""]
    assert several.read([""]) == ([], None)
    assert several.read(["red", "blue"]) == (["r", "b"], None)
    value, sentence = several.read(["pink", "blue"])
    assert value == ["b"]
    assert "`pink`" in sentence
    number = Number("opacity", 0, 1, 0.5)
    assert number.written(0.30000000000004) == ["0.3"]
    assert number.read(["0.3"]) == (0.3, None)
    assert number.read(["7"])[0] == 1
    assert Switch("mirror").written(True) == ["true"]
    assert Switch("mirror").read(["TRUE"]) == (True, None)
    assert Switch("ensemble", True).written(False) == ["false"]
    assert Switch("ensemble", True).read(["perhaps"])[0] is True
    page = Number("page", 1, 4, 1, int)
    assert page.read(["3"]) == (3, None)
    assert [page.read([text])[0] for text in ("99", "-1", "2.5", "inf")] == [4, 1, 1, 1]
    loss = Range("loss", 0, 10)
    assert loss.written((0, 10)) == []
    assert loss.read(loss.written((0.5, 2))) == ((0.5, 2), None)
    for texts in (["3"], ["5", "2"], ["nan", "1"], ["0", "11"], ["a", "b"]):
        value, sentence = loss.read(texts)
        assert value == (0, 10)
        assert f"`{texts[0]}`" in sentence
    unset = Choice("class", {"a": "a"}, None)
    assert unset.read(["b"]) == (
        None,
        "This link requests `b` for *class*, which is not available. Available: a. Shown: none.",
    )
    _, sentence = Choice("networks", {"a": "a", "b": "b"}, ("a", "b")).read(["x", "y"])
    assert "requests `x` and `y` for *networks*, which are not available." in sentence
