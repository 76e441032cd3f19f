"""Published results next to those of FERscope."""

from __future__ import annotations

import pandas as pd

from dashboard.compare.comparison import Comparison
from dashboard.compare.published_results import PUBLISHED
from dashboard.plots.scores import shown
from dashboard.section import Section, Table, csv
from dashboard.ui import sections as ui


def sections(comparison: Comparison) -> list[Section]:
    """The results of this comparison, and those of other authors with the reason why they can or cannot be compared."""
    own, others = own_results(comparison), published_results()
    return [
        Section(
            title="FERscope",
            table=Table(own[["system", "result"]], "Results of FERscope"),
            caption=f"{comparison.protocol} {len(comparison.labels)} classes ({comparison.labels.name}). "
            f"{comparison.use_of_split} Same images and protocol for all rows, so these results are comparable with "
            "each other. Intervals: 95 % (Wilson).",
        ),
        Section(
            title="Published by others",
            table=Table(_in_three_columns(), "Results published by others"),
            caption="As published by the authors, under their own protocol. Not comparable with FERscope's results: "
            "data, classes or split differ or are not stated, so the numbers do not show which system is better.",
            downloads=(
                csv(
                    "Own and published results (CSV)",
                    comparison.file_name("published"),
                    lambda: pd.concat([own, others]),
                ),
            ),
        ),
    ]


def own_results(comparison: Comparison) -> pd.DataFrame:
    """One row per network of the comparison."""
    data = comparison.data
    protocol = " → ".join(data.split_name(split) for split in ("train", "val", "test"))
    return pd.DataFrame(
        [
            {
                "system": f"FERscope {comparison.names[model_id]}",
                "data": data.title,
                "classes": f"{len(comparison.labels)} ({comparison.labels.name})",
                "protocol": protocol,
                "result": f"{shown(summary.accuracy)} on {comparison.split_name}",
            }
            for model_id, summary in comparison.summaries.items()
        ]
    )


def _in_three_columns() -> pd.DataFrame:
    """The published results for the page, which shows them on a phone as well."""
    return pd.DataFrame(
        [
            {
                "system": f"{r.system}: {r.data}, {r.classes} classes",
                "result": r.result,
                "protocol, and why not comparable": f"{r.protocol[0].upper()}{r.protocol[1:]}. Not comparable: "
                f"{r.reason}.",
            }
            for r in PUBLISHED
        ]
    )


def published_results() -> pd.DataFrame:
    """One row per published system."""
    return pd.DataFrame(
        [
            {
                "system": r.system,
                "data": r.data,
                "classes": str(r.classes),
                "protocol": r.protocol,
                "result": r.result,
                "comparable": "yes" if r.comparable else "no",
                "reason": r.reason,
            }
            for r in PUBLISHED
        ]
    )


def draw(comparison: Comparison) -> None:
    """The sections."""
    ui.draw(sections(comparison))
