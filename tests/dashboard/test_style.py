import itertools
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from core import checkpoints
from dashboard.style import (
    DARK,
    LIGHT,
    Ink,
    class_color,
    distinguish,
    ensemble_style,
    network_styles,
    on_light,
    template,
)
from dashboard.ui import network_picker

ROOT = Path(__file__).resolve().parents[2]
PAPERS = ("backgroundColor", "secondaryBackgroundColor")


def luminance(color: str) -> float:
    """Relative luminance as defined by WCAG 2.1."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def mixed(color: str, ground: str, opacity: float) -> str:
    """A color with this opacity on a ground."""
    pairs = zip(bytes.fromhex(color[1:]), bytes.fromhex(ground[1:]), strict=True)
    return "#" + bytes(round(opacity * top + (1 - opacity) * below) for top, below in pairs).hex()


@pytest.mark.parametrize("inks", [LIGHT, DARK])
def test_text_and_hues_of_figures_can_be_read(inks: Ink):
    assert contrast(inks.text, inks.paper) >= 7
    assert contrast(inks.muted, inks.paper) >= 4.5
    assert all(contrast(hue, inks.paper) >= 3 for hue in inks.hues)


@pytest.mark.parametrize("inks", [LIGHT, DARK])
def test_the_text_under_the_pointer_can_be_read_whatever_the_color_of_the_point(inks: Ink):
    label = template(inks).layout.hoverlabel
    assert contrast(label.font.color, label.bgcolor) >= 7


@pytest.fixture(params=["light", "dark"])
def theme(request) -> dict[str, Any]:
    """The colors of one theme of the pages."""
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"][request.param]


def papers(theme: dict[str, Any]) -> list[str]:
    """The colors behind text: pages, widgets, and both in the sidebar."""
    return [colors[name] for colors in (theme, theme["sidebar"]) for name in PAPERS]


def test_text_links_and_selected_controls_can_be_read(theme):
    for paper in papers(theme):
        assert contrast(theme["textColor"], paper) >= 7
        assert contrast(theme["linkColor"], paper) >= 4.5
        tint = mixed(theme["primaryColor"], paper, 0.1)  # behind the selected option of a control
        assert contrast(theme["primaryColor"], tint) >= 4.5


def test_captions_can_be_read_on_the_page_and_in_the_sidebar(theme):
    for paper in papers(theme):
        assert contrast(mixed(theme["textColor"], paper, 0.6), paper) >= 4.5  # Streamlit's opacity


def test_no_button_has_white_text_on_the_accent_of_the_dark_theme():
    """Streamlit writes white on the accent for buttons of the type "primary"; on that of the dark theme it is faint."""
    sources = [path for folder in ("dashboard", "pages") for path in (ROOT / folder).rglob("*.py")]
    assert [path for path in sources if 'type="primary"' in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("inks", [LIGHT, DARK])
def test_networks_differ_in_hue_and_marker_even_within_a_family(inks: Ink):
    networks = {"a": "cnn", "b": "residual_cnn", "c": "resnet50", "d": "cnn", "e": "unknown"}
    styles = network_styles(networks, inks)
    for first, second in itertools.combinations([*styles.values(), ensemble_style(inks)], 2):
        assert first.color != second.color
        assert first.symbol != second.symbol
    assert [styles[m].symbol for m in "abc"] == ["circle", "square", "diamond"]
    assert [styles[m].color for m in "abc"] == list(inks.hues[:3])


def test_more_networks_than_hues_still_have_a_style():
    styles = network_styles({f"n{i}": "cnn" for i in range(12)}, LIGHT)
    assert len({(s.symbol, s.dash, s.color) for s in styles.values()}) >= 5


def test_a_network_has_the_same_style_in_every_selection(checkpoint_root, monkeypatch, tmp_path):
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    shutil.copytree(root / "tiny_cnn", root / "tiny_cnn_2")
    card = json.loads((root / "tiny_cnn_2" / "card.json").read_text())
    (root / "tiny_cnn_2" / "card.json").write_text(json.dumps(card | {"run_id": "tiny_cnn_2"}))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    installed = list(checkpoints.list_checkpoints(root).checkpoints)
    together = network_picker.styles(installed, LIGHT)
    assert len({style.color for style in together.values()}) == len(installed) == 3
    for checkpoint in installed:
        assert network_picker.styles([checkpoint], LIGHT) == {checkpoint.card.run_id: together[checkpoint.card.run_id]}


def test_a_dark_style_has_its_light_hue_in_a_report():
    dark, light = network_styles({"a": "resnet50"}, DARK), network_styles({"a": "resnet50"}, LIGHT)
    assert on_light(dark["a"]) == light["a"]
    assert on_light(ensemble_style(DARK)) == ensemble_style(LIGHT)


def test_the_classes_of_an_own_data_set_have_different_hues():
    names = [f"class {number}" for number in range(7)]
    distinguish(["another class"])
    distinguish(["happy", *names])
    assert len({class_color(name) for name in names}) == len(names)
    assert class_color(names[1]) == class_color(names[1])


def test_the_shipped_networks_have_different_markers():
    cards = [c.card for c in checkpoints.list_checkpoints().checkpoints]
    styles = network_styles({card.run_id: card.architecture for card in cards}, LIGHT)
    assert len({style.symbol for style in styles.values()}) == len(cards)
