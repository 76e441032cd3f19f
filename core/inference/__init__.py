"""From photos and data sets to predictions."""

from core.evaluation import ENSEMBLE
from core.inference.analysis import (
    WHOLE_IMAGE,
    FaceAnalysis,
    PhotoAnalysis,
    PreparedPhoto,
    analyze,
    analyze_faces,
    analyzed_faces,
    margin_for,
    network_inputs,
    predict_faces,
    prepare,
)
from core.inference.ensemble import (
    LabelGroup,
    ensemble_prediction,
    entropy_bits,
    group_predictions,
    predictions_by_model,
)
from core.inference.face_summary import FACE_ORDERS, FaceSummary, face_thumbnail, sort_faces, summarize_faces
from core.inference.features import embed, embed_split
from core.inference.latency import milliseconds_per_face
from core.inference.photo_overlay import overlay_on_photo
from core.inference.predictor import TEMPERATURES, NetworkKey, Prediction, Predictor
from core.inference.saliency import explain_face, explain_images, input_tensor
from core.inference.scoring import evaluate, infer_logits, prepared_images

__all__ = [
    "ENSEMBLE",
    "FACE_ORDERS",
    "TEMPERATURES",
    "WHOLE_IMAGE",
    "FaceAnalysis",
    "FaceSummary",
    "LabelGroup",
    "NetworkKey",
    "PhotoAnalysis",
    "Prediction",
    "Predictor",
    "PreparedPhoto",
    "analyze",
    "analyze_faces",
    "analyzed_faces",
    "embed",
    "embed_split",
    "ensemble_prediction",
    "entropy_bits",
    "evaluate",
    "explain_face",
    "explain_images",
    "face_thumbnail",
    "group_predictions",
    "infer_logits",
    "input_tensor",
    "margin_for",
    "milliseconds_per_face",
    "network_inputs",
    "overlay_on_photo",
    "predict_faces",
    "predictions_by_model",
    "prepare",
    "prepared_images",
    "sort_faces",
    "summarize_faces",
]
