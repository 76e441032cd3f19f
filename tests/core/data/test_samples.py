from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.data import Samples, read
from core.errors import DataError
from core.labels import FER7


@pytest.fixture
def samples(official_csv) -> Samples:
    return read(official_csv)


def test_selection_keeps_row_numbers(samples):
    chosen = samples.of("test")
    assert chosen.ids.tolist() == [2, 5, 8]
    assert np.array_equal(chosen.images, samples.images[[2, 5, 8]])


def test_fingerprint_of_a_split_does_not_depend_on_what_it_was_taken_from(samples):
    with_train = samples.select(samples.split != "test").of("val")
    narrow = replace(with_train, split=np.array(["val"] * 3))
    assert with_train.fingerprint() == narrow.fingerprint()


@pytest.mark.parametrize(("field", "value"), [("images", 7), ("truth", 5), ("split", "test")])
def test_fingerprint_changes_with_the_data(samples, field, value):
    values = getattr(samples, field).copy()
    values[0] = value
    assert replace(samples, **{field: values}).fingerprint() != samples.fingerprint()


def test_empty_split_is_an_error(samples):
    with pytest.raises(DataError, match="no images in its val split"):
        samples.select(samples.split != "val").of("val")
    with pytest.raises(DataError, match="one of train, val, test, got 'valid'"):
        samples.of("valid")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("images", np.zeros((2, 48, 48), np.float32), "uint8"),
        ("images", np.zeros((2, 48, 40), np.uint8), "(N, S, S)"),
        ("images", np.zeros((2, 48, 48, 4), np.uint8), "(N, S, S, 3)"),
        ("truth", np.array([0, 7]), r"0\.\.6"),
        ("truth", np.array([0]), "2 rows"),
        ("split", np.array(["train", "other"]), "got other"),
        ("votes", np.zeros((2, 8), np.int16), r"\(2, 10\)"),
    ],
)
def test_contradictory_fields_are_refused(field, value, message):
    fields = {
        "images": np.zeros((2, 48, 48), np.uint8),
        "truth": np.array([0, 1]),
        "split": np.array(["train", "val"]),
        "ids": np.arange(2),
    }
    with pytest.raises(DataError, match=message):
        Samples("x", FER7, **(fields | {field: value}))
