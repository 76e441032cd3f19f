"""Where YuNet's model file comes from: the user's path, the environment, the cache, the network."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from core.errors import DetectorUnavailableError
from core.faces import detector
from core.faces.model_file import DownloadError, fetch
from core.faces.yunet import FILE_NAME, PATH_VARIABLE, SHA256, URL, cache_folder

CONTENT = b"not a model, but bytes"
HASH = hashlib.sha256(CONTENT).hexdigest()


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:9] if self.path == "/short" else CONTENT)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server():
    with HTTPServer(("127.0.0.1", 0), Answer) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_file_is_fetched_once_and_then_read_from_the_cache(server, tmp_path):
    cached = tmp_path / "new" / "file.onnx"
    assert fetch(f"{server}/file", cached, HASH) == CONTENT
    assert fetch(f"{server}/gone", cached, HASH) == CONTENT
    assert [path.name for path in cached.parent.iterdir()] == ["file.onnx"]


def test_a_wrong_file_is_neither_used_nor_left_behind(server, tmp_path):
    cached = tmp_path / "file.onnx"
    with pytest.raises(DownloadError, match=r"expected a file with SHA-256 0000.*got 22 bytes"):
        fetch(f"{server}/file", cached, "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_cache_is_replaced(server, tmp_path):
    cached = tmp_path / "file.onnx"
    cached.write_bytes(CONTENT[:5])
    assert fetch(f"{server}/file", cached, HASH) == CONTENT
    assert cached.read_bytes() == CONTENT
    cached.write_bytes(CONTENT[:5])
    with pytest.raises(DownloadError):
        fetch(f"{server}/gone", cached, HASH)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/gone", "/short"])
def test_a_failing_server_is_a_download_error(server, tmp_path, path):
    with pytest.raises(DownloadError):
        fetch(server + path, tmp_path / "file.onnx", HASH)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="cannot be written"):
        fetch(f"{server}/file", tmp_path / "file" / "model.onnx", HASH)


@pytest.fixture
def closed_network(monkeypatch, tmp_path):
    """No file given, an empty cache, and a proxy that nobody answers at."""
    monkeypatch.delenv(PATH_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY", raising=False)


def test_without_file_and_network_the_remedies_are_named(closed_network, tmp_path):
    with pytest.raises(DetectorUnavailableError, match=f"could not be fetched.*download {URL}.*FERSCOPE_YUNET.*Haar"):
        detector("yunet")
    assert not list(tmp_path.rglob("*.onnx"))


def test_a_cached_file_with_another_hash_is_not_used(closed_network):
    cache_folder().mkdir(parents=True)
    (cache_folder() / FILE_NAME).write_bytes(CONTENT)
    with pytest.raises(DetectorUnavailableError):
        detector("yunet")
    assert not (cache_folder() / FILE_NAME).exists()


def test_a_path_that_leads_nowhere_is_named(closed_network, monkeypatch, tmp_path):
    with pytest.raises(DetectorUnavailableError, match=r"expected YuNet's model file at .*none.onnx.*No such file"):
        detector("yunet", path=tmp_path / "none.onnx")
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path))
    with pytest.raises(DetectorUnavailableError, match="cannot be read"):
        detector("yunet")


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\n", bytes(5000)])
def test_a_file_that_is_no_model_is_named(tmp_path, content):
    path = tmp_path / "own.onnx"
    path.write_bytes(content)
    with pytest.raises(DetectorUnavailableError, match=r"own.onnx is not a YuNet model that OpenCV"):
        detector("yunet", path=path)


def test_the_environment_names_the_file(yunet, portrait):
    assert detector("yunet").detect(portrait)[0].box == yunet.detect(portrait)[0].box


def test_the_pinned_file_is_the_official_one():
    assert Path(URL).name == FILE_NAME
    assert URL.startswith("https://github.com/opencv/opencv_zoo/raw/")
    assert len(SHA256) == 64
