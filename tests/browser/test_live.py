"""The Live page in a browser whose camera shows a portrait that moves through the picture."""

import itertools
import math

import cv2
import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from core import checkpoints, images
from core.sample_photos import sample_photos

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not checkpoints.list_checkpoints().checkpoints, reason="no network is installed"),
]
RECORD = """
window.shown = [];
document.addEventListener("ferscope-frame", ({ detail }) => window.shown.push({ time: performance.now(), ...detail }));
"""

COLLECT_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...address) {
    super(...address);
    window.sockets.push(this);
  }
};
"""


@pytest.fixture(scope="module")
def moving_portrait(tmp_path_factory):
    """A film of 640 x 480 px in which a face moves on a circle once in eight seconds."""
    portrait = images.decode(sample_photos()["grace_hopper"].data)
    portrait = cv2.resize(portrait, (300, 380), interpolation=cv2.INTER_AREA)
    path = tmp_path_factory.mktemp("camera") / "portrait.mjpeg"
    with path.open("wb") as film:
        for angle in np.linspace(0, 2 * math.pi, 240, endpoint=False):
            frame = np.full((480, 640, 3), 90, np.uint8)
            left, top = round(170 + 150 * math.sin(angle)), round(50 + 45 * math.cos(angle))
            frame[top : top + 380, left : left + 300] = portrait
            film.write(cv2.imencode(".jpg", frame[..., ::-1])[1].tobytes())
    return path


class LivePage:
    """The page in a browser: its component is in a shadow root."""

    def __init__(self, browser, address, query=""):
        self.browser = browser
        browser.get(f"{address}/live{query}")
        self.root = self.until(lambda _: self._root(), "the component")
        browser.execute_script(RECORD)

    def _root(self):
        for host in self.browser.find_elements(By.CSS_SELECTOR, '[class*="st-key-camera_view"] *'):
            shadow = self.browser.execute_script("return arguments[0].shadowRoot", host)
            if shadow is not None and shadow.find_element(By.CSS_SELECTOR, ".start").text:  # its script has run
                return shadow
        return None

    def until(self, condition, what, seconds=60):
        return WebDriverWait(self.browser, seconds, 0.1, ignored_exceptions=(Exception,)).until(
            condition, f"waited for {what}"
        )

    def click(self, name):
        self.root.find_element(By.CSS_SELECTOR, f".{name}").click()

    def text(self, name):
        return self.root.find_element(By.CSS_SELECTOR, f".{name}").text

    def shown(self):
        return self.browser.execute_script("return window.shown")

    def wait_for_frames(self, count):
        self.until(lambda _: len(self.shown()) >= count, f"{count} frames")


def test_a_moving_face_is_found_and_keeps_its_track(open_browser, address, moving_portrait):
    browser = open_browser("--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={moving_portrait}")
    page = LivePage(browser, address, "?networks=Residual+CNN")
    assert "Click Start" in page.text("message")
    page.click("start")
    page.wait_for_frames(20)
    shown = page.shown()
    assert all(frame["ageMs"] > 0 for frame in shown)
    assert sum(len(frame["tracks"]) == 1 for frame in shown) >= 0.9 * len(shown)
    # On a busy machine frames may be so far apart that a track ends.
    close = [
        (a, b) for a, b in itertools.pairwise(shown) if b["time"] - a["time"] < 500 and a["tracks"] and b["tracks"]
    ]
    assert len(close) > 5
    assert all(a["tracks"] == b["tracks"] for a, b in close)
    assert page.text("message") == ""
    assert "frames/s" in page.text("figures")
    assert page.text("title").endswith(": Residual CNN, last 30 s")

    # Numbers of every shown frame, saved as a file.
    page.click("record")
    page.wait_for_frames(len(page.shown()) + 5)
    read = """
    const create = URL.createObjectURL;
    let file;
    URL.createObjectURL = (blob) => create.call(URL, (file = blob));
    arguments[0].querySelector(".record").click();
    URL.createObjectURL = create;
    return file.text();
    """
    lines = browser.execute_script(read, page.root).splitlines()
    header = lines[0].split(",")
    assert header[:3] == ["time", "time_s", "track"]
    rows = [dict(zip(header, line.split(","), strict=True)) for line in lines[1:]]
    assert len(rows) >= 5
    assert {int(row["track"]) for row in rows} <= {track for frame in page.shown() for track in frame["tracks"]}
    assert {row["network"] for row in rows} == {"residual_cnn"}
    for row in rows:
        assert sum(float(value) for name, value in row.items() if name.startswith("p_")) == pytest.approx(1, abs=1e-3)
        assert row[f"p_{row['expression']}"] == max(value for name, value in row.items() if name.startswith("p_"))

    # A frozen frame stays, and opens in Analyze.
    page.click("freeze")
    frozen = len(page.shown())
    page.click("analyze")
    page.until(lambda b: "/analyze" in b.current_url, "Analyze")
    page.until(lambda b: "Camera frame · 640 × 480 px" in b.find_element(By.TAG_NAME, "body").text, "the frame")
    assert len(page.shown()) <= frozen + 1  # one answer may have arrived between the click and the count


def test_a_refused_camera_is_explained_and_a_portrait_can_be_tried(open_browser, address):
    browser = open_browser("--deny-permission-prompts")
    page = LivePage(browser, address, "?networks=Residual+CNN")
    page.click("start")
    page.until(lambda _: "blocked access to the camera" in page.text("message"), "the reason")
    browser.execute_script(COLLECT_SOCKETS)
    page.click("sample")
    page.wait_for_frames(5)
    assert page.text("message") == ""
    assert page.shown()[-1]["tracks"] == [1]

    # A lost connection is opened again.
    browser.execute_script("window.sockets[0].close()")
    page.until(lambda b: b.execute_script("return window.sockets.length") == 2, "the second connection")
    page.wait_for_frames(len(page.shown()) + 5)
    assert page.text("message") == ""

    page.click("start")  # which is Stop now
    page.until(lambda _: page.text("start") == "Start", "the end")
    stopped = len(page.shown())
    is_closed = "return arguments[0].querySelector('video').srcObject === null && window.sockets[1].readyState >= 2"
    assert browser.execute_script(is_closed, page.root)
    assert len(page.shown()) == stopped


def test_a_page_without_a_camera_says_what_to_do(open_browser, address):
    browser = open_browser(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream=device-count=0",
        "--host-resolver-rules=MAP ferscope.test 127.0.0.1",
    )
    page = LivePage(browser, address)
    page.click("start")
    page.until(lambda _: "No camera was found" in page.text("message"), "the reason")

    # Under this name the page is neither at localhost nor opened over HTTPS.
    page = LivePage(browser, address.replace("localhost", "ferscope.test"))
    page.click("start")
    page.until(lambda _: "over HTTPS or from localhost" in page.text("message"), "the reason")
