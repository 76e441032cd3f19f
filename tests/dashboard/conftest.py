"""The app on small trained networks, and runs with given predictions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.data import facts_for, ferplus_majority, image_facts
from core.data.info import FER2013, FERPLUS
from core.evaluation import EvaluationRun
from core.labels import FER7, FERPLUS8, LabelSet
from core.sample_photos import sample_photos
from dashboard.compare import scores
from dashboard.compare.panels import GROUPS
from dashboard.style import LIGHT, Ink
from tests.wrapped_tables import wrapped_tables

ENTRY = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
TEXTS = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "success")


@pytest.fixture
def networks(checkpoint_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app sees the tests' networks instead of the shipped ones, and no data set."""
    monkeypatch.setattr(checkpoints, "ROOT", checkpoint_root)
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()
    return checkpoint_root


def store_predictions(path: Path, run: EvaluationRun, *, title: str, data: dict[str, Any]) -> None:
    """Store predictions for that data set in ``path``, a copy of a trained network."""
    run.save(path / "predictions-test.parquet")
    card = json.loads((path / "card.json").read_text())
    card |= {"title": title, "temperature": 1.0, "labels": {"name": run.labels.name, "classes": run.labels.classes}}
    card["data"] |= data
    (path / "card.json").write_text(json.dumps(card))


@pytest.fixture
def fer_networks(checkpoint_root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Generated predictions for PrivateTest: a network on its labels that fails on dark images, and one on FER+."""
    shipped = checkpoints.list_checkpoints().checkpoints[0].card.data.fingerprint
    table = facts_for(shipped)
    facts = table.at(table.ids[table.split == "test"])
    random = np.random.default_rng(0)
    logits = random.normal(size=(len(facts), 7)) + 4 * np.eye(7)[facts.truth] * (facts.brightness > 90)[:, None]
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    plain = EvaluationRun(
        "tiny_cnn", "test", FER7, facts.ids, facts.truth, logits.astype(np.float32), facts.copy_in_train
    )
    store_predictions(
        root / "tiny_cnn", plain, title="CNN", data=asdict(replace(FER2013, fingerprint=table.fingerprints[0]))
    )
    majority = ferplus_majority(facts.votes.astype(np.int64))
    kept = majority >= 0
    votes = random.normal(size=(kept.sum(), 8)) + 3 * np.eye(8)[majority[kept]]
    ferplus = EvaluationRun("tiny_residual", "test", FERPLUS8, facts.ids[kept], majority[kept], votes)
    store_predictions(
        root / "tiny_residual",
        ferplus,
        title="FER+ CNN",
        data=asdict(replace(FERPLUS, fingerprint=table.fingerprints[1])),
    )
    monkeypatch.setattr(checkpoints, "ROOT", root)
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()
    return root


@pytest.fixture
def facts_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A separate folder for tables of image facts, initially empty."""
    folder = tmp_path / "facts"
    folder.mkdir()
    monkeypatch.setattr(image_facts, "FOLDER", folder)
    st.cache_resource.clear()
    return folder


@pytest.fixture(scope="session")
def open_view() -> Callable[..., AppTest]:
    """Compare at one of its panels; further arguments are the rest of the link."""

    def opened(view: str, **link: str) -> AppTest:
        app = AppTest.from_file(ENTRY, default_timeout=60)
        group = next((name for name, panels in GROUPS.items() if view in panels), list(GROUPS)[-1])
        app.run()  # at Overview
        for key, value in {"group": group, "view": view, **link}.items():
            app.query_params[key] = value
        app.switch_page("../pages/compare.py").run()
        assert not app.exception, app.exception
        return app

    return opened


@pytest.fixture(scope="session")
def open_analyze() -> Callable[..., AppTest]:
    """Analyze opened by a link, with a portrait by its name, with files by their names, or without a photo ("")."""

    def opened(photos: Mapping[str, bytes] | str = "grace_hopper", **link: str | list[str]) -> AppTest:
        app = AppTest.from_file(ENTRY, default_timeout=120)
        app.run()  # at Overview
        for key, value in link.items():
            app.query_params[key] = value
        app.switch_page("../pages/analyze.py").run()
        assert not app.exception, app.exception
        files = {"photo.jpg": sample_photos()[photos].data} if isinstance(photos, str) and photos else photos
        if files:
            for name, data in files.items():
                app.file_uploader(key="uploads").upload(name, data)
            app.run()
            assert not app.exception, app.exception
        return app

    return opened


@pytest.fixture(scope="session")
def show_panel() -> Callable[[AppTest, str], AppTest]:
    """Open a panel of Analyze by its tab."""

    def shown(app: AppTest, panel: str) -> AppTest:
        app.session_state["panel"] = panel
        app.query_params["panel"] = panel  # as the browser does; the test framework does not know tabs
        app.run()
        assert not app.exception, app.exception
        return app

    return shown


@pytest.fixture(scope="session")
def labeled() -> Callable[..., Any]:
    """The first of the widgets with that label."""
    return lambda widgets, label: next(w for w in widgets if w.label == label)


@pytest.fixture(scope="session")
def page_text() -> Callable[[AppTest], str]:
    """All text on the page."""
    return lambda app: "\n".join(element.value for kind in TEXTS for element in getattr(app, kind))


@pytest.fixture(scope="session")
def tables() -> Callable[[AppTest], list[pd.DataFrame]]:
    """The tables of the page that wrap, from top to bottom, without the folded one that every panel of Compare has;
    long lists are in ``app.dataframe``."""

    def shown(app: AppTest) -> list[pd.DataFrame]:
        folded = [table for box in app.expander if box.label == scores.FOLDED for table in wrapped_tables(box)]
        return [table for table in wrapped_tables(app) if not any(table.equals(other) for other in folded)]

    return shown


@pytest.fixture(scope="session")
def by_network() -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A table with one column per network as one row per network."""
    return lambda table: table.set_index(table.columns[0]).T


@pytest.fixture(scope="session")
def inks() -> Ink:
    """The inks of a light page."""
    return LIGHT


@pytest.fixture(scope="session")
def predicted_run() -> Callable[..., EvaluationRun]:
    """A run with given predictions, all with the same confidence: ``predicted_run(truth, predicted)``."""

    def make(
        truth: Sequence[int], predicted: Sequence[int], model_id: str = "network", confidence: float = 0.8, **fields
    ) -> EvaluationRun:
        labels = LabelSet("letters", ("a", "b", "c"))
        p = np.full((len(truth), 3), (1 - confidence) / 2)
        p[np.arange(len(truth)), list(predicted)] = confidence
        values = {
            "model_id": model_id,
            "split": "test",
            "labels": labels,
            "image_ids": np.arange(len(truth)) + 100,
            "truth": np.asarray(truth),
            "logits": np.log(p),
        }
        return EvaluationRun(**(values | fields))

    return make
