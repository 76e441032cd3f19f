"""The number of images of each class."""

from __future__ import annotations

from dashboard.dataset.description import Description
from dashboard.plots import dataset as plots
from dashboard.section import Figure, Section, Table, csv
from dashboard.style import Ink
from dashboard.ui import sections as ui
from dashboard.ui import theme


def sections(description: Description, inks: Ink) -> list[Section]:
    """Shares of the classes by split, the counts, and how uneven they are."""
    names, counts = description.split_names, description.counts
    sizes = ", ".join(f"{title} {description.totals[s]:,}" for s, title in names.items())
    imbalance = plots.imbalance(counts, names)
    return [
        Section(
            figures=(
                Figure(
                    plots.balance(counts, names, inks),
                    "balance",
                    f"Share of each class in the splits of {description.name}",
                ),
            ),
            table=Table(plots.count_table(counts, names), f"Images of {description.name} by class and split"),
            caption=f"{description.protocol} {sizes}. {description.origin} Numbers next to the bars: images. "
            f"{imbalance}",
            downloads=(
                csv(
                    "Images by class and split (CSV)",
                    "dataset-classes.csv",
                    lambda: plots.count_numbers(counts, names),
                ),
            ),
        )
    ]


def draw(description: Description) -> None:
    """The sections."""
    ui.draw(sections(description, theme.ink()))
