from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.data import FERPLUS_COLUMNS, pack, read
from core.data.sources import row_labels
from core.errors import DataError

HAPPY = (0, 10, 0, 0, 0, 0, 0, 0, 0, 0)


def webp(width: int = 48, height: int = 48) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height), 9).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def test_packed_file_has_the_fingerprint_of_its_csv(tmp_path, official_csv):
    out = tmp_path / "new" / "faces.parquet"
    assert pack(official_csv, out) == 9
    packed = read(out)
    assert packed.fingerprint() == read(official_csv).fingerprint()
    assert packed.votes is None
    assert [p.name for p in out.parent.iterdir()] == ["faces.parquet"]


def test_the_packed_file_contains_the_votes(tmp_path, official_csv, faces, write_votes):
    votes = np.random.default_rng(2).integers(0, 11, (9, 10))
    elsewhere = write_votes(faces.usages, votes.tolist(), name="votes.csv")
    out = tmp_path / "faces.parquet"
    pack(official_csv, out, elsewhere)
    assert np.array_equal(read(out).votes, votes)
    table = pd.read_parquet(out)
    assert list(table.columns) == ["image", "emotion", "Usage", "Image name", *FERPLUS_COLUMNS]
    assert {str(table[c].dtype) for c in ("emotion", *FERPLUS_COLUMNS)} == {"int8"}
    assert table["Image name"][8] == "fer0000008.png"


def test_votes_in_the_folder_of_the_csv_are_packed(tmp_path, official_csv, faces, write_votes):
    write_votes(faces.usages, [HAPPY] * 9)
    pack(official_csv, tmp_path / "faces.parquet")
    assert read(tmp_path / "faces.parquet").votes.tolist() == [list(HAPPY)] * 9


def test_nothing_is_written_for_a_bad_csv(tmp_path, official_csv, faces):
    faces.write(official_csv, [*faces.lines()[:-1], "3,1 2 3,Training"])
    with pytest.raises(DataError, match="row 8: expected 2304 pixels"):
        pack(official_csv, tmp_path / "faces.parquet")
    assert not (tmp_path / "faces.parquet").exists()


def test_packing_a_packed_file_is_refused_in_readable_text(tmp_path, official_csv):
    pack(official_csv, tmp_path / "faces.parquet")
    with pytest.raises(DataError, match="must have the columns emotion and pixels") as refused:
        pack(tmp_path / "faces.parquet", tmp_path / "again.parquet")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("missing", ["faces", "votes"])
def test_packing_names_a_missing_file(tmp_path, official_csv, missing):
    paths = {"faces": official_csv, "votes": official_csv, missing: tmp_path / "gone.csv"}
    with pytest.raises(DataError, match=r"gone\.csv does not exist"):
        pack(paths["faces"], tmp_path / "faces.parquet", paths["votes"])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("image", b"no image", "row 1: the image cannot be decoded"),
        ("image", None, "row 1: the image cannot be decoded"),
        ("image", webp(40, 48), "row 1: an image must have 48 x 48 pixels, got 40 x 48"),
        ("emotion", 7, "row 1: emotion must be one of"),
        ("emotion", -1, "row 1: emotion must be one of"),
        ("Usage", "Other", "row 1: Usage must be one of"),
        ("Usage", None, "row 1: Usage must be one of"),
        ("NF", 11, "row 1: a vote must be"),
    ],
)
def test_bad_packed_row_is_named_or_skipped(tmp_path, column, value, message):
    columns = {"image": [webp()] * 3, "emotion": [3] * 3, "Usage": ["Training"] * 3, "pixels_exact": [True] * 3}
    columns |= {c: [1] * 3 for c in FERPLUS_COLUMNS}
    columns[column] = [columns[column][0], value, columns[column][2]]
    path = tmp_path / "faces.parquet"
    pd.DataFrame(columns).to_parquet(path)
    with pytest.raises(DataError, match=f"faces.parquet, {message}"):
        read(path)
    samples = read(path, skip_bad=True)
    assert (samples.ids.tolist(), samples.skipped, samples.votes.shape) == ([0, 2], 1, (2, 10))


def test_labels_that_are_lists_are_refused_also_without_the_images(tmp_path):
    path = tmp_path / "faces.parquet"
    pd.DataFrame({"image": [webp()], "emotion": [[1, 2]], "Usage": ["Training"]}).to_parquet(path)
    for read_it in (read, row_labels):
        with pytest.raises(DataError, match="emotion must be one of"):
            read_it(path)


def test_missing_packed_column_is_named(tmp_path):
    pd.DataFrame({"image": [webp()], "Usage": ["Training"]}).to_parquet(tmp_path / "faces.parquet")
    with pytest.raises(DataError, match="lacks the column 'emotion'"):
        read(tmp_path / "faces.parquet")


@pytest.fixture(scope="module")
def packed_bytes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "faces.parquet")
        pd.DataFrame({"image": [webp()], "emotion": [1], "Usage": ["Training"]}).to_parquet(path)
        return path.read_bytes()


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 0.99))
def test_a_packed_file_cut_anywhere_is_refused(packed_bytes, share):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "faces.parquet")
        path.write_bytes(packed_bytes[: int(share * len(packed_bytes))])
        with pytest.raises(DataError, match=r"faces\.parquet is"):
            read(path)
