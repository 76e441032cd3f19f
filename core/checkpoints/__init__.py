"""Trained networks on disk: one folder per run, with everything needed to use, evaluate and repeat it.

``checkpoints/<run_id>/`` holds the weights in half precision, the model card, the training history and the logits per
image of the evaluated splits. A folder without a card is not a checkpoint; the card names the SHA-256 of the weights.
"""

from core.checkpoints.card import Latency, ModelCard
from core.checkpoints.folder import (
    ROOT,
    Checkpoint,
    CheckpointFolder,
    Listing,
    check_run_id,
    list_checkpoints,
    load_checkpoint,
    save_card,
)
from core.checkpoints.publishing import publishing, withhold_weights
from core.checkpoints.weights import load_weights, save_weights, sha256_of

__all__ = [
    "ROOT",
    "Checkpoint",
    "CheckpointFolder",
    "Latency",
    "Listing",
    "ModelCard",
    "check_run_id",
    "list_checkpoints",
    "load_checkpoint",
    "load_weights",
    "publishing",
    "save_card",
    "save_weights",
    "sha256_of",
    "withhold_weights",
]
