"""Predictions of a network for a whole split of a data set."""

from __future__ import annotations

import torch
from torch import Tensor

from core.data import Samples, copies_in_train
from core.evaluation import EvaluationRun
from core.labels import LabelSet
from core.models import Network
from core.preprocessing import Preprocessing


@torch.inference_mode()
def infer_logits(network: Network, preprocessing: Preprocessing, images: Tensor, batch_size: int = 256) -> Tensor:
    """Logits (N, K) float32 on the images' device, for images already at size: (N, S, S) or (N, S, S, 3) uint8."""
    network.eval()
    batches = (preprocessing.normalize(images[i : i + batch_size]) for i in range(0, len(images), batch_size))
    return torch.cat([network(b.contiguous(memory_format=torch.channels_last)).logits.float() for b in batches])


def evaluate(
    network: Network,
    preprocessing: Preprocessing,
    samples: Samples,
    split: str,
    *,
    model_id: str,
    temperature: float = 1.0,
    labels: LabelSet | None = None,
    trained_on_train: bool = True,
) -> EvaluationRun:
    """The network's logits for one split and its mirror images.

    Images of val and test with an exact copy in train are marked. They are unknown, None, for the train split itself,
    for ``samples`` without training images, and where ``trained_on_train`` is False because the network was trained on
    other images.

    ``labels`` are the classes of the network where ``samples`` have only some of them: the network then chooses among
    those. The images are moved to the network's device.
    """
    chosen = samples.of(split)
    copies = None
    if trained_on_train and split != "train" and (samples.split == "train").any():
        copies = copies_in_train(samples)[samples.split == split]
    images = prepared_images(chosen, preprocessing).to(next(network.parameters()).device)
    columns = [(labels or chosen.labels).index(name) for name in chosen.labels.classes]
    logits = infer_logits(network, preprocessing, images)[:, columns]
    mirrored = infer_logits(network, preprocessing, images.flip(2))[:, columns]
    return EvaluationRun(
        model_id=model_id,
        split=split,
        labels=chosen.labels,
        image_ids=chosen.ids,
        truth=chosen.truth,
        logits=logits.cpu().numpy(),
        copy_in_train=copies,
        temperature=temperature,
        mirrored=mirrored.cpu().numpy(),
    )


def prepared_images(samples: Samples, preprocessing: Preprocessing) -> Tensor:
    """Every image at the network's input size, (N, S, S) or (N, S, S, 3) uint8."""
    ready = samples.channels == preprocessing.channels and samples.images.shape[1] == preprocessing.size_px
    if ready and preprocessing.equalize == "none":
        return torch.from_numpy(samples.images)
    return torch.stack([torch.from_numpy(preprocessing.to_input_image(image)) for image in samples.images])
