"""The folder of a trained network. The names of its files are known here only."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.checkpoints.card import ROLES, ModelCard
from core.checkpoints.history import read_history
from core.ensembles import ENSEMBLES
from core.errors import CheckpointError, EvaluationError, UnknownModelError, UnknownNetworkError
from core.evaluation import ENSEMBLE, EvaluationRun
from core.evaluation.embedding import Embedding
from core.evaluation.tsne import MIN_IMAGES, TsneMap, tsne_map
from core.files import finish_replacement, interrupted_replacements, sha256_of, write_text
from core.validation import first_line

if TYPE_CHECKING:
    from core.models import Network

ROOT = Path(__file__).resolve().parents[2] / "checkpoints"
RUN_ID = re.compile(r"[a-z0-9_][a-z0-9_-]*")
# The model id of an ensemble, and names that Windows reserves for devices.
DEVICES = ("con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)))
RESERVED = (ENSEMBLE, *(e.name for e in ENSEMBLES), *DEVICES)


@dataclass(frozen=True)
class CheckpointFolder:
    """Where the files of one trained network are, whether or not they exist."""

    path: Path

    @property
    def weights_path(self) -> Path:
        """The weights, a safetensors file: matrices in half precision, those of an imported network in float32."""
        return self.path / "weights.safetensors"

    @property
    def onnx_path(self) -> Path:
        """The network for ONNX Runtime, made on this machine if it is faster than PyTorch there."""
        return self.path / "network.onnx"

    @property
    def card_path(self) -> Path:
        """The model card, a JSON file."""
        return self.path / "card.json"

    @property
    def history_path(self) -> Path:
        """One row per epoch, a CSV file."""
        return self.path / "history.csv"

    def predictions_path(self, split: str) -> Path:
        """Logits per image of a split, a Parquet file."""
        return self.path / f"predictions-{split}.parquet"

    def embeddings_path(self, split: str) -> Path:
        """Principal components of the features per image of a split, a Parquet file."""
        return self.path / f"embeddings-{split}.parquet"

    def tsne_path(self, split: str) -> Path:
        """Positions on a t-SNE map per image of the embedding of a split, a Parquet file."""
        return self.path / f"tsne-{split}.parquet"

    def save_embedding(self, embedding: Embedding) -> None:
        """Write the embedding of a split and its t-SNE map, which takes about half a minute for 4,000 images."""
        embedding.save(self.embeddings_path(embedding.split))
        if len(embedding) >= MIN_IMAGES:
            tsne_map(embedding).save(self.tsne_path(embedding.split))

    def robustness_path(self, split: str) -> Path:
        """Correct predictions under corruptions of a split, a Parquet file."""
        return self.path / f"robustness-{split}.parquet"


@dataclass(frozen=True)
class Checkpoint(CheckpointFolder):
    """A folder with a card; the other files are read on demand."""

    card: ModelCard

    def network(self) -> Network:
        """The trained network in float32 and evaluation mode.

        Raises CheckpointError when the weights are not shipped, missing, damaged or not those the card was written for.
        """
        # PyTorch takes seconds to import, and what else a checkpoint holds is used without it.
        from core.checkpoints.weights import load_weights
        from core.models import build_unfilled

        card, weights = self.card, self.weights_path
        if not card.weights_shipped:
            raise CheckpointError(
                f"{card.run_id}: the weights are not shipped; train the network with: {card.training_command}"
            )
        if not weights.is_file():
            raise CheckpointError(f"{card.run_id}: {weights.name} is missing; {card.weights_remedy}")
        found = sha256_of(weights)
        if found != card.weights_sha256:
            raise CheckpointError(
                f"{card.run_id}: {weights.name} is not the file that its card describes (SHA-256 {found[:12]}…, "
                f"expected {card.weights_sha256[:12]}…); {card.weights_remedy}"
            )
        try:
            network = build_unfilled(
                card.architecture,
                classes=len(card.labels),
                channels=card.preprocessing.channels,
                options=card.model_options,
            )
        except (UnknownModelError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{card.run_id}: {self.card_path.name} describes a network that cannot be built ({error}); restore the "
                "file, or register the network family"
            ) from error
        try:
            return load_weights(network, weights)
        except ValueError as error:
            raise CheckpointError(f"{card.run_id}: {weights.name} does not fit {card.architecture}: {error}") from error

    def history(self) -> pd.DataFrame:
        """One row per epoch, with the columns of :class:`EpochRow`; empty where no history is stored.

        Raises CheckpointError for a file that cannot be read, or that lacks a column or the chosen epoch.
        """
        path = self.history_path
        try:
            return read_history(path, self.card.chosen_epoch) if path.is_file() else pd.DataFrame()
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{self.card.run_id}: {path.name} cannot be used ({first_line(error)}); restore the file"
            ) from error

    def evaluation(self, split: str) -> EvaluationRun:
        """The stored predictions for ``"val"`` or ``"test"``.

        Raises CheckpointError where none are stored, and where they cannot be read or do not fit the card.
        """
        card, path = self.card, self.predictions_path(split)
        if not path.is_file():
            raise CheckpointError(f"{card.run_id} has no stored predictions for the {split} split")
        try:
            return EvaluationRun.load(
                path, model_id=card.run_id, split=split, labels=card.labels, temperature=card.temperature
            )
        except EvaluationError as error:
            raise CheckpointError(
                f"the stored predictions of {card.run_id} for the {split} split cannot be used ({error}); restore the "
                f"file, or create it with: {card.scoring_command(split, card.data.file_name)}"
            ) from error

    def embedding(self, split: str) -> Embedding:
        """The stored embedding of a split. Raises CheckpointError, naming the command that creates it, when it is
        missing, cannot be read, or belongs to other weights."""
        card, path = self.card, self.embeddings_path(split)
        remedy = f"create it with: python -m core embed {card.run_id} --data {card.data.file_name}"
        if not path.is_file():
            raise CheckpointError(f"{card.run_id} has no stored embedding of the {split} split; {remedy}")
        try:
            embedding = Embedding.load(path, model_id=card.run_id, split=split)
        except EvaluationError as error:
            raise CheckpointError(f"{card.run_id}: {error}; {remedy}") from error
        if embedding.weights_sha256 != card.weights_sha256:
            raise CheckpointError(
                f"{card.run_id}: the embedding of the {split} split belongs to other weights; {remedy}"
            )
        return embedding

    def tsne(self, split: str) -> TsneMap | None:
        """The stored t-SNE map of the embedding of a split; None if there is none that fits it.

        Raises CheckpointError as :meth:`embedding`.
        """
        drawn = self.embedding(split).sample()
        try:
            stored = TsneMap.load(self.tsne_path(split))
        except EvaluationError:  # missing, damaged or of other settings: it can be computed again
            return None
        return stored if stored.fits(drawn) else None


@dataclass(frozen=True)
class Listing:
    """The checkpoints of a folder, and one sentence for each subfolder without a usable checkpoint."""

    checkpoints: tuple[Checkpoint, ...]
    problems: tuple[str, ...]

    @property
    def with_weights(self) -> tuple[Checkpoint, ...]:
        """The checkpoints that can predict: those whose weights are shipped."""
        return tuple(c for c in self.checkpoints if c.card.weights_shipped)

    @property
    def default(self) -> tuple[Checkpoint, ...]:
        """The networks used where none are named: those that are compared, otherwise all that can predict."""
        return tuple(c for c in self.with_weights if c.card.role == "compared") or self.with_weights

    def get(self, run_id: str) -> Checkpoint:
        """The checkpoint of that run. Raises CheckpointError for a damaged one, and UnknownNetworkError naming the
        installed networks."""
        for checkpoint in self.checkpoints:
            if checkpoint.card.run_id == run_id:
                return checkpoint
        for problem in self.problems:
            if problem.startswith(f"{run_id}: "):
                raise CheckpointError(problem)
        known = ", ".join(c.card.run_id for c in self.checkpoints) or "none"
        raise UnknownNetworkError(f"there is no network {run_id!r}; installed: {known}")


def check_run_id(run_id: str) -> None:
    """Raise ValueError for a name that cannot be that of a folder of ``checkpoints/`` on every system."""
    if not RUN_ID.fullmatch(run_id):
        raise ValueError(
            f"a name must consist of lowercase letters, digits, hyphens and underscores and not begin with a hyphen, "
            f"got {run_id!r}"
        )
    if run_id in RESERVED:
        raise ValueError(f"the name {run_id!r} is reserved; choose another one")


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a folder of any name. Raises CheckpointError for a card that is missing or damaged."""
    card_path = CheckpointFolder(path).card_path
    if not card_path.is_file():
        raise CheckpointError(
            f"{path.name}: {card_path.name} is missing; finish the training, restore the file, or add weights that "
            "were trained elsewhere with: python -m core import"
        )
    try:
        card = ModelCard.from_json(json.loads(card_path.read_text(encoding="utf-8")))
    except (OSError, ValueError, CheckpointError) as error:
        raise CheckpointError(f"{path.name}: {card_path.name} cannot be read ({error}); restore the file") from error
    return Checkpoint(path, card)


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in that folder. Raises CheckpointError for a card that is missing, damaged or of another run."""
    checkpoint = read_checkpoint(path)
    run_id = checkpoint.card.run_id
    if run_id != path.name:
        raise CheckpointError(
            f"{path.name}: {checkpoint.card_path.name} describes the network {run_id!r}; rename the folder to "
            f"{run_id!r}, or remove it if it is a copy"
        )
    return checkpoint


def list_checkpoints(root: Path = ROOT) -> Listing:
    """Every usable checkpoint below ``root``, and what is wrong with the other folders.

    The compared networks are first and published systems last; among equals, the smallest network is first.
    """
    for target in interrupted_replacements(root):
        finish_replacement(target)
    found, problems = [], []
    for path in sorted(p for p in root.glob("*") if p.is_dir() and not p.name.startswith(".")):
        try:
            checkpoint = load_checkpoint(path)
            if checkpoint.card.weights_shipped and not checkpoint.weights_path.is_file():
                raise CheckpointError(
                    f"{path.name}: {checkpoint.weights_path.name} is missing; {checkpoint.card.weights_remedy}"
                )
            found.append(checkpoint)
        except CheckpointError as error:
            problems.append(str(error))
    return Listing(tuple(sorted(found, key=_order)), tuple(problems))


def _order(checkpoint: Checkpoint) -> tuple[int, int, str]:
    card = checkpoint.card
    return ROLES.index(card.role), card.parameters, card.run_id


def save_card(card: ModelCard, path: Path) -> None:
    """Write the card into the folder ``path``."""
    text = json.dumps(card.to_json(), indent=2, ensure_ascii=False) + "\n"
    write_text(CheckpointFolder(path).card_path, text)
