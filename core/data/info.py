"""Facts about a data set that are stored with everything computed from it: titles, license, limits and fingerprint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.data.samples import SPLITS, Samples
from core.data.splits import SplitShares

NOT_STATED = "Not stated."
_FER2013_LICENSE = (
    "The images of FER2013 were collected from the web for research (Goodfellow et al. 2013); networks trained on them "
    "are for research use only. FERscope's code is under the MIT license."
)
_FER2013_LIMITS = (
    "Predicts which posed or spontaneous expression a 48 px gray face would be labeled with, not what a person feels. "
    "Many labels of FER2013 are disputed; ages, skin tones and cultures are unevenly represented and not annotated."
)


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a data set for readers, without its images.

    ``split_names`` maps the splits train, val and test to the names that the data set's authors gave them.
    ``source`` is the title of the data set whose row numbers identify the images: FER+ labels the images of FER2013.
    ``file_name`` is the file that holds the data set, as an example in commands. ``fingerprint`` is that of
    :meth:`core.data.Samples.fingerprint`, empty where no images were read. ``copy_of`` are the fingerprints of the
    known data set from which it differs in a few images only (``core.data.identity``). ``images`` counts the images of
    each split. ``shares`` are those by which a data set without its own splits was split, None otherwise.
    """

    title: str
    split_names: Mapping[str, str] = field(default_factory=lambda: {split: split for split in SPLITS})
    license: str = NOT_STATED
    limits: str = NOT_STATED
    source: str = ""
    file_name: str = "PATH"
    fingerprint: str = ""
    images: Mapping[str, int] = field(default_factory=dict)
    copy_of: tuple[str, ...] = ()
    shares: SplitShares | None = None

    @classmethod
    def of(cls, samples: Samples) -> DatasetInfo:
        """The facts about ``samples``; license and split names are known for the data sets of :data:`KNOWN`."""
        name = samples.name.encode(errors="backslashreplace").decode()  # a folder's name may have bytes of no encoding
        known = KNOWN.get(name, cls(name, source=name))
        counts = Counter(samples.split.tolist())
        images = {split: counts[split] for split in SPLITS if counts[split]}
        return replace(known, fingerprint=samples.fingerprint(), images=images, shares=samples.shares)

    def split_name(self, split: str) -> str:
        """The authors' name of ``"train"``, ``"val"`` or ``"test"``, e.g. ``"PublicTest"``."""
        return self.split_names.get(split, split)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Its own fingerprint and those of the data set of which it is a copy."""
        return (self.fingerprint, *self.copy_of) if self.fingerprint else ()

    def matches(self, *fingerprints: str) -> bool:
        """Whether a data set with one of these fingerprints has the same labels and splits, and nearly all of the same
        images."""
        return not set(self.fingerprints).isdisjoint(fingerprints)

    def mismatch(self, fingerprint: str) -> str:
        """What was expected and what was found, for an error about another data set."""
        return f"expected {self.title} with the fingerprint {self.fingerprint[:12]}…, got {fingerprint[:12]}…"


FER2013 = DatasetInfo(
    "FER2013",
    split_names={"train": "Training", "val": "PublicTest", "test": "PrivateTest"},
    license=_FER2013_LICENSE,
    limits=_FER2013_LIMITS,
    source="FER2013",
    file_name="fer2013.csv",
)
FERPLUS = replace(
    FER2013,
    title="FER+",
    license=f"{_FER2013_LICENSE} The votes of FER+ are under the MIT license (Barsoum et al. 2016).",
)
KNOWN = {info.title: info for info in (FER2013, FERPLUS)}
