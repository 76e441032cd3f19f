"""One trained network, ready for predictions from several threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from scipy.special import softmax

from core.checkpoints import Checkpoint, ModelCard
from core.errors import ExportError, NotFiniteError
from core.evaluation import ENSEMBLE
from core.inference.backends import Backend, OnnxBackend, TorchBackend
from core.inference.batching import BatchQueue
from core.labels import LabelSet
from core.models import Network, NetworkOutput
from core.parallel import core_count

BackendName = Literal["torch", "onnx", "auto"]
NetworkKey = tuple[str, str, float]  # run id, SHA-256 of the weights, temperature
TEMPERATURES = (0.01, 100.0)  # lowest and highest


@dataclass(frozen=True, eq=False)
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

    def in_order_of(self, labels: LabelSet) -> Prediction:
        """The same prediction with the classes in the order of ``labels``, which must be the same classes."""
        if labels.classes == self.labels.classes:
            return self
        if not labels.same_classes(self.labels):
            raise ValueError(
                f"expected a prediction of {labels.name} ({', '.join(labels.classes)}), got one of {self.labels.name} "
                f"({', '.join(self.labels.classes)}) by {self.model_id}"
            )
        return replace(self, labels=labels, logits=self.logits[[self.labels.index(name) for name in labels.classes]])


class Predictor:
    """A network with its card. Several threads may predict at once; code that uses hooks must hold ``lock``."""

    def __init__(
        self, network: Network, card: ModelCard, device: torch.device | str = "cpu", *, backend: Backend | None = None
    ) -> None:
        self.device = torch.device(device)
        self.network = network.eval().to(memory_format=torch.channels_last)
        # Explanations need the stages and gradients of the network itself; they are computed on the CPU, because one
        # face is little work, and hooks and captum need no second device there.
        self.backend = backend or TorchBackend(self.network, card.preprocessing, self.device)
        self.card = card
        # A pass of few faces uses little more than one core.
        self.queue = BatchQueue(self.backend.output, lanes=core_count() if self.device.type == "cpu" else 1)
        # Hooks change the shared network, and sessions are threads.
        self.lock = threading.Lock()
        self.patient = False

    @classmethod
    def load(
        cls, checkpoint: Checkpoint, device: torch.device | str = "cpu", backend: BackendName = "torch"
    ) -> Predictor:
        """The network of a checkpoint, on one device.

        ``"onnx"`` uses the file that ``python -m core export RUN --install`` stores with the checkpoint after it was
        measured to be faster; ``"auto"`` uses it if it is there, fits the weights and the device is the CPU.

        Raises CheckpointError when the weights do not match the card, and ExportError when ``"onnx"`` is not possible.
        """
        network, chosen = checkpoint.network(), None
        if backend == "onnx" or (backend == "auto" and checkpoint.onnx_path.is_file()):
            try:
                chosen = _installed(checkpoint, torch.device(device))
            except ExportError:
                if backend == "onnx":
                    raise
        return cls(network, checkpoint.card, device, backend=chosen)

    @property
    def model_id(self) -> str:
        return self.card.run_id

    @property
    def key(self) -> NetworkKey:
        """Identifies the network among all installed ones: several may have the same weights."""
        return self.card.run_id, self.card.weights_sha256, self.card.temperature

    def input_images(self, crops: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Face crops of any size at the network's input size: (S, S) or (S, S, 3) uint8."""
        return [self.card.preprocessing.to_input_image(c) for c in crops]

    def predict(self, crops: Sequence[np.ndarray]) -> list[Prediction]:
        """Predictions for face crops of any size, in one batch, with features for saliency in closed form.

        Raises NotFiniteError as :meth:`predict_inputs`.
        """
        return self.predict_inputs(self.input_images(crops))

    def at_temperature(self, temperature: float) -> Predictor:
        """The same network, sharing its weights, lock and queue, with another temperature of TEMPERATURES."""
        low, high = TEMPERATURES
        if not low <= temperature <= high:
            raise ValueError(f"a temperature must lie in [{low}, {high}], got {temperature}")
        changed = copy.copy(self)
        changed.card = replace(self.card, temperature=temperature)
        return changed

    def for_background(self) -> Predictor:
        """The same network, sharing its weights, lock and queue, for work that waits its turn and never raises
        BusyError: nobody could repeat one step of a video or a folder."""
        changed = copy.copy(self)
        changed.patient = True
        return changed

    def output(self, images: np.ndarray) -> NetworkOutput:
        """Logits and features of images at the network's input size, (N, S, S) or (N, S, S, 3) uint8.

        They are computed by the predictor's backend and returned on the CPU. Calls of other threads may be computed in
        the same pass. Raises BusyError while too many calls wait.
        """
        return self.queue(images, patient=self.patient)

    def predict_inputs(self, images: Sequence[np.ndarray], *, keep_features: bool = True) -> list[Prediction]:
        """Predictions for images at the network's input size, as :meth:`input_images` returns them.

        Features are a hundred times as large as the rest of a prediction: omit them where predictions are stored.
        Raises NotFiniteError when a logit is NaN or infinite, and BusyError while too many calls wait.
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


def _installed(checkpoint: Checkpoint, device: torch.device) -> OnnxBackend:
    """ONNX Runtime with the file that is stored with a checkpoint. Raises ExportError."""
    run_id, path = checkpoint.card.run_id, checkpoint.onnx_path
    remedy = f"export it with: python -m core export {run_id} --install"
    if device.type != "cpu":
        raise ExportError(f"the ONNX backend computes on the CPU, got the device {device.type}")
    if not path.is_file():
        raise ExportError(f"{run_id} has no {path.name}; {remedy}")
    backend = OnnxBackend(path)
    if backend.weights_sha256 != checkpoint.card.weights_sha256:
        raise ExportError(f"{run_id}: {path.name} belongs to other weights; {remedy}")
    return backend
