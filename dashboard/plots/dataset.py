"""A data set in figures and tables: classes by split, and the findings of an audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.data import ImageFacts
from core.data.overview import Findings
from dashboard.section import counted
from dashboard.style import Ink, class_color, template

CONFLICTS, ACROSS, IDENTICAL, BLANK = FINDINGS = (
    "conflicting labels",
    "copies across splits",
    "identical images",
    "blank images",
)
# Hues denote classes, so splits differ by pattern.
PATTERNS = {"train": "", "val": "/", "test": "."}


def balance(counts: pd.DataFrame, splits: Mapping[str, str], inks: Ink) -> go.Figure:
    """One row per class, one bar per split: the share of that split, labeled with the number of images.

    ``counts`` has one row per class and one column per split; a split with unknown counts has no bars.
    """
    figure = go.Figure()
    classes = list(counts.index)
    known = [s for s in splits if counts[s].notna().all() and counts[s].sum() > 0]
    for split in known:
        of_split = counts[split]
        figure.add_bar(
            y=classes,
            x=of_split / of_split.sum(),
            orientation="h",
            name=splits[split],
            marker={
                "color": [class_color(c) for c in classes],
                "pattern": _pattern(split, inks),
                "line": {"color": inks.muted, "width": 0.6},
            },
            offsetgroup=split,
            text=[f"{n:,.0f}" for n in of_split],
            textposition="outside",
            cliponaxis=False,
            textfont={"color": inks.muted, "size": 11},
            hovertemplate="%{y}: %{text} images, %{x:.3f} of " + splits[split] + "<extra></extra>",
            showlegend=False,
        )
        # The legend shows the pattern without a hue, because hues denote classes.
        figure.add_bar(
            y=[None],
            x=[None],
            orientation="h",
            name=splits[split],
            marker={"color": inks.muted, "pattern": _pattern(split, inks)},
            offsetgroup=split,  # otherwise it would be placed next to the bars
        )
    highest = max((float((counts[s] / counts[s].sum()).max()) for s in known), default=1.0)
    figure.update_layout(
        template=template(inks),
        height=(19 * max(1, len(known)) + 12) * len(classes) + 90,
        margin={"t": 12},
        bargap=0.22,
        barmode="group",
        xaxis={"title": "share of the split", "range": [0, highest * 1.14], "tickformat": ".2f"},
        yaxis={"autorange": "reversed", "showgrid": False},
        legend={"y": -0.12},
    )
    return figure


def _pattern(split: str, inks: Ink) -> dict[str, object]:
    return {"shape": PATTERNS[split], "fillmode": "overlay", "fgcolor": inks.paper, "size": 6}


def imbalance(counts: pd.DataFrame, splits: Mapping[str, str]) -> str:
    """One sentence on the largest and the smallest class, in the first split whose counts are known."""
    for split, title in splits.items():
        of_split = counts[split]
        if not of_split.notna().all() or of_split.sum() == 0:
            continue
        large, small = str(of_split.idxmax()), str(of_split.idxmin())
        if of_split[small] == 0:
            return f"{title} has no images of {small}."
        if of_split[small] == of_split[large]:
            return f"In {title}, every class has {counted(int(of_split[large]), 'image')}."
        ratio = of_split[large] / of_split[small]
        return f"In {title}, {large} has {ratio:.1f} times as many images as {small}."
    return ""


def count_table(counts: pd.DataFrame, splits: Mapping[str, str]) -> pd.DataFrame:
    """Images by class and split as shown on the page, with the totals last."""
    table = pd.DataFrame({"class": [*counts.index, "all"]})
    for split, title in splits.items():
        numbers = [*counts[split], counts[split].sum(skipna=False)]
        table[title] = ["not stored" if np.isnan(n) else f"{n:,.0f}" for n in numbers]
    return table


def count_numbers(counts: pd.DataFrame, splits: Mapping[str, str]) -> pd.DataFrame:
    """One row per class and split, for a file; empty where a count is not known."""
    return (
        counts.rename(columns=dict(splits))
        .reset_index()
        .melt(id_vars="class", var_name="split", value_name="images")
        .astype({"images": "Int64"})
    )


def finding_table(found: Findings, totals: Mapping[str, int], splits: Mapping[str, str]) -> pd.DataFrame:
    """One row per kind of finding."""
    groups = found.groups
    conflicts, across = groups[groups["conflicting"]], groups[groups["across_splits"]]
    rows = [
        ("sets of identical images", f"{len(groups):,}", f"{found.identical_images:,}"),
        ("… with conflicting labels", f"{len(conflicts):,}", f"{conflicts['images'].sum():,}"),
        ("… in more than one split", f"{len(across):,}", f"{across['images'].sum():,}"),
        *(
            (f"{splits[s]} images with a copy in {splits['train']}", "", _of(n, totals[s]))
            for s, n in found.copies_in_train.items()
        ),
        ("blank images", "", f"{len(found.blank):,}"),
    ]
    return pd.DataFrame(rows, columns=["finding", "sets", "images"])


def listed(found: Findings, facts: ImageFacts, kind: str, splits: Mapping[str, str]) -> pd.DataFrame:
    """The findings of one kind (one of FINDINGS), one row per set of identical images or per blank image.

    Columns: first (the first row number), rows, images, labels, splits.
    """
    if kind == BLANK:
        at = facts.at(found.blank)
        classes = facts.labels.classes
        return _table(
            [((int(i),), (classes[k],), (str(s),)) for i, k, s in zip(at.ids, at.truth, at.split, strict=True)], splits
        )
    groups = found.groups
    if kind != IDENTICAL:
        groups = groups[groups["conflicting" if kind == CONFLICTS else "across_splits"]]
    return _table(list(zip(groups["image_ids"], groups["classes"], groups["splits"], strict=True)), splits)


def _table(
    sets: Sequence[tuple[tuple[int, ...], tuple[str, ...], tuple[str, ...]]], splits: Mapping[str, str]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "first": np.array([ids[0] for ids, _, _ in sets], np.int64),
            "rows": [", ".join(map(str, ids)) for ids, _, _ in sets],
            "images": np.array([len(ids) for ids, _, _ in sets], np.int64),
            "labels": [_counted(names) for _, names, _ in sets],
            "splits": [_counted(tuple(splits[s] for s in of)) for _, _, of in sets],
        }
    )


def _counted(names: tuple[str, ...]) -> str:
    """``angry, sad 2``: each name once, with its count where it is above 1."""
    return ", ".join(name if n == 1 else f"{name} {n}" for name, n in Counter(names).items())


def _of(n: int, total: int) -> str:
    return f"{n:,} ({100 * n / total:.1f} %)" if total else "not defined"
