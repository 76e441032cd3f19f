"""The devices that a training run uses, through Lightning Fabric."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import torch

from core.device import describe_device
from core.errors import TrainingError

if TYPE_CHECKING:
    from lightning_fabric import Fabric
else:
    try:
        from lightning_fabric import Fabric
    except ModuleNotFoundError:  # the package "lightning" contains the same class
        from lightning.fabric import Fabric

__all__ = ["Fabric", "hardware", "make_fabric"]


def make_fabric(precision: str) -> Fabric:
    """Fabric for this machine: all GPUs, else the CPU; or the processes that ``torchrun`` started.

    Raises TrainingError where ``torchrun`` started processes on several machines.
    """
    local, all_processes = (os.environ.get(name) for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))  # set by torchrun
    if local and all_processes and local != all_processes:
        raise TrainingError(
            f"expected all processes on one machine, but torchrun started {local} of {all_processes} on this one; "
            "start it on one machine"
        )
    for name in ("lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # it logs the precision on every start
    processes = int(local or 1)
    devices: int | str = "auto" if torch.cuda.is_available() else processes
    fabric = Fabric(accelerator="auto", devices=devices, precision=precision)  # type: ignore[arg-type]
    fabric.launch()
    torch.backends.cudnn.benchmark = torch.cuda.is_available()  # batches have one shape: measure the fastest kernels
    return fabric


def require_one_process() -> None:
    """Raises TrainingError where a run would use several processes, as it does with several GPUs."""
    if (processes := int(os.environ.get("WORLD_SIZE", "1"))) > 1:
        raise TrainingError(f"a plan needs one process, but torchrun started {processes}; start it without torchrun")
    if (gpus := torch.cuda.device_count()) > 1:
        raise TrainingError(
            f"a plan uses one GPU, but {gpus} are visible; choose one with CUDA_VISIBLE_DEVICES=0, and start another "
            "plan on each of the others"
        )


def hardware(fabric: Fabric) -> str:
    """The hardware of a run in words."""
    if fabric.device.type == "cuda":
        return f"{fabric.world_size} x {torch.cuda.get_device_name(fabric.device)}"
    return describe_device(fabric.device)
