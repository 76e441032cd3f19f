"""What an exported file computes, and what its metadata states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import torch
from torch import Tensor, nn

from core import versions
from core.checkpoints import ModelCard
from core.explain import class_maps
from core.inference.backends import WEIGHTS_SHA256, fold_norms
from core.models import Network
from core.preprocessing import Preprocessing

_USAGE = """\
Input images: uint8, {shape}, square crops of faces in {color}{equalized}; the file normalizes them. \
Output logits (N, {classes}): softmax(logits / temperature) gives the probabilities of the labels, in their order. \
Output class_maps (N, {classes}, h, w): the Grad-CAM map of every class at the last stage, not normalized. \
Output features (N, C, h, w): the tensor that enters the global average pooling. \
preprocessing.crop_margin: for each face detector, the margin (side, dx, dy) of the crop in units of the box's side."""


class ExportGraph(nn.Module):
    """Images at the network's input size, (N, S, S) or (N, S, S, 3) uint8 -> logits, class maps and features.

    Normalization is part of the graph, so that another program cannot get it wrong.
    """

    def __init__(self, network: Network, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.trunk = fold_norms(network.trunk)
        self.head = network.head
        self.preprocessing = preprocessing
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (N, K), class maps (N, K, h, w) and features (N, C, h, w), float32."""
        features = self.trunk(self.preprocessing.normalize(images))
        return self.head(features.mean(dim=(2, 3))), class_maps(features, self.head.weight), features

    def example(self) -> Tensor:
        """Two images, from which the graph is traced."""
        size_px, color = self.preprocessing.size_px, (3,) if self.preprocessing.channels == 3 else ()
        return torch.zeros(2, size_px, size_px, *color, dtype=torch.uint8)


def metadata(card: ModelCard) -> Mapping[str, str]:
    """What a program needs to use the file, and what its users should know; values other than text are JSON."""
    settings, classes = card.preprocessing, len(card.labels)
    size = f"{settings.size_px}, {settings.size_px}"
    equalized = "" if settings.equalize == "none" else f", with an equalized histogram ({settings.equalize})"
    usage = _USAGE.format(
        shape=f"(N, {size})" if settings.channels == 1 else f"(N, {size}, 3)",
        color="gray" if settings.channels == 1 else "RGB",
        equalized=equalized,
        classes=classes,
    )
    return {
        "name": card.run_id,
        "title": card.title,
        "labels": json.dumps(card.labels.classes),
        "preprocessing": json.dumps(asdict(settings)),
        "temperature": repr(card.temperature),
        "usage": usage,
        "training_data": card.data.title,
        "license": card.data.license,
        "limits": card.data.limits,
        WEIGHTS_SHA256: card.weights_sha256,
        "ferscope": versions.ferscope(),
    }
