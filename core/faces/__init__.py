"""Faces in photos: detectors by name, and the crop a network sees. Importing this package registers every detector."""

import cv2

from core.faces import haar, yunet  # noqa: F401  (each file registers its detector; the first is the default)
from core.faces.cropping import CropMargin, crop, points_in_crop, whole_image_face
from core.faces.detection import Detector, DetectorKind, detector, detectors, register_detector
from core.faces.face import Box, Face
from core.faces.framing import MEASURED, Framing, measure_margin

# Requests come in parallel already; OpenCV's own threads on top of them slow each other down.
cv2.setNumThreads(1)

__all__ = [
    "MEASURED",
    "Box",
    "CropMargin",
    "Detector",
    "DetectorKind",
    "Face",
    "Framing",
    "crop",
    "detector",
    "detectors",
    "measure_margin",
    "points_in_crop",
    "register_detector",
    "whole_image_face",
]
