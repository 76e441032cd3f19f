"""Scores and costs of networks as tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.checkpoints import Latency, ModelCard
from core.data.info import NOT_STATED
from core.evaluation import RunSummary, Score
from dashboard.section import listed


@dataclass(frozen=True)
class Measure:
    """A column of the score table: a field of ``RunSummary``, and whether higher is better."""

    field: str
    higher_is_better: bool = True


MEASURES = {
    "accuracy": Measure("accuracy"),
    "without copies": Measure("accuracy_without_copies"),
    "macro F1": Measure("macro_f1"),
    "balanced accuracy": Measure("balanced_accuracy"),
    "NLL": Measure("nll", higher_is_better=False),
    "ECE": Measure("ece", higher_is_better=False),
}


NBSP = "\u00a0"  # keeps a number and its unit on one line


def shown(score: Score | None) -> str:
    """A score with its interval, or "not defined"."""
    return "not defined" if score is None else str(score)


def scores(
    summaries: Mapping[str, RunSummary],
    members: Mapping[str, Sequence[ModelCard]],
    names: Mapping[str, str],
    milliseconds: Mapping[str, Latency],
) -> pd.DataFrame:
    """One row per network: scores with their intervals, and the cost per face.

    ``members`` are the cards behind each row: one for a network, several for an ensemble, whose costs add up.
    """
    return pd.DataFrame(
        [
            {"network": names[model_id]}
            | {column: shown(getattr(summary, measure.field)) for column, measure in MEASURES.items()}
            | _costs(members[model_id], milliseconds)
            for model_id, summary in summaries.items()
        ]
    )


def _costs(members: Sequence[ModelCard], milliseconds: Mapping[str, Latency]) -> dict[str, str]:
    """The cost per face of all members together, by column."""
    return {
        "parameters": f"{sum(c.parameters for c in members) / 1e6:.2f}{NBSP}M",
        "MACs": f"{sum(c.macs for c in members) / 1e6:,.0f}{NBSP}M",
        "ms per face": _latency(members, milliseconds),
    }


def _latency(members: Sequence[ModelCard], milliseconds: Mapping[str, Latency]) -> str:
    """Milliseconds per face of all members together, measured on the same hardware."""
    if not members or not all(c.run_id in milliseconds for c in members):
        return "not measured"
    if len({milliseconds[c.run_id].hardware for c in members}) > 1:
        return "not measured on the same hardware"
    return f"{sum(milliseconds[c.run_id].value for c in members):.1f}"


def best(summaries: Mapping[str, RunSummary], columns: Sequence[str]) -> np.ndarray:
    """(rows, columns) bool: the best score of each column and every score whose interval overlaps that of the best.

    A score that is not defined is never the best and does not prevent another one from being the best.
    """
    found = np.zeros((len(summaries), len(columns)), bool)
    for position, column in enumerate(columns):
        if column not in MEASURES:
            continue
        measure = MEASURES[column]
        values = [getattr(s, measure.field) for s in summaries.values()]
        defined = [v for v in values if v is not None and v.defined]
        if not defined:
            continue
        if measure.higher_is_better:
            top = max(defined, key=float)
            found[:, position] = [v in defined and (v is top or v.high >= top.low) for v in values]
        else:
            top = min(defined, key=float)
            found[:, position] = [v in defined and (v is top or v.low <= top.high) for v in values]
    return found


def further_scores(
    summaries: Mapping[str, RunSummary], names: Mapping[str, str], scaled: Collection[str]
) -> pd.DataFrame:
    """One row per network: scores that are not in the table of :func:`scores`.

    ``scaled`` are the networks that have a temperature, unlike an ensemble.
    """
    return pd.DataFrame(
        [
            {
                "network": names[model_id],
                "accuracy with mirror images": shown(s.accuracy_mirrored),
                "the same without copies": shown(s.mirrored_without_copies),
                "ECE before temperature scaling": shown(s.ece_before) if model_id in scaled else "not defined",
                "Brier score": shown(s.brier),
            }
            for model_id, s in summaries.items()
        ]
    )


def score_numbers(summaries: Mapping[str, RunSummary]) -> pd.DataFrame:
    """One row per network and score: value, bounds, number of images and the method of the interval."""
    return pd.DataFrame(
        [
            {"network": model_id, "score": name, **score.to_json()}
            for model_id, summary in summaries.items()
            for name, score in vars(summary).items()
            if isinstance(score, Score)
        ]
    )


@dataclass(frozen=True)
class EnsembleScore:
    """An ensemble of networks with these cards and its scores on the test images."""

    title: str
    cards: Sequence[ModelCard]
    test: RunSummary


def installed(
    cards: Sequence[ModelCard], names: Mapping[str, str], ensembles: Sequence[EnsembleScore] = ()
) -> pd.DataFrame:
    """One row per installed network, with the test scores of its card, and one per ensemble."""
    rows = [_score_row(names[card.run_id], [card], card.metrics.get("test")) for card in cards]
    rows += [_score_row(ensemble.title, ensemble.cards, ensemble.test) for ensemble in ensembles]
    return pd.DataFrame(rows)


def _score_row(title: str, cards: Sequence[ModelCard], test: RunSummary | None) -> dict[str, str]:
    """The scores of one network, or of an ensemble, whose costs are the sums of its members' costs."""
    card = cards[0]
    return {
        "network": title,
        "classes": f"{len(card.labels)} ({card.labels.name})",
        "tested on": f"{card.data.title} {card.data.split_name('test')}" if test else "not tested",
        "accuracy": shown(test.accuracy) if test else "not scored",
        "macro F1": shown(test.macro_f1) if test else "not scored",
        "ECE": shown(test.ece) if test else "not scored",
    } | _costs(cards, {c.run_id: c.milliseconds for c in cards if c.milliseconds})


def data_summary(cards: Iterable[ModelCard]) -> list[str]:
    """For each data set that networks were trained on here: its images, and the use of its splits. In Markdown."""
    found = []
    for data in {card.data.title: card.data for card in cards if not card.is_imported}.values():
        training, validation, test = (data.split_name(split) for split in ("train", "val", "test"))
        counts = ", ".join(f"{n:,} in {data.split_name(split)}" for split, n in data.images.items())
        found.append(
            f"**{data.title}**: {counts or 'number of images not stated'}. Networks are trained on {training}; the "
            f"epoch and the temperature are chosen on {validation}; {test} is scored once. Scores include images with "
            f"an exact copy in {training}; Compare also shows the accuracy without them."
        )
    return found


def card_summary(card: ModelCard) -> str:
    """How a network was trained, and what identifies it, in one paragraph; see :func:`terms_of_use` for the rest."""
    recipe = card.recipe
    training = (
        "imported, so its training is not known"
        if card.is_imported
        else f"epoch {card.chosen_epoch} of {recipe['epochs']} chosen on {card.data.split_name('val')}; "
        f"{recipe['optimizer']}, learning rate {recipe['learning_rate']:g}, batch size {recipe['batch_size']}, "
        f"{recipe['precision']}; {card.training_time}"
    )
    return (
        f"{recipe.get('summary') or card.architecture}. {card.parameters:,} parameters; {training}; "
        f"temperature {card.temperature:.2f}; SHA-256 of the weights {card.weights_sha256[:12]}…; "
        f"commit {card.commit}, {card.created_at[:10]}."
    )


def terms_of_use(cards: Iterable[ModelCard]) -> list[str]:
    """The license and the limitations of networks, each once, with the data sets that they apply to, where stated.

    It is not known on which data imported networks were trained.
    """
    titles: dict[str, dict[str, None]] = {}
    for data in (card.data for card in cards if not card.is_imported):
        if terms := " ".join(text for text in (data.license, data.limits) if text != NOT_STATED):
            titles.setdefault(terms, {})[data.title] = None
    return [f"Networks trained on {listed(list(of))}: {terms}" for terms, of in titles.items()]
