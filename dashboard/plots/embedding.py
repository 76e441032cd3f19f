"""Images by their features: a hue denotes a class, a cross a wrong prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation import EvaluationRun
from core.evaluation.embedding import Embedding
from dashboard.style import Ink, class_color, reserved, template

TRUE, PREDICTED = COLORS = ("true class", "predicted class")
PCA, TSNE = LAYOUTS = ("PCA", "t-SNE")
FEW, SEED = 1_500, 0  # the browser draws these in half the time of 4,000 points, and fewer of them cover each other
SOME, ALL = SHOWN = (f"{FEW:,}", "all")


def points(embedding: Embedding, plane: np.ndarray, run: EvaluationRun) -> pd.DataFrame:
    """One row per image of the embedding: image_id, x, y, true, predicted, correct. ``plane`` is (N, 2).

    Raises EvaluationError where the run has no prediction for one of the images.
    """
    predictions = run.on_images(embedding.image_ids)
    classes = pd.Index(run.labels.classes)
    return pd.DataFrame(
        {
            "image_id": embedding.image_ids,
            "x": plane[:, 0],
            "y": plane[:, 1],
            "true": pd.Categorical.from_codes(predictions.truth, categories=classes),
            "predicted": pd.Categorical.from_codes(predictions.predicted, categories=classes),
            "correct": predictions.correct,
        }
    )


def drawn(total: int, shown: str = SOME) -> np.ndarray:
    """Positions of the images of a map that are drawn, ascending: all, or ``FEW`` at random with a fixed seed."""
    if shown == ALL or total <= FEW:
        return np.arange(total)
    return np.sort(np.random.default_rng(SEED).choice(total, FEW, replace=False))


def scatter(
    table: pd.DataFrame,
    inks: Ink,
    *,
    color: str = TRUE,
    axes: tuple[str, str] | None = None,
    selected: Sequence[int] = (),
) -> go.Figure:
    """The table of :func:`points` as a map to select on; each class is named at the median of its images.

    ``axes`` are the titles of the axes; without them, as for t-SNE, the axes have no numbers. ``selected``
    contains the row numbers (``image_id``) of the points that are initially selected.
    """
    figure = go.Figure()
    middles: dict[str, tuple[float, float]] = {}
    column = "true" if color == TRUE else "predicted"
    for name in table[column].cat.categories:
        of_class = table[table[column] == name]
        outline = inks.muted if name == "contempt" else inks.paper  # a hue that is faint on white
        for correct, symbol in ((True, "circle"), (False, "x")):
            shown = of_class[of_class["correct"] == correct]
            if shown.empty:
                continue
            figure.add_scatter(
                x=shown["x"],
                y=shown["y"],
                mode="markers",
                name=str(name),
                legendgroup=str(name),
                showlegend=False,
                marker={
                    "symbol": symbol,
                    "size": 6 if correct else 7,
                    "color": class_color(str(name)),
                    "opacity": 0.65 if correct else 0.95,
                    "line": {"color": outline, "width": 0.4},
                },
                selectedpoints=np.flatnonzero(shown["image_id"].isin(selected)).tolist() if selected else None,
                selected={"marker": {"size": 13, "opacity": 1}},  # to find a clicked point again among the others
                customdata=np.column_stack([shown["image_id"].astype(object), shown["true"], shown["predicted"]]),
                hovertemplate="row %{customdata[0]}<br>true %{customdata[1]}, predicted %{customdata[2]}"
                "<extra></extra>",
            )
        # The legend shows hues and markers separately.
        if len(of_class):
            _legend(figure, str(name), "circle", class_color(str(name)), group=str(name))
            middles[str(name)] = tuple(of_class[["x", "y"]].median())
    for name, (x, y) in _apart(middles, table).items():
        figure.add_annotation(x=x, y=y, text=name, showarrow=False, bgcolor=inks.paper, opacity=0.85, borderpad=1)
    _legend(figure, "correct", "circle", inks.muted)
    _legend(figure, "wrong", "x", inks.muted)
    x_title, y_title = axes or ("", "")
    figure.update_layout(
        template=template(inks),
        height=560,
        margin=reserved(12, left=34, below=128),
        dragmode="pan",
        hovermode="closest",
        xaxis={"title": x_title, "showticklabels": axes is not None},
        yaxis={"title": y_title, "showticklabels": axes is not None},
        legend={"y": -0.14 if axes else -0.06, "itemsizing": "constant"},
    )
    return figure


def _apart(middles: dict[str, tuple[float, float]], table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Positions of the names, from the top: a name that would cover another one is moved down."""
    # The approximate size of a name on a wide screen, as a share of the sides.
    width, height = 0.09 * float(np.ptp(table["x"])), 0.05 * float(np.ptp(table["y"]))
    placed: dict[str, tuple[float, float]] = {}
    for name, (x, y) in sorted(middles.items(), key=lambda item: -item[1][1]):
        below = y
        while height > 0 and any(abs(x - a) < width and abs(below - b) < height for a, b in placed.values()):
            below -= height / 4
        placed[name] = (x, below)
    return placed


def component_axes(embedding: Embedding) -> tuple[str, str]:
    """The titles of the axes of a PCA map, with the variance that each component explains."""
    first, second = [*(100 * embedding.explained[:2]), 0.0][:2]
    return f"component 1 ({first:.1f} % of the variance)", f"component 2 ({second:.1f} %)"


def _legend(figure: go.Figure, name: str, symbol: str, color: str, group: str = "") -> None:
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=name,
        legendgroup=group or f"marker-{name}",
        marker={"symbol": symbol, "size": 9, "color": color},
        hoverinfo="skip",
    )
