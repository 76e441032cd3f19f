"""From photos and data sets to answers."""

from core.inference.analysis import ENSEMBLE, FaceAnalysis, PhotoAnalysis, analyze
from core.inference.dataset import evaluate, infer_logits, prepared_images
from core.inference.doubt import VIEWS, Decision, Doubt, decide, disagreement_bits, doubt, entropy_bits, ten_crops
from core.inference.embedding import embed, embed_split, stored_embedding
from core.inference.export import FaceFindings, everything, photo_values
from core.inference.gallery import ORDERS, FaceSummary, in_order, summarize_faces
from core.inference.image_maps import image_maps
from core.inference.one_core import one_core_map
from core.inference.perturbation import (
    GRID,
    KNOBS,
    REGIONS,
    Knob,
    Perturbation,
    Sweep,
    perturbed,
    perturbed_inputs,
    sweep,
)
from core.inference.predictor import Prediction, Predictor, ensemble_prediction
from core.inference.regions import DatasetShares, dataset_shares, regions_of
from core.inference.saliency import ClassMaps, class_saliency, explained, input_tensor
from core.inference.trust import (
    Measures,
    MethodAgreement,
    Trust,
    TrustFindings,
    chance,
    measures,
    method_agreement,
    probability_explained,
    probability_of,
    sanity,
    trust,
)

__all__ = [
    "ENSEMBLE",
    "GRID",
    "KNOBS",
    "ORDERS",
    "REGIONS",
    "VIEWS",
    "ClassMaps",
    "DatasetShares",
    "Decision",
    "Doubt",
    "FaceAnalysis",
    "FaceFindings",
    "FaceSummary",
    "Knob",
    "Measures",
    "MethodAgreement",
    "Perturbation",
    "PhotoAnalysis",
    "Prediction",
    "Predictor",
    "Sweep",
    "Trust",
    "TrustFindings",
    "analyze",
    "chance",
    "class_saliency",
    "dataset_shares",
    "decide",
    "disagreement_bits",
    "doubt",
    "embed",
    "embed_split",
    "ensemble_prediction",
    "entropy_bits",
    "evaluate",
    "everything",
    "explained",
    "image_maps",
    "in_order",
    "infer_logits",
    "input_tensor",
    "measures",
    "method_agreement",
    "one_core_map",
    "perturbed",
    "perturbed_inputs",
    "photo_values",
    "prepared_images",
    "probability_explained",
    "probability_of",
    "regions_of",
    "sanity",
    "stored_embedding",
    "summarize_faces",
    "sweep",
    "ten_crops",
    "trust",
]
