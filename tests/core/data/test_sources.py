from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.data import read
from core.errors import DataError


def test_missing_path_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv does not exist; expected"):
        read(tmp_path / "gone.csv")


def test_path_may_be_text(official_csv):
    assert len(read(str(official_csv))) == 9


@pytest.mark.parametrize("name", ["fer2013.csv", "faces.parquet", "faces"])
def test_empty_file_is_named(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(DataError, match=f"{name} is empty"):
        read(tmp_path / name)


def test_something_else_is_refused_with_what_was_found(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(
        DataError, match=r"notes.csv is not a known data set: .* fer2013.csv with the columns .* begins with 'a,b"
    ):
        read(path)


def test_the_kind_is_recognized_by_content_not_by_name(tmp_path, official_csv):
    renamed = official_csv.rename(tmp_path / "faces.txt")
    assert len(read(renamed)) == 9


@settings(max_examples=50, deadline=None)
@given(
    name=st.sampled_from(["fer2013.csv", "x.parquet", "x", "root/train/happy/x.png"]),
    start=st.sampled_from([b"", b"emotion,pixels,Usage\n", b"path,label,split\n", b"PAR1", b"\x89PNG\r\n\x1a\n"]),
    content=st.binary(max_size=300),
    skip_bad=st.booleans(),
)
@example(name="fer2013.csv", start=b'"', content=b"," * 200_000, skip_bad=False)
@example(name="fer2013.csv", start=b"emotion,pixels,Usage\n", content=b"1," + b"1 " * 100_000, skip_bad=True)
@example(name="x.csv", start=b"path,label,split\n", content=b"\0,a,train\n\0,b,train", skip_bad=True)
def test_random_bytes_are_refused_as_a_data_error(name, start, content, skip_bad):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(start + content)
        with pytest.raises(DataError):
            read(Path(folder, Path(name).parts[0]), skip_bad=skip_bad)
