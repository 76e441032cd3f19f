from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from core.data import describe, image_facts, pack, read
from core.data.single_images import SingleImages, read_images, recognized
from core.errors import DataError
from tests.core.data.conftest import some_faces


def test_images_are_read_by_row_number_from_every_kind_of_source(official_csv, image_folder, tmp_path):
    packed = tmp_path / "faces.parquet"
    pack(official_csv, packed)
    for source in (packed, official_csv, image_folder):
        whole = read(source)
        rows = whole.ids[[-1, 0, 2]]
        found = read_images(source, describe(whole), rows)
        assert found.ids.tolist() == sorted(rows.tolist())
        assert np.array_equal(found.images, whole.select(np.isin(whole.ids, rows)).images)


def test_images_of_another_data_set_are_refused(official_csv, image_folder):
    facts = describe(read(image_folder))
    with pytest.raises(DataError, match="another image than in"):
        read_images(official_csv, facts, facts.ids[:2])
    with pytest.raises(DataError, match="has no image 99999"):
        read_images(image_folder, facts, np.array([99_999]))


def test_a_data_set_is_recognized_by_its_labels_and_images(official_csv, image_folder, tmp_path):
    packed = tmp_path / "faces.parquet"
    pack(official_csv, packed)
    manifest = tmp_path / "faces.csv"
    listed = [p.relative_to(tmp_path) for p in sorted(image_folder.rglob("*.*"))]
    manifest.write_text("path,label,split\n" + "".join(f"{p},{p.parts[-2]},{p.parts[-3]}\n" for p in listed))
    facts, of_folder, of_manifest = (describe(read(source)) for source in (official_csv, image_folder, manifest))
    tables = [of_folder, facts]
    assert [recognized(source, tables) for source in (packed, official_csv, image_folder)] == [facts, facts, of_folder]
    assert recognized(manifest, [of_manifest]) is of_manifest
    relabeled, swapped = (shutil.copy(packed, tmp_path / f"{name}.parquet") for name in ("relabeled", "swapped"))
    table = pd.read_parquet(packed)
    table.assign(emotion=[(table["emotion"][0] + 1) % 7, *table["emotion"][1:]]).to_parquet(relabeled)
    table.assign(image=[*table["image"][1:], table["image"][0]]).to_parquet(swapped)
    assert recognized(relabeled, [facts]) is None
    assert recognized(swapped, [facts]) is None
    assert SingleImages().recognized(packed) is None  # FERscope has no table of it


@pytest.mark.parametrize(
    ("source", "content"), [("broken.csv", "emotion,pixels,Usage\n9,1 2 3,Training\n"), ("no", "")]
)
def test_what_cannot_be_read_is_not_recognized(source, content, tmp_path):
    (tmp_path / source).write_text(content)
    assert recognized(tmp_path / source, []) is None


def test_images_that_differ_from_a_recognized_data_set_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(image_facts, "FOLDER", tmp_path)
    original = some_faces(100)
    whole = read(original.write(tmp_path / "original.csv"))
    describe(whole).save(tmp_path / "faces_images.parquet")
    original.images[::50] //= 2
    copy = original.write(tmp_path / "copy.csv")
    images = SingleImages()
    facts = images.recognized(copy)
    assert facts is not None
    found = images.read(copy, facts, np.array([0, 1]))
    assert np.array_equal(found.images, np.stack([original.images[0], original.images[1]]))
    with pytest.raises(DataError, match="row 0: another image than in"):
        read_images(copy, facts, np.array([0, 1]))
    original.images[::10] //= 2
    assert SingleImages().recognized(original.write(tmp_path / "changed.csv")) is None
