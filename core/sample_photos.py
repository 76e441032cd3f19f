"""Public-domain portraits to try FERscope with, taken from the packages that carry them; none is copied here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class SamplePhoto:
    """A portrait: ``name`` for links and caches, ``title`` and ``credit`` for the screen, ``data`` the file's bytes."""

    name: str
    title: str
    credit: str
    data: bytes


# name, title, credit, package, path inside the package
PORTRAITS = (
    (
        "grace_hopper",
        "Grace Hopper",
        "Rear Admiral Grace M. Hopper, 1984; official U.S. Navy photo by James S. Davis, public domain",
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
    ),
    (
        "eileen_collins",
        "Eileen Collins",
        "Astronaut Eileen Collins; NASA Great Images database, public domain",
        "skimage",
        "data/astronaut.png",
    ),
)


def sample_photos() -> dict[str, SamplePhoto]:
    """The portraits by name whose package is installed; possibly none."""
    photos = {}
    for name, title, credit, package, inside in PORTRAITS:
        # The specification alone says where a package lies; importing it would cost seconds.
        found = find_spec(package)
        path = Path(found.origin).parent / inside if found and found.origin else None
        if path is not None and path.is_file():
            photos[name] = SamplePhoto(name, title, credit, path.read_bytes())
    return photos
