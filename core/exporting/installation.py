"""An exported network as the backend of predictions, where it is faster than PyTorch."""

from __future__ import annotations

from core.checkpoints import Checkpoint
from core.errors import ExportError
from core.exporting.conversion import ExportedNetwork
from core.inference.backends import OnnxBackend, TorchBackend
from core.inference.latency import relative_time

BATCHES = (1, 8)  # one face, and the faces of a group photo


def onnx_over_torch(checkpoint: Checkpoint, exported: ExportedNetwork) -> float:
    """The time of ONNX Runtime ÷ that of PyTorch on this machine, for one face or for eight, whichever is larger."""
    settings = checkpoint.card.preprocessing
    onnx, torch = OnnxBackend(exported.data), TorchBackend(checkpoint.network(), settings)
    return max(relative_time(onnx, torch, settings, faces) for faces in BATCHES)


def install(checkpoint: Checkpoint, exported: ExportedNetwork, ratio: float, *, force: bool = False) -> None:
    """Store an ONNX network with its checkpoint, so that pages and other programs predict with ONNX Runtime.

    ``ratio`` is that of :func:`onnx_over_torch`. Raises ExportError where it is not below 1, unless ``force``, and
    OSError where the file cannot be written.
    """
    if ratio >= 1 and not force:
        raise ExportError(
            f"ONNX Runtime takes {ratio:.2f} times as long as PyTorch for {checkpoint.card.run_id} on this machine, so "
            "PyTorch remains in use; add --force to install the file nevertheless"
        )
    exported.save(checkpoint.onnx_path)
