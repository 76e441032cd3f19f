from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from core.data import ferplus_majority, read, with_ferplus_labels
from core.errors import DataError
from core.labels import FERPLUS8

HAPPY = (0, 10, 0, 0, 0, 0, 0, 0, 0, 0)
SPLIT = (5, 5, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        (HAPPY, "happy"),
        ((6, 4, 0, 0, 0, 0, 0, 0, 0, 0), "neutral"),
        (SPLIT, None),  # half is not more than half
        ((4, 3, 3, 0, 0, 0, 0, 0, 0, 0), None),
        ((4, 1, 1, 1, 1, 1, 1, 0, 0, 0), "neutral"),  # 4 of the 4 that remain
        ((0, 0, 0, 0, 0, 0, 0, 5, 4, 1), "contempt"),  # the single NF does not count: 5 of 9
        ((0, 0, 0, 0, 0, 0, 0, 0, 10, 0), None),  # unknown
        ((0, 0, 0, 0, 0, 0, 0, 0, 0, 10), None),  # not a face
        ((1, 1, 1, 1, 1, 1, 1, 1, 1, 1), None),  # nothing remains
        ((0, 0, 0, 0, 0, 0, 0, 0, 0, 0), None),
    ],
)
def test_majority_rule(votes, label):
    expected = -1 if label is None else FERPLUS8.index(label)
    labels = ferplus_majority(np.array([votes], np.int16))
    assert labels.dtype == np.int64
    assert labels.tolist() == [expected]


@settings(max_examples=50, deadline=None)
@given(npst.arrays(np.int16, (5, 10), elements=st.integers(0, 10)))
def test_a_majority_label_has_more_votes_than_all_others_together(votes):
    before = votes.copy()
    for counts, label in zip(votes, ferplus_majority(votes), strict=True):
        if label >= 0:
            others = [v for k, v in enumerate(counts.tolist()) if v > 1 and k != label]
            assert counts[label] > sum(others)
    assert np.array_equal(votes, before)


def test_votes_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"shape \(N, 10\), got \(3, 8\)"):
        ferplus_majority(np.zeros((3, 8), np.int16))


def test_no_votes_give_no_labels():
    assert ferplus_majority(np.zeros((0, 10), np.int16)).shape == (0,)


def test_votes_in_the_folder_of_the_faces_are_read(official_csv, faces, write_votes):
    votes = np.random.default_rng(2).integers(0, 11, (9, 10))
    write_votes(faces.usages, votes.tolist())
    samples = read(official_csv)
    assert samples.votes.dtype == np.int16
    assert np.array_equal(samples.votes, votes)


@pytest.mark.parametrize("split", ["all", "50/25/25"])
def test_votes_are_read_with_a_chosen_split(official_csv, faces, write_votes, split):
    faces.write(official_csv, [line.replace("PublicTest", "Training") for line in faces.lines()])
    usages = ["Training" if usage == "PublicTest" else usage for usage in faces.usages]
    votes = np.random.default_rng(2).integers(0, 11, (9, 10))
    write_votes(usages, votes.tolist())
    samples = read(official_csv, split=split)
    assert samples.split_rule
    assert np.array_equal(samples.votes, votes)


def test_images_without_majority_are_dropped_and_ids_are_unchanged(official_csv, faces, write_votes):
    write_votes(faces.usages, [HAPPY, SPLIT, HAPPY, *[SPLIT] * 5, HAPPY])
    samples = with_ferplus_labels(read(official_csv))
    assert samples.labels is FERPLUS8
    assert samples.ids.tolist() == [0, 2, 8]
    assert samples.truth.tolist() == [FERPLUS8.index("happy")] * 3
    assert np.array_equal(samples.images, faces.images[[0, 2, 8]])
    assert samples.votes.shape == (3, 10)


def test_labels_need_votes(official_csv):
    with pytest.raises(DataError, match=r"no FER\+ votes; put fer2013new.csv in the folder"):
        with_ferplus_labels(read(official_csv))


def test_labels_need_one_majority(official_csv, faces, write_votes):
    write_votes(faces.usages, [SPLIT] * 9)
    with pytest.raises(DataError, match="none of the 9 images"):
        with_ferplus_labels(read(official_csv))


@pytest.mark.parametrize("rows", [8, 10])
@pytest.mark.parametrize("skip_bad", [False, True])
def test_both_files_must_have_equally_many_rows(official_csv, faces, write_votes, rows, skip_bad):
    write_votes(["Training"] * rows, [HAPPY] * rows)
    with pytest.raises(DataError, match=f"fer2013new.csv must have one row for each of the 9 .* got {rows}"):
        read(official_csv, skip_bad=skip_bad)


@pytest.mark.parametrize("count", ["-1", "11", "x", "", "2.5"])
def test_unreadable_votes_are_named_or_skipped(official_csv, faces, write_votes, count):
    votes = [list(HAPPY) for _ in range(9)]
    votes[3][9] = count
    write_votes(faces.usages, votes)
    with pytest.raises(DataError, match=f"fer2013new.csv, row 3: a vote must be .* 0 to 10, got '{count}'"):
        read(official_csv)
    samples = read(official_csv, skip_bad=True)
    assert (samples.ids.tolist(), samples.skipped) == ([0, 1, 2, 4, 5, 6, 7, 8], 1)
    assert len(samples.votes) == 8


def test_votes_for_another_usage_than_the_face_are_refused(official_csv, faces, write_votes):
    write_votes([*faces.usages[:4], "Training", *faces.usages[5:]], [HAPPY] * 9)
    with pytest.raises(DataError, match=r"row 4: Usage must be that of its face \(val\), got 'Training'"):
        read(official_csv)


def test_votes_match_their_face_when_rows_are_skipped(official_csv, faces, write_votes):
    lines = faces.lines()
    lines[1] = lines[1][:100]
    faces.write(official_csv, lines)
    votes = [[i, *HAPPY[1:]] for i in range(9)]
    write_votes(faces.usages, votes)
    samples = read(official_csv, skip_bad=True)
    assert samples.votes[:, 0].tolist() == samples.ids.tolist() == [0, 2, 3, 4, 5, 6, 7, 8]


def test_missing_vote_column_is_named(official_csv):
    official_csv.with_name("fer2013new.csv").write_text("Usage,Image name,neutral\nTraining,a.png,3\n")
    with pytest.raises(DataError, match=r"fer2013new.csv lacks the column 'happiness'"):
        read(official_csv)
