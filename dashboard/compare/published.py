"""Published results next to those of FERscope."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.checkpoints import Checkpoint
from core.ensembles import ensemble_of, with_members
from core.errors import CheckpointError, EvaluationError
from dashboard import services
from dashboard.compare.comparison import Comparison
from dashboard.compare.published_results import PUBLISHED
from dashboard.plots.scores import shown
from dashboard.section import Section, Table, csv
from dashboard.ui import sections as ui


def sections(comparison: Comparison) -> list[Section]:
    """The results of this comparison, those of other authors with the reason why they cannot be compared, and
    those of their systems trained again."""
    own, others, retrained_rows = own_results(comparison), published_results(), retrained(comparison)
    found = [
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
    if len(retrained_rows):
        found.append(
            Section(
                title="Published systems trained again",
                table=Table(retrained_rows, "Published systems trained again, with FERscope's results"),
                caption="The recipes follow the published descriptions; the epoch was chosen on "
                f"{comparison.data.split_name('val')}. Intervals: 95 % (Wilson). Accuracy on "
                f"{comparison.data.split_name('train')}: the mean during the chosen epoch and during the last one, "
                "over augmented images where the recipe augments them.",
                downloads=(
                    csv(
                        "Published systems trained again (CSV)",
                        comparison.file_name("trained-again"),
                        lambda: retrained_rows,
                    ),
                ),
            )
        )
    return found


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
                "not comparable because": r.reason,
            }
            for r in PUBLISHED
        ]
    )


def retrained(comparison: Comparison) -> pd.DataFrame:
    """One row per installed network, or named ensemble, that follows a published description and has the same data."""
    rows = []
    for published in PUBLISHED:
        for name in published.recipes:
            members = with_members([name])
            try:
                checkpoints = [services.listing().get(run_id) for run_id in members]
                run = services.group_evaluation(members, comparison.split)
            except (CheckpointError, EvaluationError):
                continue  # not installed, or without predictions for this split
            if any(c.card.data.source != comparison.data.source for c in checkpoints):
                continue
            rows.append(
                {
                    "system": f"{published.system}: {published.result}",
                    "trained again": f"{_title(checkpoints)}: {checkpoints[0].card.data.title}, "
                    f"{len(run.labels)} classes, {len(run):,} images",
                    f"accuracy on {comparison.split_name}": shown(services.summary(run).accuracy),
                    f"accuracy on {comparison.data.split_name('train')}": _training_accuracy(checkpoints),
                }
            )
    return pd.DataFrame(rows)


def _title(checkpoints: Sequence[Checkpoint]) -> str:
    ensemble = ensemble_of([c.card.run_id for c in checkpoints])
    return ensemble.title if ensemble else checkpoints[0].card.title


def _training_accuracy(checkpoints: Sequence[Checkpoint]) -> str:
    """That of a single network in its chosen and its last epoch; a dash for an ensemble or without a history."""
    if len(checkpoints) > 1:
        return "–"
    try:
        history = checkpoints[0].history()
    except CheckpointError:
        return "–"  # Training reports the damaged file
    if not len(history):
        return "–"
    by_epoch = history.set_index("epoch")["train_accuracy"]
    return f"{by_epoch[checkpoints[0].card.chosen_epoch]:.3f}, at the end {by_epoch.iloc[-1]:.3f}"


def draw(comparison: Comparison) -> None:
    """The sections."""
    ui.draw(sections(comparison))
