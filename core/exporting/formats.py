"""The formats of exported networks."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ExportError


@dataclass(frozen=True)
class ExportFormat:
    """A format by its name on the command line, its title for readers and the suffix of its files."""

    name: str
    title: str
    suffix: str


ONNX = ExportFormat("onnx", "ONNX", ".onnx")
TORCH_EXPORT = ExportFormat("torch-export", "torch.export", ".pt2")
FORMATS = {known.name: known for known in (ONNX, TORCH_EXPORT)}


def export_format(name: str) -> ExportFormat:
    """The format of that name. Raises ExportError naming the known ones."""
    if name not in FORMATS:
        raise ExportError(f"expected one of the formats {', '.join(FORMATS)}, got {name!r}")
    return FORMATS[name]
