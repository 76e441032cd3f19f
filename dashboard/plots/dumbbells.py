"""Probabilities before and after as a dumbbell plot, in plain HTML.

Not in Plotly: Streamlit replaces a Plotly chart by a new one whenever a number in it changes, which takes most of the
time between a slider and its new chart.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from core.inference import LabelGroup
from dashboard.style import ENSEMBLE_NAME, Ink, NetworkStyle, class_color

ROW_PX = 42  # at least; more for many networks
MARK_PX = 11
LANE_PX = 9  # between the networks of a row
TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Plotly's names of the networks' markers as CSS shapes.
SHAPES = {
    "circle": "circle(50%)",
    "square": "inset(6%)",
    "diamond": "polygon(50% 0, 100% 50%, 50% 100%, 0 50%)",
    "triangle-up": "polygon(50% 0, 100% 95%, 0 95%)",
    "triangle-down": "polygon(0 5%, 100% 5%, 50% 100%)",
    "triangle-left": "polygon(5% 50%, 100% 0, 100% 100%)",
    "triangle-right": "polygon(95% 50%, 0 0, 0 100%)",
    "bowtie": "polygon(0 0, 50% 40%, 100% 0, 100% 100%, 50% 60%, 0 100%)",
    "hourglass": "polygon(0 0, 100% 0, 60% 50%, 100% 100%, 0 100%, 40% 50%)",
    "cross": "polygon(33% 0, 67% 0, 67% 33%, 100% 33%, 100% 67%, 67% 67%, 67% 100%, 33% 100%, 33% 67%, 0 67%, 0 33%, "
    "33% 33%)",
    "x": "polygon(20% 0, 50% 30%, 80% 0, 100% 20%, 70% 50%, 100% 80%, 80% 100%, 50% 70%, 20% 100%, 0 80%, 30% 50%, "
    "0 20%)",
    "pentagon": "polygon(50% 0, 100% 38%, 81% 100%, 19% 100%, 0 38%)",
    "hexagon": "polygon(25% 5%, 75% 5%, 100% 50%, 75% 95%, 25% 95%, 0 50%)",
    "star": "polygon(50% 0, 62% 36%, 100% 38%, 70% 60%, 80% 97%, 50% 75%, 20% 97%, 30% 60%, 0 38%, 38% 36%)",
}


def dumbbells(
    before: LabelGroup,
    after: LabelGroup,
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
    *,
    alt: str,
    words: tuple[str, str] = ("unchanged", "changed"),
) -> str:
    """One row per class: hollow marks before, filled marks after, connected by a line; the bar is the ensemble after.
    ``words`` describe the two states. Networks with a prediction in only one of the groups are left out."""
    labels = after.labels
    before = before.in_order_of(labels)
    shown = [model_id for model_id in after.model_ids if model_id in before.predictions]
    row_px = max(ROW_PX, LANE_PX * len(shown) + MARK_PX)
    tops = [row_px / 2 + (position - (len(shown) - 1) / 2) * LANE_PX for position in range(len(shown))]
    rows = []
    for k, name in enumerate(labels.classes):
        marks = []
        if after.ensemble is not None:
            mean = after.ensemble.probabilities[k]
            marks.append(
                f'<b style="width:{100 * mean:.2f}%" title="{_title(name, mean, ENSEMBLE_NAME, words[1])}"></b>'
            )
        for position, model_id in enumerate(shown):
            was, now = (of.predictions[model_id].probabilities[k] for of in (before, after))
            left, width = 100 * min(was, now), 100 * abs(now - was)
            marks.append(f'<u style="left:{left:.2f}%;width:{width:.2f}%;top:{tops[position]:.1f}px"></u>')
            for value, word, kind in ((was, words[0], "was"), (now, words[1], "now")):
                title = _title(name, value, names[model_id], word)
                marks.append(f'<s class="m{position} {kind}" style="left:{100 * value:.2f}%" title="{title}"></s>')
        rows.append(f'<span>{escape(name)}</span><p style="--class:{class_color(name)}">{"".join(marks)}</p>')
    ticks = "".join(f'<i style="left:{100 * tick:.0f}%">{tick:.1f}</i>' for tick in TICKS)
    legend = "".join(
        f'<span><q><s class="m{position} {kind}"></s></q>{escape(f"{names[model_id]}, {word}")}</span>'
        for position, model_id in enumerate(shown)
        for word, kind in zip(words, ("was", "now"), strict=True)
    )
    if after.ensemble is not None:
        legend += f'<span><q><b style="width:100%"></b></q>{escape(f"bar: {ENSEMBLE_NAME}, {words[1]}")}</span>'
    # A style applies to the whole page, which may have another figure with other networks; its variables do not.
    marks_style = "".join(
        f".dumbbells .m{position} {{ clip-path: var(--shape-{position}); top: var(--top-{position}); }}\n"
        for position in range(len(shown))
    )
    variables = f"--row: {row_px}px; " + "".join(
        f"--shape-{position}: {SHAPES.get(styles[model_id].symbol, SHAPES['circle'])}; "
        f"--top-{position}: {tops[position]:.1f}px; "
        for position, model_id in enumerate(shown)
    )
    return (
        f"<style>{_style(inks)}{marks_style}</style>"
        f'<div class="dumbbells" style="{variables}">'
        f'<div role="img" aria-label="{escape(alt, quote=True)}" class="rows">{"".join(rows)}'
        f'<span></span><div class="ticks">{ticks}</div><span></span><em>probability</em></div>'
        f'<div class="legend">{legend}</div></div>'
    )


def _title(class_name: str, value: float, network: str, word: str) -> str:
    return escape(f"{class_name}: {value:.3f}, {network}, {word}", quote=True)


def _style(inks: Ink) -> str:
    """A mark is a shape within a larger one of the outline's color: a clipped box has no border of its own."""
    grid = f"repeating-linear-gradient(to right, {inks.faint} 0 1px, transparent 1px 20%)"
    return f"""
.dumbbells {{ color: {inks.text}; font-size: 13px; font-variant-numeric: tabular-nums; }}
.dumbbells .rows {{ display: grid; grid-template-columns: max-content 1fr; column-gap: 14px; padding-right: 14px; }}
.dumbbells .rows > span {{ line-height: var(--row); text-align: right; }}
.dumbbells p {{ position: relative; height: var(--row); margin: 0; background: {grid}; border-right: 1px solid
  {inks.faint}; }}
.dumbbells b {{ position: absolute; left: 0; top: 15%; height: 70%; opacity: .38; background: var(--class);
  box-shadow: inset 0 0 0 .6px {inks.muted}; }}
.dumbbells u {{ position: absolute; height: 1px; background: {inks.muted}; text-decoration: none; }}
.dumbbells s {{ position: absolute; width: {MARK_PX}px; height: {MARK_PX}px; transform: translate(-50%, -50%); }}
.dumbbells s::after {{ content: ""; position: absolute; inset: 1.6px; clip-path: inherit; }}
.dumbbells .was {{ background: {inks.muted}; }}
.dumbbells .was::after {{ background: {inks.paper}; }}
.dumbbells .now {{ background: {inks.text}; }}
.dumbbells .now::after {{ background: var(--class); }}
.dumbbells .ticks {{ position: relative; height: 20px; border-top: 1px solid {inks.faint}; font-size: 12px; }}
.dumbbells .ticks i {{ position: absolute; transform: translateX(-50%); font-style: normal; top: 3px; }}
.dumbbells em {{ color: {inks.muted}; font-size: 12px; font-style: normal; text-align: center; }}
.dumbbells .legend {{ display: flex; flex-wrap: wrap; gap: 2px 18px; margin-top: 8px; --class: {inks.muted}; }}
.dumbbells q {{ position: relative; display: inline-block; width: 20px; height: {MARK_PX}px; quotes: none; }}
.dumbbells q .now {{ background: {inks.muted}; }}
.dumbbells q s.was, .dumbbells q s.now {{ left: 50%; top: 50%; }}
"""
