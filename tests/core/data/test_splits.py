"""Data sets without their own splits: which images go where, and that groups stay together."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.data import SplitShares, read
from core.data.splits import groups_of_names, split_of
from core.errors import DataError


def write_images(root, names):
    """Small images of distinct gray levels at paths below ``root``."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (9, 9), number % 256).save(path)
    return root


@pytest.fixture
def persons(tmp_path):
    """A folder in the style of CK+: root/class/S001_01.png, 20 persons with two expressions of two images each."""
    names = [f"{c}/S{person:03}_{k}.png" for person in range(20) for c in ("happy", "sad") for k in range(2)]
    return write_images(tmp_path / "ck", names)


@pytest.mark.parametrize(
    "text", ["80/10", "80/10/10/0", "80/10/20", "0/50/50", "a/b/c", "", "-10/100/10", "80.5/9.5/10"]
)
def test_invalid_shares_are_refused(text):
    with pytest.raises(DataError, match="split"):
        SplitShares.parse(text)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), min_size=1, max_size=80),
    seed=st.integers(0, 5),
)
def test_every_image_gets_one_split_and_groups_stay_together(rows, seed):
    truth, groups = [k for k, _ in rows], [f"p{g}" if g else "" for _, g in rows]
    shares = SplitShares(70, 20, 10, seed)
    splits = shares.assign([None] * len(rows), truth, groups)
    assert len(splits) == len(rows)
    assert set(splits) <= {"train", "val", "test"}
    of_group = {}
    for split, group in zip(splits, groups, strict=True):
        if group:
            assert of_group.setdefault(group, split) == split
    assert splits == shares.assign([None] * len(rows), truth, groups)


def test_single_images_are_stratified_by_class():
    truth = [0] * 100 + [1] * 50
    splits = np.array(SplitShares(80, 10, 10).assign([None] * 150, truth, [""] * 150))
    for k, n in ((0, 100), (1, 50)):
        of_class = splits[np.array(truth) == k]
        assert [(of_class == s).sum() for s in ("train", "val", "test")] == [0.8 * n, 0.1 * n, 0.1 * n]


def test_another_seed_gives_another_split():
    truth, groups = [0, 1] * 50, [""] * 100
    first, second = (SplitShares(80, 10, 10, seed).assign([None] * 100, truth, groups) for seed in (0, 1))
    assert first != second


def test_a_missing_split_is_taken_from_train_and_test_is_unchanged():
    given_splits = ["train"] * 90 + ["test"] * 10
    splits = SplitShares(80, 20, 0).assign(given_splits, [0] * 100, [""] * 100)
    assert splits[90:] == ["test"] * 10
    assert (splits[:90].count("train"), splits[:90].count("val")) == (72, 18)


def test_a_data_set_with_all_splits_is_not_split_again(image_folder):
    with pytest.raises(DataError, match="already has the splits"):
        read(image_folder, split="80/10/10")


def test_a_split_that_would_change_nothing_is_refused(tmp_path):
    names = [f"{s}/{c}/{k}.png" for s in ("train", "test") for c in ("happy", "sad") for k in range(2)]
    root = write_images(tmp_path / "two", names)
    with pytest.raises(DataError, match="already has the splits train, test, so none is missing for 90/0/10"):
        read(root, split="90/0/10")
    shutil.rmtree(root / "train")
    with pytest.raises(DataError, match=r"no train images to distribute by 80/10/10; .* --split all"):
        read(root, split="80/10/10")
    assert len(read(root, split="all")) == 4


def test_a_negative_seed_is_refused(persons):
    with pytest.raises(DataError, match="seed of a split must be an integer of at least 0, got -1"):
        read(persons, split="80/10/10", seed=-1)


def test_a_folder_of_classes_is_split_by_person(persons):
    samples = read(persons, split="60/20/20", seed=3)
    assert samples.split_rule == "60/20/20, seed 3, by group"
    assert {s: int((samples.split == s).sum()) for s in ("train", "val", "test")} == {
        "train": 48,
        "val": 16,
        "test": 16,
    }
    names = sorted(p.relative_to(persons).as_posix() for p in persons.glob("*/*.png"))
    persons_of = {
        s: {n.split("/")[1][:4] for n, x in zip(names, samples.split, strict=True) if x == s} for s in samples.split
    }
    assert not persons_of["train"] & persons_of["test"]
    assert not persons_of["train"] & persons_of["val"]


def test_a_folder_with_train_and_test_only_gets_a_validation_split(tmp_path):
    names = [f"{s}/{c}/{k:02}.png" for s in ("train", "test") for c in ("happy", "sad") for k in range(20)]
    samples = read(write_images(tmp_path / "two", names), split="90/10/0")
    assert samples.split_rule == "90/10/0, seed 0, by image"
    assert {s: int((samples.split == s).sum()) for s in ("train", "val", "test")} == {"train": 36, "val": 4, "test": 40}


def test_a_manifest_without_splits_is_split_by_its_group_column(tmp_path):
    write_images(tmp_path, [f"{k}.png" for k in range(20)])
    rows = [f"{k}.png,{'happy' if k % 2 else 'sad'},{k // 4}" for k in range(20)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["path,label,subject", *rows]))
    with pytest.raises(DataError, match=r"mine.csv has no splits \(there is no column split\).*--split 80/10/10"):
        read(path)
    samples = read(path, split="60/20/20")
    assert samples.split_rule.endswith("by group")
    assert all(len(set(samples.split[k : k + 4])) == 1 for k in range(0, 20, 4))


@pytest.mark.parametrize(
    ("names", "classes", "expected"),
    [
        (["S1_a.png", "S1_b.png", "S2_a.png", "S3_a.png"], ["x", "y", "x", "x"], ["S1", "S1", "S2", "S3"]),
        (["KA.AN1.tiff", "KA.HA1.tiff", "KL.AN1.tiff", "KM.HA1.tiff"], ["x", "y", "x", "y"], ["KA", "KA", "KL", "KM"]),
        (["happy_1.png", "happy_2.png", "sad_1.png", "sad_2.png"], ["x", "x", "y", "y"], [""] * 4),
        (["train_1.png", "train_2.png", "train_3.png", "val_1.png"], ["x", "y", "x", "y"], [""] * 4),
        (["1.png", "2.png"], ["x", "y"], ["", ""]),
    ],
)
def test_the_first_part_of_a_file_name_is_a_group_if_it_occurs_with_several_classes(names, classes, expected):
    assert groups_of_names(names, classes) == expected


@pytest.mark.parametrize(
    ("name", "split"),
    [("Training", "train"), ("Public Test", "val"), ("PRIVATE_TEST", "test"), ("valid", "val"), ("happy", None)],
)
def test_splits_are_known_under_many_names(name, split):
    assert split_of(name) == split
