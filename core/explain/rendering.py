"""Heatmap -> colors -> image. Only perceptually uniform color maps: jet shows edges that are not in the data."""

from __future__ import annotations

import cv2
import numpy as np

# OpenCV's tables are those of matplotlib, which takes half a second to import.
_TABLES = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "magma": cv2.COLORMAP_MAGMA,
    "inferno": cv2.COLORMAP_INFERNO,
    "plasma": cv2.COLORMAP_PLASMA,
}
COLORMAPS = tuple(_TABLES)


def colorize(heatmap: np.ndarray, colormap: str = "viridis") -> np.ndarray:
    """Cells in [0, 1], (H, W) -> RGB uint8 (H, W, 3). Raises ValueError for a color map that is not in COLORMAPS."""
    if colormap not in COLORMAPS:
        raise ValueError(f"the color map must be one of {', '.join(COLORMAPS)}, got {colormap!r}")
    cells = np.minimum(256 * np.clip(heatmap, 0.0, 1.0), 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(cells, _TABLES[colormap]), cv2.COLOR_BGR2RGB))


def upsample(heatmap: np.ndarray, size: int | tuple[int, int]) -> np.ndarray:
    """Bilinear to ``size`` px, square or (height, width), as float32."""
    height, width = (size, size) if isinstance(size, int) else size
    return np.asarray(cv2.resize(heatmap.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR))


def overlay(
    image_rgb: np.ndarray, heatmap: np.ndarray, *, opacity: float = 0.5, colormap: str = "viridis"
) -> np.ndarray:
    """The heatmap blended over an image, (H, W, 3) or (H, W) uint8 -> (H, W, 3) uint8; opacity 0 gives the image.

    Raises ValueError for an opacity outside [0, 1] or another kind of image.
    """
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(f"opacity must lie in [0, 1], got {opacity}")
    if image_rgb.dtype != np.uint8 or image_rgb.ndim not in (2, 3):
        raise ValueError(f"an image must be uint8 (H, W, 3) or (H, W), got {image_rgb.dtype} {image_rgb.shape}")
    image = image_rgb if image_rgb.ndim == 3 else np.repeat(image_rgb[..., None], 3, axis=2)
    colors = colorize(upsample(heatmap, (image.shape[0], image.shape[1])), colormap)
    blended = (1.0 - opacity) * image.astype(np.float32) + opacity * colors.astype(np.float32)
    return np.rint(blended).astype(np.uint8)
