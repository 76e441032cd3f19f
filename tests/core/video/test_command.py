"""``python -m core video`` on a generated video."""

from __future__ import annotations

import json

import av
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from core.cli import Interrupted, app
from core.errors import OutputError, VideoError
from core.records import VideoRecord
from core.video import VideoFile, VideoJob


@pytest.fixture(scope="session")
def clip(tmp_path_factory, heads, compose, write_video):
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    path.write_bytes(write_video([compose((heads["grace_hopper"], 150 + 3 * i, 140)) for i in range(20)]))
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["video", *map(str, arguments)])


def test_files_and_json_agree(clip, checkpoint_root, tmp_path):
    outputs = {name: tmp_path / f"out.{name}" for name in ("csv", "parquet", "mp4")}
    result = run(
        *(clip, "--checkpoints", checkpoint_root, "--detector", "mtcnn", "--every", 4, "--start", 0.4, "--json"),
        *("--csv", outputs["csv"], "--parquet", outputs["parquet"], "--annotated", outputs["mp4"]),
    )
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    record = VideoRecord.model_validate(document)
    assert record.frame_times_s == pytest.approx([0.4, 0.8, 1.2, 1.6])
    assert (record.state, record.detector, record.width) == ("finished", "mtcnn", 480)
    assert [face.track for face in record.faces] == [1] * 4
    assert set(record.faces[0].probabilities) == {"tiny_cnn", "tiny_residual", "ensemble"}
    assert sum(record.tracks[0].shares.values()) == pytest.approx(1)
    table, same = pd.read_csv(outputs["csv"]), pd.read_parquet(outputs["parquet"])
    assert len(table) == len(same) == 4 * 3
    assert np.allclose(table["left"], same["left"])
    of_ensemble = table[table.network == "ensemble"].iloc[0]
    assert of_ensemble.p_bright == pytest.approx(record.faces[0].probabilities["ensemble"][0], abs=1e-5)
    annotated = VideoFile(outputs["mp4"])
    assert annotated.info().codec == "h264"
    assert len(list(annotated.frames())) == 13  # every frame from 0.4 to 1.6 s


def test_an_analysis_is_continued_from_its_document(clip, checkpoint_root, tmp_path):
    options = (clip, "--checkpoints", checkpoint_root, "--detector", "mtcnn", "--every", 3, "--json")
    whole = json.loads(run(*options).stdout)
    document = tmp_path / "clip.json"
    document.write_text(run(*options, "--end", 1).stdout)
    assert len(json.loads(document.read_text())["frame_times_s"]) == 4
    continued = json.loads(run(*options, "--continue", document).stdout)
    assert continued["frame_times_s"] == whole["frame_times_s"]
    assert [face["track"] for face in continued["faces"]] == [1] * 7
    for face, same in zip(continued["faces"], whole["faces"], strict=True):
        assert face["probabilities"]["ensemble"] == pytest.approx(same["probabilities"]["ensemble"], abs=0.05)
    known = json.loads(document.read_text())
    face = known["faces"][0]
    for wrong in (
        {},
        known | {"duration_s": "x"},
        known | {"duration_s": [1]},
        known | {"frame_times_s": 1},
        known | {"frame_times_s": [1, None]},
        known | {"faces": [face | {"box": face["box"] | {"width": None}}]},
        known | {"faces": [face | {"score": 10**400}]},
        known | {"faces": [face | {"track": 10**30}]},
        known | {"groups": [known["groups"][0] | {"labels": {"name": "x", "classes": ["a", "a"]}}]},
    ):
        document.write_text(json.dumps(wrong))
        result = run(*options, "--continue", document)
        assert isinstance(result.exception, VideoError)
        assert "expected the document that this command prints" in str(result.exception)


def test_the_table_names_every_face(clip, checkpoint_root):
    result = run(clip, "--checkpoints", checkpoint_root, "--detector", "mtcnn", "--fps", 2)
    assert result.exit_code == 0, result.output
    assert "share of time, ensemble" in result.stdout


def test_a_part_without_a_frame_is_one_sentence(clip, checkpoint_root):
    result = run(clip, "--checkpoints", checkpoint_root, "--detector", "mtcnn", "--start", 1.92)
    assert isinstance(result.exception, VideoError)
    assert "has no frame from 1.92 s to the end" in str(result.exception)
    assert not result.stdout


def test_a_file_that_cannot_be_written_is_reported_before_the_analysis(clip, checkpoint_root, monkeypatch):
    monkeypatch.setattr(VideoJob, "start", None)
    result = run(clip, "--checkpoints", checkpoint_root, "--csv", "/proc/out.csv")
    assert isinstance(result.exception, OutputError)
    assert "/proc/out.csv cannot be written" in str(result.exception)


def test_a_path_that_is_given_twice_is_refused_before_anything_is_written(clip, tmp_path):
    own, document, table = tmp_path / "own.mp4", tmp_path / "own.json", tmp_path / "t.csv"
    for path in (own, document):
        path.write_bytes(clip.read_bytes())
    (tmp_path / "link.mp4").symlink_to(own)
    for arguments in (
        [own, "--annotated", own],
        [tmp_path / "link.mp4", "--csv", own],
        [own, "--continue", document, "--parquet", tmp_path / "." / "own.json"],
        [own, "--csv", table, "--parquet", table],
    ):
        result = run(*arguments)
        assert isinstance(result.exception, OutputError)
        assert "would replace a file that this command reads or writes" in str(result.exception)
    assert own.read_bytes() == document.read_bytes() == clip.read_bytes()
    assert not table.exists()


def test_ctrl_c_prints_and_writes_what_was_computed_and_exits_with_130(
    clip, checkpoint_root, tmp_path, monkeypatch, capsys
):
    waits = iter([KeyboardInterrupt])

    def interrupted_once(job, *timeout):
        for error in waits:
            raise error
        return wait(job, *timeout)

    wait = VideoJob.wait
    monkeypatch.setattr(VideoJob, "wait", interrupted_once)
    options = ("--checkpoints", checkpoint_root, "--detector", "mtcnn", "--json", "--csv", tmp_path / "out.csv")
    with pytest.raises(Interrupted, match=r"Stopped after \d+ frames"):
        app(["video", str(clip), *map(str, options)])
    document = VideoRecord.model_validate_json(capsys.readouterr().out)
    assert document.state == "stopped"
    assert (tmp_path / "out.csv").stat().st_size > 0


def test_a_video_that_cannot_be_decoded_to_its_end_is_reported_by_the_exit_status(clip, checkpoint_root, tmp_path):
    cut = tmp_path / "cut.mkv"
    with av.open(str(cut), "w", format="matroska") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 480, 360, "yuv420p"
        pictures = [frame.to_ndarray(format="rgb24") for frame in av.open(str(clip)).decode(video=0)]
        for picture in pictures * 6:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    table = tmp_path / "cut.csv"
    result = run(cut, "--checkpoints", checkpoint_root, "--detector", "haar", "--every", 4, "--csv", table)
    assert result.exit_code == 1, result.output
    assert "truncated" in " ".join(result.output.split())
    assert table.is_file()


def test_a_folder_is_refused_as_an_output_before_the_analysis(clip, tmp_path):
    result = run(clip, "--csv", tmp_path)
    assert isinstance(result.exception, OutputError)
    assert "cannot be written: Is a directory" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start", 2, "--end", 1], "an end after it"),
        (["--start", "nan"], "a start of at least 0 s"),
        (["--start", -1], "got -1 s to the end"),
        (["--fps", 0], "more than 0 frames"),
        (["--detect-every", 99], "from 1 to 60"),
        (["--smoothing", -1], "at least 0 s"),
        (["--smoothing", "inf"], "a finite time constant"),
        (["--smoothing", "nan"], "a finite time constant"),
    ],
)
def test_wrong_options_are_one_sentence(clip, checkpoint_root, arguments, message):
    result = run(clip, "--checkpoints", checkpoint_root, "--detector", "mtcnn", *arguments)
    assert isinstance(result.exception, VideoError)
    assert message in str(result.exception)
