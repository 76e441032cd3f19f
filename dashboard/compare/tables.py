"""Results -> tables and sentences. No Streamlit here beyond column settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from core.checkpoints import ModelCard
from core.evaluation import ClassScores, ConfusionMatrix, RunSummary, Score
from dashboard.compare.published_results import PublishedResult

# Columns of the score table that have an interval, and how they are read from a summary.
MEASURES = {
    "accuracy": "accuracy",
    "mirrored": "accuracy_mirrored",
    "without copies": "accuracy_without_copies",
    "macro F1": "macro_f1",
    "balanced": "balanced_accuracy",
}
SCORE_COLUMNS: dict[str, Any] = {
    "network": st.column_config.TextColumn(pinned=True),
    "balanced": st.column_config.TextColumn(help="Balanced accuracy: the mean recall over the classes"),
    "mirrored": st.column_config.TextColumn(help="Accuracy of the mean answer for an image and its mirror image"),
    "without copies": st.column_config.TextColumn(help="Leaving out the images with an exact copy in Training"),
    "ECE": st.column_config.TextColumn(help="Expected calibration error after temperature scaling, 0 is best"),
    "ECE before": st.column_config.TextColumn(help="Expected calibration error at temperature 1"),
    "MACs": st.column_config.TextColumn(help="Multiply-accumulates for one face"),
    "ms": st.column_config.TextColumn(help="Milliseconds for one face on this machine"),
}


def shown(score: Score | None) -> str:
    """A score with half its interval, or that there is none."""
    if score is None or not score.defined:
        return "not defined"
    return f"{score.value:.3f} ± {(score.high - score.low) / 2:.3f}"


def scores(
    summaries: Mapping[str, RunSummary],
    cards: Mapping[str, ModelCard],
    names: Mapping[str, str],
    milliseconds: Mapping[str, float],
    members: Collection[str],
) -> pd.DataFrame:
    """One row a network; intervals in the cells, costs from the cards, milliseconds as measured.

    ``members`` are the networks of the ensemble, which has no card of its own.
    """
    rows = []
    for model_id, summary in summaries.items():
        card = cards.get(model_id)
        of_row = [card] if card else [cards[m] for m in members]
        row = {"network": names[model_id]}
        row |= {column: shown(getattr(summary, attribute)) for column, attribute in MEASURES.items()}
        row |= {
            "ECE": str(summary.ece),
            "parameters": f"{sum(c.parameters for c in of_row) / 1e6:.2f} M",
            "MACs": f"{sum(c.macs for c in of_row) / 1e6:,.0f} M",
            "ms": measured([c.run_id for c in of_row], milliseconds),
            "NLL": str(summary.nll),
            # An ensemble is the mean of calibrated members and has no temperature of its own.
            "ECE before": str(summary.ece_before) if card and summary.ece_before else "not defined",
        }
        rows.append(row)
    return pd.DataFrame(rows)


def score_numbers(summaries: Mapping[str, RunSummary], names: Mapping[str, str]) -> pd.DataFrame:
    """One row a network and figure: value, bounds, images and the name of the interval's method."""
    rows = []
    for model_id, summary in summaries.items():
        for name, score in vars(summary).items():
            if isinstance(score, Score):
                bounds = {"value": score.value, "low": score.low, "high": score.high}
                rows.append({"network": names[model_id], "figure": name, **bounds, "n": score.n, "by": score.method})
    return pd.DataFrame(rows)


def measured(members: Sequence[str], milliseconds: Mapping[str, float]) -> str:
    """What the members take together for one face."""
    if not all(m in milliseconds for m in members):
        return "not measured"
    return f"{sum(milliseconds[m] for m in members):.1f}"


def installed(cards: Sequence[ModelCard], names: Mapping[str, str], milliseconds: Mapping[str, float]) -> pd.DataFrame:
    """One row a network, PrivateTest scores from the cards."""
    rows = []
    for card in cards:
        test = card.metrics.get("test")
        rows.append(
            {
                "network": names[card.run_id],
                "classes": f"{len(card.labels)} ({card.labels.name})",
                "PrivateTest accuracy": shown(test.accuracy) if test else "not scored",
                "macro F1": shown(test.macro_f1) if test else "not scored",
                "ECE": f"{test.ece.value:.3f}" if test else "not scored",
                "parameters": f"{card.parameters / 1e6:.2f} M",
                "MACs": f"{card.macs / 1e6:,.0f} M",
                "ms": measured([card.run_id], milliseconds),
            }
        )
    return pd.DataFrame(rows)


def best(table: pd.DataFrame, summaries: Mapping[str, RunSummary], comparable: Collection[str]) -> pd.DataFrame:
    """True for the best of each column of :func:`scores` and for every one that overlaps its interval, among the
    ``comparable`` networks: those on the same images with the same classes."""
    found = pd.DataFrame(False, index=table.index, columns=table.columns)
    for column, attribute in MEASURES.items():
        values: list[Score | None] = [getattr(s, attribute) if m in comparable else None for m, s in summaries.items()]
        defined = [v for v in values if v is not None]
        if not defined:
            continue
        highest = max(defined, key=lambda v: v.value)
        found[column] = [v is not None and v.high >= highest.low for v in values]
    return found


def styled(table: pd.DataFrame, summaries: Mapping[str, RunSummary], comparable: Collection[str]) -> Styler:
    """Bold for what is :func:`best`."""
    bold = best(table, summaries, comparable).replace({True: "font-weight: 700", False: ""})
    return table.style.apply(lambda _: bold, axis=None)


def protocol(split: str) -> str:
    """One sentence on how that split was used."""
    if split == "test":
        return "trained on Training, chosen on PublicTest, scored once."
    return "this split chose the epoch and the temperature, so its numbers flatter."


def confusion_csv(matrix: ConfusionMatrix) -> str:
    """Counts, true classes as rows."""
    classes = list(matrix.labels.classes)
    return pd.DataFrame(matrix.counts, index=pd.Index(classes, name="true \\ predicted"), columns=classes).to_csv()


def per_class(of_classes: Mapping[str, Sequence[ClassScores]], names: Mapping[str, str]) -> pd.DataFrame:
    """One row a network and class."""
    return pd.DataFrame(
        [
            {
                "network": names[model_id],
                "class": s.class_name,
                "precision": str(s.precision),
                "recall": str(s.recall),
                "F1": str(s.f1),
                "images": s.support,
            }
            for model_id, class_scores in of_classes.items()
            for s in class_scores
        ]
    )


def published(
    results: Iterable[PublishedResult],
    summaries: Mapping[str, RunSummary],
    cards: Mapping[str, ModelCard],
    names: Mapping[str, str],
    split_name: str,
    comparable: Collection[str],
) -> pd.DataFrame:
    """FERscope's networks first, then what others published. ``comparable`` are those on the same images."""
    rows = []
    for model_id, summary in summaries.items():
        # An ensemble answers its members' images.
        card = cards.get(model_id) or next(cards[m] for m in comparable if m in cards)
        together = model_id in comparable
        rows.append(
            {
                "system": f"FERscope {names[model_id]}",
                "data": card.data.title,
                "classes": card.labels.name,
                "protocol": "Training → PublicTest → PrivateTest",
                "figure": f"{shown(summary.accuracy)} on {split_name}",
                "comparable": "yes, with each other" if together else "not comparable",
                "why": "same images, same protocol" if together else f"other images or classes, n = {summary.n:,}",
            }
        )
    rows += [
        {
            "system": r.system,
            "data": r.data,
            "classes": str(r.classes),
            "protocol": r.protocol,
            "figure": r.figure,
            "comparable": "yes" if r.comparable else "not comparable",
            "why": r.why,
        }
        for r in results
    ]
    return pd.DataFrame(rows)


def card_text(card: ModelCard) -> str:
    """A card in a few lines of Markdown."""
    recipe = card.recipe
    return (
        f"{recipe.get('summary') or card.architecture}. {card.parameters:,} parameters; epoch {card.chosen_epoch} of "
        f"{recipe['epochs']} chosen on PublicTest; {recipe['optimizer']}, learning rate {recipe['learning_rate']:g}, "
        f"batch {recipe['batch_size']}, {recipe['precision']}; {card.training_time} on {card.hardware}; "
        f"temperature {card.temperature:.2f}; weights SHA-256 `{card.weights_sha256[:12]}`; commit `{card.commit}`, "
        f"{card.created_at[:10]}.  \n{card.data.license}  \n{card.data.limits}"
    )
