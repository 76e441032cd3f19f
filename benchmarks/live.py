"""How fast the Live page is in Chromium with a camera that shows a moving portrait: ``python benchmarks/live.py``.

Frames of 640 x 480 px with one face, the default detector and options, and the residual CNN:

``frames_per_second``, ``p95_frame_age_ms``: shown frames, and the 95th percentile of their age: from the capture of a
frame until it is drawn with what was found in it. ``frames_per_second_three_networks``: the same with three networks.
``viewers_fairness``: of four viewers at once, shown frames of the slowest divided by those of the fastest.
``page_click_ms``, ``page_click_ms_while_live``: from a click on another group of *Compare* in a second window until its
panels are drawn, without and with a viewer; the median of ten clicks.

Server, browser and camera run on this machine. Without Chromium and chromedriver nothing is measured: a message states
so, and with --json the object is empty.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

from benchmarks.chromium import FLAGS, missing, served
from core import images
from core.checkpoints import list_checkpoints
from core.sample_photos import sample_photos

SECONDS = 15
WARM_UP_S = 3
CLICKS = 10
NETWORK, THREE = "?networks=Residual+CNN", ""

# The component is in a shadow root. Its event after every shown frame crosses the root.
START = """
const roots = [...document.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean);
const button = roots.map((root) => root.querySelector(".live .start")).find(Boolean);
if (!button?.textContent) return false; // the script of the component has not run yet
window.shown = [];
document.addEventListener("ferscope-frame", ({ detail }) => window.shown.push({ time: performance.now(), ...detail }));
button.click();
return true;
"""
CLICK = """
const [name] = arguments;
const app = document.querySelector("[data-testid=stApp]");
const begin = performance.now();
let wasRunning = false;
window.clicked = null;
const look = () => {
  const state = app.dataset.testScriptState;
  wasRunning ||= state === "running";
  if (wasRunning && state === "notRunning") {
    const painted = new MessageChannel();
    painted.port1.onmessage = () => { window.clicked = performance.now() - begin; };
    painted.port2.postMessage(null);
  } else requestAnimationFrame(look);
};
[...document.querySelectorAll("button")].find((button) => button.innerText.trim() === name).click();
requestAnimationFrame(look);
"""


def film(path: Path) -> None:
    """A portrait moving on a circle once in four seconds, at 30 frames per second."""
    portrait = images.decode(next(iter(sample_photos().values())).data)
    portrait = cv2.resize(portrait, (300, 380), interpolation=cv2.INTER_AREA)
    with path.open("wb") as file:
        for angle in np.linspace(0, 2 * math.pi, 120, endpoint=False):
            frame = np.full((480, 640, 3), 90, np.uint8)
            left, top = round(170 + 150 * math.sin(angle)), round(50 + 45 * math.cos(angle))
            frame[top : top + 380, left : left + 300] = portrait
            file.write(cv2.imencode(".jpg", frame[..., ::-1])[1].tobytes())


class Browser:
    """A Chromium whose windows have the film as their camera."""

    def __init__(self, folder: Path, address: str) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        from selenium.webdriver.support.ui import WebDriverWait

        film(folder / "portrait.mjpeg")
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        flags = [
            *FLAGS,
            "--window-size=1440,900",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={folder / 'portrait.mjpeg'}",
            f"--user-data-dir={folder / 'profile'}",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium's sandbox refuses to run as root, as in a container
        for flag in flags:
            options.add_argument(flag)
        self.address = address
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver") or ""))
        self.wait = WebDriverWait(self.driver, 120, poll_frequency=0.05, ignored_exceptions=(Exception,))

    def open_live(self, query: str) -> str:
        """Start the camera in a new window and wait until frames are shown; the window's handle."""
        self.driver.switch_to.new_window("window")
        self.driver.get(f"{self.address}/live{query}")
        self.wait.until(lambda d: d.execute_script(START))
        self.wait.until(lambda d: d.execute_script("return window.shown.length > 5"))
        return str(self.driver.current_window_handle)

    def frames(self, window: str) -> list[dict[str, Any]]:
        """The frames that were shown in a window."""
        self.driver.switch_to.window(window)
        return list(self.driver.execute_script("return window.shown"))

    def close(self, windows: list[str]) -> None:
        """Close windows; another one is the current one then."""
        for window in windows:
            self.driver.switch_to.window(window)
            self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])

    def shown_by(self, viewers: int, query: str) -> list[list[dict[str, Any]]]:
        """The frames shown by several viewers during the same seconds."""
        windows = [self.open_live(query) for _ in range(viewers)]
        time.sleep(WARM_UP_S + SECONDS)
        origins = [self.driver.execute_script("return performance.timeOrigin") for w in windows if not self.use(w)]
        found = [self.frames(window) for window in windows]
        end = min(o + f[-1]["time"] for o, f in zip(origins, found, strict=True))
        self.close(windows)
        return [
            [frame for frame in frames if 0 <= end - (origin + frame["time"]) <= 1000 * SECONDS]
            for origin, frames in zip(origins, found, strict=True)
        ]

    def use(self, window: str) -> None:
        """Make a window the current one."""
        self.driver.switch_to.window(window)

    def click_ms(self) -> float:
        """The median time of clicks that change between two groups of Compare."""
        self.driver.switch_to.new_window("window")
        window = self.driver.current_window_handle
        self.driver.get(f"{self.address}/compare")
        idle = "return document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
        self.wait.until(lambda d: "Training" in d.find_element("tag name", "body").text and d.execute_script(idle))
        taken = []
        for number in range(CLICKS + 2):
            time.sleep(0.5)
            self.driver.execute_script(CLICK, ("Training", "Scores")[number % 2])
            self.wait.until(lambda d: d.execute_script("return window.clicked !== null"))
            taken.append(float(self.driver.execute_script("return window.clicked")))
        self.close([window])
        return statistics.median(taken[2:])


def measured(address: str, folder: Path) -> dict[str, float]:
    """All numbers of the module's description."""
    browser = Browser(folder, address)
    try:
        result: dict[str, float] = {}
        (one,) = browser.shown_by(1, NETWORK)
        result["frames_per_second"] = len(one) / SECONDS
        result["p95_frame_age_ms"] = float(np.percentile([frame["ageMs"] for frame in one], 95))
        (three,) = browser.shown_by(1, THREE)
        result["frames_per_second_three_networks"] = len(three) / SECONDS
        counts = [len(frames) for frames in browser.shown_by(4, NETWORK)]
        result["viewers_fairness"] = min(counts) / max(counts)
        result["page_click_ms"] = browser.click_ms()
        live = browser.open_live(NETWORK)
        result["page_click_ms_while_live"] = browser.click_ms()
        browser.close([live])
        return result
    finally:
        browser.driver.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    arguments = parser.parse_args()
    if not list_checkpoints().checkpoints:
        raise SystemExit("no network is installed; train one with: python -m core train cnn --data fer2013.csv")
    if absent := missing():
        print(f"not measured: {absent} is not installed", file=sys.stderr)
        if arguments.json:
            print("{}")
        return
    with served() as address, tempfile.TemporaryDirectory() as folder:
        result = measured(address, Path(folder))
    if arguments.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:34} {value:8.2f}")


if __name__ == "__main__":
    main()
