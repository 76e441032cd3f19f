"""The device that networks run on."""

from __future__ import annotations

import os

import torch

from core.errors import DeviceError

DEVICES = ("auto", "cpu", "cuda", "mps")


def resolve_device(name: str = "auto") -> torch.device:
    """The device of that name; ``auto`` prefers CUDA, then Apple's MPS, then the CPU.

    Raises DeviceError for an unknown device and for one that this machine or this build of PyTorch does not have.
    """
    if name not in DEVICES:
        raise DeviceError(f"expected one of the devices {', '.join(DEVICES)}, got {name!r}")
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, found in available.items() if found)
    if not available[name]:
        usable = ", ".join(device for device, found in available.items() if found)
        raise DeviceError(f"the device {name!r} is not available here; use one of {usable}, or auto")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """The name of the hardware, which is shown with measured times."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    if device.type == "mps":
        return "Apple GPU"
    threads = torch.get_num_threads()
    return f"CPU, {threads} {'thread' if threads == 1 else 'threads'} of {os.cpu_count()} cores"
