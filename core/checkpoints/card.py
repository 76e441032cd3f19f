"""The model card: what the code needs to use a trained network, and what its users should know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import ConfigDict, PlainSerializer, PlainValidator, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from core.data import Samples, read
from core.data.info import DatasetInfo
from core.errors import CheckpointError, DataError, FerscopeError, SplitError
from core.evaluation import RunSummary
from core.labels import LabelSet
from core.preprocessing import Preprocessing
from core.validation import first_problem

# What a network is for, in the order in which networks are listed: "compared" networks differ in their architecture
# only, "best" networks are trained further by distillation, "reference" is a published system.
Role = Literal["compared", "best", "", "reference"]
ROLES: tuple[str, ...] = get_args(Role)


def _summary(value: object) -> RunSummary:
    if isinstance(value, RunSummary):
        return value
    try:
        return RunSummary.from_json(cast("Mapping[str, Any]", value))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"the scores of a split cannot be read ({error})") from error


Summary = Annotated[RunSummary, PlainValidator(_summary), PlainSerializer(RunSummary.to_json)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Latency:
    """How long a network takes for one face, and on which hardware that was measured."""

    value: float  # ms per face, batch 1
    hardware: str


@dataclass(frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True))
class ModelCard:
    """Facts about one trained network. ``labels`` has the order of the logits."""

    run_id: str
    title: str
    architecture: str
    labels: LabelSet
    preprocessing: Preprocessing
    cam_layer: str  # the stage whose saliency is shown by default
    temperature: float  # divides the logits; fitted on the validation split
    recipe: Mapping[str, Any]
    data: DatasetInfo
    parameters: int
    macs: int  # multiply-accumulate operations for one face
    metrics: Mapping[str, Summary]  # by split
    chosen_epoch: int
    training_seconds: float
    hardware: str  # of the training
    versions: Mapping[str, str]
    commit: str
    created_at: str  # ISO 8601, UTC
    weights_sha256: str
    weights_shipped: bool = True  # False: only the card, the history and the predictions are distributed
    milliseconds: Latency | None = None
    model_options: Mapping[str, Any] = field(default_factory=dict)
    prerequisite_seconds: Mapping[str, float] = field(default_factory=dict)  # training of the runs it builds on

    @property
    def role(self) -> str:
        """One of ``ROLES``, as the recipe states it; empty for an imported network."""
        role = str(self.recipe.get("role", ""))
        return role if role in ROLES else ""

    @property
    def is_imported(self) -> bool:
        """Whether the network was trained elsewhere, so that no epoch was chosen and its recipe cannot be trained."""
        return self.chosen_epoch == 0

    @property
    def weights_remedy(self) -> str:
        """What to do about weights that are missing or damaged."""
        return f"restore it or {'import' if self.is_imported else 'train'} the network again"

    @property
    def training_command(self) -> str:
        """The command that trains this network again."""
        command = f"python -m core train {self.recipe.get('name', self.run_id)} --data {self.data.file_name}"
        shares = self.data.shares
        return f"{command} --split {shares.percentages} --seed {shares.seed}" if shares else command

    def scoring_command(self, split: str = "val", data: str = "DATA") -> str:
        """The command that stores the predictions and scores of a split, the first ones with the data set."""
        return f"python -m core evaluate {self.run_id} --data {data} --split {split} --save"

    @property
    def training_time(self) -> str:
        """The training time in words, e.g. ``36 minutes on one H100, after 10 minutes for cnn and resnet50``."""
        text = f"{self.training_seconds / 60:.0f} minutes on {self.hardware}"
        if self.prerequisite_seconds:
            total = sum(self.prerequisite_seconds.values())
            *others, last = self.prerequisite_seconds
            names = f"{', '.join(others)} and {last}" if others else last
            text += f", after {total / 60:.0f} minutes for {names}"
        return text

    def read_data(self, source: Path, *, skip_bad: bool = False) -> Samples:
        """The images of ``source`` as the network receives them, divided like its own data set.

        Raises SplitError where ``source`` lacks splits that the network's own data set has, or has splits that it
        lacks, and DataError where it cannot be read.
        """
        seen = self.preprocessing
        try:
            return read(source, size_px=seen.size_px, channels=seen.channels, skip_bad=skip_bad, split=self.data.shares)
        except SplitError as error:
            raise SplitError(
                f"{source} does not have the splits of the network's data set: {error.fact}",
                "give the data set that the network was trained on",
            ) from error

    def require_known_data(self) -> None:
        """Raises DataError for an imported network whose data set is not known yet."""
        if not self.data.fingerprint:
            raise DataError(
                f"the data set of {self.run_id} is not known yet; add it with its scores: {self.scoring_command()}"
            )

    def require_data(self, source: object, found: DatasetInfo) -> None:
        """Raises DataError, naming ``source``, unless what was found there is the network's own data set."""
        if not self.data.matches(*found.fingerprints):
            raise DataError(f"{source} is not the data set of {self.run_id}: {self.data.mismatch(found.fingerprint)}")

    def to_json(self) -> dict[str, Any]:
        """Plain values that :meth:`from_json` turns back into this card."""
        return cast("dict[str, Any]", _CARD.dump_python(self, mode="json"))

    @classmethod
    def from_json(cls, values: object) -> ModelCard:
        """A card from plain values. Raises CheckpointError naming the first field that is missing or wrong."""
        try:
            return _CARD.validate_python(values)
        except ValidationError as error:
            raise CheckpointError(first_problem(error)) from error
        except FerscopeError as error:  # raised by the label set
            raise CheckpointError(str(error)) from error


_CARD: TypeAdapter[ModelCard] = TypeAdapter(ModelCard)
