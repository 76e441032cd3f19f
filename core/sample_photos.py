"""Public-domain portraits for trying FERscope: one of each of two people, and both in one photo."""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class SamplePhoto:
    """A portrait: ``name`` for links and caches, ``title`` and ``credit`` for the screen, ``data`` the file's bytes."""

    name: str
    title: str
    credit: str
    data: bytes


def sample_photos() -> dict[str, SamplePhoto]:
    """The portraits by name, the first one with a single upright face."""
    hopper, collins = _hopper(), (ASSETS / "eileen_collins.jpg").read_bytes()
    return {
        photo.name: photo
        for photo in (
            SamplePhoto(
                "grace_hopper",
                "Grace Hopper",
                "Rear Admiral Grace M. Hopper, 1984; official U.S. Navy photo by James S. Davis, public domain",
                hopper,
            ),
            SamplePhoto(
                "eileen_collins",
                "Eileen Collins",
                "Astronaut Eileen Collins; NASA Great Images database, public domain",
                collins,
            ),
            SamplePhoto("two_faces", "Two faces", "The same two portraits in one photo", _joined(collins, hopper)),
        )
    }


def _hopper() -> bytes:
    """The portrait that matplotlib ships. Only its location is looked up, because importing it takes a second."""
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        raise FileNotFoundError("matplotlib is not installed; run: make setup")
    return (Path(found.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg").read_bytes()


def _joined(left: bytes, right: bytes) -> bytes:
    """Two pictures side by side at one height, as JPEG."""
    pictures = [Image.open(io.BytesIO(data)).convert("RGB") for data in (left, right)]
    height = min(p.height for p in pictures)
    scaled = [p.resize((round(p.width * height / p.height), height), Image.Resampling.LANCZOS) for p in pictures]
    joined = Image.new("RGB", (sum(p.width for p in scaled), height))
    joined.paste(scaled[0], (0, 0))
    joined.paste(scaled[1], (scaled[0].width, 0))
    buffer = io.BytesIO()
    joined.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()
