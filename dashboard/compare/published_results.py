"""Results published by the authors of the reference systems, with their protocol.

Sources: the papers and project pages named in each entry. A protocol that is not stated there is given as not stated.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedResult:
    """One result of other authors."""

    system: str
    data: str
    classes: int
    protocol: str
    result: str
    reason: str  # why it cannot be compared with FERscope's results on FER2013
    recipes: tuple[str, ...]  # recipes after its description, or the named ensemble


PUBLISHED = (
    PublishedResult(
        "CNN, residual CNN and ResNet50 (ITM Web Conf. 80, 01013, 2025)",
        "FER2013, 48 × 48",
        7,
        "compared by loss and accuracy; which split chose the epoch is not stated",
        "ResNet50 best of the three",
        "no result with a stated test split",
        ("itm2025_cnn", "itm2025_residual_cnn", "itm2025_resnet50"),
    ),
    PublishedResult(
        "ResNet50 from scratch on fer2013.csv",
        "FER2013, 48 × 48",
        7,
        "SGD 0.01, batch 64, cross-entropy; the split behind “test” is not stated",
        "75 % train, 45 % test",
        "split not stated",
        ("scratch_resnet50",),
    ),
    PublishedResult(
        "ResNet50 with contempt, desktop application",
        "AffectNet",
        8,
        "resized, equalized, faces detected; metric not stated",
        "87.5 %",
        "other data and classes; 87.5 % equals 7/8, the binary accuracy per class of a system that assigns none of the "
        "eight classes",
        ("affectnet_resnet50",),
    ),
    PublishedResult(
        "ResNet50 with pain, HTTP service",
        "own set of six classes, 224 × 224 RGB",
        6,
        "ImageNet weights, dropout 0.5, Adam, learning rate reduced on plateau",
        "72 % validation, 74 % test",
        "other data and classes",
        ("pain6_resnet50",),
    ),
    PublishedResult(
        "MobileNetV2 and ResNet50 averaged (IJIRT, 2025)",
        "FER+",
        8,
        "Haar cascade, live webcam",
        "no result stated",
        "no result given",
        ("ijirt2025_ensemble",),
    ),
)
