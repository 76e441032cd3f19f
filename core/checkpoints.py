"""Trained networks on disk: one folder a run, with everything needed to use it, judge it and repeat it.

``checkpoints/<run_id>/`` holds ``weights.safetensors`` (half precision), ``card.json``, ``history.csv`` and
``predictions-{val,test}.parquet`` (logits per image). The card is written last and names the SHA-256 of the weights:
without a card there is no checkpoint, and with other weights the card does not hold.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.evaluation import EvaluationRun, RunSummary
from core.labels import LabelSet
from core.models import Network, build_network
from core.preprocessing import Preprocessing

ROOT = Path(__file__).resolve().parent.parent / "checkpoints"
WEIGHTS, CARD, HISTORY = "weights.safetensors", "card.json", "history.csv"


@dataclass(frozen=True)
class ModelCard:
    """What a reader has to know of a trained network, and what the code needs to use it."""

    run_id: str
    title: str
    architecture: str
    labels: LabelSet
    preprocessing: Preprocessing
    cam_layer: str  # the stage whose saliency is shown by default
    temperature: float  # divides the logits; fitted on the validation split
    recipe: Mapping[str, Any]
    data: Mapping[str, Any]  # name, fingerprint, images per split
    parameters: int
    macs: int  # multiply-accumulates for one face
    metrics: Mapping[str, RunSummary]  # by split
    chosen_epoch: int
    training_seconds: float
    hardware: str
    versions: Mapping[str, str]
    license: str
    limits: str
    commit: str
    created_at: str  # ISO 8601, UTC
    weights_sha256: str
    model_options: Mapping[str, Any] = field(default_factory=dict)
    needed_seconds: Mapping[str, float] = field(default_factory=dict)  # training of the runs that this one stands on

    @property
    def training_words(self) -> str:
        """``36 minutes, and 160 for teacher_cnn, teacher_resnet50``."""
        words = f"{self.training_seconds / 60:.0f} minutes"
        if self.needed_seconds:
            words += f", and {sum(self.needed_seconds.values()) / 60:.0f} for {', '.join(self.needed_seconds)}"
        return words

    def to_json(self) -> dict[str, Any]:
        """Plain values that :meth:`from_json` turns back into this card."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        values["labels"] = {"name": self.labels.name, "classes": list(self.labels.classes)}
        values["preprocessing"] = dataclasses.asdict(self.preprocessing)
        values["metrics"] = {split: summary.to_json() for split, summary in self.metrics.items()}
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelCard:
        """Raises KeyError, TypeError or ValueError for values that are no card."""
        values = dict(values)
        values["labels"] = LabelSet(values["labels"]["name"], tuple(values["labels"]["classes"]))
        values["preprocessing"] = Preprocessing(**values["preprocessing"])
        values["metrics"] = {split: RunSummary.from_json(v) for split, v in values["metrics"].items()}
        return cls(**values)


@dataclass(frozen=True)
class Checkpoint:
    """A folder with a card; the heavy files are read when they are asked for."""

    path: Path
    card: ModelCard

    def network(self) -> Network:
        """The trained network in float32 and evaluation mode.

        Raises CheckpointError when the weights are missing, damaged or not those the card was written for.
        """
        card, weights = self.card, self.path / WEIGHTS
        if not weights.is_file():
            raise CheckpointError(f"{card.run_id}: {WEIGHTS} is missing; restore the file or train the network again")
        found = sha256_of(weights)
        if found != card.weights_sha256:
            raise CheckpointError(
                f"{card.run_id}: {WEIGHTS} is not the file its card describes (SHA-256 {found[:12]}…, expected "
                f"{card.weights_sha256[:12]}…); restore it or train the network again"
            )
        # The weights follow from the file, so nothing is downloaded for a network that began from ImageNet.
        options = {k: v for k, v in card.model_options.items() if k != "imagenet"}
        network = build_network(
            card.architecture, classes=len(card.labels), channels=card.preprocessing.channels, **options
        )
        try:
            tensors = {name: t.float() if t.is_floating_point() else t for name, t in load_file(weights).items()}
            network.load_state_dict(tensors)
        except (SafetensorError, RuntimeError) as error:
            raise CheckpointError(f"{card.run_id}: {WEIGHTS} does not fit {card.architecture}: {error}") from error
        return network.eval()

    def history(self) -> pd.DataFrame:
        """One row an epoch, the columns of ``core.training.loop.EpochRow``; empty where the run kept none."""
        path = self.path / HISTORY
        return pd.read_csv(path) if path.is_file() else pd.DataFrame()

    def predictions(self, split: str) -> Path:
        """Where the answers on ``"val"`` or ``"test"`` are stored."""
        return self.path / f"predictions-{split}.parquet"

    def evaluation(self, split: str) -> EvaluationRun:
        """The stored answers on ``"val"`` or ``"test"``. Raises CheckpointError when there are none."""
        path = self.predictions(split)
        if not path.is_file():
            raise CheckpointError(f"{self.card.run_id} has no stored answers for the {split} split")
        return EvaluationRun.load(
            path, model_id=self.card.run_id, split=split, labels=self.card.labels, temperature=self.card.temperature
        )


@dataclass(frozen=True)
class Listing:
    """The checkpoints of a folder, and one sentence for each folder that holds none that can be used."""

    checkpoints: tuple[Checkpoint, ...]
    problems: tuple[str, ...]

    def get(self, run_id: str) -> Checkpoint:
        """Raises CheckpointError naming the networks there are."""
        for checkpoint in self.checkpoints:
            if checkpoint.card.run_id == run_id:
                return checkpoint
        known = ", ".join(c.card.run_id for c in self.checkpoints) or "none"
        raise CheckpointError(f"there is no network {run_id!r}; installed: {known}")


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in that folder. Raises CheckpointError for a missing or unreadable card."""
    card = path / CARD
    if not card.is_file():
        raise CheckpointError(f"{path.name}: {CARD} is missing, so the run is incomplete; train it to its end")
    try:
        return Checkpoint(path, ModelCard.from_json(json.loads(card.read_text(encoding="utf-8"))))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path.name}: {CARD} cannot be read ({error}); restore the file") from error


def list_checkpoints(root: Path = ROOT) -> Listing:
    """Every usable checkpoint below ``root``, smallest network first, and what is wrong with the others."""
    found, problems = [], []
    for path in sorted(p for p in root.glob("*") if p.is_dir() and not p.name.startswith(".")):
        try:
            checkpoint = load_checkpoint(path)
            if not (path / WEIGHTS).is_file():
                raise CheckpointError(f"{path.name}: {WEIGHTS} is missing; restore the file or train the network again")
            found.append(checkpoint)
        except CheckpointError as error:
            problems.append(str(error))
    return Listing(tuple(sorted(found, key=lambda c: (c.card.parameters, c.card.run_id))), tuple(problems))


def save_weights(network: Network, path: Path) -> str:
    """Write the weights, matrices in half precision, and return the file's SHA-256.

    Norms, biases and statistics stay in float32: they are a thousandth of the bytes and small variances would vanish.
    """
    tensors = {
        name: (t.half() if t.is_floating_point() and t.ndim > 1 else t).detach().cpu().contiguous()
        for name, t in network.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return sha256_of(path)


def save_card(card: ModelCard, path: Path) -> None:
    """Write ``card.json``, the last step of a run."""
    partial = path / f"{CARD}.partial"
    partial.write_text(json.dumps(card.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path / CARD)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
