"""The app on small trained networks, and runs with given answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.evaluation import EvaluationRun
from core.labels import LabelSet
from dashboard.theme import LIGHT, Ink

ENTRY = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
TEXTS = ("title", "markdown", "caption", "info", "warning", "error", "success")


@pytest.fixture
def networks(checkpoint_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app sees the tests' networks instead of the shipped ones, and no data set."""
    monkeypatch.setattr(checkpoints, "ROOT", checkpoint_root)
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()
    return checkpoint_root


@pytest.fixture(scope="session")
def open_view() -> Callable[..., AppTest]:
    """Compare at one of its views; further arguments are the rest of the link."""

    def opened(view: str, **link: str) -> AppTest:
        app = AppTest.from_file(ENTRY, default_timeout=60)
        for key, value in {"view": view, **link}.items():
            app.query_params[key] = value
        app.run()
        app.switch_page("../pages/compare.py").run()
        assert not app.exception, app.exception
        return app

    return opened


@pytest.fixture(scope="session")
def said() -> Callable[[AppTest], str]:
    """Every text on the page."""
    return lambda app: "\n".join(element.value for kind in TEXTS for element in getattr(app, kind))


@pytest.fixture(scope="session")
def inks() -> Ink:
    """The inks of a light page."""
    return LIGHT


@pytest.fixture(scope="session")
def answering() -> Callable[..., EvaluationRun]:
    """A run that gives certain answers, each with the same confidence: ``answering(truth, predicted)``."""

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
