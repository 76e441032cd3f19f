"""Importing a network that was trained elsewhere: a file of weights -> a checkpoint without scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file
from torch import Tensor

from core.checkpoints import Checkpoint, ModelCard, check_run_id, load_checkpoint, publishing, save_card
from core.checkpoints.weights import differences, save_weights
from core.data.info import DatasetInfo
from core.errors import CheckpointError
from core.labels import FERPLUS8, LABEL_SETS, LabelSet
from core.models import Network, build_network, family
from core.models.torchvision_layouts import renamed
from core.preprocessing import Preprocessing
from core.training import Recipe
from core.training.publish import facts_of
from core.training.recipe import as_values
from core.training.targets import preprocessing_of
from core.validation import first_line

# Keys under which training scripts store a state dict, and prefixes that wrappers of a network add to its names.
WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "_orig_mod.", "model.")


@dataclass(frozen=True)
class ImportOptions:
    """The properties of a network that are not in a file of its weights."""

    name: str
    architecture: str
    labels: LabelSet
    size_px: int = 48
    mean: float = 0.5
    std: float = 0.25
    model_options: Mapping[str, Any] = field(default_factory=dict)


def import_weights(path: Path, options: ImportOptions, root: Path) -> Checkpoint:
    """Write the checkpoint of a network whose weights are in ``path``, a safetensors file or a torch file of tensors.

    Names of torchvision's own ResNet50 and MobileNetV2 are mapped. Only tensors are unpickled. Raises
    CheckpointError for a file that cannot be read or does not fit, and for a name that is invalid or already used.
    """
    try:
        check_run_id(options.name)
        preprocessing = Preprocessing(size_px=options.size_px, mean=options.mean, std=options.std)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    if (root / options.name).exists():
        raise CheckpointError(f"{root / options.name} exists already; choose another name")
    tensors = renamed(read_state_dict(path), family(options.architecture).torchvision_names)
    network, channels = _filled(tensors, options, path)
    known = next((labels for labels in LABEL_SETS.values() if labels.same_classes(options.labels)), None)
    recipe = Recipe(
        name=options.name,
        architecture=options.architecture,
        summary=f"imported from {path.name.encode(errors='backslashreplace').decode()}",
        labels="data" if known is None else known.name,  # their order in the card may be another one
        target="label_or_ferplus" if options.labels.same_classes(FERPLUS8) else "label",
        size_px=options.size_px,
        channels=channels,
        model=dict(options.model_options),
    )
    with publishing(root, options.name) as folder:
        card = ModelCard(
            run_id=options.name,
            title=family(options.architecture).title,
            architecture=options.architecture,
            labels=options.labels,
            preprocessing=replace(preprocessing, channels=channels, crop_margin=preprocessing_of(recipe).crop_margin),
            temperature=1.0,
            recipe=as_values(recipe),
            data=DatasetInfo("Not stated"),
            metrics={},
            chosen_epoch=0,
            training_seconds=0.0,
            hardware="Not stated.",
            weights_sha256=save_weights(network, folder.weights_path, half=False),
            model_options=dict(options.model_options),
            **facts_of(network, channels, options.size_px),
        )
        save_card(card, folder.path)
    return load_checkpoint(root / options.name)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, without wrappers. Raises CheckpointError for any other content."""
    try:
        if path.suffix == ".safetensors":
            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises many types of exceptions for a file that is not a torch file
        raise CheckpointError(
            f"{path} cannot be read ({first_line(error).rstrip('.')}); expected a safetensors file, or a file written "
            "by torch.save(model.state_dict(), path)"
        ) from error
    while isinstance(found, Mapping) and (wrapper := next((w for w in WRAPPERS if w in found), None)):
        found = found[wrapper]
    is_mapping = isinstance(found, Mapping) and len(found) > 0
    if not is_mapping or not all(isinstance(n, str) and isinstance(t, Tensor) for n, t in found.items()):
        raise CheckpointError(f"{path} contains no state dict, a mapping of names to tensors")
    tensors = dict(found)
    while prefix := next((p for p in PREFIXES if all(name.startswith(p) for name in tensors)), None):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors


def _filled(tensors: Mapping[str, Tensor], options: ImportOptions, path: Path) -> tuple[Network, Literal[1, 3]]:
    """The network with these weights, and its input channels. Raises CheckpointError where they do not fit."""
    network = _built(options, 1)
    first = next(name for name, tensor in network.state_dict().items() if tensor.ndim == 4)
    channels = int(tensors[first].shape[1]) if first in tensors and tensors[first].ndim == 4 else 1
    if channels == 3:
        network = _built(options, 3)
    if different := differences(network, tensors):
        raise CheckpointError(
            f"{path} does not fit {options.architecture} with {len(options.labels)} classes: {different}; check the "
            "architecture, its options and the labels"
        )
    expected = network.state_dict()
    network.load_state_dict({name: tensors[name] if name in tensors else expected[name] for name in expected})
    return network.float().eval(), 3 if channels == 3 else 1


def _built(options: ImportOptions, channels: int) -> Network:
    try:
        return build_network(
            options.architecture, classes=len(options.labels), channels=channels, **options.model_options
        )
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{options.architecture} cannot be built: {error}") from error
