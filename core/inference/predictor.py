"""One trained network, ready for predictions from several threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import softmax
from torch import nn
from torch.fx.experimental.optimization import fuse

from core.checkpoints import Checkpoint, ModelCard
from core.errors import NotFiniteError
from core.evaluation import ENSEMBLE
from core.labels import LabelSet
from core.models import Network, NetworkOutput


@dataclass(frozen=True)
class Prediction:
    """What one network, or the ensemble of several, predicts for one face."""

    model_id: str
    labels: LabelSet
    logits: np.ndarray  # (K,) float32
    temperature: float = 1.0
    features: np.ndarray | None = None  # (C, h, w) float32, the tensor that entered the pooling

    def __post_init__(self) -> None:
        expected = (len(self.labels),)
        if self.logits.shape != expected:
            raise ValueError(f"logits must have shape {expected} for {self.labels.name}, got {self.logits.shape}")

    @property
    def is_ensemble(self) -> bool:
        """Whether this is the mean of several networks."""
        return self.model_id == ENSEMBLE

    @property
    def probabilities(self) -> np.ndarray:
        """(K,) summing to 1: softmax of the logits divided by the temperature fitted on the validation split."""
        return np.asarray(softmax(self.logits.astype(np.float64) / self.temperature))

    @property
    def top(self) -> int:
        """Index of the most probable class."""
        return int(self.logits.argmax())

    @property
    def expression(self) -> str:
        """Name of the most probable class."""
        return self.labels.classes[self.top]

    @property
    def confidence(self) -> float:
        """Probability of the most probable class."""
        return float(self.probabilities[self.top])


class Predictor:
    """A network with its card. Several threads may predict at once; code that uses hooks must hold ``lock``."""

    def __init__(self, network: Network, card: ModelCard, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.network = network.eval().to(memory_format=torch.channels_last)
        # Predictions use a copy whose batch norms are folded into the preceding convolutions: the same function with
        # fewer passes over memory. Explanations need the stages and gradients of the network itself.
        self.fused_trunk = _fused(self.network.trunk).to(memory_format=torch.channels_last)
        self._head = self.network.head
        if self.device.type != "cpu":
            # Explanations stay on the CPU: one face is little work, and hooks and captum need no second device there.
            self.fused_trunk = copy.deepcopy(self.fused_trunk).to(self.device)
            self._head = copy.deepcopy(self.network.head).to(self.device)
        self.card = card
        # Hooks change the shared network, and sessions are threads.
        self.lock = threading.Lock()

    @classmethod
    def load(cls, checkpoint: Checkpoint, device: torch.device | str = "cpu") -> Predictor:
        """Raises CheckpointError when the weights do not match the card."""
        return cls(checkpoint.network(), checkpoint.card, device)

    @property
    def model_id(self) -> str:
        return self.card.run_id

    def input_images(self, crops: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Face crops of any size at the network's input size: (S, S) or (S, S, 3) uint8."""
        return [self.card.preprocessing.to_input_image(c) for c in crops]

    def predict(self, crops: Sequence[np.ndarray]) -> list[Prediction]:
        """Predictions for face crops of any size, in one batch, with features for saliency in closed form.

        Raises NotFiniteError as :meth:`predict_inputs`.
        """
        return self.predict_inputs(self.input_images(crops))

    def output(self, images: np.ndarray) -> NetworkOutput:
        """Logits and features of images at the network's input size, (N, S, S) or (N, S, S, 3) uint8, in one batch.

        They are computed on the predictor's device and returned on the CPU.
        """
        faces = self.card.preprocessing.normalize(torch.from_numpy(images).to(self.device))
        inputs = faces.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            features = self.fused_trunk(inputs)
            return NetworkOutput(self._head(features.mean(dim=(2, 3))).cpu(), features.cpu())

    def predict_inputs(self, images: Sequence[np.ndarray], *, keep_features: bool = True) -> list[Prediction]:
        """Predictions for images at the network's input size, as :meth:`input_images` returns them.

        Features are a hundred times as large as the rest of a prediction: omit them where predictions are stored.
        Raises NotFiniteError when a logit is NaN or infinite.
        """
        if not images:
            return []
        logits, features = self.output(np.stack(images))
        if not torch.isfinite(logits).all():
            raise NotFiniteError(self.model_id)
        maps = features.contiguous().numpy() if keep_features else [None] * len(images)
        return [
            Prediction(self.model_id, self.card.labels, of_face, self.card.temperature, of_maps)
            for of_face, of_maps in zip(logits.numpy(), maps, strict=True)
        ]


def _fused(trunk: nn.Module) -> nn.Module:
    """A copy of the trunk with folded batch norms, or the trunk itself where torch.fx cannot trace it."""
    try:
        return fuse(trunk)
    except Exception:  # control flow on values ends in TraceError, TypeError, RuntimeError and others
        return trunk
