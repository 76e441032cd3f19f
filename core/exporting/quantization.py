"""8-bit integers instead of 32-bit floats: a quarter of the size, at some cost in accuracy, which is measured."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data import Samples
from core.errors import ExportError
from core.evaluation import Score, wilson
from core.exporting.conversion import ExportedNetwork
from core.exporting.formats import ONNX
from core.inference import prepared_images
from core.inference.backends import IMAGES, OnnxBackend

CALIBRATION_IMAGES = 256
BATCH_SIZE = 64
# How much accuracy on the validation split may be lost by default.
MAX_ACCURACY_LOSS = 0.01


@dataclass(frozen=True)
class QuantizedNetwork:
    """An 8-bit network, and its accuracy on the validation split beside that of the 32-bit network."""

    exported: ExportedNetwork
    accuracy: Score
    accuracy_before: Score
    floor: float  # the lowest accuracy that is accepted

    @property
    def accepted(self) -> bool:
        """Whether the accuracy is not below the floor."""
        return self.accuracy.value >= self.floor


def quantize(exported: ExportedNetwork, samples: Samples, *, floor: float | None = None) -> QuantizedNetwork:
    """The ONNX network with 8-bit convolutions (static quantization, one scale per channel of the weights).

    The ranges of the activations come from training images of ``samples``, the accuracy from its validation split.
    ``floor`` is the accuracy that the result has to reach, by default :data:`MAX_ACCURACY_LOSS` below the 32-bit
    network. The head and the class maps keep 32 bits. Raises ExportError for another format, DataError without a
    validation split.
    """
    if exported.format != ONNX:
        raise ExportError(f"8-bit networks are available as {ONNX.title} only, got {exported.format.title}")
    settings = exported.card.preprocessing
    calibration = prepared_images(samples.of("train"), settings).numpy()
    step = max(len(calibration) // CALIBRATION_IMAGES, 1)
    data = _quantized(exported.data, calibration[::step][:CALIBRATION_IMAGES])

    validation = samples.of("val")
    images = prepared_images(validation, settings).numpy()
    before, logits = (_logits(content, images) for content in (exported.data, data))
    difference = float(np.abs(logits - before).max())
    accuracy_before, accuracy = (
        wilson(int((values.argmax(axis=1) == validation.truth).sum()), len(images)) for values in (before, logits)
    )
    return QuantizedNetwork(
        dataclasses.replace(exported, data=data, difference=difference),
        accuracy,
        accuracy_before,
        accuracy_before.value - MAX_ACCURACY_LOSS if floor is None else floor,
    )


def _quantized(data: bytes, images: np.ndarray) -> bytes:
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        """Hands the calibration images out in batches."""

        def __init__(self) -> None:
            self._batches = _batches(images)

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self._batches, None)
            return None if batch is None else {IMAGES: batch}

    with tempfile.TemporaryDirectory() as folder, _without_advice():
        target = Path(folder) / "quantized.onnx"
        quantize_static(
            onnx.load_model_from_string(data),
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            # 7-bit weights cannot overflow the 16-bit sums of processors without VNNI.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Without onnxruntime's advice to fold the batch norms first, which is done already."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _logits(data: bytes, images: np.ndarray) -> np.ndarray:
    backend = OnnxBackend(data)
    return np.concatenate([backend.outputs(batch)[0] for batch in _batches(images)])


def _batches(images: np.ndarray) -> Iterator[np.ndarray]:
    return (images[first : first + BATCH_SIZE] for first in range(0, len(images), BATCH_SIZE))
