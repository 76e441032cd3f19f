"""OpenMP is configured when core is imported, before PyTorch is, and without overriding the user."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def spin_count_after_import(**environment: str) -> str:
    code = "import sys, os, core; assert 'torch' not in sys.modules; print(os.environ.get('GOMP_SPINCOUNT'))"
    clean = {k: v for k, v in os.environ.items() if k not in SETTINGS}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=clean | environment, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def test_importing_core_limits_spinning():
    assert spin_count_after_import() == "3000"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({"GOMP_SPINCOUNT": "17"}, "17"), ({"OMP_WAIT_POLICY": "active"}, "None")],
)
def test_the_settings_of_the_user_take_precedence(environment, expected):
    assert spin_count_after_import(**environment) == expected


@pytest.mark.parametrize(
    "path", [p for d in ("benchmarks", "dashboard", "pages") for p in sorted((ROOT / d).rglob("*.py"))], ids=str
)
def test_nothing_imports_torch_before_core(path):
    lines: dict[str, int] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            for name in names:
                lines.setdefault(name.split(".")[0], node.lineno)
    if "torch" in lines:
        assert lines.get("core", sys.maxsize) < lines["torch"], f"{path.name}: import core before torch"
