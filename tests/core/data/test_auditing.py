from __future__ import annotations

import json

import numpy as np
import pytest

from core.data import Samples, audit, copies_in_train
from core.labels import FER7


def samples_of(pictures: str, labels: list[int], splits: list[str], channels: int = 1) -> Samples:
    """One letter per image: equal letters are identical images, a dot is a blank image."""
    rng = np.random.default_rng(0)
    shape = (16, 16) if channels == 1 else (16, 16, 3)
    known = {c: rng.integers(0, 256, shape, dtype=np.uint8) for c in sorted(set(pictures))}
    known["."] = np.zeros(shape, np.uint8) if channels == 1 else np.full(shape, (1, 2, 3), np.uint8)
    images = np.stack([known[c] for c in pictures])
    return Samples("made", FER7, images, np.array(labels), np.array(splits), np.arange(len(images)), skipped=4)


@pytest.fixture(params=[1, 3], ids=["gray", "RGB"])
def samples(request) -> Samples:
    return samples_of(
        "aabbbc.da",
        [0, 0, 1, 1, 2, 3, 4, 5, 0],
        ["train", "val", "test", "train", "test", "train", "val", "test", "val"],
        request.param,
    )


def test_the_audit_counts_known_defects(samples):
    found = audit(samples)
    assert (found.rows, found.skipped, found.blank) == (9, 4, 1)
    assert (found.identical_groups, found.identical_images) == (2, 6)  # aaa and bbb
    assert found.conflicting_groups == 1  # bbb is 1, 1 and 2
    assert found.copies_in_train == {"val": 2, "test": 2}
    assert found.counts["test"] == {n: int(n in ("disgust", "fear", "surprise")) for n in FER7.classes}
    assert sum(n for split in found.counts.values() for n in split.values()) == 9


def test_copies_in_train_are_rows_of_val_and_test_only(samples):
    assert copies_in_train(samples).tolist() == [False, True, True, False, True, False, False, False, True]


def test_copies_outside_train_are_no_leak():
    assert not copies_in_train(samples_of("aa", [0, 0], ["val", "test"])).any()


def test_report_is_plain_json(samples):
    report = json.loads(json.dumps(audit(samples).to_json()))
    assert set(report) == {
        *("rows", "blank", "identical_groups", "identical_images"),
        *("conflicting_groups", "copies_in_train", "counts", "skipped", "split_rule"),
    }


def test_the_audit_of_an_empty_data_set_is_empty():
    empty = samples_of("a", [0], ["train"]).select(np.array([False]))
    found = audit(empty)
    assert (found.rows, found.blank, found.identical_groups, found.conflicting_groups) == (0, 0, 0, 0)
