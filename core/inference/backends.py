"""What computes the output of a network: PyTorch, or ONNX Runtime from an exported file."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import fx, nn
from torch.fx.experimental.optimization import fuse

from core.errors import ExportError
from core.models import Network, NetworkOutput
from core.preprocessing import Preprocessing

# Names in exported files: the input, the outputs, and the entry of the metadata that identifies the weights.
IMAGES = "images"
OUTPUTS = ("logits", "class_maps", "features")
WEIGHTS_SHA256 = "weights_sha256"


class Backend(Protocol):
    """Computes the output of one network. Several threads may call it at once."""

    @property
    def name(self) -> str:
        """``"torch"`` or ``"onnx"``."""

    def output(self, images: np.ndarray) -> NetworkOutput:
        """Logits and features, on the CPU, of images at the network's input size: (N, S, S) or (N, S, S, 3) uint8."""


class TorchBackend:
    """PyTorch, on any device.

    Predictions use a copy of the trunk whose batch norms are folded into the preceding convolutions: the same function
    with fewer passes over memory.
    """

    name = "torch"

    def __init__(self, network: Network, preprocessing: Preprocessing, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.trunk = fold_norms(network.trunk).to(memory_format=torch.channels_last)
        self._head = network.head
        self._preprocessing = preprocessing
        if self.device.type != "cpu":
            # Explanations use the network itself and stay on the CPU.
            self.trunk = copy.deepcopy(self.trunk).to(self.device)
            self._head = copy.deepcopy(network.head).to(self.device)

    def output(self, images: np.ndarray) -> NetworkOutput:
        """See :class:`Backend`."""
        faces = self._preprocessing.normalize(torch.from_numpy(images).to(self.device))
        inputs = faces.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            features = self.trunk(inputs)
            return NetworkOutput(self._head(features.mean(dim=(2, 3))).cpu(), features.cpu())


class OnnxBackend:
    """ONNX Runtime on the CPU, from an ONNX file that FERscope exported, or from the bytes of one.

    Raises ExportError if ONNX Runtime is not installed or the file cannot be used.
    """

    name = "onnx"

    def __init__(self, file: Path | bytes) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ExportError("onnxruntime is not installed; run: pip install -r requirements.txt") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Threads that spin between calls make everything slow while another process is busy.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        title = file.name if isinstance(file, Path) else "the ONNX file"
        content = str(file) if isinstance(file, Path) else file
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
            self.weights_sha256 = self.metadata[WEIGHTS_SHA256]
        except Exception as error:  # onnxruntime's exceptions have no public common class
            raise ExportError(
                f"{title} is not an ONNX file that FERscope exported; export the network again"
            ) from error

    def outputs(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Logits (N, K), class maps (N, K, h, w) and features (N, C, h, w), float32."""
        logits, maps, features = self._session.run(OUTPUTS, {IMAGES: np.ascontiguousarray(images)})
        return logits, maps, features

    def output(self, images: np.ndarray) -> NetworkOutput:
        """See :class:`Backend`."""
        logits, _, features = self.outputs(images)
        return NetworkOutput(torch.from_numpy(logits), torch.from_numpy(features))


def fold_norms(trunk: nn.Module) -> nn.Module:
    """A copy of the trunk with folded batch norms, or the trunk itself where torch.fx cannot trace it.

    Other threads may use networks meanwhile.
    """
    copied = copy.deepcopy(trunk)
    try:
        with _TRACING:
            graph = _OwnThreadTracer().trace(copied)
        return fuse(fx.GraphModule(copied, graph), inplace=True, no_trace=True)
    except Exception:  # control flow on values ends in TraceError, TypeError, RuntimeError and others
        return trunk


class _OwnThreadTracer(fx.Tracer):
    """Records the calls of its own thread: while torch.fx traces, it intercepts the modules of the whole process."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)


_TRACING = threading.Lock()  # two traces at once would restore each other's interception
