"""Records as rows: groups of networks, networks that are left out, and photos without faces."""

import numpy as np
import pytest

from core.faces import Box, Face
from core.inference import FaceAnalysis, Prediction
from core.labels import LabelSet
from core.records import FaceDetails, FaceRecord, PhotoRecord
from core.records.face_rows import RowGroup, RowLayout

MOODS, PAIN = LabelSet("moods", ("happy", "sad")), LabelSet("pain", ("pain", "none"))
LAYOUT = RowLayout((RowGroup(MOODS, ("a", "b"), 0.7), RowGroup(PAIN, ("c",))))


def photo(**logits):
    """A photo with one face, for which these networks predict; ``c`` has other classes than ``a`` and ``b``."""
    predictions = {
        name: Prediction(name, PAIN if name == "c" else MOODS, np.log(np.array(p, np.float32)))
        for name, p in logits.items()
    }
    found = FaceAnalysis(Face(Box(1, 2, 3, 4), 0.9), {}, predictions)
    record = FaceRecord.of(1, found, FaceDetails(), 10, 10)
    left_out = tuple(name for name in "abc" if name not in logits)
    return PhotoRecord(path="p.jpg", width=10, height=10, detector="haar", left_out=left_out, faces=(record,))


def test_each_group_has_its_verdict_and_each_network_its_columns():
    (row,) = LAYOUT.rows(photo(a=[0.9, 0.1], b=[0.7, 0.3], c=[0.2, 0.8]))
    assert list(row) == list(LAYOUT.columns)
    assert (row["expression"], row["sure"], row["agreeing"]) == ("happy", True, 2)
    assert [row["confidence"], row["p_happy"], row["p_sad"]] == pytest.approx([0.8, 0.8, 0.2], abs=1e-6)
    assert (row["expression_2"], row["sure_2"], row["disagreement_bits_2"]) == ("none", None, None)
    assert row["p_none_2"] == pytest.approx(0.8, abs=1e-6)
    assert (row["b_expression"], row["c_expression"]) == ("happy", "none")
    assert row["b_p_sad"] == pytest.approx(0.3, abs=1e-6)
    assert (row["box_left"], row["box_height"], row["face"], row["faces"]) == (1, 4, 1, 1)


def test_a_network_that_is_left_out_has_empty_columns_and_the_rest_no_threshold():
    (row,) = LAYOUT.rows(photo(a=[0.9, 0.1], c=[0.2, 0.8]))
    assert list(row) == list(LAYOUT.columns)
    assert (row["left_out"], row["b_expression"], row["b_p_happy"]) == ("b", None, None)
    assert (row["expression"], row["sure"], row["disagreement_bits"]) == ("happy", None, None)


def test_photos_without_a_face_and_unreadable_files_have_one_row():
    (row,) = LAYOUT.rows(PhotoRecord(path="wall.jpg", width=5, height=6, detector="haar"))
    assert (row["faces"], row["face"], row["expression"], row["error"]) == (0, None, None, None)
    (row,) = LAYOUT.rows(PhotoRecord(path="x.jpg", error="It is damaged."))
    assert (row["faces"], row["face"], row["width"], row["error"]) == (None, None, None, "It is damaged.")
    assert list(row) == list(LAYOUT.columns)
