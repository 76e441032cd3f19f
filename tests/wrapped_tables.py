"""The tables that wrap, read from the HTML of a page."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pandas as pd


def wrapped_tables(block: Any) -> list[pd.DataFrame]:
    """The tables in a part of an ``AppTest``, or in all of it, from top to bottom, with their cells as text."""
    bodies = [element.proto.body for element in block.get("html")]
    return [read(body) for body in bodies if 'class="wrapped-table"' in body]


def read(body: str) -> pd.DataFrame:
    """The table in the HTML of one element."""
    table = ElementTree.fromstring(body[body.index("<table") : body.index("</table>")] + "</table>")
    columns = ["".join(cell.itertext()) for cell in table.iterfind("thead/tr/th")]
    rows = [["".join(cell.itertext()) for cell in row.iterfind("td")] for row in table.iterfind("tbody/tr")]
    return pd.DataFrame(rows, columns=columns)
