"""The download of a network on Overview."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import onnxruntime
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.errors import ExportError
from dashboard.overview import network_files
from dashboard.services import exports

ENTRY = Path(network_files.__file__).parents[1] / "app.py"


@pytest.fixture
def app(checkpoint_root, tmp_path, monkeypatch):
    """Overview with one network that can be exported and one that is damaged."""
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    (root / "tiny_residual" / "weights.safetensors").write_bytes(b"damaged")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    return AppTest.from_file(ENTRY, default_timeout=240).run()


def test_a_network_is_created_on_request_and_a_damaged_one_is_one_sentence(app):
    assert "export-download" not in [element.key for element in app.get("download_button")]
    app.button(key="export-create").click().run()
    assert not app.exception
    (key, data) = app.session_state[network_files.STORED]
    assert key[:2] == ("tiny_cnn", "onnx")
    entries = onnxruntime.InferenceSession(data).get_modelmeta().custom_metadata_map
    assert json.loads(entries["labels"]) == ["bright", "dark", "striped"]

    app.selectbox(key="export-network").select("tiny_residual").run()
    app.button(key="export-create").click().run()
    assert not app.exception
    assert any("is not the file that its card describes" in error.value for error in app.error)
    assert network_files.STORED not in app.session_state


class Stopped(BaseException):
    """What ends a script after a click, as far as a computation can see."""


@pytest.fixture
def processes(monkeypatch):
    """The processes that are started."""
    started, popen = [], subprocess.Popen
    monkeypatch.setattr(exports.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    return started


def test_a_click_ends_the_conversion_and_its_process(checkpoint_root, processes):
    def click(_done, _total):
        raise Stopped

    with pytest.raises(Stopped):
        exports.exported_file(checkpoints.list_checkpoints(checkpoint_root).get("tiny_cnn"), "onnx", click)
    assert [process.returncode for process in processes] == [-signal.SIGKILL]


def test_a_conversion_whose_process_is_killed_is_one_sentence(checkpoint_root, processes):
    with pytest.raises(ExportError, match=r"ended with status -9 before it was finished.*try again") as error:
        exports.exported_file(
            checkpoints.list_checkpoints(checkpoint_root).get("tiny_cnn"), "onnx", lambda *_: processes[0].kill()
        )
    assert "\n" not in str(error.value)


def test_a_stopped_conversion_is_reported_until_another_one_begins(app):
    weights = checkpoints.list_checkpoints(checkpoints.ROOT).get("tiny_cnn").card.weights_sha256
    app.session_state[f"stopped-{network_files.WORK}"] = ("tiny_cnn", "onnx", weights)
    app.run()
    assert "Stopped; no file was created." in [caption.value for caption in app.caption]
    app.button(key="export-create").click().run()
    assert not app.exception
    assert "Stopped; no file was created." not in [caption.value for caption in app.caption]
