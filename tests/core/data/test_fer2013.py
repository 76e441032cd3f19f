from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data import read
from core.errors import DataError
from core.labels import FER7


def test_official_csv_keeps_pixels_labels_splits_and_row_numbers(official_csv, faces):
    samples = read(official_csv)
    assert np.array_equal(samples.images, faces.images)
    assert samples.images.dtype == np.uint8
    assert samples.truth.tolist() == faces.emotions
    assert samples.split.tolist() == ["train", "val", "test"] * 3
    assert samples.ids.tolist() == list(range(9))
    assert (samples.name, samples.labels, samples.votes, samples.skipped) == ("FER2013", FER7, None, 0)


def test_icml_column_order_and_padded_names_give_the_same_data(tmp_path, official_csv, faces):
    other = tmp_path / "icml_face_data.csv"
    rows = [",".join(line.split(",")[k] for k in (0, 2, 1)) for line in faces.lines()]
    other.write_text("\n".join(["emotion, Usage, pixels", *rows]))
    assert read(other).fingerprint() == read(official_csv).fingerprint()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_line_ends_quotes_and_byte_order_mark_do_not_matter(tmp_path, official_csv, faces, encoding, end, quote):
    lines = [
        ",".join(f"{quote}{v}{quote}" for v in line.split(",")) for line in ["emotion,pixels,Usage", *faces.lines()]
    ]
    other = tmp_path / "saved_again.csv"
    other.write_bytes((end.join(lines) + end).encode(encoding))
    assert read(other).fingerprint() == read(official_csv).fingerprint()


def without_last_pixel(line: str) -> str:
    emotion, pixels, usage = line.split(",")
    return f"{emotion},{pixels.rsplit(' ', 1)[0]},{usage}"


def with_pixel(text: str):
    def change(line: str) -> str:
        emotion, pixels, usage = line.split(",")
        return f"{emotion},{' '.join([*pixels.split()[:7], text, *pixels.split()[8:]])},{usage}"

    return change


BAD_ROWS = {
    "2303 pixels": (without_last_pixel, "expected 2304 pixels (48 x 48), got 2303"),
    "2305 pixels": (with_pixel("1 1"), "got 2305"),
    "pixel 256": (with_pixel("256"), "pixel 7 must be a whole number from 0 to 255, got '256'"),
    "negative pixel": (with_pixel("-1"), "pixel 7 must be a whole number from 0 to 255, got '-1'"),
    "huge pixel": (with_pixel("9" * 5000), "pixel 7 must be"),
    "pixel no number": (with_pixel("x"), "pixel 7 must be a whole number from 0 to 255, got 'x'"),
    "pixel not finite": (with_pixel("nan"), "got 'nan'"),
    "pixel with a fraction": (with_pixel("1.5"), "got '1.5'"),
    "lone sign": (with_pixel("+"), "got '+'"),
    "byte zero": (with_pixel("\0"), "pixel 7"),
    "no pixels": (lambda line: f"{line[0]},,Training", "expected 2304 pixels (48 x 48), got 0"),
    "emotion 7": (lambda line: "7" + line[1:], "emotion must be one of 0 angry"),
    "emotion no number": (lambda line: "happy" + line[1:], "got 'happy'"),
    "unknown Usage": (
        lambda line: line.rsplit(",", 1)[0] + ",Other",
        "Usage must be one of Training, PublicTest, PrivateTest, train, val, test; got 'Other'",
    ),
    "cut within Usage": (lambda line: line[:-4], "Usage must be one of"),
    "cut within pixels": (
        lambda line: line[:5000],
        "expected 3 fields (emotion, pixels, usage), got 2; the file may be truncated",
    ),
    "a field too many": (lambda line: line + ",1", "got 4"),
    "stray quote": (lambda line: '"' + line, "got 1"),
}


@pytest.mark.parametrize(("spoil", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
@pytest.mark.parametrize("row", [0, 4, 8])
def test_bad_row_is_named_or_skipped(tmp_path, faces, spoil, message, row):
    lines = faces.lines()
    lines[row] = spoil(lines[row])
    path = faces.write(tmp_path / "fer2013.csv", lines)
    with pytest.raises(DataError, match=f"fer2013.csv, row {row}: .*{re.escape(message)}"):
        read(path)
    samples = read(path, skip_bad=True)
    kept = [i for i in range(9) if i != row]
    assert samples.skipped == 1
    assert samples.ids.tolist() == kept
    assert np.array_equal(samples.images, faces.images[kept])


def test_invalid_bytes_affect_only_their_row(official_csv):
    content = bytearray(official_csv.read_bytes())
    content[200] = 0xFF
    official_csv.write_bytes(content)
    with pytest.raises(DataError, match="row 0: the row has bytes that are not valid text"):
        read(official_csv)
    assert read(official_csv, skip_bad=True).ids.tolist() == list(range(1, 9))


def test_a_file_without_valid_rows_is_an_error_even_when_bad_rows_are_skipped(tmp_path, faces):
    path = faces.write(tmp_path / "fer2013.csv", [line[:50] for line in faces.lines()])
    with pytest.raises(DataError, match="row 0"):
        read(path, skip_bad=True)


def test_header_alone_is_an_error(tmp_path, faces):
    with pytest.raises(DataError, match=r"fer2013.csv contains no rows"):
        read(faces.write(tmp_path / "fer2013.csv", []))


def test_faces_have_the_requested_size_and_channels(official_csv):
    samples = read(official_csv, size_px=64, channels=3)
    assert samples.images.shape == (9, 64, 64, 3)
    assert np.array_equal(samples.images[..., 0], samples.images[..., 2])


@pytest.mark.parametrize("wish", [{"size_px": 0}, {"channels": 2}])
def test_impossible_format_is_refused(official_csv, wish):
    with pytest.raises(DataError, match=next(iter(wish))):
        read(official_csv, **wish)


pixel_rows = st.binary(min_size=2304, max_size=2304)
spaces = st.sampled_from([" ", "  ", " \t"])


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(pixel_rows, st.integers(0, 6), st.sampled_from(["Training", "PublicTest"]), spaces),
        min_size=1,
        max_size=4,
    )
)
def test_written_rows_are_read_back(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fer2013.csv")
        path.write_text(
            "emotion,pixels,Usage\n"
            + "".join(f"{emotion},{space.join(map(str, pixels))},{usage}\n" for pixels, emotion, usage, space in rows)
        )
        samples = read(path)
    assert [image.tobytes() for image in samples.images] == [row[0] for row in rows]
    assert samples.truth.tolist() == [row[1] for row in rows]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_damaged_csv_is_read_or_refused_but_never_crashes(data):
    line = "3," + " ".join(["17"] * 2304) + ",Training\n"
    content = bytearray(("emotion,pixels,Usage\n" + line * 2).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fer2013.csv")
        path.write_bytes(content)
        for skip_bad in (False, True):
            try:
                samples = read(path, skip_bad=skip_bad)
            except DataError:
                continue
            assert len(samples) >= 1
