"""The running app in a headless Chromium; skipped where Chromium or its driver is not installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).resolve().parents[2]


# Starts the app with the networks of another folder. The entry file is not copied, because paths of pages depend on it.
ON_NETWORKS = """
import sys
from pathlib import Path
from core import checkpoints
checkpoints.ROOT = Path(sys.argv.pop(1))
from streamlit.web.cli import main
main()
"""


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app with the shipped networks."""
    with served([sys.executable, "-m", "streamlit"], tmp_path_factory.mktemp("server") / "log.txt") as url:
        yield url


@pytest.fixture(scope="session")
def address_with_images(
    tmp_path_factory: pytest.TempPathFactory, checkpoint_root: Path, image_folder: Path
) -> Iterator[str]:
    """The address of the app with the networks of the tests and the images that they were trained on."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    environment = os.environ | {"FERSCOPE_DATA": str(image_folder), "PYTHONPATH": str(ROOT)}
    with served([sys.executable, "-c", ON_NETWORKS, str(checkpoint_root)], log, environment) as url:
        yield url


@contextmanager
def served(streamlit: list[str], log_path: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The app on a free port while the context lasts; ``streamlit`` is the command to which ``run`` is appended."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("Chromium or chromedriver is not installed")
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
        yield url
    finally:
        server.terminate()
        server.wait(10)
        log.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A window of 1440 x 900 with a fake webcam that needs no permission."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    flags = [
        "--headless=new",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1440,900",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium's sandbox refuses to run as root, as in a container
    for flag in flags:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver") or ""))
    try:
        yield driver
    finally:
        driver.quit()
