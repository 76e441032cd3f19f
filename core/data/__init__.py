"""Data sets: reading them, auditing them, packing them."""

from core.data.auditing import Audit, audit, copies_in_train, identical_groups
from core.data.ferplus import FILE_NAME as FERPLUS_FILE
from core.data.ferplus import ferplus_majority, with_ferplus_labels
from core.data.image_facts import ImageFacts, describe, facts_for
from core.data.info import DatasetInfo
from core.data.packed import pack
from core.data.samples import FERPLUS_COLUMNS, SPLITS, Samples
from core.data.sources import SOURCES, Source, data_stamp, read
from core.data.splits import SplitShares

__all__ = [
    "FERPLUS_COLUMNS",
    "FERPLUS_FILE",
    "SOURCES",
    "SPLITS",
    "Audit",
    "DatasetInfo",
    "ImageFacts",
    "Samples",
    "Source",
    "SplitShares",
    "audit",
    "copies_in_train",
    "data_stamp",
    "describe",
    "facts_for",
    "ferplus_majority",
    "identical_groups",
    "pack",
    "read",
    "with_ferplus_labels",
]
