"""How long pages take in a browser: ``python benchmarks/pages.py [--json]``.

A headless Chromium on this machine; each number is the median of five.

``first_useful_ms``: from the moment in which a new server answers until the title, the uploader and the portraits of
the first page are drawn, in a browser without a cache.
``first_complete_over_floor``: from then until the first page is complete ÷ importing PyTorch and reading the weights of
the default networks in a process of their own, measured in turn. The page has no figure of Plotly, which the browser
fetches after that, for the next page.
``sample_to_answer_ms``: from a click on a portrait of the first page until the headline and the probabilities of all
networks are drawn, with the networks and Plotly loaded, which is about a second after the first page is complete.
``upload_to_answer_ms``: the same for a file of 12 megapixels that is chosen on the first page.
``panel_switch_ms``: from a click on a tab of Analyze until everything in it is drawn, the slowest tab.
``view_switch_ms``: the same for the panels of Compare. The first time that a panel is shown is not counted.
``tsne_seconds``: from a click on *t-SNE* until the map of a network is drawn, for the first time on that server.
Without Chromium and chromedriver nothing is measured: a message states so, and with --json the object is empty.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image

from benchmarks.chromium import browser, missing, served
from core.checkpoints import list_checkpoints
from core.sample_photos import sample_photos

if TYPE_CHECKING:
    from selenium import webdriver

REPEATS = 5
TIMEOUT_S = 120
FLOOR = """
import sys, time
started = time.perf_counter()
import torch
from safetensors.torch import load_file
for path in sys.argv[1:]:
    load_file(path)
print(time.perf_counter() - started)
"""

# Watches the page from its first moment on. `marks` are the times, in ms since 1970, at which each condition was first
# found true in a frame; `settled` is true when the script has ended and every figure and picture is drawn.
WATCH = """
window.marks = {};
const all = selector => [...document.querySelectorAll(selector)];
const state = () => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState;
const figures = () => all('[data-testid=stPlotlyChart]').every(c => c.querySelector('.main-svg'));
const pictures = () => all('[data-testid=stImage] img').every(i => i.complete && i.naturalWidth > 0);
window.conditions = {
  useful: () => all('h1').some(h => h.textContent.includes('FERscope')) && all('input[type=file]').length > 0
    && all('[class*=st-key-clickable-portrait] img').filter(i => i.complete && i.naturalWidth > 0).length >= 3,
  complete: () => window.conditions.useful() && state() === 'notRunning' && pictures()
    && all('img[alt^="A saliency map"]').filter(i => i.complete).length > 0
    && all('.st-key-example-probabilities [role=img]').length > 0,
  answer: () => all('h2').some(h => /\\d+ % /.test(h.textContent))
    && all('.st-key-probabilities-0 .main-svg').length > 0,
  preloaded: () => window.conditions.settled() && all('.st-key-preloaded-figures .main-svg').length > 0,
  settled: () => window.ran && state() === 'notRunning' && figures() && pictures() && all('h1').length > 0
    && all('[data-testid=stSkeleton]').length === 0
    && all('[data-stale=true]').length === 0,
};
window.watch = names => { window.marks = {}; window.ran = false; window.watched = names; };
window.watched = ['useful', 'complete'];
new MutationObserver(() => { if (state() === 'running') window.ran = true; })
  .observe(document, {subtree: true, attributes: true, attributeFilter: ['data-test-script-state'], childList: true});
for (const kind of ['click', 'change'])
  addEventListener(kind, () => { window.marks[kind] ??= Date.now(); }, {capture: true});
const look = () => {
  for (const name of window.watched)
    if (!(name in window.marks) && window.conditions[name]()) window.marks[name] = Date.now();
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def floor_s() -> float:
    """Seconds for importing PyTorch and reading the weights of the default networks, in a new process."""
    weights = [str(c.weights_path) for c in list_checkpoints().default]
    return float(subprocess.run([sys.executable, "-c", FLOOR, *weights], check=True, capture_output=True).stdout)


def marks(driver: webdriver.Chrome, *names: str) -> dict[str, float]:
    """Wait until each condition has been true, and return the times in ms since 1970."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        found: dict[str, float] = driver.execute_script("return window.marks") or {}
        if found.keys() >= set(names):
            return found
        time.sleep(0.05)
    raise SystemExit(f"the page did not reach {', '.join(set(names) - found.keys())} within {TIMEOUT_S} s")


def opened(driver: webdriver.Chrome, address: str, condition: str = "settled") -> None:
    """Open an address and wait until it is drawn."""
    driver.get(address)
    driver.execute_script("window.watched = [arguments[0]]", condition)  # not watch(): the script may have run already
    marks(driver, condition)


def first_page() -> tuple[float, float]:
    """Milliseconds until the first page of a new server is useful and until it is complete."""
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder)) as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        with served() as address:
            answered = time.time() * 1e3
            driver.get(address)
            found = marks(driver, "useful", "complete")
    return found["useful"] - answered, found["complete"] - answered


def click_ms(driver: webdriver.Chrome, selector: str, text: str = "", condition: str = "settled") -> float:
    """Milliseconds from a click on the first such element whose text ends with ``text`` until the condition is true."""
    button = f"[...document.querySelectorAll('{selector}')].find(b => b.textContent.trim().endsWith(arguments[0]))"
    driver.execute_script(f"window.watch([arguments[1]]); {button}.click()", text, condition)
    found = marks(driver, "click", condition)
    time.sleep(0.3)  # until what the click started in the browser has ended
    return found[condition] - found["click"]


def large_photo(path: Path) -> None:
    """The portrait with two faces on a ground of 12 megapixels."""
    photo = Image.new("RGB", (4000, 3000), (120, 130, 140))
    portrait = Image.open(io.BytesIO(list(sample_photos().values())[-1].data))
    photo.paste(portrait.resize((2400, round(2400 * portrait.height / portrait.width))), (800, 400))
    photo.save(path, quality=92)


def answers(driver: webdriver.Chrome, address: str, folder: Path) -> dict[str, float]:
    """Milliseconds from a portrait and from a file to the answer; each photo belongs to a new session."""
    from selenium.webdriver.common.by import By

    sample = next(iter(sample_photos().values()))
    large_photo(folder / "large.jpg")
    of_sample, of_upload = [], []
    for _ in range(1 + REPEATS):
        opened(driver, address, "preloaded")
        of_sample.append(click_ms(driver, f".st-key-card-{sample.name} button", condition="answer"))
        opened(driver, address, "preloaded")
        driver.execute_script("window.watch(['answer'])")
        driver.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(folder / "large.jpg"))
        found = marks(driver, "change", "answer")
        of_upload.append(found["answer"] - found["change"])
    return {"sample_to_answer_ms": median(of_sample[1:]), "upload_to_answer_ms": median(of_upload[1:])}


def panels(driver: webdriver.Chrome, address: str) -> dict[str, float]:
    """Milliseconds by tab of Analyze."""
    from dashboard.analyze import PANELS

    opened(driver, f"{address}/analyze?sample={next(iter(sample_photos()))}")
    times: dict[str, list[float]] = {panel: [] for panel in PANELS}
    for _ in range(1 + REPEATS):
        for panel in [*list(PANELS)[1:], next(iter(PANELS))]:
            times[panel].append(click_ms(driver, "[role=tab]", panel))
    return {panel: median(taken[1:]) for panel, taken in times.items()}


def views(driver: webdriver.Chrome, address: str) -> dict[str, float]:
    """Milliseconds by panel of Compare."""
    from dashboard.compare.panels import GROUPS

    times: dict[str, list[float]] = {}
    for group, of_group in GROUPS.items():
        if len(of_group) == 1:
            continue
        opened(driver, f"{address}/compare?group={group}")
        for _ in range(1 + REPEATS):
            for panel in [*list(of_group)[1:], next(iter(of_group))]:
                times.setdefault(panel, []).append(click_ms(driver, ".st-key-view button", panel))
    return {panel: median(taken[1:]) for panel, taken in times.items()}


def tsne_ms(driver: webdriver.Chrome, address: str) -> float:
    """Milliseconds until the t-SNE map is drawn on a server that has not drawn one."""
    opened(driver, f"{address}/compare?group=Errors&view=Embedding")
    return click_ms(driver, "button", "t-SNE")


def median(values: list[float]) -> float:
    return statistics.median(values)


def measure() -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The numbers, and the single ones behind those that are the slowest of several."""
    useful, complete, floors = [], [], []
    for _ in range(REPEATS):
        floors.append(1e3 * floor_s())
        of_useful, of_complete = first_page()
        useful.append(of_useful)
        complete.append(of_complete)
    maps = []
    for _ in range(REPEATS):
        with served() as address, tempfile.TemporaryDirectory() as folder, browser(Path(folder)) as driver:
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
            maps.append(tsne_ms(driver, address))
            if len(maps) == REPEATS:
                warm = answers(driver, address, Path(folder))
                of_panels, of_views = panels(driver, address), views(driver, address)
    result = {
        "first_useful_ms": median(useful),
        "first_complete_over_floor": median(complete) / median(floors),
        **warm,
        "panel_switch_ms": max(of_panels.values()),
        "view_switch_ms": max(of_views.values()),
        "tsne_seconds": median(maps) / 1e3,
    }
    first = {"complete ms": median(complete), "floor ms": median(floors)}
    return result, {"first page": first, "tabs": of_panels, "views": of_views}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    arguments = parser.parse_args()
    if not list_checkpoints().with_weights:
        raise SystemExit("no network is installed; train one with: python -m core train cnn --data fer2013.csv")
    if absent := missing():
        print(f"not measured: {absent} is not installed", file=sys.stderr)
        if arguments.json:
            print("{}")
        return
    result, details = measure()
    if arguments.json:
        print(json.dumps(result))
        return
    for title, numbers in details.items():
        print(f"{title}:", ", ".join(f"{name} {value:.0f}" for name, value in numbers.items()))
    for name, value in result.items():
        print(f"{name}: {value:.2f}" if value < 100 else f"{name}: {value:.0f}")


if __name__ == "__main__":
    main()
