"""From photos and data sets to answers."""

from core.inference.analysis import ENSEMBLE, FaceAnalysis, PhotoAnalysis, analyze
from core.inference.dataset import evaluate, infer_logits, prepared_images
from core.inference.export import photo_values
from core.inference.predictor import Prediction, Predictor, ensemble_prediction
from core.inference.saliency import ClassMaps, class_saliency, explained, input_tensor

__all__ = [
    "ENSEMBLE",
    "ClassMaps",
    "FaceAnalysis",
    "PhotoAnalysis",
    "Prediction",
    "Predictor",
    "analyze",
    "class_saliency",
    "ensemble_prediction",
    "evaluate",
    "explained",
    "infer_logits",
    "input_tensor",
    "photo_values",
    "prepared_images",
]
