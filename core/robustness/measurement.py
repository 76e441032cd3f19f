"""Measure a network on a split under every corruption: 46 passes, stored one by one, so that it can be interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.data import Samples
from core.errors import DataError, RobustnessError
from core.inference import Predictor, prepared_images
from core.robustness.corruptions import CORRUPTIONS, corrupt
from core.robustness.results import CLEAN, CONDITIONS, Condition, Robustness
from core.robustness.storage import load_conditions, save_conditions

BATCH = 128
Progress = Callable[[str, int, int], None]


def measure(
    predictor: Predictor,
    samples: Samples,
    split: str,
    *,
    partial: Path | None = None,
    again: bool = False,
    progress: Progress | None = None,
) -> Robustness:
    """Classify the images of one split, unchanged and under every corruption, in the arithmetic of the card's scores.

    ``partial`` is a file that is extended after each condition; if it exists and fits, the measurement continues from
    it, except with ``again``: the first condition then replaces it. ``progress`` is called with the title of the
    condition, the images done and all images. Raises DataError for a split without images and for other classes than
    the network's.
    """
    card = predictor.card
    chosen = samples.of(split)
    if chosen.labels.classes != card.labels.classes:
        raise DataError(
            f"{chosen.name} has the classes {', '.join(chosen.labels.classes)}, but {card.run_id} predicts "
            f"{', '.join(card.labels.classes)}; give the data set of its card ({card.data.title})"
        )
    # Equalization comes after the corruption, as for a photo taken in bad light.
    images = prepared_images(chosen, replace(card.preprocessing, equalize="none")).numpy()
    correct = {} if again else _continued(partial, predictor, split, len(chosen))
    done = sum(len(of_images) for of_images in correct.values())
    total = len(chosen) * len(CONDITIONS)
    for condition in CONDITIONS:
        if condition in correct:
            continue
        of_images = np.empty(len(chosen), bool)
        for start in range(0, len(chosen), BATCH):
            rows = slice(start, start + BATCH)
            inputs = _inputs(predictor, images[rows], condition, chosen.ids[rows])
            of_images[rows] = predictor.output(inputs).logits.argmax(dim=1).numpy() == chosen.truth[rows]
            done += len(inputs)
            if progress:
                progress(_title(condition), done, total)
        correct[condition] = of_images
        if partial:
            save_conditions(partial, card.run_id, split, card.weights_sha256, correct)
    return Robustness(card.run_id, split, card.weights_sha256, correct)


def _inputs(predictor: Predictor, images: np.ndarray, condition: Condition, ids: np.ndarray) -> np.ndarray:
    changed = images if condition == CLEAN else corrupt(images, *condition, ids)
    if predictor.card.preprocessing.equalize == "none":
        return changed
    return np.stack(predictor.input_images(list(changed)))


def _continued(partial: Path | None, predictor: Predictor, split: str, n: int) -> dict[Condition, np.ndarray]:
    """The conditions of an interrupted measurement; none if it was of other weights, images, settings or precision."""
    if partial is None or not partial.is_file():
        return {}
    try:
        found = load_conditions(partial, predictor.card.run_id, split, predictor.card.weights_sha256)
    except RobustnessError:
        return {}
    return found if all(len(of_images) == n for of_images in found.values()) else {}


def _title(condition: Condition) -> str:
    name, strength = condition
    return "unchanged" if condition == CLEAN else f"{CORRUPTIONS[name].title} {strength}"
