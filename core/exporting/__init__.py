"""Trained networks as files for other programs: ONNX, in 32 bit or quantized to 8 bit, and torch.export.

An exported file takes images at the network's input size, normalizes them, and returns logits, class maps and features,
so that it explains its own predictions. Every file is compared with PyTorch before it is written.
"""

from core.exporting.conversion import (
    FORMATS,
    TOLERANCE,
    ExportedNetwork,
    ExportFormat,
    export,
    export_format,
    parity_images,
)
from core.exporting.installation import install, onnx_over_torch
from core.exporting.quantization import MAX_ACCURACY_LOSS, QuantizedNetwork, quantize

__all__ = [
    "FORMATS",
    "MAX_ACCURACY_LOSS",
    "TOLERANCE",
    "ExportFormat",
    "ExportedNetwork",
    "QuantizedNetwork",
    "export",
    "export_format",
    "install",
    "onnx_over_torch",
    "parity_images",
    "quantize",
]
