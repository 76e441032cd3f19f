"""The design's rules about layers, names and dependencies, checked by reading the imports."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("core", "dashboard", "pages")

# A module imports its own package and lower layers. Packages of one layer do not import each other, except at the top.
CORE = {
    **dict.fromkeys(("errors", "parallel", "caching", "device", "heap", "versions", "ensembles", "interrupts"), 0),
    **dict.fromkeys(("labels", "images", "preprocessing", "sample_photos", "files", "validation"), 1),
    **dict.fromkeys(("data", "models", "faces", "evaluation"), 2),
    "checkpoints": 3,
    "explain": 4,
    "inference": 5,
    "probes": 6,
    **dict.fromkeys(("robustness", "training", "video", "exporting"), 7),
    **dict.fromkeys(("runtime", "records", "photo_store", "importing"), 8),
    **dict.fromkeys(("measurements", "batch", "api", "cli", "__main__"), 9),
}
# Explanations work on modules and tensors: they import networks, not cards, data sets or photos.
EXPLAIN_MAY_IMPORT = {"errors", "parallel", "models"}
DASHBOARD = {
    **dict.fromkeys(("style", "section", "loading", "garbage"), 1),
    "services": 2,
    "plots": 3,
    "ui": 4,
    "reports": 5,
    **dict.fromkeys(("overview", "analyze", "compare", "dataset", "live", "video", "folder"), 6),
    **dict.fromkeys(("app", "server", "__main__"), 7),
}
TOP = 9
# One name, one meaning. These modules treat the same subject in different layers: computed, drawn, shown as a panel.
SUBJECTS = {
    "analysis",
    "annotators",
    "calibration",
    "confusion",
    "embedding",
    "ensemble",
    "job",
    "methods",
    "networks",
    "per_class",
    "perturbation",
    "ranking",
    "regions",
    "registry",
    "report",
    "robustness",
    "saliency",
    "scores",
    "significance",
    "slices",
    "trust",
    "uncertainty",
    "video",
}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(module: str) -> str:
    """``core.faces.haar`` -> ``faces``."""
    return [*module.split("."), ""][1]


def own_part(path: Path) -> str:
    return part(".".join(path.relative_to(ROOT).with_suffix("").parts))


def parameters(folder: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", files(folder), ids=lambda p: str(p.relative_to(ROOT)))


def layer_violations(path: Path, package: str, layers: dict[str, int]) -> list[str]:
    own = own_part(path)
    if own == "__init__":
        return []
    assert own in layers, f"{package}/{own} has no layer: add it to the design and to this test"
    found = []
    for module in imports(path):
        other = part(module)
        if not module.startswith(f"{package}.") or other == own or other not in layers:
            continue
        if not (
            layers[other] < layers[own] or layers[own] == layers[other] == TOP or layers[own] == 0 == layers[other]
        ):
            found.append(f"{own} (layer {layers[own]}) imports {module} (layer {layers[other]})")
    return found


@parameters("core")
def test_core_imports_lower_layers_only(path):
    assert not layer_violations(path, "core", CORE)


@parameters("core")
def test_core_does_not_import_the_screen(path):
    assert not [m for m in imports(path) if m.split(".")[0] in ("streamlit", "plotly", "dashboard", "pages")]


@pytest.mark.parametrize("path", files("core/explain"), ids=lambda p: p.name)
def test_explanations_import_the_allowed_packages_only(path):
    assert {part(m) for m in imports(path) if m.startswith("core.")} <= {*EXPLAIN_MAY_IMPORT, "explain"}


@parameters("dashboard")
def test_the_dashboard_imports_lower_layers_only(path):
    assert not layer_violations(path, "dashboard", DASHBOARD)
    assert not [m for m in imports(path) if m.split(".")[0] == "pages"]


@pytest.mark.parametrize("path", [*files("dashboard/plots"), *files("dashboard/reports")], ids=lambda p: p.name)
def test_plots_and_reports_do_not_import_streamlit(path):
    assert not [m for m in imports(path) if m.split(".")[0] == "streamlit"]


@pytest.mark.parametrize("path", [ROOT / "dashboard" / n for n in ("style.py", "section.py")], ids=lambda p: p.name)
def test_styles_and_sections_do_not_import_streamlit(path):
    assert not [m for m in imports(path) if m.split(".")[0] == "streamlit"]


@pytest.mark.parametrize("path", files("pages"), ids=lambda p: p.name)
def test_pages_import_neither_each_other_nor_torch(path):
    assert not [m for m in imports(path) if m.split(".")[0] in ("pages", "torch", "torchvision", "pytorch_grad_cam")]


def test_no_page_is_stopped():
    """``st.stop`` would keep the fragments of the previous run with the photo in them: see ``busy.end_page``."""
    sources = [p for folder in ("dashboard", "pages") for p in (ROOT / folder).rglob("*.py")]
    stops = [
        f"{path}:{node.lineno}"
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "st.stop"
    ]
    assert stops == []


@pytest.mark.parametrize("path", [f for d in FOLDERS for f in files(d)], ids=str)
def test_no_file_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 320


def test_no_module_name_has_two_meanings():
    places = defaultdict(set)
    for path in (f for d in ("core", "dashboard") for f in files(d)):
        if path.stem not in ("__init__", "__main__"):
            places[path.stem].add(str(path.relative_to(ROOT).parent))
    twice = {name: sorted(of) for name, of in places.items() if len(of) > 1 and name not in SUBJECTS}
    assert not twice


def test_no_module_has_a_name_without_meaning():
    vague = {"utils", "util", "helpers", "misc", "common", "lab", "shelf", "kept", "blocks", "findings"}
    assert not [f for d in FOLDERS for f in files(d) if f.stem in vague]


def test_file_names_of_a_checkpoint_are_defined_in_one_place():
    names = (
        "weights.safetensors",
        "card.json",
        "predictions-",
        "embeddings-",
        "tsne-",
        "robustness-val",
        "robustness-test",
    )
    for path in (f for d in FOLDERS for f in files(d)):
        if path.is_relative_to(ROOT / "core" / "checkpoints"):
            continue
        literals = [
            n.value for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Constant)
        ]
        documented = {
            ast.get_docstring(n, clean=False)
            for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(n, ast.Module | ast.FunctionDef | ast.ClassDef)
        }
        found = [t for t in literals if isinstance(t, str) and t not in documented and t.startswith(names)]
        assert not found, f"{path.relative_to(ROOT)} names {found}"


def test_names_of_splits_are_defined_in_one_place():
    for path in (f for d in FOLDERS for f in files(d)):
        if path == ROOT / "core" / "data" / "info.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        exact = [
            n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value in ("PrivateTest", "PublicTest")
        ]
        assert not exact or path.parent == ROOT / "core" / "data", f"{path.relative_to(ROOT)} names {exact}"


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
