"""Summaries of faces for the gallery, and their order."""

import numpy as np
import pytest

from core.checkpoints import list_checkpoints
from core.faces import detector
from core.images import decode
from core.inference import FaceSummary, Predictor, analyze, sort_faces, summarize_faces
from core.sample_photos import sample_photos

THUMBNAIL = np.zeros((96, 96, 3), np.uint8)
FACES = [
    FaceSummary("a", 0, THUMBNAIL, "sad", 0.5, 0.2),
    FaceSummary("a", 1, THUMBNAIL, "happy", 0.6, None),
    FaceSummary("b", 0, THUMBNAIL, "happy", 0.9, 0.7),
    FaceSummary("c", 0, THUMBNAIL, "angry", 0.9, 0.0),
]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("photo", ["a0", "a1", "b0", "c0"]),
        ("expression", ["c0", "b0", "a1", "a0"]),
        ("confidence", ["b0", "c0", "a1", "a0"]),
        ("disagreement", ["b0", "a0", "c0", "a1"]),
    ],
)
def test_faces_are_sorted_stably(order, expected):
    assert [f"{f.photo}{f.number}" for f in sort_faces(FACES, order)] == expected


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match="by photo, expression, confidence, disagreement, got 'mood'"):
        sort_faces(FACES, "mood")


def test_a_summary_matches_the_analysis(checkpoint_root):
    predictors = [Predictor.load(c) for c in list_checkpoints(checkpoint_root).checkpoints]
    photo = decode(sample_photos()["two_faces"].data)
    analysis = analyze(photo, detector("haar"), predictors)
    found = summarize_faces("p", analysis)
    assert [f.number for f in found] == [0, 1]
    for summary, face in zip(found, analysis.faces, strict=True):
        (group,) = face.groups
        assert summary.expression == group.ensemble.expression
        assert summary.confidence == pytest.approx(group.ensemble.probabilities.max())
        assert summary.disagreement_bits == group.disagreement_bits > 0
        assert summary.side_px == face.face.box.side
        assert summary.thumbnail.shape == (96, 96, 3)
        assert summary.thumbnail.std() > 10
    assert not np.array_equal(found[0].thumbnail, found[1].thumbnail)
    alone = summarize_faces("p", analyze(photo, detector("haar"), predictors[:1]))
    assert alone[0].disagreement_bits is None
