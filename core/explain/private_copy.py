"""A private copy of a network that costs no memory: new modules around the same weights.

Saliency packages attach hooks, replace layers, switch modes and clear gradients. Sessions are threads that share one
network, so none of that may happen to the shared one, especially when a computation fails halfway. Every method works
on a private copy, and nothing has to be restored.
"""

from __future__ import annotations

import copy

from torch import Tensor, nn

from core.models.network import Network


def private_copy(network: Network) -> Network:
    """New modules in evaluation mode, without gradients for the weights, around the storage of the old ones.

    Takes a few milliseconds. Half-precision weights become float32 copies, since the packages compute in NumPy.
    In-place activations are switched off, since they would overwrite the features that are being explained.
    """
    memo: dict[int, object] = {}
    for parameter in network.parameters():
        memo[id(parameter)] = nn.Parameter(_shared(parameter), requires_grad=False)
    for buffer in network.buffers():
        memo[id(buffer)] = _shared(buffer)
    copied = copy.deepcopy(network, memo).eval()
    for module in copied.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]  # nn.Module types every attribute as a tensor or module
    return copied


def _shared(tensor: Tensor) -> Tensor:
    # An inference tensor cannot take part in a backward pass; only a clone can.
    plain = tensor.detach().clone() if tensor.is_inference() else tensor.detach()
    return plain.float() if plain.is_floating_point() else plain
