from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from core.data import describe, pack, read
from core.data.single_images import SingleImages, read_images, recognized
from core.errors import DataError


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


def test_a_packed_data_set_is_recognized_by_its_labels_and_images(official_csv, image_folder, tmp_path):
    packed, facts = tmp_path / "faces.parquet", describe(read(official_csv))
    pack(official_csv, packed)
    assert recognized(packed, [describe(read(image_folder)), facts]) is facts
    assert recognized(official_csv, [facts]) is None
    relabeled, swapped = (shutil.copy(packed, tmp_path / f"{name}.parquet") for name in ("relabeled", "swapped"))
    table = pd.read_parquet(packed)
    table.assign(emotion=[(table["emotion"][0] + 1) % 7, *table["emotion"][1:]]).to_parquet(relabeled)
    table.assign(image=[*table["image"][1:], table["image"][0]]).to_parquet(swapped)
    assert recognized(relabeled, [facts]) is None
    assert recognized(swapped, [facts]) is None
    assert SingleImages().recognized(packed) is None  # FERscope has no table of it
