"""The installed networks with their scores, in groups."""

from __future__ import annotations

from collections.abc import Sequence

from core.checkpoints import Checkpoint
from core.ensembles import ENSEMBLES
from core.errors import CheckpointError, EvaluationError
from core.labels import LabelSet
from dashboard import services
from dashboard.plots import scores
from dashboard.section import Section, Table, listed
from dashboard.ui.network_picker import titles

# By role: title and explanation.
GROUPS = {
    "compared": (
        "Compared networks",
        "Trained from random weights with one recipe; only the architecture differs, so their scores can be compared.",
    ),
    "best": (
        "Distilled networks",
        "Trained further, with the mean prediction of other networks as part of the target.",
    ),
    "": ("Other networks", "Networks with other classes, such as contempt, and networks that you trained or imported."),
    "reference": (
        "Published systems",
        "Retrained from the published descriptions. The weights are not included; Compare shows the scores.",
    ),
}


def sections(checkpoints: Sequence[Checkpoint]) -> list[Section]:
    """A table for each group of networks, without its title where there is only one group."""
    groups = {role: [c for c in checkpoints if c.card.role == role] for role in GROUPS}
    groups = {role: members for role, members in groups.items() if members}
    found = []
    explained: set[LabelSet] = set()
    for role, members in groups.items():
        title, text = GROUPS[role] if len(groups) > 1 else ("", "")
        rows = scores.installed([c.card for c in members], titles(list(checkpoints)), _ensembles(members))
        table = Table(rows, f"{title or 'Installed networks'} with their test scores").turned("network")
        label_sets = list(dict.fromkeys(c.card.labels for c in members))
        caption = " ".join(
            f"{_named(of, checkpoints)}: {listed(of.classes)}." for of in label_sets if of not in explained
        )
        explained.update(label_sets)
        found.append(Section(title, text=(text,) if text else (), table=table, caption=caption))
    return found


def _named(labels: LabelSet, checkpoints: Sequence[Checkpoint]) -> str:
    """The name of a label set, with its networks where another one has the same name."""
    if len({c.card.labels for c in checkpoints if c.card.labels.name == labels.name}) == 1:
        return labels.name
    names = titles(list(checkpoints))
    return f"{labels.name}, {listed([names[c.card.run_id] for c in checkpoints if c.card.labels == labels])}"


def _ensembles(checkpoints: Sequence[Checkpoint]) -> list[scores.EnsembleScore]:
    """The named ensembles whose members are all among these networks and have stored test predictions."""
    by_id = {c.card.run_id: c for c in checkpoints}
    found = []
    for ensemble in ENSEMBLES:
        members = [by_id[run_id] for run_id in ensemble.members if run_id in by_id]
        if len(members) < len(ensemble.members):
            continue
        try:
            run = services.ensemble([services.evaluation(member, "test") for member in members])
        except (CheckpointError, EvaluationError):
            continue  # Compare names the problem
        cards = [member.card for member in members]
        found.append(scores.EnsembleScore(ensemble.title, cards, services.summary(run)))
    return found
