"""Answers equal those of the command line for the same photos and options."""

import base64
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.api.application import application
from core.api.limits import Limits
from core.cli import app as cli
from core.explain import Contrast
from core.images import decode
from core.inference import explain_face
from core.runtime import Runtime
from core.sample_photos import sample_photos
from tests.core.api.conftest import connected


def command(*arguments, status=0):
    """The JSON value that a command prints."""
    done = CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return json.loads(done.stdout)


def in_order(value):
    return json.dumps(value, sort_keys=True)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder with two photos and a file that is none; names are relative to it."""
    for name in ("grace_hopper", "two_faces"):
        (tmp_path / f"{name}.jpg").write_bytes(sample_photos()[name].data)
    (tmp_path / "notes.jpg").write_text("no photo")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def form(*names):
    return [("files", (name, Path(name).read_bytes(), "image/jpeg")) for name in names]


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ([], {}),
        (["--model", "tiny_residual", "--detector", "haar"], {"networks": ["tiny_residual"], "detector": "haar"}),
        (["--temperature", "2.5"], {"temperature": 2.5}),
        (["--whole-image", "--explain", "maps"], {"whole_image": True, "maps": "array"}),
    ],
)
def test_predict_equals_the_command_line(client, checkpoint_root, photos, options, query):
    names = ["grace_hopper.jpg", "notes.jpg", "two_faces.jpg"]
    expected = command("analyze", *names, "--json", "--checkpoints", checkpoint_root, *options, status=1)
    answer = client.post("/predict", files=form(*names), params=query)
    assert answer.status_code == 200
    assert in_order(answer.json()) == in_order(expected)
    assert [len(photo["faces"]) for photo in expected["photos"]] == ([1, 0, 1] if "whole_image" in query else [1, 0, 2])


def test_a_raw_body_equals_a_form(client, portrait):
    raw = client.post("/predict", content=portrait, headers={"content-type": "image/jpeg"}).json()
    sent = client.post("/predict", files={"files": ("photo", portrait)}).json()
    assert raw == sent


def test_pictures_of_maps_equal_the_files_of_the_command_line(client, checkpoint_root, photos):
    command("analyze", "two_faces.jpg", "--json", "--checkpoints", checkpoint_root, "--explain", "maps")
    answer = client.post("/predict", files=form("two_faces.jpg"), params={"maps": "png"})
    sent = [
        base64.b64decode(map_of["picture"])
        for face in answer.json()["photos"][0]["faces"]
        for map_of in face["maps"].values()
    ]
    assert len(sent) == 4
    assert sorted(sent) == sorted(path.read_bytes() for path in (photos / "maps").glob("*-photo.png"))


def test_the_temperature_replaces_that_of_the_card(client, runtime, portrait):
    (predictor,) = runtime.predictors(["tiny_cnn"])
    face = runtime.analyze(decode(portrait), [predictor], "auto").faces[0].predictions["tiny_cnn"]
    answer = client.post(
        "/predict", files={"files": portrait}, params={"networks": "tiny_cnn", "temperature": 2.5}
    ).json()
    assert answer["networks"]["tiny_cnn"]["temperature"] == 2.5
    assert predictor.card.temperature != 2.5
    (group,) = answer["photos"][0]["faces"][0]["groups"]
    scaled = np.exp(face.logits / 2.5) / np.exp(face.logits / 2.5).sum()
    assert list(group["predictions"]["tiny_cnn"]["probabilities"].values()) == pytest.approx(scaled, abs=1e-5)


def test_explain_answers_with_the_map_that_was_asked_for(client, runtime, portrait):
    (predictor,) = runtime.predictors(["tiny_cnn"])
    face = runtime.analyze(decode(portrait), [predictor], "auto").faces[0]
    classes = predictor.card.labels
    (expected,) = explain_face(
        predictor,
        face,
        method="layercam",
        stage="stage 2",
        targets=Contrast(classes.index("dark"), classes.index("striped")),
    )
    answer = client.post(
        "/explain",
        files={"files": portrait},
        params={
            "networks": "tiny_cnn",
            "method": "layercam",
            "stage": "stage 2",
            "expression": "dark",
            "against": "striped",
        },
    ).json()
    (found,) = answer["photos"][0]["faces"][0]["maps"].values()
    assert (found["method"], found["stage"]) == ("layercam", "stage 2")
    assert (found["expression"], found["against"]) == ("dark", "striped")
    assert found["heatmap"] == pytest.approx(np.round(expected.heatmap.astype(float), 6), abs=1e-6)


def test_cards_and_scores_equal_the_command_line(client, checkpoint_root, image_folder):
    cards = command("models", "--json", "--checkpoints", checkpoint_root)
    assert client.get("/models").json() == cards
    assert client.get("/models/tiny_cnn").json() in cards
    scores = client.get("/models/tiny_cnn/metrics").json()
    assert set(scores) == {"val", "test"}
    evaluated = command(
        *("evaluate", "tiny_cnn", "--data", image_folder, "--split", "test", "--json"),
        *("--checkpoints", checkpoint_root),
    )
    assert in_order(scores["test"]) == in_order(evaluated)


def test_the_server_says_that_it_is_ready_and_counts_its_work(client, portrait):
    assert client.get("/health").json() == {"status": "ok"}
    ready = client.get("/ready").json()
    assert set(ready["networks"]) == {"tiny_cnn", "tiny_residual"}
    before = metrics(client)
    client.post("/predict", files={"files": portrait})
    client.post("/predict", files={"files": b"no photo"})
    client.get("/nothing/at/all")
    after = metrics(client)
    for name, added in {
        'ferscope_requests_total{path="/predict",status="200"}': 1,
        'ferscope_requests_total{path="/predict",status="422"}': 1,
        'ferscope_requests_total{path="other",status="404"}': 1,
        "ferscope_faces_total": 1,
        'ferscope_network_passes_total{network="tiny_cnn"}': 1,
    }.items():
        assert after[name] - before.get(name, 0) == added, name


def metrics(client):
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines if not x.startswith("#"))}


def test_a_network_whose_files_change_is_counted_once(checkpoint_root, tmp_path, portrait):
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    runtime = Runtime(root, "cpu")
    with connected(application(runtime, Limits())) as client:
        client.post("/predict", files={"files": portrait})
        card = root / "tiny_cnn" / "card.json"
        card.write_text(json.dumps(json.loads(card.read_text()) | {"temperature": 2.0}))
        client.post("/predict", files={"files": portrait})
        series = [line.split()[0] for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
        assert len(series) == len(set(series))
        assert metrics(client)['ferscope_network_calls_total{network="tiny_cnn"}'] == 2
