"""Faces in photos: detectors by name, and the crop that a network receives. Importing the package registers them."""

import cv2

from core.faces import haar, mtcnn, yunet  # noqa: F401  (each file registers its detector)
from core.faces.cropping import CropMargin, crop, crop_corners, points_in_crop, whole_image_face
from core.faces.detection import (
    AUTO,
    Detector,
    DetectorKind,
    detector,
    detectors,
    first_available,
    register_detector,
)
from core.faces.face import Box, Face
from core.faces.framing import MEASURED, Framing, measure_margin
from core.faces.search import Detection, find_faces

# Requests already run in parallel; OpenCV's own threads on top of them would slow each other down.
cv2.setNumThreads(1)

__all__ = [
    "AUTO",
    "MEASURED",
    "Box",
    "CropMargin",
    "Detection",
    "Detector",
    "DetectorKind",
    "Face",
    "Framing",
    "crop",
    "crop_corners",
    "detector",
    "detectors",
    "find_faces",
    "first_available",
    "measure_margin",
    "points_in_crop",
    "register_detector",
    "whole_image_face",
]
