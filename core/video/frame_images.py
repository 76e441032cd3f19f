"""The picture of a decoded frame: upright, with square pixels and of one size for all frames of a video."""

from __future__ import annotations

import av
import numpy as np
from av.video.stream import VideoStream

from core.images import rotated


def stated_size(stream: VideoStream) -> tuple[int, int] | None:
    """Width and height of the frames at the beginning, before any is decoded: the resolution of a recorded call may
    change, but boxes and tracks need one. None where the file does not state it."""
    context = stream.codec_context
    return (context.width, context.height) if context.width and context.height else None


def square_size(
    frame: av.VideoFrame, stream: VideoStream, stored_size: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Width and height of a frame of a stored size, by default its own, after its pixels have been made square."""
    width, height = stored_size or (frame.width, frame.height)
    ratio = float(stream.sample_aspect_ratio or 1)
    return (round(width * ratio) if 0.1 < ratio < 10 else width), height


def clockwise_deg(frame: av.VideoFrame) -> int:
    """The rotation from the stored to the upright frame: 0, 90, 180 or 270."""
    return -round(frame.rotation / 90) * 90 % 360


def reduction(width: int, height: int, max_side_px: int | None) -> float:
    """By how much a frame is scaled down so that its longest side is at most ``max_side_px``; at least 1."""
    return max(1.0, max(width, height) / max_side_px) if max_side_px else 1.0


def upright_image(
    frame: av.VideoFrame, stream: VideoStream, max_side_px: int | None, stored_size: tuple[int, int] | None
) -> tuple[np.ndarray, float]:
    """The picture (H, W, 3) uint8, and px of the video per px of it.

    A frame of another size than ``stored_size`` is scaled to fit into it; the rest is black if its shape differs.
    """
    width, height = square_size(frame, stream, stored_size)
    own_width, own_height = square_size(frame, stream)
    scale = reduction(width, height, max_side_px)
    shape = max(1, round(height / scale)), max(1, round(width / scale))
    fit = min(width / own_width, height / own_height)
    image = frame.to_ndarray(
        format="rgb24",
        width=min(shape[1], max(1, round(own_width * fit / scale))),
        height=min(shape[0], max(1, round(own_height * fit / scale))),
        interpolation="AREA" if fit < scale else "BILINEAR",
    )
    return rotated(_centered(image, shape), clockwise_deg(frame)), scale


def _centered(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if image.shape[:2] == shape:
        return image
    canvas = np.zeros((*shape, 3), np.uint8)
    top, left = (shape[0] - image.shape[0]) // 2, (shape[1] - image.shape[1]) // 2
    canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas
