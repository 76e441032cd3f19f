"""The app in a process of its own, for tests that need its server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

SHIPPED = (sys.executable, "-m", "streamlit")
# Starts the app with the networks of another folder. The entry file is not copied, because paths of pages depend on it.
ON_NETWORKS = """
import sys
from pathlib import Path
from core import checkpoints
checkpoints.ROOT = Path(sys.argv.pop(1))
from streamlit.web.cli import main
main()
"""


@dataclass(frozen=True)
class Server:
    """A running app."""

    url: str
    pid: int


@contextmanager
def served(streamlit: Sequence[str], log_path: Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The app on a free port while the context lasts; ``streamlit`` is the command to which ``run`` is appended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = log_path.open("w")
    command = [*streamlit, "run", "dashboard/server.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=environment)
    url = f"http://localhost:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                break
            except OSError:
                assert server.poll() is None, Path(log.name).read_text()
                time.sleep(0.5)
        else:
            pytest.fail("the app did not start within a minute")
        yield Server(url, server.pid)
    finally:
        server.terminate()
        server.wait(10)
        log.close()


@contextmanager
def served_networks(root: Path, log_path: Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The app with the networks of a folder instead of the shipped ones."""
    with_root = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    with served([sys.executable, "-c", ON_NETWORKS, str(root)], log_path, with_root) as server:
        yield server
