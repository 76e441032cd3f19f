"""The cost of training beyond the network's arithmetic: ``python benchmarks/train.py [--json]``.

``loader_over_resident``: an optimizer step that also makes its augmented batch ÷ the same step on a given batch.
``flops_over_gemm``: floating-point operations per second in a training step ÷ those of a large matrix product of the
same type on the same cores. Medians within one run, worst shipped recipe reported; a step counts as three forward
passes, and a multiply-accumulate as two operations.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import core  # noqa: F401  # before PyTorch, so that OpenMP is configured as in the app

# isort: split
import torch
import torch.nn.functional as F

from core.models import build_network, count_macs
from core.preprocessing import Preprocessing
from core.training.loop import make_batch
from core.training.recipe import Recipe, load_recipe
from core.training.schedules import make_optimizer
from core.training.targets import TrainingData

RECIPES = ("cnn", "residual_cnn", "resnet50")
REPEATS = 7


def seconds(*actions: Callable[[], object]) -> list[float]:
    """Median seconds of each action; they take turns, so that a machine that slows down slows all of them."""
    times: list[list[float]] = [[] for _ in actions]
    for repeat in range(REPEATS + 1):
        for taken, action in zip(times, actions, strict=True):
            begin = time.perf_counter()
            action()
            if repeat:  # the first turn warms up
                taken.append(time.perf_counter() - begin)
    return [statistics.median(t) for t in times]


def measure(recipe: Recipe) -> dict[str, float]:
    """Both ratios for one recipe, on random images of FER2013's size."""
    torch.manual_seed(0)
    n, classes = 1024, 7
    truth = torch.randint(classes, (n,))
    images = torch.randint(256, (n, recipe.size_px, recipe.size_px), dtype=torch.uint8)
    data = TrainingData(images, F.one_hot(truth, classes).float(), truth, images[:1], truth[:1])
    network = build_network(recipe.architecture, classes=classes, channels=recipe.channels, **recipe.model)
    network = network.to(memory_format=torch.channels_last).train()
    optimizer, generator = make_optimizer(network, recipe), torch.Generator().manual_seed(0)
    preprocessing = Preprocessing(size_px=recipe.size_px, channels=recipe.channels)
    half = recipe.precision == "bf16-mixed"

    def batch() -> tuple[torch.Tensor, torch.Tensor]:
        rows = torch.randint(n, (recipe.batch_size,), generator=generator)
        return make_batch(data, rows, recipe, preprocessing, generator)

    def step(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(inputs).logits
        loss = -(targets * F.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    ready = batch()
    side = 2048
    a = torch.randn(side, side, dtype=torch.bfloat16 if half else torch.float32)
    loaded, resident, gemm = seconds(lambda: step(*batch()), lambda: step(*ready), lambda: a @ a)
    operations = 3 * 2 * count_macs(network, recipe.channels, recipe.size_px) * recipe.batch_size
    return {
        "loader_over_resident": loaded / resident,
        "flops_over_gemm": (operations / resident) / (2 * side**3 / gemm),
        "images_per_second": recipe.batch_size / loaded,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    arguments = parser.parse_args()
    results = {name: measure(load_recipe(name)) for name in RECIPES}
    worst = {
        "loader_over_resident": max(r["loader_over_resident"] for r in results.values()),
        "flops_over_gemm": min(r["flops_over_gemm"] for r in results.values()),
    }
    if arguments.json:
        print(json.dumps(worst))
        return
    for name, values in results.items():
        print(name, ", ".join(f"{key} {value:.3f}" for key, value in values.items()))
    print("worst:", ", ".join(f"{key} {value:.3f}" for key, value in worst.items()))


if __name__ == "__main__":
    main()
