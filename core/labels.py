"""Expression classes: which ones a data set or a network has, and in which order.

The order of a :class:`LabelSet` is the order of the logits. It differs between data sets (FER2013 begins with angry,
FER+ with neutral, an image folder is alphabetical), so it is stored with every checkpoint and never assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import LabelError

# Spellings of published data sets -> the spelling used here, an adjective if English has one.
SYNONYMS = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "neutrality": "neutral",
}


def canonical(name: str) -> str:
    """The spelling used here for a class name, e.g. ``"Happiness"`` -> ``"happy"``; other names in lower case."""
    lowered = name.strip().lower()
    return SYNONYMS.get(lowered, lowered)


@dataclass(frozen=True)
class LabelSet:
    """Named, ordered classes; ``classes[k]`` is the meaning of logit ``k``."""

    name: str
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            raise LabelError(f"a label set needs at least 2 classes, got {len(self.classes)} in {self.name!r}")
        if len(set(self.classes)) != len(self.classes):
            raise LabelError(f"the classes of {self.name!r} must differ, got {', '.join(self.classes)}")
        if any(not c.strip() for c in self.classes):
            raise LabelError(f"every class of {self.name!r} needs a name")
        if undecoded := next((c for c in self.classes if any(0xD800 <= ord(x) <= 0xDFFF for x in c)), None):
            # Bytes of a file name that are not UTF-8; no card could be written with them.
            raise LabelError(f"a class name must be UTF-8 text, got {undecoded!r}; rename the class")

    def __len__(self) -> int:
        return len(self.classes)

    def index(self, class_name: str) -> int:
        """Position of a class among the logits. Raises LabelError for a class that the set lacks."""
        try:
            return self.classes.index(canonical(class_name))
        except ValueError:
            known = ", ".join(self.classes)
            raise LabelError(f"the label set {self.name} has no class {class_name!r}; it has {known}") from None

    def same_classes(self, other: LabelSet) -> bool:
        """Whether both sets have the same classes, in any order."""
        return set(self.classes) == set(other.classes)

    def positions_in(self, other: LabelSet) -> tuple[int | None, ...]:
        """For each class its position in ``other``, or None if ``other`` lacks it."""
        return tuple(other.classes.index(c) if c in other.classes else None for c in self.classes)

    def shared_with(self, other: LabelSet) -> LabelSet:
        """The classes that both sets have, in the order of this one. Raises LabelError for fewer than two."""
        shared = [c for c in self.classes if c in other.classes]
        if len(shared) < 2:
            raise LabelError(
                f"the label sets {self.name} and {other.name} must share at least 2 classes to be compared, got "
                f"{', '.join(shared) or 'none'}"
            )
        return LabelSet.custom(shared)

    @classmethod
    def custom(cls, class_names: list[str]) -> LabelSet:
        """The given classes in the order given, under the name of a known set if order and names agree."""
        classes = tuple(canonical(c) for c in class_names)
        for known in LABEL_SETS.values():
            if known.classes == classes:
                return known
        return cls("custom", classes)


def parse_labels(text: str) -> LabelSet:
    """The label set of that name, in any case, or the classes named with commas between them.

    Raises LabelError, naming the known sets, for anything else.
    """
    if known := LABEL_SETS.get(text.strip().upper()):
        return known
    if "," not in text:
        raise LabelError(f"the labels must be {', '.join(LABEL_SETS)}, or class names with commas, got {text!r}")
    return LabelSet.custom(text.split(","))


def groups_by_classes(labels: Mapping[str, LabelSet]) -> tuple[tuple[str, ...], ...]:
    """The names of networks, grouped by their classes in any order: the largest group first, equally large groups in
    the order of their first network. The order of the classes of a group is that of its first network."""
    groups: dict[frozenset[str], list[str]] = {}
    for name, label_set in labels.items():
        groups.setdefault(frozenset(label_set.classes), []).append(name)
    return tuple(tuple(group) for group in sorted(groups.values(), key=len, reverse=True))


# Goodfellow et al. 2013, the digits of fer2013.csv.
FER7 = LabelSet("FER7", ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"))
# Barsoum et al. 2016, the first eight vote columns of fer2013new.csv.
FERPLUS8 = LabelSet("FERPLUS8", ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt"))
# Mollahosseini et al. 2017, the digits 0-7 of AffectNet's annotation.
AFFECTNET8 = LabelSet("AFFECTNET8", ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"))
PAIN6 = LabelSet("PAIN6", ("angry", "disgust", "fear", "happy", "pain", "sad"))

LABEL_SETS = {s.name: s for s in (FER7, FERPLUS8, AFFECTNET8, PAIN6)}
