"""What an address can ask of a widget: words, a number, a switch; how that is written, and what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Parameter(Protocol):
    """A widget's value as the address has it: one text for each ``name=text``."""

    def written(self, value: Any) -> list[str]:
        """The texts of a value; none for the default, and an empty one for nothing chosen."""

    def checked(self, texts: Sequence[str]) -> tuple[list[str], str | None]:
        """Those texts that can be shown, and a sentence where that is not what was asked."""


@dataclass(frozen=True)
class Word:
    """One word, whose choices are known only beside a photo."""

    default: str

    def written(self, value: Any) -> list[str]:
        """See :class:`Parameter`."""
        return [] if value in (None, self.default) else [str(value)]

    def checked(self, texts: Sequence[str]) -> tuple[list[str], str | None]:
        """See :class:`Parameter`."""
        return list(texts), None


@dataclass(frozen=True)
class Choice:
    """One of several values; several of them where ``default`` is a tuple."""

    title: str
    words: Mapping[Any, str]  # value -> as its widget shows it, which is what Streamlit writes
    default: Any

    def written(self, value: Any) -> list[str]:
        """See :class:`Parameter`."""
        if not isinstance(self.default, tuple):
            return [self.words[value]] if value in self.words and value != self.default else []
        chosen = [word for one, word in self.words.items() if one in (value or ())]
        return [] if chosen == self._at_first else chosen or [""]

    def checked(self, texts: Sequence[str]) -> tuple[list[str], str | None]:
        """See :class:`Parameter`."""
        asked = list(texts) if isinstance(self.default, tuple) else list(texts[-1:])
        there_are = list(self.words.values())
        wrong = [text for text in asked if text not in there_are and (text or not isinstance(self.default, tuple))]
        if not wrong:
            return asked, None
        sound = [text for text in asked if text not in wrong]
        asks = f"the {self.title} {listed([quoted(text) for text in wrong], last=' and ')}"
        return sound, (
            f"This link asks for {asks}; there is none of that name, there are {listed(there_are)}. "
            f"Shown: {listed(sound or self._at_first) or 'none'}."
        )

    @property
    def _at_first(self) -> list[str]:
        default = self.default if isinstance(self.default, tuple) else (self.default,)
        return [word for value, word in self.words.items() if value in default]


@dataclass(frozen=True)
class Number:
    """A number from ``low`` to ``high``."""

    title: str
    low: float
    high: float
    default: float

    def written(self, value: Any) -> list[str]:
        """See :class:`Parameter`."""
        return [] if value == self.default else [f"{round(value, 4):g}"]  # a slider's steps add up to 0.30000000000004

    def checked(self, texts: Sequence[str]) -> tuple[list[str], str | None]:
        """See :class:`Parameter`. What is too large or too small becomes the nearest that there is."""
        try:
            value = float(texts[-1])
        except ValueError:
            value = math.nan
        if self.low <= value <= self.high:
            return [texts[-1]], None
        nearest = self.default if math.isnan(value) else min(max(value, self.low), self.high)
        return self.written(nearest), (
            f"This link asks for {self.title} {quoted(texts[-1])}; it goes from {self.low:g} to {self.high:g}. "
            f"Shown: {nearest:g}."
        )


@dataclass(frozen=True)
class Switch:
    """On or, by default, off."""

    title: str

    def written(self, value: Any) -> list[str]:
        """See :class:`Parameter`."""
        return ["true"] if value else []

    def checked(self, texts: Sequence[str]) -> tuple[list[str], str | None]:
        """See :class:`Parameter`."""
        if texts[-1].lower() in ("true", "false"):
            return [texts[-1]], None
        return [], f"This link asks for {self.title} {quoted(texts[-1])}; it is true or false. Shown: false."


def choices(title: str, values: Iterable[Hashable], default: Any) -> Choice:
    """A choice among values that are shown as they are."""
    return Choice(title, {value: str(value) for value in values}, default)


def listed(words: Sequence[str], last: str = ", ") -> str:
    """Words in a row, the last one after ``last``."""
    return last.join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def quoted(text: str) -> str:
    """What an address says, as it stands there: anybody can write one, so no markup of theirs is drawn."""
    return f"`{' '.join(text[:40].replace('`', '').split()) or ' '}`"
