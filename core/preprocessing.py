"""How a face crop becomes the input of a network; stored with every checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import cv2
import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

MIN_SIZE_PX, MAX_SIZE_PX = 16, 1024  # more than the input of any supported network; larger ones exhaust the memory
Equalize = Literal["none", "histogram", "clahe"]
EQUALIZE: tuple[str, ...] = get_args(Equalize)


@dataclass(frozen=True)
class Preprocessing:
    """The evaluation transform of one network: gray or RGB, square, ``(x / 255 - mean) / std``.

    ``crop_margin`` maps a detector's name to (side, dx, dy): the fraction of its box's side added on each side before
    cropping, and the shift of the crop's center in the same unit, measured so that the crop of a photo is framed like
    the training images (``core.faces.framing``). A negative side crops tighter than the box.
    """

    size_px: int = 48
    channels: int = 1
    mean: float = 0.5
    std: float = 0.25
    equalize: str = "none"
    crop_margin: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not MIN_SIZE_PX <= self.size_px <= MAX_SIZE_PX:
            raise ValueError(f"size_px must be from {MIN_SIZE_PX} to {MAX_SIZE_PX}, got {self.size_px}")
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 (gray) or 3 (RGB), got {self.channels}")
        if not math.isfinite(self.mean):
            raise ValueError(f"mean must be a finite number, got {self.mean}")
        if not 0 < self.std < math.inf:
            raise ValueError(f"std must be a finite positive number, got {self.std}")
        if self.equalize not in EQUALIZE:
            raise ValueError(f"equalize must be one of {', '.join(EQUALIZE)}, got {self.equalize!r}")

    def to_input_image(self, crop: np.ndarray) -> np.ndarray:
        """The image that the network receives: ``crop`` (h, w) or (h, w, 3) uint8 -> (S, S) or (S, S, 3) uint8."""
        if crop.dtype != np.uint8 or crop.ndim not in (2, 3):
            raise ValueError(f"a crop must be uint8 with shape (h, w) or (h, w, 3), got {crop.dtype} {crop.shape}")
        image = crop
        if self.channels == 1 and image.ndim == 3:
            image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        elif self.channels == 3 and image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
        if image.shape[:2] != (self.size_px, self.size_px):
            # INTER_AREA averages while shrinking (no aliasing) but produces blocks while enlarging.
            shrinking = min(image.shape[:2]) >= self.size_px
            method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
            image = cv2.resize(image, (self.size_px, self.size_px), interpolation=method)
        return _equalized(np.asarray(image), self.equalize)

    def to_tensor(self, crops: Sequence[np.ndarray]) -> Tensor:
        """Crops of any size -> the input of the network, (N, channels, S, S) float32."""
        import torch  # takes seconds, and a card with its preprocessing is read without any network

        if not crops:
            return torch.empty(0, self.channels, self.size_px, self.size_px)
        return self.normalize(torch.from_numpy(np.stack([self.to_input_image(c) for c in crops])))

    def normalize(self, images: Tensor) -> Tensor:
        """Images already at size, (N, S, S) or (N, S, S, 3) uint8 -> (N, channels, S, S) float32."""
        batch = images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)
        return (batch.float() / 255.0 - self.mean) / self.std


def _equalized(image: np.ndarray, how: str) -> np.ndarray:
    if how == "none":
        return image
    clahe = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4))
    equalize = cv2.equalizeHist if how == "histogram" else clahe.apply
    if image.ndim == 2:
        return np.asarray(equalize(image))
    # Of the lightness only, because equalizing each color channel would tint the face.
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = equalize(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
