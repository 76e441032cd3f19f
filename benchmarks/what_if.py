"""How long a slider of *What if* takes in the browser: ``python benchmarks/what_if.py [--json]``.

``slider_to_chart_ms``: from the release of a slider until the chart with the new probabilities of all networks is
drawn, in a headless Chromium on this machine; the median of 20 releases of four sliders in turn. Without Chromium and
chromedriver nothing is measured: a message states so, and with --json the object is empty.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.chromium import browser, missing, served
from core.checkpoints import list_checkpoints
from core.sample_photos import sample_photos

RELEASES = 20
WARM_UP = 4
SLIDERS = ("brightness", "contrast", "blur", "rotation_deg")
THUMB = ':has(> [data-testid="stSliderThumbValue"])'
MARKS = '[class*="st-key-what-if-predictions"] .rows [title]'

# Records when the pointer is released and when the first frame with other numbers has been painted: a message
# sent before a frame is painted is delivered after it.
LISTEN = """
const numbers = () => [...document.querySelectorAll(arguments[0])].map(mark => mark.title).join();
const before = numbers();
window.released = window.drawn = null;
addEventListener('pointerup', () => { window.released = performance.now(); }, {capture: true, once: true});
const look = () => {
  const now = numbers();
  if (window.released !== null && now && now !== before) {
    const painted = new MessageChannel();
    painted.port1.onmessage = () => { window.drawn = performance.now(); };
    painted.port2.postMessage(null);
  } else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def milliseconds(address: str, folder: Path) -> list[float]:
    """One measurement per release of a slider, after some for warm-up."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    with browser(folder, size=(1440, 1400)) as driver:
        wait = WebDriverWait(driver, 120, poll_frequency=0.05, ignored_exceptions=(Exception,))
        portrait = folder / "portrait.jpg"
        portrait.write_bytes(next(iter(sample_photos().values())).data)
        driver.get(f"{address}/analyze?panel=What+if")
        wait.until(lambda b: b.find_element(By.CSS_SELECTOR, 'input[type="file"]')).send_keys(str(portrait))
        wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, MARKS))

        def idle(_browser: object) -> bool:
            state = "return document.querySelector('[data-testid=stApp]').dataset.testScriptState"
            return bool(driver.execute_script(state) == "notRunning")

        taken = []
        for number in range(WARM_UP + RELEASES):
            wait.until(idle)
            time.sleep(0.5)  # until everything is drawn after the last release
            name = SLIDERS[number % len(SLIDERS)]
            thumb = driver.find_element(By.CSS_SELECTOR, f".st-key-{name} {THUMB}")
            driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", thumb)
            driver.execute_script(LISTEN, MARKS)
            by = 25 if number // len(SLIDERS) % 2 == 0 else -25
            ActionChains(driver).click_and_hold(thumb).move_by_offset(by, 0).pause(0.1).release().perform()
            wait.until(lambda b: b.execute_script("return window.drawn !== null"))
            taken.append(float(driver.execute_script("return window.drawn - window.released")))
        return taken[WARM_UP:]


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
        taken = milliseconds(address, Path(folder))
    result = {"slider_to_chart_ms": statistics.median(taken)}
    if arguments.json:
        print(json.dumps(result))
    else:
        print(f"slider to chart: median {result['slider_to_chart_ms']:.0f} ms of {len(taken)} releases, ", end="")
        print(f"{min(taken):.0f} to {max(taken):.0f} ms")


if __name__ == "__main__":
    main()
