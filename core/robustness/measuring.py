"""One network over a split under every perturbation: 46 passes, kept one by one, so that stopping costs little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from core.data import Samples
from core.errors import DataError, RobustnessError
from core.inference import Predictor, prepared_images
from core.robustness.files import load_rows, save_rows
from core.robustness.perturbations import PERTURBATIONS, perturb
from core.robustness.results import CLEAN, CONDITIONS, Condition, Robustness

BATCH = 128
Progress = Callable[[str, int, int], None]


def measure(
    predictor: Predictor, samples: Samples, split: str, *, kept: Path | None = None, progress: Progress | None = None
) -> Robustness:
    """The answers on one split, clean and perturbed alike, at the precision of training, batch norms folded.

    ``kept`` is a file that grows by each condition and is gone on from where it fits. ``progress`` is told what is
    being measured, the images answered and all of them. Raises DataError for a split without images or other classes.
    """
    card = predictor.card
    chosen = samples.of(split)
    if chosen.labels.classes != card.labels.classes:
        raise DataError(
            f"{chosen.name} has the classes {', '.join(chosen.labels.classes)}, but {card.run_id} answers "
            f"{', '.join(card.labels.classes)}; give the data set of its card ({card.data.title})"
        )
    # Equalizing comes after the perturbation, as it would for a photo taken in bad light.
    images = prepared_images(chosen, replace(card.preprocessing, equalize="none")).numpy()
    right = _done(kept, predictor, split, len(chosen))
    answered = sum(len(of_images) for of_images in right.values())
    total = len(chosen) * len(CONDITIONS)
    # A network trained in bfloat16 answers the same there but for a few images in a thousand, in a third of the time.
    half = torch.autocast("cpu", torch.bfloat16, enabled=card.recipe.get("precision") == "bf16-mixed")
    for condition in CONDITIONS:
        if condition in right:
            continue
        of_images = np.empty(len(chosen), bool)
        for start in range(0, len(chosen), BATCH):
            rows = slice(start, start + BATCH)
            inputs = _inputs(predictor, images[rows], condition, chosen.ids[rows])
            with half:
                logits = predictor.output(inputs).logits
            of_images[rows] = logits.argmax(dim=1).numpy() == chosen.truth[rows]
            answered += len(inputs)
            if progress:
                progress(_title(condition), answered, total)
        right[condition] = of_images
        if kept:
            save_rows(kept, card.run_id, split, card.weights_sha256, right)
    return Robustness(card.run_id, split, card.weights_sha256, right)


def _inputs(predictor: Predictor, images: np.ndarray, condition: Condition, ids: np.ndarray) -> np.ndarray:
    changed = images if condition == CLEAN else perturb(images, *condition, ids)
    if predictor.card.preprocessing.equalize == "none":
        return changed
    return np.stack(predictor.input_images(list(changed)))


def _done(kept: Path | None, predictor: Predictor, split: str, n: int) -> dict[Condition, np.ndarray]:
    """What an interrupted run has left; nothing where it was of other weights, images or strengths."""
    if kept is None or not kept.is_file():
        return {}
    try:
        found = load_rows(kept, predictor.card.run_id, split, predictor.card.weights_sha256)
    except RobustnessError:
        return {}
    return found if all(len(of_images) == n for of_images in found.values()) else {}


def _title(condition: Condition) -> str:
    name, strength = condition
    return "as they are" if condition == CLEAN else f"{PERTURBATIONS[name].title} {strength}"
