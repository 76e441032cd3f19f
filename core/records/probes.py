"""What the probes measured for one face: uncertainty, the decision, saliency maps and how far they can be trusted."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from core.explain import Explanation
from core.records.base import Number, Numbers, Record, Rows, ScoreRecord
from core.records.predictions import GroupRecord


class GroupUncertaintyRecord(Record):
    """One group's predictions at temperature 1, and their mean over several views after temperature scaling."""

    raw: GroupRecord
    augmented: GroupRecord


class UncertaintyRecord(Record):
    """Predictions of a face over its views: "one", "mirror" or "ten crops"."""

    views: str
    groups: list[GroupUncertaintyRecord]


class AbstentionRecord(Record):
    """A threshold, the share of images at or above it, and the accuracy on those."""

    threshold: Number
    coverage: ScoreRecord
    accuracy: ScoreRecord


class DecisionRecord(Record):
    """Whether a prediction is confident enough: by the lowest threshold that reaches the accuracy ``target``."""

    expression: str
    confidence: Number
    sure: bool
    target: Number
    chosen_on: int  # number of the val images that the threshold was chosen on
    effect: AbstentionRecord  # on the test images
    shown_on: int  # number of the test images


class MapRecord(Record):
    """A saliency map for one class, or for one class against another."""

    method: str
    expression: str
    against: str | None
    stage: str
    evidence: Number  # maximum of the map before it was scaled
    heatmap: Rows  # cells in [0, 1]
    picture: str | None  # the part of the photo around the face under the map, PNG in base64, where requested

    @classmethod
    def of(cls, explanation: Explanation, classes: Sequence[str], picture: bytes | None = None) -> MapRecord:
        """A map with the names of its classes; ``picture`` is a PNG file."""
        against = explanation.against
        return cls.model_validate(
            {
                "method": explanation.method,
                "expression": classes[explanation.class_index],
                "against": None if against is None else classes[against],
                "stage": explanation.stage,
                "evidence": explanation.evidence,
                "heatmap": explanation.heatmap,
                "picture": None if picture is None else base64.b64encode(picture).decode("ascii"),
            }
        )


class CurvesRecord(Record):
    """Deletion and insertion (Petsiuk et al. 2018)."""

    steps: int
    fractions: Numbers
    deletion: Numbers
    insertion: Numbers
    deletion_area: Number
    insertion_area: Number


class RoadRecord(Record):
    """ROAD (Rong et al. 2022)."""

    fractions: Numbers
    most_relevant_first: Numbers
    least_relevant_first: Numbers
    score: Number


class DropRecord(Record):
    """Confidence before and after the most relevant part of the face was hidden."""

    part: Number
    before: Number
    after: Number


class FaithfulnessRecord(Record):
    """The quick measures of one map."""

    curves: CurvesRecord
    road: RoadRecord
    drop: DropRecord


class ChanceRecord(Record):
    """Insertion minus deletion of a map, compared with that of copies turned, mirrored and shifted at random."""

    score: Number
    p_value: Number
    percentile_95: Number  # of the copies
    copies: int
    better_than_chance: bool


class AgreementRecord(Record):
    """Spearman's rank correlation between the maps of several methods."""

    methods: list[str]
    correlation: Rows


class TrustRecord(Record):
    """The measurements of one map; null for what was not measured."""

    measures: FaithfulnessRecord | None
    chance: ChanceRecord | None
    agreement: AgreementRecord | None
    # Rank correlation of the map with that of the network whose weights are random from the output down to a layer;
    # null where there is no map to compare.
    randomization: list[tuple[str, Number]] | None
