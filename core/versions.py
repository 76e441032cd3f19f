"""The versions behind the numbers: FERscope's own, Python's, and those of the packages."""

from __future__ import annotations

import functools
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = (
    *("torch", "torchvision", "numpy", "scipy", "scikit-learn", "statsmodels", "pandas", "opencv-python-headless"),
    *("grad-cam", "captum", "av", "plotly", "matplotlib", "streamlit"),
)


@functools.cache
def ferscope() -> str:
    """The commit that is checked out, "unknown" outside a checkout: FERscope is run from its folder and has no other
    number."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).resolve().parent.parent,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def versions() -> dict[str, str]:
    """Name -> version, FERscope first."""
    return {"FERscope": ferscope(), "Python": platform.python_version(), **_of_packages()}


@functools.cache
def _of_packages() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES}  # reads a file for each, 12 ms in all
