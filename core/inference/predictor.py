"""One trained network, ready for use from several threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import softmax
from torch.fx.experimental.optimization import fuse

from core.checkpoints import Checkpoint, ModelCard
from core.errors import NotFiniteError
from core.labels import LabelSet
from core.models import Network, NetworkOutput


@dataclass(frozen=True)
class Prediction:
    """What one network says of one face."""

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
    def probabilities(self) -> np.ndarray:
        """(K,) summing to 1; the logits are divided by the temperature fitted on the validation split."""
        return np.asarray(softmax(self.logits.astype(np.float64) / self.temperature))

    @property
    def top(self) -> int:
        """Position of the most probable class."""
        return int(self.logits.argmax())

    @property
    def expression(self) -> str:
        """Name of the most probable class."""
        return self.labels.classes[self.top]


class Predictor:
    """A network with its card. Predictions may run in several threads at once; anything with hooks takes ``lock``."""

    def __init__(self, network: Network, card: ModelCard) -> None:
        self.network = network.eval().to(memory_format=torch.channels_last)
        # Answers come from a copy whose batch norms are folded into the convolutions before them: the same function in
        # fewer passes over memory. Explanations need the stages and gradients of the network itself.
        self.folded_trunk = fuse(self.network.trunk).to(memory_format=torch.channels_last)
        self.card = card
        # Hooks mutate the shared network, and sessions are threads.
        self.lock = threading.Lock()

    @classmethod
    def load(cls, checkpoint: Checkpoint) -> Predictor:
        """Raises CheckpointError when the weights are not the card's."""
        return cls(checkpoint.network(), checkpoint.card)

    @property
    def model_id(self) -> str:
        return self.card.run_id

    def input_images(self, crops: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Each crop as the network sees it: (S, S) or (S, S, 3) uint8."""
        return [self.card.preprocessing.to_input_image(c) for c in crops]

    def predict(self, crops: Sequence[np.ndarray]) -> list[Prediction]:
        """Answers for face crops of any size, in one batch; features are kept for saliency in closed form.

        Raises NotFiniteError as :meth:`predict_inputs`.
        """
        return self.predict_inputs(self.input_images(crops))

    def output(self, images: np.ndarray) -> NetworkOutput:
        """Logits and features of pictures as the network sees them, (N, S, S) or (N, S, S, 3) uint8, in one batch."""
        faces = self.card.preprocessing.normalize(torch.from_numpy(images))
        inputs = faces.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            features = self.folded_trunk(inputs)
            return NetworkOutput(self.network.head(features.mean(dim=(2, 3))), features)

    def predict_inputs(self, images: Sequence[np.ndarray], *, keep_features: bool = True) -> list[Prediction]:
        """Answers for pictures that are already as the network sees them, from :meth:`input_images`.

        Features are a hundred times as large as all else in an answer: leave them where answers are kept for long.
        Raises NotFiniteError where a logit is no finite number: such an answer would compare with nothing.
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


def ensemble_prediction(predictions: Sequence[Prediction], model_id: str = "ensemble") -> Prediction:
    """Mean of the members' probabilities, kept as log-probabilities; members must share one label set."""
    labels = predictions[0].labels
    for prediction in predictions:
        if prediction.labels.classes != labels.classes:
            raise ValueError(
                f"an ensemble needs members with the same classes, got {labels.name} and {prediction.labels.name}"
            )
    mean = np.mean([p.probabilities for p in predictions], axis=0)
    return Prediction(model_id, labels, np.log(mean.clip(1e-12)).astype(np.float32))
