"""The pooled features of a network for a data set, stored with its checkpoint as principal components."""

from __future__ import annotations

import torch
from torch import Tensor

from core.data import Samples
from core.evaluation.embedding import Embedding, principal_components
from core.inference.scoring import prepared_images
from core.models import Network
from core.preprocessing import Preprocessing


@torch.inference_mode()
def embed(network: Network, preprocessing: Preprocessing, images: Tensor, batch_size: int = 256) -> Tensor:
    """The input of the linear head: the pooled features (N, C) float32, on the images' device.

    ``images`` are at the network's input size, (N, S, S) or (N, S, S, 3) uint8.
    """
    network.eval()
    pooled = []
    for first in range(0, len(images), batch_size):
        batch = preprocessing.normalize(images[first : first + batch_size])
        features = network(batch.contiguous(memory_format=torch.channels_last)).features
        pooled.append(features.float().mean(dim=(2, 3)))
    return torch.cat(pooled) if pooled else torch.empty(0, network.head.in_features)


def embed_split(
    network: Network,
    preprocessing: Preprocessing,
    samples: Samples,
    split: str,
    *,
    model_id: str,
    weights_sha256: str,
) -> Embedding:
    """The images of one split as principal components of the network's features; they are moved to its device.

    Raises DataError for a split without images and EvaluationError for features that are not finite.
    """
    chosen = samples.of(split)
    images = prepared_images(chosen, preprocessing).to(next(network.parameters()).device)
    features = embed(network, preprocessing, images)
    return principal_components(
        features.cpu().numpy(), chosen.ids, model_id=model_id, split=split, weights_sha256=weights_sha256
    )
