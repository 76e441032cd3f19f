"""How many maps are better than chance: ``python benchmarks/chance_test.py --data fer2013.csv [--json]``.

Maps of random test images, for the predicted class, are compared with moved copies of themselves
(``core.explain.chance_test``); 39 copies are enough for p = 0.05 and faster. ``--maps`` chooses the maps:

- ``gradcam``: Grad-CAM at the stage that the network's card names;
- ``white``, ``smooth``: random maps without and with smoothness; ``moved``: Grad-CAM of another image, turned and
  shifted at random. They have nothing to do with the image, so their share is the rate of false positives, about 0.05;
- ``patch``: every image is blurred except for the window that alone raises the probability most (by at least 0.2), and
  the map marks this window. The evidence is known, so their share is the power of the test.

One map takes seconds on a CPU.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import core  # noqa: F401  # before PyTorch, so that OpenMP is configured as in the app

# isort: split
import cv2
import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from core.checkpoints import list_checkpoints
from core.data import read
from core.explain import chance_test, explain
from core.inference import Predictor
from core.probes import probability_of

KINDS = ("gradcam", "white", "smooth", "moved", "patch")
SIGMA = 1 / 8  # of smooth maps and of the blur, as a share of the image's side
WINDOW = 1 / 3  # side of the window with the known evidence, as a share of the image's side
LEAST_RISE = 0.2
NOISE = 0.1  # standard deviation of what is added to the map of the window, which is 1 inside and 0 outside

Case = tuple[Tensor, np.ndarray, int]  # image (channels, S, S), map (h, w), class


def passed(
    predictor: Predictor, images: np.ndarray, kind: str, copies: int, random: np.random.Generator
) -> tuple[int, int]:
    """The number of maps with p <= 0.05, and the number of maps that could be tested."""
    results = []
    for number in range(len(images)):
        case = _case(predictor, images, number, kind, random)
        if case is not None:
            face, heatmap, column = case
            result = chance_test(probability_of(predictor), face, heatmap, column, copies)
            results.append(result.better_than_chance)
    return sum(results), len(results)


def _case(predictor: Predictor, images: np.ndarray, number: int, kind: str, random: np.random.Generator) -> Case | None:
    face = _input(predictor, images[number])
    column = _predicted_class(predictor, face)
    if kind == "patch":
        return _patch(predictor, face, column, random)
    if kind in ("white", "smooth"):
        noise = random.normal(size=face.shape[1:])
        return face, np.float32(gaussian_filter(noise, SIGMA * len(noise)) if kind == "smooth" else noise), column
    other = _input(predictor, images[number - 1]) if kind == "moved" else face
    stage = predictor.card.cam_layer
    (explanation,) = explain(
        predictor.network, other[None], method="gradcam", stage=stage, targets=_predicted_class(predictor, other)
    )
    if not explanation.has_evidence:
        return None
    heatmap = explanation.heatmap
    if kind == "moved":
        turned = np.rot90(heatmap, int(random.integers(4)))
        heatmap = np.roll(turned, tuple(random.integers(0, heatmap.shape)), axis=(0, 1))
    return face, heatmap, column


def _patch(predictor: Predictor, face: Tensor, column: int, random: np.random.Generator) -> Case | None:
    """A face of which only one window is not blurred, and a noisy map of this window; None without such a window."""
    side = face.shape[1]
    window = round(WINDOW * side)
    blurred = torch.from_numpy(np.stack([cv2.GaussianBlur(channel, (0, 0), SIGMA * side) for channel in face.numpy()]))
    corners = [(top, left) for top in range(0, side - window + 1, 4) for left in range(0, side - window + 1, 4)]
    faces = blurred.repeat(len(corners) + 1, 1, 1, 1)
    for composed, (top, left) in zip(faces[1:], corners, strict=True):
        inside = np.s_[:, top : top + window, left : left + window]
        composed[inside] = face[inside]
    probabilities = _probabilities(predictor, faces)[:, column]
    best = int(probabilities[1:].argmax())
    if probabilities[1 + best] - probabilities[0] < LEAST_RISE:
        return None
    top, left = corners[best]
    heatmap = np.zeros((side, side), np.float32)
    heatmap[top : top + window, left : left + window] = 1
    noise = gaussian_filter(random.normal(size=(side, side)), SIGMA * side)
    heatmap = gaussian_filter(heatmap, SIGMA * side / 4) + NOISE * noise / noise.std()
    return faces[1 + best], np.float32(heatmap), column


def _input(predictor: Predictor, image: np.ndarray) -> Tensor:
    return predictor.card.preprocessing.to_tensor([image])[0]


def _probabilities(predictor: Predictor, faces: Tensor) -> np.ndarray:
    with torch.inference_mode():
        return probability_of(predictor)(faces).numpy()


def _predicted_class(predictor: Predictor, face: Tensor) -> int:
    return int(_probabilities(predictor, face[None])[0].argmax())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the data set, as python -m core evaluate takes it")
    parser.add_argument("--images", type=int, default=40, help="random test images per network")
    parser.add_argument("--copies", type=int, default=99, help="moved copies of each map")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--maps", choices=KINDS, default="gradcam")
    parser.add_argument("--network", help="the run id of the only network to test")
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    arguments = parser.parse_args()
    test = read(arguments.data).of("test")
    results = {}
    for checkpoint in list_checkpoints().with_weights:
        run_id = checkpoint.card.run_id
        if arguments.network not in (None, run_id):
            continue
        random = np.random.default_rng(arguments.seed)
        images = test.images[random.choice(len(test), arguments.images, replace=False)]
        found, tested = passed(Predictor.load(checkpoint), images, arguments.maps, arguments.copies, random)
        results[run_id] = round(found / max(tested, 1), 3)
        if not arguments.json:
            print(f"{run_id}: {found} of {tested} maps are better than chance ({arguments.maps})", flush=True)
    if arguments.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
