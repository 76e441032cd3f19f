"""From a checkpoint to a file of another format that was compared with PyTorch."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.checkpoints import Checkpoint, ModelCard
from core.errors import ExportError, NotFiniteError
from core.exporting.formats import ONNX, TORCH_EXPORT, ExportFormat, export_format
from core.exporting.graph import ExportGraph, metadata
from core.files import write_atomically
from core.images import decode
from core.inference.backends import IMAGES, OUTPUTS, OnnxBackend
from core.preprocessing import Preprocessing
from core.sample_photos import sample_photos
from core.validation import first_line

# The largest difference between a logit or a cell of a class map and that of PyTorch.
TOLERANCE = 1e-3
METADATA_FILE = "ferscope.json"  # within a torch.export archive

Outputs = tuple[np.ndarray, ...]  # logits (N, K), class maps (N, K, h, w), features (N, C, h, w)
Converter = Callable[[ExportGraph, Mapping[str, str]], bytes]
Loader = Callable[[bytes], Callable[[np.ndarray], Outputs]]


@dataclass(frozen=True)
class ExportedNetwork:
    """The content of an exported file, and how far its outputs are from PyTorch's."""

    card: ModelCard
    format: ExportFormat
    data: bytes
    difference: float  # the largest difference of a logit or of a cell of a class map

    @property
    def file_name(self) -> str:
        """The name under which the file is offered."""
        return f"{self.card.run_id}{self.format.suffix}"

    def save(self, path: Path) -> None:
        """Write the file, completely or not at all. Raises OSError where it cannot be written."""
        write_atomically(path, lambda partial: partial.write_bytes(self.data))


def export(checkpoint: Checkpoint, format_name: str = "onnx") -> ExportedNetwork:
    """The network of a checkpoint in that format, compared with PyTorch on :func:`parity_images`.

    Not while other threads use networks: the converters intercept the modules of the whole process.

    Raises CheckpointError and NotFiniteError for a damaged network, and ExportError for an unknown format, a network
    that cannot be converted, and a file whose outputs differ by more than :data:`TOLERANCE`.
    """
    card, chosen = checkpoint.card, export_format(format_name)
    convert, load = _CONVERTERS[chosen.name]
    graph = ExportGraph(checkpoint.network(), card.preprocessing)
    images = parity_images(card.preprocessing)
    with torch.inference_mode():
        expected = [output.numpy() for output in graph(torch.from_numpy(images))]
    if not np.isfinite(expected[0]).all():
        raise NotFiniteError(card.run_id)
    try:
        data = convert(graph, metadata(card))
    except ImportError as error:
        raise ExportError(f"{error.name} is not installed; run: pip install -r requirements.txt") from error
    except Exception as error:  # each operation that the format lacks has its own exception
        if _is_interrupted(error):
            raise KeyboardInterrupt from None
        raise ExportError(f"{card.run_id} cannot be converted to {chosen.title}: {_without_colors(error)}") from error
    found = load(data)(images)
    difference = max(float(np.abs(f - e).max()) for f, e in zip(found[:2], expected[:2], strict=True))
    if not difference <= TOLERANCE:
        raise ExportError(
            f"the outputs of {card.run_id} as {chosen.title} differ from PyTorch by {difference:.2g}, expected at most "
            f"{TOLERANCE:g}; the file is not written"
        )
    return ExportedNetwork(card, chosen, data, difference)


def _is_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is the cause: the converters turn it into an error of their own."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _without_colors(error: Exception) -> str:
    """The first line of a message, without the colors that the converters write."""
    return re.sub(r"(\x1b|\^\[)\[[\d;]*m", "", first_line(error))


def parity_images(preprocessing: Preprocessing) -> np.ndarray:
    """Images for comparing outputs, (N, S, S) or (N, S, S, 3) uint8: the portraits, mirrored too, and random pixels."""
    photos = [preprocessing.to_input_image(decode(photo.data)) for photo in sample_photos().values()]
    random = np.random.default_rng(0).integers(0, 256, photos[0].shape, dtype=np.uint8)
    return np.stack([*photos, *(photo[:, ::-1] for photo in photos), random])


def _to_onnx(graph: ExportGraph, entries: Mapping[str, str]) -> bytes:
    """An ONNX file whose first dimension, the number of images, is free."""
    import onnx

    program = torch.onnx.export(
        graph,
        (graph.example(),),
        input_names=[IMAGES],
        output_names=list(OUTPUTS),
        dynamic_shapes={IMAGES: {0: torch.export.Dim("faces")}},
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise ExportError("the converter returned no file")
    model: onnx.ModelProto = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # the lines of source code it comes from, with this machine's paths
    model.doc_string = entries["usage"]
    onnx.helper.set_model_props(model, dict(entries))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _to_torch_export(graph: ExportGraph, entries: Mapping[str, str]) -> bytes:
    """An archive for torch.export.load, with the metadata as an extra file."""
    shapes = {IMAGES: {0: torch.export.Dim("faces")}}
    program = torch.export.export(graph, (graph.example(),), dynamic_shapes=shapes)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # this machine's paths
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={METADATA_FILE: json.dumps(dict(entries))})
    return buffer.getvalue()


def _load_torch_export(data: bytes) -> Callable[[np.ndarray], Outputs]:
    module = torch.export.load(io.BytesIO(data)).module()

    def outputs(images: np.ndarray) -> Outputs:
        with torch.inference_mode():
            return tuple(output.numpy() for output in module(torch.from_numpy(images)))

    return outputs


# For each format: how a graph becomes a file, and how the file computes its outputs.
_CONVERTERS: Mapping[str, tuple[Converter, Loader]] = {
    ONNX.name: (_to_onnx, lambda data: OnnxBackend(data).outputs),
    TORCH_EXPORT.name: (_to_torch_export, _load_torch_export),
}
