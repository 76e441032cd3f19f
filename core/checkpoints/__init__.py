"""Trained networks on disk: one folder per run, with everything needed to use, evaluate and repeat it.

``checkpoints/<run_id>/`` holds the weights (matrices in half precision; those of an imported network in float32), the
model card, the training history and the logits per image of the evaluated splits. A folder without a card is not a
checkpoint; the card names the SHA-256 of the weights.

``core.checkpoints.weights`` reads and writes weights. It is not imported here, because PyTorch takes seconds to import.
"""

from core.checkpoints.card import Latency, ModelCard, Role
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
from core.checkpoints.publishing import publishing

__all__ = [
    "ROOT",
    "Checkpoint",
    "CheckpointFolder",
    "Latency",
    "Listing",
    "ModelCard",
    "Role",
    "check_run_id",
    "list_checkpoints",
    "load_checkpoint",
    "publishing",
    "save_card",
]
