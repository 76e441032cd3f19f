"""Figures of the real FER2013 and FER+."""

from __future__ import annotations

import os

import pytest

from core.data import SPLITS, Samples, audit, copies_in_train, read, with_ferplus_labels

DATA = os.environ.get("FERSCOPE_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="set FERSCOPE_DATA to a packed FER2013 or a fer2013.csv")


@pytest.fixture(scope="module")
def fer2013() -> Samples:
    return read(DATA)


def test_official_split_sizes(fer2013):
    assert [int((fer2013.split == s).sum()) for s in SPLITS] == [28_709, 3_589, 3_589]


def test_audit_finds_the_known_copies_contradictions_and_blanks(fer2013):
    found = audit(fer2013)
    assert (found.identical_groups, found.identical_images, found.conflicting_groups) == (1_518, 3_373, 59)
    assert found.copies_in_train == {"val": 280, "test": 288}
    assert found.blank == 12
    assert found.counts["train"]["happy"] == 7_215
    assert int(copies_in_train(fer2013).sum()) == 568


def test_majority_rule_keeps_the_known_number_of_images(fer2013):
    if fer2013.votes is None:
        pytest.skip("the data set carries no FER+ votes")
    kept = with_ferplus_labels(fer2013)
    assert [int((kept.split == s).sum()) for s in SPLITS] == [25_060, 3_199, 3_153]
