"""The running app in a headless Chromium; skipped where Chromium or its driver is not installed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.serving import SHIPPED, served, served_networks


def require_chromium() -> None:
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("Chromium or chromedriver is not installed")


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app with the shipped networks."""
    require_chromium()
    with served(SHIPPED, tmp_path_factory.mktemp("server") / "log.txt") as server:
        yield server.url


@pytest.fixture(scope="session")
def address_with_images(
    tmp_path_factory: pytest.TempPathFactory, checkpoint_root: Path, image_folder: Path
) -> Iterator[str]:
    """The address of the app with the networks of the tests and the images that they were trained on."""
    require_chromium()
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with served_networks(checkpoint_root, log, {"FERSCOPE_DATA": str(image_folder)}) as server:
        yield server.url


@pytest.fixture
def open_browser(tmp_path: Path) -> Iterator[Callable[..., webdriver.Chrome]]:
    """Opens windows of 1440 x 900, each in a browser of its own with further flags."""
    drivers: list[webdriver.Chrome] = []

    def opened(*more_flags: str) -> webdriver.Chrome:
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
            "--use-fake-device-for-media-stream",
            f"--user-data-dir={tmp_path / f'profile-{len(drivers)}'}",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium's sandbox refuses to run as root, as in a container
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        for flag in [*flags, *more_flags]:
            options.add_argument(flag)
        drivers.append(webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver") or "")))
        return drivers[-1]

    elsewhere: list[str] = []
    try:
        yield opened
        elsewhere = [url for driver in drivers for url in requested_elsewhere(driver)]
    finally:
        for driver in drivers:
            driver.quit()
    assert elsewhere == []


def requested_elsewhere(driver: webdriver.Chrome) -> list[str]:
    """The addresses of other hosts that the pages of this browser have requested."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    # Pages of Chromium begin with chrome://. A name below .test exists only where a test maps it to this machine.
    outgoing = [url for url in urls if urlsplit(url).scheme in ("http", "https")]
    local = ("localhost", "127.0.0.1", "ferscope.test")
    return [url for url in outgoing if urlsplit(url).hostname not in local]


@pytest.fixture
def browser(open_browser: Callable[..., webdriver.Chrome]) -> webdriver.Chrome:
    """A window with a fake webcam that needs no permission."""
    return open_browser("--use-fake-ui-for-media-stream")
