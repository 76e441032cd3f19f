"""From a source to a table: the same rows in every way, and what stops or disturbs a batch."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from core import images
from core.batch.job import Batch, BatchOptions, local_engine, run_batch
from core.batch.local import in_processes, score_locally
from core.batch.part import parts_of
from core.batch.store import METADATA, BatchStore
from core.cli import app
from core.errors import BatchError
from core.records import PhotoRecord
from core.runtime import Runtime
from core.sample_photos import sample_photos
from tests.conftest import CLASSES
from tests.kills import kills_at_every_write

ROOT = Path(__file__).resolve().parents[3]
TOTAL = 150


def same(first, second):
    """Whether two tables have the same rows; probabilities may differ in the fifth decimal, as batches do."""
    pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(second), rtol=0, atol=2e-5)
    return True


@pytest.fixture(scope="module")
def portraits(tmp_path_factory):
    """The sample portraits, a photo without a face and a file that is none."""
    root = tmp_path_factory.mktemp("portraits")
    for name, sample in sample_photos().items():
        (root / f"{name}.jpg").write_bytes(sample.data)
    (root / "blank.png").write_bytes(images.encode_png(images.decode(sample.data)[:1].repeat(200, axis=0)))
    (root / "empty.jpg").write_bytes(b"")
    return root


def test_rows_are_those_of_an_analysis_of_each_photo(batch, portraits, tmp_path, rows, checkpoint_root):
    chosen = batch(portraits, whole_image=False, accuracy=0.5)
    found = run_batch(chosen, tmp_path / "out.parquet", local_engine(2))
    assert (found.total, found.unreadable) == (5, 1)
    stored = rows(tmp_path / "out.parquet")
    runtime = Runtime(checkpoint_root, "cpu")
    expected = []
    for path in sorted(portraits.iterdir()):
        if path.name == "empty.jpg":
            record = PhotoRecord(
                path=path.name, error="Expected a photo, got an empty file (0 bytes); choose another file."
            )
        else:
            analysis = runtime.analyze(images.decode(path.read_bytes()), chosen.predictors, "haar")
            record = PhotoRecord.of(path.name, analysis)
        expected += chosen.scorer.layout.rows(record)
    assert same(stored, expected)
    by_path = pd.DataFrame(stored).groupby("path")
    assert by_path["face"].count().to_dict()["two_faces.jpg"] >= 2
    assert by_path.size()["blank.png"] == 1
    assert {row["sure"] for row in stored if row["face"]} <= {True, False}
    description = json.loads(pq.read_schema(tmp_path / "out.parquet").metadata[METADATA])
    assert list(description["networks"]) == ["tiny_cnn", "tiny_residual"]


def test_the_pure_function_and_csv_give_the_same_rows(batch, portraits, tmp_path):
    chosen = batch(portraits)
    run_batch(chosen, tmp_path / "out.csv", local_engine(1))
    table = pd.read_csv(tmp_path / "out.csv")
    expected = [
        row
        for entry in chosen.source.entries()
        for row in chosen.scorer.rows([chosen.preparation.of_entry(chosen.source, entry)])[0]
    ]
    assert list(table.columns) == list(chosen.scorer.layout.columns)
    assert table["expression"].fillna("").tolist() == [row["expression"] or "" for row in expected]
    assert table["confidence"].dropna().tolist() == pytest.approx(
        [r["confidence"] for r in expected if r["confidence"]], abs=2e-5
    )


def test_columns_of_a_csv_are_kept_and_renamed_where_they_would_hide_a_result(batch, many_photos, tmp_path, here, rows):
    (tmp_path / "list.csv").write_text(f"path,group,expression\n{many_photos}/dark/001.png,A,sad\nnowhere.png,B,\n")
    run_batch(batch(tmp_path / "list.csv"), tmp_path / "out.parquet", here)
    first, second = rows(tmp_path / "out.parquet")
    assert (first["group"], first["given_expression"]) == ("A", "sad")
    assert first["expression"] in CLASSES
    assert (second["group"], second["path"], second["face"]) == ("B", "nowhere.png", None)
    assert "No such file" in second["error"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("path,,", {"given_": "a", "given_given_": "b"}),  # trailing commas, as spreadsheets write them
        ("path,error,given_error", {"given_given_error": "a", "given_error": "b"}),
        ("path,given_,", {"given_": "a", "given_given_": "b"}),
    ],
)
def test_columns_of_a_csv_whose_new_names_would_coincide_stay_apart(
    batch, many_photos, tmp_path, here, rows, header, expected
):
    (tmp_path / "list.csv").write_text(f"{header}\n{many_photos}/dark/001.png,a,b\n")
    run_batch(batch(tmp_path / "list.csv"), tmp_path / "out.parquet", here)
    (row,) = rows(tmp_path / "out.parquet")
    assert list(row.items())[:2] == list(expected.items())
    assert row["error"] is None


@pytest.fixture
def whole(batch, many_photos, tmp_path_factory, here, rows):
    """The rows of a batch that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole") / "out.parquet"
    run_batch(batch(many_photos), out, here)
    return rows(out)


def test_a_killed_batch_continues_with_nothing_twice_and_nothing_missing(started, batch, many_photos, whole, rows):
    running, out = started
    running.kill()
    running.communicate()  # returns when the last of its worker processes has ended
    assert 1 <= len(BatchStore(out).finished()) < 3
    assert not out.exists()
    found = run_batch(batch(many_photos), out, local_engine(1))
    assert (found.done, found.total, found.unreadable) == (TOTAL, TOTAL, 1)
    assert found.new < TOTAL
    assert same(rows(out), whole)
    assert len({row["path"] for row in whole}) == len(whole) == TOTAL
    assert [p.name for p in out.parent.iterdir()] == ["out.parquet"]


# The command line with a pause after each part, so that on a busy machine the batch does not end before the signal.
SLOW_BATCH = """
import time
from core.batch.store import BatchStore
from core.cli import main

save = BatchStore.save

def save_and_pause(*arguments):
    save(*arguments)
    time.sleep(2)

BatchStore.save = save_and_pause
main()
"""


@pytest.fixture
def started(checkpoint_root, many_photos, whole, tmp_path):
    """A batch on the command line whose first part is stored, and its output."""
    out = tmp_path / "out.parquet"
    options = {"--out": out, "--checkpoints": checkpoint_root, "--detector": "haar", "--workers": 1, "--device": "cpu"}
    arguments = [str(value) for option in options.items() for value in option]
    running = subprocess.Popen(
        [sys.executable, "-c", SLOW_BATCH, "batch", str(many_photos), "--whole-image", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    assert any("64 of 150 files" in line for line in running.stderr)
    return running, out


def test_ctrl_c_ends_with_one_sentence_and_what_is_finished_is_stored(started, batch, many_photos, whole, rows):
    running, out = started
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: also to the processes that decode
    _, messages = running.communicate()
    assert running.returncode == 130
    last = messages.strip().splitlines()[-1]
    assert last == "Stopped; what is finished is stored. Run the same command again to continue."
    assert "Traceback" not in messages
    assert 1 <= len(BatchStore(out).finished()) < 3
    run_batch(batch(many_photos), out, local_engine(1))
    assert same(rows(out), whole)


def test_a_batch_killed_at_any_write_ends_with_the_same_rows(batch, many_photos, whole, tmp_path, here, rows):
    chosen = batch(many_photos)
    scored = list(here(chosen, parts_of(chosen.source.entries())))

    def engine(_, parts):
        yield from (scored[part.number] for part in parts)

    out = tmp_path / "out.parquet"
    for _ in kills_at_every_write(lambda: run_batch(chosen, out, engine), tmp_path):
        assert not out.exists() or same(rows(out), whole)
        if out.exists():
            out.unlink()  # so that the next one has something to do
    assert same(rows(out), whole)


def test_two_batches_into_one_output_and_an_output_that_exists(batch, many_photos, tmp_path, here):
    out = tmp_path / "out.parquet"
    with BatchStore(out).lock(), pytest.raises(BatchError, match="another batch is writing"):
        run_batch(batch(many_photos), out, here)
    out.write_bytes(b"results")
    with pytest.raises(BatchError, match="exists already; delete it"):
        run_batch(batch(many_photos), out, here)
    assert out.read_bytes() == b"results"
    assert [p.name for p in tmp_path.iterdir()] == ["out.parquet"]
    run_batch(batch(many_photos), out, here, restart=True)
    assert len(pq.read_table(out)) == TOTAL


def test_a_restart_does_not_delete_the_list_of_photos(checkpoint_root, tmp_path):
    table = tmp_path / "list.csv"
    table.write_text("path\n")
    arguments = ["batch", table, "--out", table, "--restart", "--checkpoints", checkpoint_root]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "would replace a file that this command reads or writes" in str(result.exception)
    assert table.read_text() == "path\n"


def test_a_table_in_the_folder_of_its_photos_is_made_again(checkpoint_root, many_photos, tmp_path):
    photos = shutil.copytree(many_photos / "dark", tmp_path / "photos")
    arguments = ["batch", photos, "--out", photos / "results.csv", "--whole-image", "--workers", "1"]
    arguments += ["--checkpoints", checkpoint_root]
    for further in ([], ["--restart"]):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments + further])
        assert result.exit_code == 0, result.exception
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "exists already; delete it" in str(result.exception)


def test_the_address_of_a_cluster_is_refused_without_its_engine(many_photos, tmp_path):
    result = CliRunner().invoke(
        app, ["batch", str(many_photos), "--out", str(tmp_path / "r.csv"), "--address", "auto"], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 2
    assert "it needs --engine ray" in result.output


def test_it_is_reported_where_no_prediction_can_be_called_sure(many_photos, checkpoint_root, tmp_path):
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    (root / "tiny_cnn" / "predictions-val.parquet").write_bytes(b"cut")
    said: list[str] = []
    Batch(BatchOptions(str(many_photos), ("tiny_cnn",), "haar", True, root=root, device="cpu"), report=said.append)
    (sentence,) = said
    assert sentence.startswith("It is not known which predictions of tiny_cnn are sure: ")
    assert "predictions-val.parquet cannot be read" in sentence


def test_the_folder_of_another_user_is_refused_in_one_sentence(batch, many_photos, tmp_path, here, monkeypatch):
    def not_permitted(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("core.batch.store.FileLock.acquire", not_permitted)
    with pytest.raises(BatchError, match=r"out.csv cannot be written \(Permission denied\)"):
        run_batch(batch(many_photos), tmp_path / "out.csv", here)


def test_an_unfinished_batch_with_other_options_is_not_continued(batch, many_photos, tmp_path, here):
    def stopping(chosen, parts):
        yield next(here(chosen, parts))
        raise KeyboardInterrupt

    out = tmp_path / "out.parquet"
    with pytest.raises(KeyboardInterrupt):
        run_batch(batch(many_photos), out, stopping)
    with pytest.raises(
        BatchError, match="differ in: networks, order of the networks, temperatures, accuracy; use the options"
    ):
        run_batch(batch(many_photos, run_ids=("tiny_cnn",), accuracy=0.5), out, here)
    shutil.copy(many_photos / "dark" / "001.png", many_photos / "dark" / "999.png")  # not part of this batch
    try:
        assert run_batch(batch(many_photos), out, here).total == TOTAL
    finally:
        (many_photos / "dark" / "999.png").unlink()
    assert len(pq.read_table(out)) == TOTAL


def test_a_full_disk_ends_with_one_sentence_and_the_batch_continues(batch, many_photos, tmp_path, here):
    out, message = tmp_path / "out.parquet", tmp_path / "message"
    chosen = batch(many_photos)
    process = os.fork()
    if process == 0:  # a limit on the size of files fails writes as a full disk does
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (9_500, 9_500))
            run_batch(chosen, out, here)
        except BatchError as error:
            message.write_text(str(error))
        os._exit(0)
    os.waitpid(process, 0)
    assert "Free some disk space" in message.read_text()
    assert run_batch(chosen, out, here).total == TOTAL
    assert len(pq.read_table(out)) == TOTAL


def test_a_source_that_disappears_ends_the_batch_which_continues_when_it_is_back(batch, many_photos, tmp_path, here):
    folder, out = shutil.copytree(many_photos, tmp_path / "photos"), tmp_path / "out.parquet"

    def disconnect(progress):
        folder.rename(tmp_path / "disconnected")

    with pytest.raises(BatchError, match=r"photos is no longer there; the finished parts are stored"):
        run_batch(batch(folder), out, here, progress=disconnect)
    (tmp_path / "disconnected").rename(folder)
    found = run_batch(batch(folder), out, here)
    assert (found.total, found.unreadable) == (TOTAL, 1)


class DeadlySource:
    """A source with a file that ends the process that reads it."""

    columns = ()

    def __init__(self, source):
        self.source = source

    def entries(self):
        return self.source.entries()

    def read(self, entry):
        if entry.path == "dark/004.png":
            os.kill(os.getpid(), signal.SIGKILL)
        return self.source.read(entry)


def test_a_photo_that_ends_its_process_is_reported_and_the_others_are_scored(batch, many_photos):
    chosen = batch(many_photos)
    start = in_processes(DeadlySource(chosen.source), chosen.preparation, 1)
    entries = list(chosen.source.entries())[50:58]
    (scored,) = score_locally(parts_of(entries), chosen.scorer, start)
    found = {row["path"]: row["error"] for rows in scored.rows for row in rows}
    assert list(found) == [entry.path for entry in entries]
    assert "was ended by the system" in found.pop("dark/004.png")
    assert not any(found.values())


def test_a_batch_is_not_continued_with_the_networks_in_another_order(batch, many_photos, tmp_path, here):
    """The columns begin with the verdict of the first group of networks."""
    chosen = batch(many_photos, run_ids=("tiny_cnn", "tiny_residual"))
    with pytest.raises(KeyboardInterrupt):
        run_batch(chosen, tmp_path / "out.parquet", stopping_after_one_part(here))
    swapped = batch(many_photos, run_ids=("tiny_residual", "tiny_cnn"))
    with pytest.raises(BatchError, match="options differ in: order of the networks"):
        run_batch(swapped, tmp_path / "out.parquet", here)
    run_batch(chosen, tmp_path / "out.parquet", here)


def stopping_after_one_part(engine):
    def stopping(batch, parts):
        yield next(engine(batch, parts))
        raise KeyboardInterrupt

    return stopping
