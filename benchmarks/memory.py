"""Whether the memory of a server grows: ``python benchmarks/memory.py [--json] [--analyses 2000]``.

``resident_growth``: resident memory of the process after all analyses ÷ after the first 200, minus 1. Each analysis is
a different photo through the app's entry file: faces, every network, maps of every class, the whole page; every 20
photos a new session begins, and every tenth photo is also shown in the panel *What if*.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import sys
import threading
from pathlib import Path

from PIL import Image, ImageEnhance
from streamlit.testing.v1 import AppTest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.checkpoints import list_checkpoints
from core.sample_photos import sample_photos

ENTRY = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"
STATUS = Path("/proc/self/status")
FIRST = 200
PHOTOS_PER_SESSION = 20
PANEL_EVERY = 10


def photo(number: int) -> bytes:
    """A unique portrait: its size and brightness depend on the number."""
    portraits = list(sample_photos().values())
    picture = Image.open(io.BytesIO(portraits[number % len(portraits)].data)).convert("RGB")
    scale = (480 + 7 * (number % 60)) / max(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    buffer = io.BytesIO()
    ImageEnhance.Brightness(picture).enhance(0.8 + number / 10_000).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def resident_mb() -> float:
    """Resident memory of this process in megabytes."""
    gc.collect()
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def session() -> AppTest:
    """A new session that opens Analyze."""
    app = AppTest.from_file(ENTRY, default_timeout=600).run()
    return app.switch_page("../pages/analyze.py").run()


def open_panel(app: AppTest, panel: str) -> None:
    """Open a panel as the browser does; the test framework does not know tabs."""
    app.session_state["panel"] = panel
    app.query_params["panel"] = panel
    app.run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    parser.add_argument("--analyses", type=int, default=2000, help="photos in all, more than 200")
    arguments = parser.parse_args()
    if arguments.analyses <= FIRST:
        parser.error(f"--analyses must be above {FIRST}; memory is compared with that after {FIRST} analyses")
    if not STATUS.is_file():
        raise SystemExit("resident memory is read from /proc, which this system does not have")
    if not list_checkpoints().checkpoints:
        raise SystemExit("no network is installed; train one with: python -m core train cnn --data fer2013.csv")
    begun, app = 0.0, session()
    for number in range(arguments.analyses):
        if number % PHOTOS_PER_SESSION == 0:
            app = session()
        app.file_uploader(key="uploads").upload(f"{number}.jpg", photo(number))
        app.run()
        if number % PANEL_EVERY == 0:
            open_panel(app, "What if")
            open_panel(app, "Saliency")
        if app.exception:
            raise SystemExit(f"photo {number} failed: {app.exception[0].value}")
        if number + 1 == FIRST:
            begun = resident_mb()
        if (number + 1) % FIRST == 0 and not arguments.json:
            print(f"{number + 1} analyses: {resident_mb():.0f} MB, {threading.active_count()} threads", flush=True)
    growth = resident_mb() / begun - 1
    if arguments.json:
        print(json.dumps({"resident_growth": growth}))
    else:
        print(f"growth after the first {FIRST}: {growth:+.3f}")


if __name__ == "__main__":
    main()
