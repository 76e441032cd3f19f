"""The parts of the Dataset page: what is known of a data set, and one file for each way to look at it."""

from dashboard.dataset.described import Described, available

__all__ = ["Described", "available"]
