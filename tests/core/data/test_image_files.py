from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from core.data import DatasetInfo, data_stamp, read
from core.data.sources import row_labels
from core.errors import DataError
from core.labels import PAIN6
from core.preprocessing import Preprocessing


def test_folder_is_read_in_sorted_order_with_classes_over_all_splits(image_folder):
    samples = read(image_folder)
    # PrivateTest/anger/d, PrivateTest/happy/e, Public Test/happy/c, Training/anger/b, Training/happy/a
    assert samples.split.tolist() == ["test", "test", "val", "train", "train"]
    assert samples.labels.classes == ("angry", "happy")
    assert samples.truth.tolist() == [0, 1, 1, 0, 1]
    assert samples.ids.tolist() == [0, 1, 2, 3, 4]
    assert samples.name == "faces"
    assert samples.images.shape == (5, 48, 48)


def test_names_of_folders_that_are_not_utf_8(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    for name in ("happy", "sad"):
        (folder / "train" / name).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(folder / "train" / name / "x.png")
    assert DatasetInfo.of(read(folder)).title == "caf\\udce9"  # which a card can hold
    (folder / "train" / "sad").rename(folder / "train" / os.fsdecode(b"tr\xfcb"))
    with pytest.raises(DataError, match=r"a class name must be UTF-8 text, got 'tr\\udcfcb'; rename the class"):
        read(folder)


def test_six_class_folder_is_recognized_as_the_pain_set(tmp_path):
    for name in ("sad", "Pain", "happy", "fear", "disgust", "anger"):
        (tmp_path / "train" / name).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(tmp_path / "train" / name / "x.png")
    assert read(tmp_path).labels is PAIN6


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size_px", [16, 48, 96])
def test_image_is_cropped_to_its_central_square_and_resized_as_for_prediction(tmp_path, channels, size_px):
    rough = Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 10, 3), dtype=np.uint8))
    picture = rough.resize((120, 72), Image.Resampling.BICUBIC)  # smooth like a photo
    for name in ("a", "b"):
        (tmp_path / "test" / name).mkdir(parents=True)
        picture.save(tmp_path / "test" / name / "x.png")
    image = read(tmp_path, size_px=size_px, channels=channels).images[0]
    central = np.asarray(picture)[:, 24:96]
    expected = Preprocessing(size_px=size_px, channels=channels).to_input_image(central)
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 1  # Pillow and OpenCV round differently


def test_image_of_the_right_size_is_not_touched(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 48, 48), dtype=np.uint8)
    for name, image in zip("ab", pixels, strict=True):
        (tmp_path / "train" / name).mkdir(parents=True)
        Image.fromarray(image).save(tmp_path / "train" / name / "x.png")
    assert np.array_equal(read(tmp_path).images, pixels)


def test_exif_orientation_is_applied(image_folder):
    upright = np.zeros((48, 48), np.uint8)
    upright[:10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to stand upright
    Image.fromarray(np.rot90(upright)).save(image_folder / "Training/happy/a.png", exif=exif)
    assert np.array_equal(read(image_folder).images[4], upright)


@pytest.mark.parametrize(
    "stray",
    ["a.png", "Training/a.png", "Training/happy/more/a.png", "Training/happy/1/2/3/4/a.png", "extra/happy/a.png"],
)
def test_image_outside_the_layout_is_refused(image_folder, stray):
    (image_folder / stray).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(image_folder / "Training/happy/a.png", image_folder / stray)
    with pytest.raises(DataError, match=rf"root/split/class/image.jpg .* found faces/{stray}"):
        read(image_folder)


def test_a_folder_without_splits_is_refused_with_the_option_that_chooses_one(image_folder):
    with pytest.raises(DataError, match=r"Training has no splits .*anger/b.jpg.*--split 80/10/10 --seed 0"):
        read(image_folder / "Training")


def test_leftovers_of_archives_and_other_files_are_ignored(image_folder):
    before = read(image_folder).fingerprint()
    (image_folder / "__MACOSX/Training/happy").mkdir(parents=True)
    (image_folder / "__MACOSX/Training/happy/._a.png").write_bytes(b"x")
    (image_folder / "Training/happy/._a.png").write_bytes(b"x")
    (image_folder / "README.txt").write_text("hello")
    assert read(image_folder).fingerprint() == before


def test_linked_split_folders_are_entered(tmp_path, image_folder):
    linked = tmp_path / "linked"
    linked.mkdir()
    for split in image_folder.iterdir():
        (linked / split.name).symlink_to(split, target_is_directory=True)
    assert read(linked).fingerprint() == read(image_folder).fingerprint()


def test_a_link_to_a_folder_that_contains_it_is_not_followed(image_folder):
    before = read(image_folder).fingerprint()
    (image_folder / "Training" / "happy" / "all").symlink_to(image_folder, target_is_directory=True)
    assert read(image_folder).fingerprint() == before


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="found no such image"):
        read(tmp_path)


def test_one_class_is_refused(tmp_path, image_folder):
    for folder in image_folder.glob("*/anger"):
        shutil.rmtree(folder)
    with pytest.raises(DataError, match="at least 2 classes"):
        read(image_folder)


def _cut(path):
    path.write_bytes(path.read_bytes()[:300])


BAD_IMAGES = {
    "cut": (_cut, "cannot be read as an image"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read as an image"),
    "text": (lambda path: path.write_text("hello"), "cannot be read as an image"),
}


@pytest.mark.parametrize(("spoil", "message"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_unreadable_image_is_named_or_skipped(image_folder, spoil, message):
    spoil(image_folder / "Training/happy/a.png")
    with pytest.raises(DataError, match=f"faces, row 4: 'Training/happy/a.png'.*{message}"):
        read(image_folder)
    samples = read(image_folder, skip_bad=True)
    assert (samples.ids.tolist(), samples.skipped) == ([0, 1, 2, 3], 1)


def manifest_of(folder, rows):
    path = folder.parent / "mine.csv"
    path.write_text("\n".join(["path,label,split", *rows]))
    return path


GOOD_ROWS = [
    "faces/Training/happy/a.png,Happiness,train",
    "faces/Training/anger/b.jpg,angry,Training",
    "faces/Public Test/happy/c.webp,happy,valid",
]


def test_the_stamp_of_a_manifest_is_that_of_the_csv(image_folder):
    path = manifest_of(image_folder, GOOD_ROWS)
    before = data_stamp(path)
    os.utime(image_folder / "Training/happy/a.png", ns=(1, 1))
    assert data_stamp(path) == before  # the images are not examined
    os.utime(path, ns=(1, 1))
    assert data_stamp(path) != before


def test_manifest_paths_are_relative_to_the_csv(image_folder):
    samples = read(manifest_of(image_folder, GOOD_ROWS), channels=3)
    assert samples.name == "mine"
    assert samples.labels.classes == ("angry", "happy")
    assert samples.truth.tolist() == [1, 0, 1]
    assert samples.split.tolist() == ["train", "train", "val"]
    assert np.array_equal(samples.images, read(image_folder, channels=3).images[[4, 3, 2]])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("faces/gone.png,happy,train", "'faces/gone.png' does not exist"),
        ("faces/Training/happy/a.png,happy,somewhere", "split must be one of train, val, test, got 'somewhere'"),
        ("faces/Training/happy/a.png,,train", "label must name a class, got nothing"),
        ("faces/Training/happy/a.png,happy", r"expected 3 fields \(path, label, split\), got 2"),
        ("faces,happy,train", "cannot be read as an image"),
        (",happy,train", "cannot be read as an image"),
    ],
)
def test_bad_manifest_row_is_named_or_skipped(image_folder, bad, message):
    path = manifest_of(image_folder, [GOOD_ROWS[0], bad, *GOOD_ROWS[1:]])
    with pytest.raises(DataError, match=f"mine.csv, row 1: .*{message}"):
        read(path)
    samples = read(path, skip_bad=True)
    assert (samples.ids.tolist(), samples.skipped) == ([0, 2, 3], 1)


def test_a_manifest_in_another_encoding_is_refused_and_its_classes_are_not_merged(image_folder):
    path = manifest_of(image_folder, GOOD_ROWS)
    path.write_bytes(path.read_bytes() + "\nx.png,fröhlich,train\ny.png,früchlich,val".encode("latin-1"))
    with pytest.raises(
        DataError,
        match=r"mine.csv, row 3: the row has bytes that are not valid text, .* as UTF-8",
    ):
        read(path)
    with pytest.raises(DataError, match=r"mine.csv, row 3"):
        row_labels(path)
    samples = read(path, skip_bad=True)
    assert (samples.skipped, samples.labels.classes) == (2, ("angry", "happy"))


def test_a_bad_row_is_named_before_a_missing_class(image_folder):
    with pytest.raises(DataError, match=r"mine.csv, row 1: label must name a class"):
        read(manifest_of(image_folder, [GOOD_ROWS[0], "faces/Training/anger/b.jpg,,train"]))
