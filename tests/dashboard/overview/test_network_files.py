"""The download of a network on Overview."""

import json
import shutil
from pathlib import Path

import onnxruntime
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import checkpoints
from dashboard.overview import network_files

ENTRY = Path(network_files.__file__).parents[1] / "app.py"


@pytest.fixture
def app(checkpoint_root, tmp_path, monkeypatch):
    """Overview with one network that can be exported and one that is damaged."""
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    (root / "tiny_residual" / "weights.safetensors").write_bytes(b"damaged")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    return AppTest.from_file(ENTRY, default_timeout=60).run()


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
