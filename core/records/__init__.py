"""The JSON output of FERscope: command line, downloads of pages, HTTP API and batch.

A document is an :class:`AnalysisRecord`, of a video a :class:`VideoRecord`. Numbers have six decimals; what is unknown,
not measured or not a finite number is null. Lengths are in px of the upright photo, with the origin at its top left
corner. Mappings of networks are keyed by model id. ``SCHEMA_VERSION`` increases with every change that can break a
reader.

Most records are read from the attributes of the result that they describe: ``TrustRecord.model_validate(findings)``.
"""

from core.records.analysis import (
    SCHEMA_VERSION,
    AnalysisRecord,
    FaceDetails,
    FaceRecord,
    NetworkRecord,
    PhotoRecord,
)
from core.records.base import Record, ScoreRecord, to_json
from core.records.evaluation import EvaluationRecord
from core.records.predictions import GroupRecord, PredictionRecord
from core.records.probes import DecisionRecord, MapRecord, TrustRecord, UncertaintyRecord
from core.records.video import VideoRecord

__all__ = [
    "SCHEMA_VERSION",
    "AnalysisRecord",
    "DecisionRecord",
    "EvaluationRecord",
    "FaceDetails",
    "FaceRecord",
    "GroupRecord",
    "MapRecord",
    "NetworkRecord",
    "PhotoRecord",
    "PredictionRecord",
    "Record",
    "ScoreRecord",
    "TrustRecord",
    "UncertaintyRecord",
    "VideoRecord",
    "to_json",
]
