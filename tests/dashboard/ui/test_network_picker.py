"""Networks whose weights are not shipped: shown on Compare, named with the remedy where networks predict."""

import shutil

import pytest

from core import checkpoints
from core.checkpoints import load_checkpoint
from tests.conftest import withhold_weights


@pytest.fixture
def one_without_weights(networks, tmp_path, monkeypatch):
    root = shutil.copytree(networks, tmp_path / "networks")
    withhold_weights(load_checkpoint(root / "tiny_cnn"))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    return root


def test_analyze_offers_the_others_and_says_how_to_train_it(one_without_weights, open_analyze):
    app = open_analyze()
    assert app.pills(key="networks").options == ["Residual CNN"]
    (command,) = (code.value for code in app.sidebar.code)
    assert command.startswith("python -m core train tiny_cnn --data ")


def test_compare_shows_its_scores(one_without_weights, open_view, tables):
    app = open_view("Overview", networks=["CNN", "Residual CNN"])
    assert "Networks without weights" not in [box.label for box in app.expander]
    assert {"CNN", "Residual CNN"} <= set(tables(app)[0].columns)


def test_a_selection_of_compare_outlasts_a_page_that_predicts(one_without_weights, open_view):
    app = open_view("Overview", networks=["CNN"])
    assert app.pills(key="networks").value == ["tiny_cnn"]
    app.switch_page("../pages/analyze.py").run()
    assert app.pills(key="networks").value == ["tiny_residual"]  # the network without weights is not offered
    app.switch_page("../pages/compare.py").run()
    assert app.pills(key="networks").value == ["tiny_cnn"]
    assert not app.exception
