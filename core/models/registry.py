"""Network families by name. A new family is one file that calls :func:`register_model` once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.errors import UnknownModelError
from core.models.network import Network

Builder = Callable[..., Network]


@dataclass(frozen=True)
class ModelFamily:
    """A registered family: how it is built and what a reader should know of it."""

    name: str
    title: str
    build: Builder
    summary: str


_FAMILIES: dict[str, ModelFamily] = {}


def register_model(name: str, *, title: str) -> Callable[[Builder], Builder]:
    """Decorator for a builder ``(classes, channels, **options) -> Network``; its docstring's first line is shown."""

    def add(build: Builder) -> Builder:
        if name in _FAMILIES:
            raise ValueError(f"the network family {name!r} is registered twice")
        summary = (build.__doc__ or "").strip().splitlines()[0]
        _FAMILIES[name] = ModelFamily(name, title, build, summary)
        return build

    return add


def families() -> dict[str, ModelFamily]:
    """All families by name, in the order they were registered."""
    return dict(_FAMILIES)


def family(name: str) -> ModelFamily:
    """The family of that name. Raises UnknownModelError naming those there are."""
    if name not in _FAMILIES:
        raise UnknownModelError(f"there is no network family {name!r}; there are {', '.join(_FAMILIES)}")
    return _FAMILIES[name]


def build_network(name: str, *, classes: int, channels: int, **options: Any) -> Network:
    """A freshly initialized network. Raises UnknownModelError, or TypeError for an option the family lacks."""
    return family(name).build(classes=classes, channels=channels, **options)
