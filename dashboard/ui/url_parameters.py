"""How the value of a control is written in the address, and the messages about invalid values in an address."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dashboard.section import listed


class Parameter(Protocol):
    """The value of a control as texts in the address, one for each ``name=text``."""

    @property
    def title(self) -> str:
        """The label of the control."""

    def written(self, value: Any) -> list[str]:
        """The texts of a value: none for the default, an empty one for an empty selection."""

    def read(self, texts: Sequence[str]) -> tuple[Any, str | None]:
        """The value to show for these texts, and a sentence if they request another one."""


@dataclass(frozen=True)
class Choice:
    """One of several values, or a selection of them if ``default`` is a tuple."""

    title: str
    words: Mapping[Any, str]  # value -> its text in the control, which Streamlit writes into the address
    default: Any

    def written(self, value: Any) -> list[str]:
        """See :class:`Parameter`."""
        if not isinstance(self.default, tuple):
            return [self.words[value]] if value in self.words and value != self.default else []
        selected = set(value or ())
        if selected == set(self.default):
            return []
        return [word for one, word in self.words.items() if one in selected] or [""]

    def read(self, texts: Sequence[str]) -> tuple[Any, str | None]:
        """See :class:`Parameter`. Of a selection, the values that exist are shown."""
        several = isinstance(self.default, tuple)
        requested = [text for text in texts if text] if several else list(texts[-1:])
        values = {word: value for value, word in self.words.items()}
        found = [values[text] for text in requested if text in values]
        unknown = [quoted(text) for text in requested if text not in values]
        if not unknown:
            return (found if several else found[0]), None
        shown = found or (list(self.default) if several else [self.default])
        words = self._names([self.words[value] for value in shown if value is not None]) or "none"
        sentence = not_available(self.title, unknown, self._names(list(values)), words)
        return (shown if several else shown[0]), sentence

    def _names(self, words: Sequence[str]) -> str:
        """Words separated by commas, or by semicolons where one of the options contains a comma."""
        return ("; " if any("," in word for word in self.words.values()) else ", ").join(words)


@dataclass(frozen=True)
class Number:
    """A number from ``low`` to ``high``; whole if ``kind`` is int."""

    title: str
    low: float
    high: float
    default: float
    kind: type[float] | type[int] = float

    def written(self, value: Any) -> list[str]:
        """See :class:`Parameter`."""
        return [] if value == self.default else [f"{round(value, 4):g}"]  # a slider's steps add up to 0.30000000000004

    def read(self, texts: Sequence[str]) -> tuple[Any, str | None]:
        """See :class:`Parameter`. A number outside the range becomes the nearest one inside it."""
        try:
            value: float = self.kind(texts[-1])
        except ValueError:
            value = math.nan
        if self.low <= value <= self.high:
            return value, None
        nearest = self.default if math.isnan(value) else min(max(value, self.low), self.high)
        return nearest, (
            f"This link requests {quoted(texts[-1])} for *{self.title}*; the range is {self.low:g} to {self.high:g}. "
            f"Shown: {nearest:g}."
        )


@dataclass(frozen=True)
class Range:
    """Two numbers from ``low`` to ``high``, by default these two."""

    title: str
    low: float
    high: float

    def written(self, value: Any) -> list[str]:
        """See :class:`Parameter`."""
        return [] if tuple(value) == (self.low, self.high) else [f"{round(bound, 4):g}" for bound in value]

    def read(self, texts: Sequence[str]) -> tuple[Any, str | None]:
        """See :class:`Parameter`. A range that is not inside the bounds becomes the whole range."""
        try:
            first, last = map(float, texts)
        except ValueError:  # not numbers, or not two
            first, last = math.nan, math.nan
        if self.low <= first <= last <= self.high:
            return (first, last), None
        requested = listed([quoted(text) for text in texts], last=" to ")
        return (self.low, self.high), (
            f"This link requests {requested} for *{self.title}*; expected two numbers from {self.low:g} to "
            f"{self.high:g}. Shown: {self.low:g} to {self.high:g}."
        )


@dataclass(frozen=True)
class Switch:
    """On or off."""

    title: str
    default: bool = False

    def written(self, value: Any) -> list[str]:
        """See :class:`Parameter`."""
        return [] if value == self.default else [str(value).lower()]

    def read(self, texts: Sequence[str]) -> tuple[Any, str | None]:
        """See :class:`Parameter`."""
        text = texts[-1].lower()
        if text in ("true", "false"):
            return text == "true", None
        return self.default, (
            f"This link requests {quoted(texts[-1])} for *{self.title}*; expected true or false. "
            f"Shown: {str(self.default).lower()}."
        )


def not_available(title: str, unknown: Sequence[str], available: str, shown: str) -> str:
    """The sentence about quoted values in a link that the control with this label does not have."""
    values, verb = listed(unknown), "are" if len(unknown) > 1 else "is"
    return (
        f"This link requests {values} for *{title}*, which {verb} not available. Available: {available}. "
        f"Shown: {shown}."
    )


def quoted(text: str) -> str:
    """A text from the address, shortened and as code: links are untrusted, so no Markdown in them is rendered."""
    return f"`{' '.join(text[:40].replace('`', '').split()) or ' '}`"
