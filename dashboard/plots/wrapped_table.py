"""A table whose cells wrap, as HTML.

Not ``st.table``: for it the browser loads 1 MB of JavaScript, which the first page would have to wait for, and each
cell is rendered as Markdown.
"""

from __future__ import annotations

from html import escape

from dashboard.section import Table
from dashboard.style import Ink

FADE_PX = 40


def wrapped_table(table: Table, inks: Ink) -> str:
    """The table, which scrolls under its fixed first column where it is too wide; its edge then fades out."""
    classes = [' class="number"' if is_numeric else "" for is_numeric in table.numeric()]
    heading = "".join(
        f'<th scope="col"{of_column}>{escape(str(name))}</th>'
        for name, of_column in zip(table.data.columns, classes, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{of_column}>{f'<b>{escape(text)}</b>' if bold else escape(text)}</td>"
            for (text, bold), of_column in zip(row, classes, strict=True)
        )
        + "</tr>"
        for row in table.rows()
    )
    # The animation follows the position of scrolling. A table that does not scroll has none, and so no faded edge.
    # Streamlit drops a style that contains "<".
    style = f"""
@keyframes wrapped-table-fade {{
  from, 90% {{ --wrapped-table-fade: {FADE_PX}px; }}
  to {{ --wrapped-table-fade: 0px; }} }}
.wrapped-table {{ overflow-x: auto; font-size: 14px; line-height: 1.5; color: {inks.text};
  mask-image: linear-gradient(to right, #000 calc(100% - var(--wrapped-table-fade, 0px)), transparent);
  animation: wrapped-table-fade linear both; animation-timeline: scroll(self inline); }}
.wrapped-table table {{ width: 100%; border-collapse: separate; border-spacing: 0; margin: 0; }}
.wrapped-table :is(th, td) {{ padding: 4px 6px; border: 0; border-bottom: 1px solid {inks.faint}; text-align: left;
  vertical-align: top; font-variant-numeric: tabular-nums; }}
.wrapped-table .number {{ text-align: right; }}
.wrapped-table th {{ color: {inks.muted}; font-weight: 400; }}
.wrapped-table :is(th, td):first-child {{ position: sticky; left: 0; background: {inks.paper}; }}
"""
    name = escape(table.alt, quote=True)
    return (
        f'<style>{style}</style><div class="wrapped-table" tabindex="0" role="region" aria-label="{name}">'
        f'<table aria-label="{name}"><thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
