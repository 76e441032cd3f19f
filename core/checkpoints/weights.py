"""Weights as safetensors files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from core.files import write_atomically
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
        network.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in tensors.items()})
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(str(error)) from error
    return network.to(torch.float32).eval()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
