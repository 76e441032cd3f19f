"""Network families by name. A new family is one module that calls :func:`register_model`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import UnknownModelError
from core.models.network import Network, WithoutRandomValues

Builder = Callable[..., Network]


@dataclass(frozen=True)
class ModelFamily:
    """A registered family: its builder, and its title and summary for readers.

    ``torchvision_names`` maps the beginnings of the names of torchvision's tensors to those of this network; it is
    empty where torchvision has no such network.
    """

    name: str
    title: str
    build: Builder
    summary: str
    torchvision_names: Mapping[str, str] = field(default_factory=dict)


_FAMILIES: dict[str, ModelFamily] = {}


def register_model(
    name: str, *, title: str, torchvision_names: Mapping[str, str] | None = None
) -> Callable[[Builder], Builder]:
    """Decorator for a builder ``(classes, channels, **options) -> Network``; its docstring's first line is shown."""

    def add(build: Builder) -> Builder:
        if name in _FAMILIES:
            raise ValueError(f"the network family {name!r} is registered twice")
        summary = (build.__doc__ or "").strip().splitlines()[0]
        _FAMILIES[name] = ModelFamily(name, title, build, summary, torchvision_names or {})
        return build

    return add


def families() -> dict[str, ModelFamily]:
    """All families by name, in the order they were registered."""
    return dict(_FAMILIES)


def family(name: str) -> ModelFamily:
    """The family of that name. Raises UnknownModelError naming the known ones."""
    if name not in _FAMILIES:
        raise UnknownModelError(f"there is no network family {name!r}; known families: {', '.join(_FAMILIES)}")
    return _FAMILIES[name]


def build_network(name: str, *, classes: int, channels: int, **options: Any) -> Network:
    """A freshly initialized network. Raises UnknownModelError, or TypeError for an option the family lacks."""
    return family(name).build(classes=classes, channels=channels, **options)


def build_unfilled(name: str, *, classes: int, channels: int, options: Mapping[str, Any]) -> Network:
    """A network whose weights are loaded next: no initial values are drawn, and none are downloaded from ImageNet.

    Raises the errors of :func:`build_network`.
    """
    options = {key: value if key != "imagenet" else False for key, value in options.items()}
    with WithoutRandomValues():
        return build_network(name, classes=classes, channels=channels, **options)
