"""From photos and data sets to answers."""

from core.inference.analysis import ENSEMBLE, FaceAnalysis, PhotoAnalysis, analyze
from core.inference.dataset import evaluate, infer_logits, prepared_images
from core.inference.doubt import VIEWS, Doubt, disagreement_bits, doubt, entropy_bits, ten_crops
from core.inference.export import photo_values
from core.inference.perturbation import (
    GRID,
    KNOBS,
    REGIONS,
    Knob,
    Perturbation,
    PerturbationError,
    Sweep,
    perturbed,
    perturbed_inputs,
    sweep,
)
from core.inference.predictor import Prediction, Predictor, ensemble_prediction
from core.inference.saliency import ClassMaps, class_saliency, explained, input_tensor
from core.inference.trust import MethodAgreement, Trust, method_agreement, probability_of, sanity, trust

__all__ = [
    "ENSEMBLE",
    "GRID",
    "KNOBS",
    "REGIONS",
    "VIEWS",
    "ClassMaps",
    "Doubt",
    "FaceAnalysis",
    "Knob",
    "MethodAgreement",
    "Perturbation",
    "PerturbationError",
    "PhotoAnalysis",
    "Prediction",
    "Predictor",
    "Sweep",
    "Trust",
    "analyze",
    "class_saliency",
    "disagreement_bits",
    "doubt",
    "ensemble_prediction",
    "entropy_bits",
    "evaluate",
    "explained",
    "infer_logits",
    "input_tensor",
    "method_agreement",
    "perturbed",
    "perturbed_inputs",
    "photo_values",
    "prepared_images",
    "probability_of",
    "sanity",
    "sweep",
    "ten_crops",
    "trust",
]
