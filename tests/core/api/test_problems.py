"""What cannot be answered has a status and one sentence, as application/problem+json."""

import io
import json
import logging
import shutil
import tempfile

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Mount

from core.api.application import application
from core.api.limits import Limits, limits_from, table, variable_of
from core.api.uploads import FIELD
from core.errors import SettingError
from core.runtime import Runtime
from core.sample_photos import sample_photos
from tests.core.api.conftest import connected


def picture(width, height, kind="PNG", color="gray"):
    file = io.BytesIO()
    Image.new("RGB", (width, height), color).save(file, kind)
    return file.getvalue()


def problem(answer, status):
    """The sentence of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status)
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["detail"][0].isupper() or body["detail"][0].isdigit()
    assert body["detail"][-1] == "."
    assert "Traceback" not in body["detail"]
    return body["detail"]


IMAGE = {"content-type": "image/jpeg"}
FORM = {"content-type": "multipart/form-data; boundary=x"}
CUT_OFF = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nabc'


@pytest.mark.parametrize(
    ("status", "sentence", "request_"),
    [
        (400, "The body is empty", {"headers": IMAGE, "content": b""}),
        (400, "truncated before its last boundary", {"headers": FORM, "content": CUT_OFF}),
        (400, "cannot be read", {"headers": FORM, "content": b"no form"}),
        (400, "cannot be read", {"headers": {"content-type": "multipart/form-data"}, "content": b"x"}),
        (400, "The form has no photo", {"headers": FORM, "content": b"--x--\r\n"}),
        (400, "got the field 'file'", {"files": {"file": b"abc"}}),
        (400, "got text; with curl: -F files=@photo.jpg", {"files": {"files": (None, b"abc")}}),
        (400, "options belong in the address", {"files": {FIELD: b"abc"}, "data": {"networks": "tiny_cnn"}}),
        (413, "at most 16 photos", {"files": [(FIELD, b"abc")] * 10_000}),
        (413, "A photo may be at most 30 MB", {"headers": IMAGE, "content": bytes(30_000_001)}),
        (413, "at most 50 megapixels", {"headers": IMAGE, "content": picture(8000, 8000)}),
        (415, "got 'text/plain'", {"headers": {"content-type": "text/plain"}, "content": b"abc"}),
        (415, "got none", {"content": b"abc"}),
        (422, "got a PDF document", {"headers": IMAGE, "content": b"%PDF-1.7"}),
        (422, "truncated or damaged", {"headers": IMAGE, "content": sample_photos()["grace_hopper"].data[:20_000]}),
        (422, "a.jpg: Expected a photo, got a text file", {"files": [(FIELD, ("a.jpg", b"abc"))] * 2}),
        (422, "There is no network 'nobody'", {"params": {"networks": "nobody"}}),
        (422, "No face detector 'eyes'", {"params": {"detector": "eyes"}}),
        (422, "The option temperature cannot be used", {"params": {"temperature": "warm"}}),
        (422, "finite number", {"params": {"temperature": "nan"}}),
        (422, "The option maps cannot be used", {"params": {"maps": "gif"}}),
        (422, "The option 'network' is not known; /docs lists all options", {"params": {"network": "tiny_cnn"}}),
        (422, "unknown saliency method 'magic'", {"url": "/explain", "params": {"method": "magic"}}),
        (422, "no stage 'stage 9'", {"url": "/explain", "params": {"stage": "stage 9"}}),
        (422, "has no class 'contempt'", {"url": "/explain", "params": {"expression": "contempt"}}),
        (
            422,
            "The network tiny_cnn cannot be explained: this network has no stage 'stage 9'",
            {"url": "/explain", "params": {"stage": "stage 9"}},
        ),
        (
            422,
            "The network tiny_cnn cannot be explained: the label set custom has no class 'x'",
            {"url": "/explain", "params": {"expression": "x"}},
        ),
        (422, "'Dark' and 'dark' both", {"url": "/explain", "params": {"expression": "Dark", "against": "dark"}}),
        (422, "The option temperature is given more than once", {"params": {"temperature": [1, 5]}}),
        (
            422,
            "The option method is given more than once",
            {"url": "/explain", "params": {"method": ["gradcam", "layercam"]}},
        ),
        (422, "needs the option expression", {"url": "/explain", "params": {"against": "dark"}}),
        (422, "two different classes", {"url": "/explain", "params": {"expression": "dark", "against": "dark"}}),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(client, portrait, status, sentence, request_):
    if not {"content", "files"} & set(request_):
        request_ = {"files": {FIELD: portrait}, **request_}
    answer = client.post(request_.pop("url", "/predict"), **request_)
    assert sentence.lower() in problem(answer, status).lower()


@pytest.mark.parametrize(
    ("charset", "name"), [("utf-7", b"+2AA-"), ("unicode_escape", rb"\ud800"), ("undefined", b"a")]
)
def test_a_form_in_another_encoding_is_refused(client, portrait, charset, name):
    content = CUT_OFF.replace(b'"a"', b'"' + name + b'.jpg"').replace(b"abc", portrait) + b"\r\n--x--\r\n"
    headers = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
    answer = client.post("/predict", headers=headers, content=content)
    assert f"in UTF-8, got the charset '{charset}'; send the form without" in problem(answer, 400)
    headers = {"content-type": "multipart/form-data; boundary=x; charset=UTF-8"}
    assert client.post("/predict", headers=headers, content=content).status_code == 200


def test_addresses_and_methods_that_do_not_exist(client):
    assert "no endpoint at /models/a/b; /docs lists all endpoints" in problem(client.get("/models/a/b"), 404)
    assert "There is no network 'nobody'" in problem(client.get("/models/nobody"), 404)
    assert "There is no network 'nobody'" in problem(client.get("/models/nobody/metrics"), 404)
    answer = client.get("/predict")
    assert "use POST" in problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_below_another_path_the_documentation_is_named_with_that_path(runtime):
    app = Starlette(routes=[Mount("/fer/api", application(runtime, Limits()))])
    with connected(app) as client:
        assert "/fer/api/docs lists all endpoints" in problem(client.get("/fer/api/models/a/b"), 404)


def test_limits_that_are_set_apply(runtime, portrait):
    group = Image.open(io.BytesIO(sample_photos()["two_faces"].data))
    limits = Limits(photo_mb=0.06, request_mb=0.1, megapixels=1, files=2, faces=1)
    with connected(application(runtime, limits)) as client:
        assert "at most 1 faces" in problem(client.post("/predict", files={FIELD: shrunk(group, 40)}), 413)
        assert "at most 1 megapixels" in problem(client.post("/predict", files={FIELD: picture(1001, 1000)}), 413)
        assert "at most 0.06 MB" in problem(client.post("/predict", files={FIELD: portrait}), 413)
        assert "at most 0.1 MB" in problem(client.post("/predict", files={FIELD: bytes(200_000)}), 413)
        assert "at most 2 photos" in problem(client.post("/predict", files=[(FIELD, b"a")] * 3), 413)
        # One photo above a limit does not spoil the other.
        files = [(FIELD, ("large.png", picture(1001, 1000))), (FIELD, ("one.png", picture(100, 100)))]
        large, one = client.post("/predict", files=files).json()["photos"]
        assert "at most 1 megapixels" in large["error"]
        assert one["error"] is None


def shrunk(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def test_without_networks_the_server_is_not_ready(tmp_path, portrait):
    with connected(application(Runtime(tmp_path, "cpu"), Limits())) as client:
        assert client.get("/health").status_code == 200
        assert "There is no trained network" in problem(client.get("/ready"), 503)
        assert "There is no trained network" in problem(client.post("/predict", files={FIELD: portrait}), 503)


def test_damaged_predictions_are_not_a_mistake_of_the_client(checkpoint_root, tmp_path):
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    (root / "tiny_cnn" / "predictions-val.parquet").write_bytes(b"cut")
    with connected(application(Runtime(root, "cpu"), Limits())) as client:
        assert "predictions-val.parquet cannot be read" in problem(client.get("/models/tiny_cnn/metrics"), 503)
        assert client.get("/models/tiny_residual/metrics").status_code == 200


def test_a_damaged_network_is_not_a_mistake_of_the_client(checkpoint_root, tmp_path, portrait):
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    (root / "tiny_cnn" / "weights.safetensors").unlink()
    with connected(application(Runtime(root, "cpu"), Limits())) as client:
        for answer in (
            client.post("/predict", params={"networks": "tiny_cnn"}, files={FIELD: portrait}),
            client.get("/models/tiny_cnn"),
        ):
            assert answer.status_code == 503
            assert "tiny_cnn: weights.safetensors is missing" in answer.json()["detail"]
        assert "There is no network 'other'" in problem(client.get("/models/other"), 404)


def test_a_token_is_needed_where_one_is_set(runtime, portrait):
    with connected(application(runtime, Limits(token="s3cret"))) as client:
        for headers in ({}, {"authorization": "Bearer s3cret "[:-2]}, {"authorization": "Basic s3cret"}):
            answer = client.post("/predict", files={FIELD: portrait}, headers=headers)
            assert "Authorization: Bearer" in problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
        assert problem(client.get("/models"), 401)
        assert problem(client.get("/metrics"), 401)
        assert client.get("/health").status_code == 200
        answer = client.post("/predict", files={FIELD: portrait}, headers={"authorization": "Bearer s3cret"})
        assert answer.status_code == 200


def test_other_web_pages_are_allowed_only_where_they_are_named(client, runtime):
    headers = {"origin": "https://example.org"}
    assert "access-control-allow-origin" not in client.get("/models", headers=headers).headers
    with connected(application(runtime, Limits(origins="https://example.org"))) as client:
        answer = client.get("/models", headers=headers)
        assert answer.headers["access-control-allow-origin"] == "https://example.org"
        asked = {**headers, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        assert client.options("/predict", headers=asked).status_code == 200
        other = client.get("/models", headers={"origin": "https://example.net"})
        assert "access-control-allow-origin" not in other.headers


def test_photos_are_neither_written_nor_logged(client, monkeypatch, caplog):
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    assert len(file.getvalue()) > 5_000_000
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")  # a temporary file would be an error
    with caplog.at_level(logging.DEBUG):
        answer = client.post("/predict", files={FIELD: ("private.png", file.getvalue())}, params={"whole_image": True})
    assert answer.status_code == 200
    assert "private" not in "".join(record.getMessage() for record in caplog.records)


def test_limits_are_read_from_the_environment():
    given = {variable_of("photo_mb"): "2.5", variable_of("token"): "s3cret", "OTHER": "1"}
    limits = limits_from(given)
    assert (limits.photo_mb, limits.token, limits.queue) == (2.5, "s3cret", Limits().queue)
    assert "s3cret" not in repr(limits)
    with pytest.raises(SettingError, match=r"FERSCOPE_API_QUEUE .*greater than or equal to 1, got '0'"):
        limits_from({variable_of("queue"): "0"})
    with pytest.raises(SettingError, match=r"FERSCOPE_API_SECONDS .*valid number"):
        limits_from({variable_of("seconds"): "soon"})


def test_the_document_describes_its_problems(client):
    document = client.get("/openapi.json").json()
    described = document["paths"]["/predict"]["post"]["responses"]
    assert {"200", "400", "413", "415", "422", "429", "503"} == set(described)
    assert all("application/problem+json" in r["content"] for status, r in described.items() if status != "200")
    assert "HTTPValidationError" not in json.dumps(document)
    assert table().count("FERSCOPE_API_") == len(Limits.model_fields)
