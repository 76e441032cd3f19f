from __future__ import annotations

import numpy as np
import pytest

from core.data import Samples, audit, describe
from core.data.image_facts import FOLDER, ImageFacts
from core.data.overview import class_counts, drawn, findings, mean_faces
from core.errors import LabelError
from core.labels import FER7


def samples_of(pictures: str, labels: list[int], splits: list[str], ids: list[int] | None = None) -> Samples:
    """One letter per image: equal letters are identical images, a dot is a blank image."""
    random = np.random.default_rng(0)
    known = {c: random.integers(0, 256, (16, 16), dtype=np.uint8) for c in sorted(set(pictures))}
    known["."] = np.zeros((16, 16), np.uint8)
    images = np.stack([known[c] for c in pictures])
    rows = np.arange(len(images)) if ids is None else np.array(ids)
    return Samples("made", FER7, images, np.array(labels), np.array(splits), rows)


@pytest.fixture
def samples() -> Samples:
    return samples_of(
        "aabbbc.da",
        [0, 0, 1, 1, 2, 3, 4, 5, 0],
        ["train", "val", "test", "train", "test", "train", "val", "test", "val"],
        [10, 11, 12, 13, 14, 15, 16, 17, 18],
    )


def test_classes_are_counted_in_the_order_of_the_labels(samples):
    counts = class_counts(describe(samples))
    assert list(counts.index) == list(FER7.classes)
    assert list(counts.columns) == ["train", "val", "test"]
    assert counts.loc["angry"].tolist() == [1, 2, 0]
    assert counts.loc["neutral"].tolist() == [0, 0, 0]
    assert int(counts.to_numpy().sum()) == 9


def test_groups_name_their_images_classes_and_splits(samples):
    found = findings(describe(samples))
    assert found.groups["image_ids"].tolist() == [(10, 11, 18), (12, 13, 14)]
    assert found.groups["classes"].tolist() == [("angry",) * 3, ("disgust", "disgust", "fear")]
    assert found.groups["splits"].tolist() == [("train", "val", "val"), ("test", "train", "test")]
    assert found.groups["conflicting"].tolist() == [False, True]
    assert found.groups["across_splits"].tolist() == [True, True]
    assert found.blank.tolist() == [16]
    assert found.copies_in_train == {"val": 2, "test": 2}
    assert found.identical_images == 6


def test_findings_agree_with_the_audit(samples):
    listed, counted = findings(describe(samples)), audit(samples)
    assert len(listed.groups) == counted.identical_groups
    assert listed.identical_images == counted.identical_images
    assert int(listed.groups["conflicting"].sum()) == counted.conflicting_groups
    assert listed.copies_in_train == counted.copies_in_train
    assert len(listed.blank) == counted.blank


def test_a_data_set_without_defects_has_no_findings():
    found = findings(describe(samples_of("abc", [0, 1, 2], ["train", "val", "test"])))
    assert len(found.groups) == 0
    assert found.identical_images == 0
    assert len(found.blank) == 0
    assert list(found.groups.columns) == ["image_ids", "classes", "splits", "images", "conflicting", "across_splits"]


def test_the_mean_face_is_the_mean_of_its_class_in_its_split():
    images = np.stack([np.full((4, 4), v, np.uint8) for v in (10, 20, 31, 200, 90)])
    splits = np.array(["train"] * 4 + ["val"])
    mixed = Samples("m", FER7, images, np.array([3, 3, 3, 6, 3]), splits, np.arange(5))
    found = mean_faces(mixed, "train")
    assert list(found) == ["happy", "neutral"]
    mean, count = found["happy"]
    assert (mean == 20).all()
    assert (mean.dtype, count) == (np.uint8, 3)
    assert mean_faces(mixed, "test") == {}


def test_a_sample_is_reproducible_without_repetition_and_of_its_class_and_split():
    many = describe(samples_of("a" * 40, [0, 1] * 20, ["train"] * 30 + ["val"] * 10))
    first = drawn(many, 5, 1, split="train", class_name="disgust")
    assert first.tolist() == drawn(many, 5, 1, split="train", class_name="disgust").tolist()
    assert first.tolist() != drawn(many, 5, 2, split="train", class_name="disgust").tolist()
    assert len(set(first.tolist())) == 5
    chosen = many.at(np.sort(first))
    assert set(chosen.truth) == {1}
    assert set(chosen.split) == {"train"}
    assert len(drawn(many, 100, 0, split="val", class_name="angry")) == 5
    assert len(drawn(many, 100, 0, split="test", class_name="angry")) == 0
    with pytest.raises(LabelError, match="no class 'pain'"):
        drawn(many, 1, 0, split="val", class_name="pain")


def test_the_shipped_table_of_fer2013_holds_the_published_counts():
    facts = ImageFacts.load(FOLDER / "fer2013_images.parquet")
    assert class_counts(facts).sum().tolist() == [28_709, 3_589, 3_589]
    assert class_counts(facts).loc["disgust"].tolist() == [436, 56, 55]
    found = findings(facts)
    assert (len(found.groups), found.identical_images, int(found.groups["conflicting"].sum())) == (1_518, 3_373, 59)
    assert found.copies_in_train == {"val": 280, "test": 288}
    assert len(found.blank) == 12
