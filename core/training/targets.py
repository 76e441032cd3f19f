"""What a network is trained on: the images of a recipe's classes, and a target distribution for each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.checkpoints import ModelCard
from core.data import FERPLUS_FILE, Samples, with_ferplus_labels
from core.errors import DataError, RecipeError
from core.faces import MEASURED
from core.inference import prepared_images
from core.labels import FERPLUS8, LABEL_SETS, LabelSet
from core.preprocessing import Preprocessing
from core.training.recipe import Recipe


@dataclass(frozen=True)
class TrainingData:
    """The training and validation images as tensors; images stay uint8 until a batch is made."""

    images: Tensor  # (N, S, S) or (N, S, S, 3) uint8
    targets: Tensor  # (N, K) float32, rows sum to 1
    truth: Tensor  # (N,) int64
    val_images: Tensor
    val_truth: Tensor

    @property
    def classes(self) -> int:
        """K."""
        return self.targets.shape[1]

    def to(self, device: torch.device) -> TrainingData:
        """The same data on another device."""
        return TrainingData(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def preprocessing_of(recipe: Recipe) -> Preprocessing:
    """The evaluation transform that a recipe's network is stored with."""
    return Preprocessing(
        size_px=recipe.size_px,
        channels=recipe.channels,
        equalize=recipe.equalize,
        crop_margin={name: (m.side, m.dx, m.dy) for name, m in MEASURED.items()},
    )


def training_samples(recipe: Recipe, samples: Samples) -> Samples:
    """The samples with the labels of the recipe, in the order of its classes.

    Raises RecipeError where the data set has other classes, DataError where FER+ votes are needed and missing.
    """
    if recipe.labels == "data":
        return samples
    expected = LABEL_SETS[recipe.labels]
    has_classes = expected.same_classes(samples.labels)
    or_ferplus = recipe.target == "label_or_ferplus"
    if recipe.target == "ferplus" or (or_ferplus and not has_classes and samples.votes is not None):
        samples = with_ferplus_labels(samples)
        has_classes = True
    if not has_classes:
        votes = ", put fer2013new.csv in the folder of fer2013.csv," if or_ferplus else ""
        raise RecipeError(
            f"{recipe.name} is for {expected.name} ({', '.join(expected.classes)}), but {samples.name} has "
            f'{", ".join(samples.labels.classes)}; choose other data{votes} or set labels = "data"'
        )
    return samples if expected.classes == samples.labels.classes else samples.ordered_like(expected)


def labeled_for(card: ModelCard, recipe: Recipe, samples: Samples) -> Samples:
    """The samples with the labels that a network learned by ``recipe``, in the order of its logits.

    An imported network may have the classes of the data set in another order. Raises as :func:`training_samples`.
    """
    labeled = training_samples(recipe, samples)
    has_classes = labeled.labels.same_classes(card.labels)
    return labeled.ordered_like(card.labels) if has_classes else labeled


def check_samples(recipe: Recipe, samples: Samples, *, val_only: bool) -> None:
    """Raise DataError where a split, a class or the votes that the run needs are missing."""
    images = Counter(samples.split.tolist())
    if not images["train"]:
        raise DataError(f"{samples.name} has no training images; add a train split")
    if not images["val"]:
        raise DataError(
            f"{samples.name} has no images in its val split, which chooses the epoch; move some of the training images "
            "into a val split"
        )
    if not images["test"] and not val_only:
        raise DataError(
            f"{samples.name} has no images in its test split; add --val-only to train without it, or add a test split"
        )
    for split in ("val",) if val_only else ("val", "test"):
        if images[split] == 1:  # an embedding has no variance
            raise DataError(f"{samples.name} has one image in its {split} split; add at least another one")
    counts = np.bincount(samples.truth[samples.split == "train"], minlength=len(samples.labels))
    if not counts.all():
        absent = samples.labels.classes[int(np.argmin(counts))]
        raise DataError(
            f"{samples.name} has no training image of the class {absent!r}; add some, or remove the class from the "
            "data set and choose labels without it"
        )
    if recipe.votes_weight:
        _required_votes(recipe, samples)


def _required_votes(recipe: Recipe, samples: Samples) -> np.ndarray:
    """The FER+ votes (N, 10)."""
    if samples.votes is None:
        raise DataError(
            f"{recipe.name} mixes FER+ votes into its targets, but {samples.name} has none; put {FERPLUS_FILE} next to "
            "the CSV of the faces, which needs its column Usage, or set votes_weight = 0"
        )
    return samples.votes


def training_data(
    recipe: Recipe, samples: Samples, preprocessing: Preprocessing, teacher_probabilities: Tensor | None = None
) -> TrainingData:
    """Tensors for the loop. ``teacher_probabilities`` (N, K) are the teachers' means for the training images, if any.

    The target of an image is a mixture of its label, its FER+ votes and the teachers' probabilities, with the weights
    of the recipe; an image without votes for the classes has its label instead. Raises DataError where the votes are
    needed and missing.
    """
    training, validation = samples.of("train"), samples.of("val")
    truth = torch.from_numpy(training.truth)
    labeled = F.one_hot(truth, len(samples.labels)).float()
    targets = labeled * (1 - recipe.teachers_weight)
    if teacher_probabilities is not None:
        targets = targets + recipe.teachers_weight * teacher_probabilities
    if recipe.votes_weight:
        votes, has_votes = vote_distribution(_required_votes(recipe, training), samples.labels)
        share = torch.from_numpy(np.where(has_votes, recipe.votes_weight, 0.0).astype(np.float32))[:, None]
        targets = targets + share * (torch.from_numpy(votes) - labeled)
    return TrainingData(
        images=prepared_images(training, preprocessing),
        targets=targets,
        truth=truth,
        val_images=prepared_images(validation, preprocessing),
        val_truth=torch.from_numpy(validation.truth),
    )


def vote_distribution(votes: np.ndarray, labels: LabelSet) -> tuple[np.ndarray, np.ndarray]:
    """FER+ votes (N, 10) as shares (N, K) of ``labels``, and which rows have a vote for one of them (N,).

    Raises DataError where ``labels`` has a class that FER+ does not have.
    """
    unknown = [c for c in labels.classes if c not in FERPLUS8.classes]
    if unknown:
        raise DataError(f"FER+ has no votes for {unknown[0]!r}; its classes are {', '.join(FERPLUS8.classes)}")
    counts = votes[:, [FERPLUS8.index(c) for c in labels.classes]].astype(np.float32)
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.maximum(total, 1), total[:, 0] > 0
