"""The house rules, kept by walking the imports."""

import ast
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Inside core a module imports its own layer's package or lower layers; packages of layer 2 do not know each other.
TOP = 10  # modules of the top layer may import each other
LAYERS = {
    "errors": 0,
    "parallel": 0,
    "caching": 1,
    "device": 1,
    "heap": 1,
    "files": 1,
    "validation": 1,
    "labels": 1,
    "images": 1,
    "preprocessing": 1,
    "sample_photos": 1,
    "versions": 1,
    "data": 2,
    "models": 2,
    "faces": 2,
    "evaluation": 2,
    "checkpoints": 3,
    "explain": 4,
    "inference": 5,
    "probes": 6,
    "robustness": 7,
    "training": 7,
    "photo_store": 8,
    "records": 8,
    "importing": 8,
    "measurements": 8,
    "runtime": 9,
    "api": TOP,
    "cli": TOP,
    "__main__": TOP,
}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(module: str) -> str:
    """``core.faces.haar`` -> ``faces``."""
    return [*module.split("."), ""][1]


@pytest.mark.parametrize("path", files("core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_core_knows_neither_screen_nor_higher_layers(path):
    own = part(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for module in imports(path):
        assert module.split(".")[0] not in ("streamlit", "dashboard", "pages"), f"{path.name} imports {module}"
        if not module.startswith("core.") or (path.name == "__init__.py" and own == "__init__"):
            continue
        other = part(module)
        if other == own or other not in LAYERS:
            continue
        assert LAYERS[other] < LAYERS[own] or LAYERS[own] == TOP, f"{own} (layer {LAYERS[own]}) imports {other}"


@pytest.mark.parametrize("path", files("dashboard"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_dashboard_knows_no_page(path):
    assert not [m for m in imports(path) if m.split(".")[0] == "pages"]


@pytest.mark.parametrize("path", files("pages"), ids=lambda p: p.name)
def test_pages_know_neither_each_other_nor_torch(path):
    assert not [m for m in imports(path) if m.split(".")[0] in ("pages", "torch", "torchvision", "pytorch_grad_cam")]


@pytest.mark.parametrize("path", [ROOT / "dashboard" / "style.py", *files("dashboard/plots")], ids=lambda p: p.name)
def test_plots_draw_without_streamlit(path):
    assert not [m for m in imports(path) if m.startswith("streamlit")]


@pytest.mark.parametrize("path", [f for d in ("core", "dashboard", "pages") for f in files(d)], ids=str)
def test_no_file_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 320


def test_names_that_say_nothing_are_not_there():
    assert not [p for d in ("core", "dashboard", "pages") for p in files(d) if p.stem in ("utils", "helpers", "misc")]


def test_exactly_one_opencv_is_installed_and_it_still_has_haar():
    import cv2

    installed = [d.metadata["Name"] for d in distributions() if (d.metadata["Name"] or "").lower().startswith("opencv")]
    assert installed == ["opencv-python-headless"]
    assert int(cv2.__version__.split(".")[0]) < 5
    assert hasattr(cv2, "CascadeClassifier")


def test_torch_and_torchvision_are_the_pinned_pair():
    import torch
    import torchvision

    pins = dict(
        line.split("==") for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("torch")
    )
    assert torch.__version__.split("+")[0] == pins["torch"]
    assert torchvision.__version__.split("+")[0] == pins["torchvision"]


def test_requirements_are_pinned_exactly():
    for name in ("requirements.txt", "tests/requirements.txt"):
        lines = [x for x in (ROOT / name).read_text().splitlines() if x and not x.startswith("#")]
        assert all("==" in line for line in lines), name
