"""Where YuNet's model file comes from: the user's path, the environment, the cache, two mirrors."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core.errors import DetectorUnavailableError
from core.faces import detector
from core.faces import yunet as yunet_module
from core.faces.yunet import FILE_NAME, PATH_VARIABLE, SHA256, URLS, cache_folder

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


@pytest.fixture
def fetched(monkeypatch, tmp_path, server):
    """Fetches the model file from paths of the local server into an empty cache."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(yunet_module, "SHA256", HASH)

    def fetch(*paths: str) -> bytes:
        monkeypatch.setattr(yunet_module, "URLS", tuple(server + path for path in paths))
        return yunet_module._fetched().read_bytes()

    return fetch


def stored_files() -> list[str]:
    return [path.name for path in cache_folder().glob("*")]


def test_a_file_is_fetched_once_and_then_read_from_the_cache(fetched):
    assert fetched("/file") == CONTENT
    assert fetched("/gone") == CONTENT
    assert stored_files() == [FILE_NAME]


def test_the_second_mirror_is_used_where_the_first_fails(fetched):
    assert fetched("/gone", "/file") == CONTENT


def test_a_wrong_file_is_neither_used_nor_left_behind(fetched, monkeypatch):
    monkeypatch.setattr(yunet_module, "SHA256", "0" * 64)
    with pytest.raises(DetectorUnavailableError, match=r"could not be fetched \(127.0.0.1: ValueError"):
        fetched("/file")
    assert stored_files() == []


def test_a_damaged_cache_is_replaced(fetched):
    cache_folder().mkdir()
    (cache_folder() / FILE_NAME).write_bytes(CONTENT[:5])
    assert fetched("/file") == CONTENT


@pytest.mark.parametrize("path", ["/gone", "/short"])
def test_a_failing_server_leaves_no_file(fetched, path):
    with pytest.raises(DetectorUnavailableError, match="could not be fetched"):
        fetched(path)
    assert stored_files() == []


def test_a_cache_that_cannot_be_written_is_an_error(fetched, tmp_path):
    (tmp_path / "ferscope").write_text("in the way")
    with pytest.raises(DetectorUnavailableError, match="could not be fetched"):
        fetched("/file")


@pytest.fixture
def closed_network(monkeypatch, tmp_path):
    """No file given, an empty cache, and a proxy that does not respond."""
    monkeypatch.delenv(PATH_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)


def test_without_file_and_network_the_remedies_are_named(closed_network, tmp_path):
    with pytest.raises(
        DetectorUnavailableError, match=f"could not be fetched.*download {URLS[0]}.*FERSCOPE_YUNET.*mtcnn"
    ):
        detector("yunet")
    assert not list(tmp_path.rglob("*.onnx"))


def test_a_cached_file_with_another_hash_is_not_used(closed_network):
    cache_folder().mkdir(parents=True)
    (cache_folder() / FILE_NAME).write_bytes(CONTENT)
    with pytest.raises(DetectorUnavailableError):
        detector("yunet")


def test_an_absent_path_is_named(closed_network, monkeypatch, tmp_path):
    with pytest.raises(DetectorUnavailableError, match=r"expected YuNet's model file at .*none.onnx.*No such file"):
        detector("yunet", path=tmp_path / "none.onnx")
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path))
    with pytest.raises(DetectorUnavailableError, match="cannot be read"):
        detector("yunet")


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\n", bytes(5000)])
def test_a_file_that_is_not_a_model_is_named(tmp_path, content):
    path = tmp_path / "own.onnx"
    path.write_bytes(content)
    with pytest.raises(DetectorUnavailableError, match=r"own.onnx is not a YuNet model that OpenCV"):
        detector("yunet", path=path)


def test_the_environment_names_the_file(yunet, portrait):
    assert detector("yunet").detect(portrait)[0].box == yunet.detect(portrait)[0].box


def test_the_pinned_file_has_two_mirrors():
    assert len({url.split("/")[2] for url in URLS}) == 2
    assert all(url.endswith(FILE_NAME) for url in URLS)
    assert len(SHA256) == 64
