"""Weights as safetensors files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from core.files import sha256_of, write_atomically
from core.models import Network


def save_weights(network: Network, path: Path, *, half: bool = True) -> str:
    """Write the weights, matrices in half precision unless ``half`` is False, and return the file's SHA-256.

    Norms, biases and statistics stay in float32: they are a thousandth of the bytes, and small variances would vanish.
    """
    tensors = {
        name: (t.half() if half and t.is_floating_point() and t.ndim > 1 else t).detach().cpu().contiguous()
        for name, t in network.state_dict().items()
    }
    # Not save_file, whose file only its owner can read.
    write_atomically(path, lambda partial: partial.write_bytes(save(tensors)))
    return sha256_of(path)


def load_weights(network: Network, path: Path) -> Network:
    """Fill ``network`` from the file and set it to evaluation mode, in float32.

    Raises ValueError for a file that cannot be read or that belongs to another architecture.
    """
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(str(error)) from error
    if different := differences(network, tensors):
        raise ValueError(different)
    network.load_state_dict(
        {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}, strict=False
    )
    return network.to(torch.float32).eval()


def differences(network: Network, tensors: Mapping[str, Tensor]) -> str:
    """What prevents tensors, by name, from being the weights of ``network``; empty if they fit.

    The counters of the batch norms may be missing, because predictions do not use them.
    """
    expected = network.state_dict()
    optional = {name for name in expected if name.endswith("num_batches_tracked")}
    problems = [
        _some("missing", sorted(expected.keys() - tensors.keys() - optional)),
        _some("unknown", sorted(tensors.keys() - expected.keys())),
        *(
            f"{name} has the shape {tuple(tensors[name].shape)} instead of {tuple(tensor.shape)}"
            for name, tensor in expected.items()
            if name in tensors and tensors[name].shape != tensor.shape
        ),
    ]
    found = [problem for problem in problems if problem]
    more = f", and {len(found) - 3} more differences" if len(found) > 3 else ""
    return "; ".join(found[:3]) + more


def _some(what: str, names: list[str]) -> str:
    if not names:
        return ""
    tensors = "tensor is" if len(names) == 1 else "tensors are"
    return f"{len(names)} {tensors} {what} ({', '.join(names[:2])}{', …' if len(names) > 2 else ''})"
