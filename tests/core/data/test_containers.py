"""Data sets as they are passed around: variants of the CSV, folders of CSVs, zip files, and when they have changed."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.data import data_stamp, read
from core.errors import DataError
from core.images import SUFFIXES
from core.labels import FER7, PAIN6, LabelSet


def rewritten(path, official_csv, change, encoding="utf-8"):
    """The official CSV with every line changed."""
    lines = official_csv.read_text().splitlines()
    path.write_text("\n".join(change(line.split(",")) for line in lines) + "\n", encoding=encoding)
    return path


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_read(tmp_path, official_csv, delimiter):
    other = rewritten(tmp_path / "other.csv", official_csv, delimiter.join)
    assert read(other).fingerprint() == read(official_csv).fingerprint()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_read(tmp_path, official_csv, encoding):
    text = official_csv.read_text()
    other = tmp_path / "excel.csv"
    other.write_bytes((b"\xfe\xff" if encoding.endswith("be") else b"") + text.encode(encoding))
    assert read(other).fingerprint() == read(official_csv).fingerprint()


def test_other_spellings_of_usage_are_read(tmp_path, official_csv):
    names = {"Training": "train", "PublicTest": "VAL", "PrivateTest": " test", "Usage": "usage"}
    other = rewritten(tmp_path / "other.csv", official_csv, lambda f: ",".join([*f[:2], names[f[2]]]))
    assert read(other).fingerprint() == read(official_csv).fingerprint()


def test_a_csv_without_usage_needs_a_chosen_split(tmp_path, official_csv):
    other = rewritten(tmp_path / "train.csv", official_csv, lambda f: ",".join(f[:2]))
    with pytest.raises(DataError, match=r"train.csv has no splits \(there is no column Usage\).*--split 80/10/10"):
        read(other)
    samples = read(other, split="60/20/20")
    assert sorted(set(samples.split)) == ["test", "train", "val"]
    assert np.array_equal(samples.images, read(official_csv).images)


@pytest.fixture
def kaggle(tmp_path, official_csv):
    """train.csv and test.csv in one folder, as Kaggle's contest has them."""
    folder = tmp_path / "kaggle"
    folder.mkdir()
    for name in ("train.csv", "test.csv"):
        rewritten(folder / name, official_csv, lambda f: ",".join(f[:2]))
    return folder


@pytest.mark.parametrize("name", ["train.csv", "test.csv", ""])
def test_kaggles_pair_is_read_as_train_and_test(kaggle, name):
    samples = read(kaggle / name)
    assert samples.split.tolist() == ["train"] * 9 + ["test"] * 9
    assert samples.ids.tolist() == list(range(18))
    with_val = read(kaggle / name, split="50/50/0")
    assert with_val.split.tolist().count("val") in range(3, 7)
    assert with_val.split.tolist()[9:] == ["test"] * 9


def test_a_test_csv_without_labels_is_not_read(kaggle):
    lines = (kaggle / "test.csv").read_text().splitlines()
    (kaggle / "test.csv").write_text("\n".join(line.partition(",")[2] for line in lines))
    samples = read(kaggle / "train.csv", split="80/10/10")
    assert len(samples) == 9


def test_a_folder_of_several_tables_names_them(tmp_path, official_csv):
    shutil.copy(official_csv, tmp_path / "icml_face_data.csv")
    with pytest.raises(DataError, match=r"is a folder with fer2013.csv, icml_face_data.csv; give the path of a file"):
        read(tmp_path)


def test_the_only_table_of_a_folder_is_read(tmp_path, official_csv):
    (tmp_path / "README").write_text("hello")
    assert read(tmp_path).fingerprint() == read(official_csv).fingerprint()


def zipped(path, folder, prefix=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


@pytest.mark.parametrize("prefix", ["", "faces/", "download/faces/"])
def test_a_zip_of_a_folder_is_read(tmp_path, image_folder, prefix):
    samples = read(zipped(tmp_path / "mine.zip", image_folder, prefix))
    assert samples.fingerprint() == read(image_folder).fingerprint()
    assert samples.name == "mine"


@pytest.mark.parametrize("prefix", ["", "data/", "test/"])
def test_a_zip_of_a_single_split_is_read_as_that_split(tmp_path, image_folder, prefix):
    test = image_folder / "test"
    (image_folder / "PrivateTest").rename(test)
    for other in ("Training", "Public Test"):
        shutil.rmtree(image_folder / other)
    samples = read(zipped(tmp_path / "mine.zip", image_folder, prefix))
    assert samples.split.tolist() == ["test", "test"]


def test_a_zip_of_a_csv_is_read(tmp_path, official_csv):
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(official_csv, "fer2013/fer2013.csv")
        archive.writestr("fer2013/README", "hello")
    samples = read(path)
    assert samples.fingerprint() == read(official_csv).fingerprint()
    assert samples.name == "FER2013"


def test_a_damaged_zip_is_an_error(tmp_path, image_folder):
    path = zipped(tmp_path / "mine.zip", image_folder)
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(DataError):
        read(path)


@settings(max_examples=80, deadline=None)
@given(position=st.integers(0, 1000), noise=st.binary(min_size=1, max_size=8))
def test_a_zip_that_is_damaged_anywhere_is_a_data_error_without_a_temporary_path(position, noise):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            archive.writestr(f"train/happy/{method}.txt", bytes(range(200)), method)
    content = bytearray(buffer.getvalue())
    content[position : position + len(noise)] = noise
    with tempfile.TemporaryDirectory(prefix="mine") as folder:
        path = Path(folder, "mine.zip")
        path.write_bytes(content)
        with pytest.raises(DataError) as refused:
            read(path)
    assert "ferscope-" not in str(refused.value)


def test_messages_about_the_content_of_a_zip_name_the_zip(tmp_path, official_csv):
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(DataError, match=r"found no such image in empty.zip"):
        read(tmp_path / "empty.zip")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.write(official_csv, name)
    with pytest.raises(
        DataError, match=r"two.zip is a folder with a.csv, b.csv; give the path of a file, such as a.csv$"
    ):
        read(tmp_path / "two.zip")


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s not in (".heic", ".heif", ".hif", ".pbm")])
def test_images_of_every_suffix_are_read(tmp_path, suffix):
    for name in ("happy", "sad"):
        (tmp_path / "train" / name).mkdir(parents=True)
        picture = Image.new("RGB", (32, 32), 90)
        picture.convert("L" if suffix == ".pgm" else "RGB").save(tmp_path / "train" / name / f"x{suffix.upper()}")
    samples = read(tmp_path)
    assert (len(samples), samples.skipped) == (2, 0)


def test_files_without_the_suffix_of_an_image_count_as_skipped(image_folder):
    (image_folder / "Training/happy/note.txt").write_text("hello")
    (image_folder / "Training/happy/raw.cr2").write_bytes(b"raw")
    (image_folder / "LICENSE.txt").write_text("outside the class folders")
    samples = read(image_folder)
    assert (len(samples), samples.skipped) == (5, 2)


def test_a_16_bit_image_of_a_folder_is_scaled(image_folder):
    deep = np.tile(np.array([0, 65535], np.uint16), (48, 24))
    Image.fromarray(deep).save(image_folder / "Training/happy/a.png")
    assert np.array_equal(np.unique(read(image_folder).images[4]), [0, 255])


def test_the_stamp_changes_with_a_new_image_deep_in_a_folder(image_folder):
    before = data_stamp(image_folder)
    assert data_stamp(image_folder) == before
    shutil.copy(image_folder / "Training/happy/a.png", image_folder / "Training/happy/new.png")
    assert data_stamp(image_folder) != before


def test_the_stamp_changes_with_the_size_or_time_of_a_file(image_folder):
    before = data_stamp(image_folder)
    os.utime(image_folder / "Training/happy/a.png", ns=(1, 1))
    assert data_stamp(image_folder) != before


def test_the_stamp_changes_with_the_votes_in_the_folder_of_the_csv(official_csv, faces, write_votes):
    before = data_stamp(official_csv)
    write_votes(faces.usages, [[10] + [0] * 9] * 9)
    assert data_stamp(official_csv) != before


def test_the_stamp_of_a_path_without_a_file_changes_when_it_appears(tmp_path, image_folder):
    before = data_stamp(tmp_path / "later")
    image_folder.rename(tmp_path / "later")
    assert data_stamp(tmp_path / "later") != before


def test_samples_are_restricted_to_the_classes_of_another_set(official_csv):
    samples = read(official_csv)
    shared = samples.labels.shared_with(PAIN6)
    assert shared.classes == ("angry", "disgust", "fear", "happy", "sad")
    restricted = samples.restricted_to(shared)
    names = [FER7.classes[k] for k in samples.truth]
    assert [shared.classes[k] for k in restricted.truth] == [name for name in names if name in shared.classes]
    assert restricted.ids.tolist() == [row for row, name in enumerate(names) if name in shared.classes]
    with pytest.raises(DataError, match="no image of the classes"):
        samples.restricted_to(LabelSet("other", ("pain", "calm")))


@pytest.fixture
def listed_images(tmp_path):
    """A folder of images with a CSV that lists them; the folders of the images are persons."""
    root = tmp_path / "faces"
    rows = ["path,label,split"]
    for number, split in enumerate(["train", "val", "test"] * 2):
        name = f"person{number % 2}/{number}.png"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((48, 48), 40 * number, np.uint8)).save(root / name)
        rows.append(f"{name},{'happy' if number % 3 else 'sad'},{split}")
    (root / "list.csv").write_text("\n".join(rows))
    return root


def test_a_csv_beside_the_images_that_it_lists_is_read_also_in_a_zip(listed_images, tmp_path):
    expected = read(listed_images / "list.csv")
    assert set(expected.labels.classes) == {"happy", "sad"}
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", listed_images)
    for source in (listed_images, packed):
        found = read(source)
        assert found.labels == expected.labels
        assert found.fingerprint() == expected.fingerprint()


@pytest.mark.parametrize("names", [["labels.csv"], ["train.csv", "val.csv"]])
def test_a_csv_beside_split_and_class_folders_is_not_needed(image_folder, tmp_path, names):
    expected = read(image_folder)
    root = shutil.copytree(image_folder, tmp_path / "mine")
    for name in names:
        (root / name).write_text("path,label\ntrain/a.png,dark\n")
    assert read(root).fingerprint() == expected.fingerprint()


def test_several_csvs_beside_images_are_named(listed_images):
    rows = (listed_images / "list.csv").read_text()
    (listed_images / "list.csv").unlink()
    for name in ("train.csv", "test.csv"):
        (listed_images / name).write_text(rows)
    with pytest.raises(DataError, match=r"is a folder with test.csv, train.csv; give the path of a file"):
        read(listed_images)
