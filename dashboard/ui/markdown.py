"""Texts that Streamlit shows as they are, although the elements of a page read Markdown."""

from __future__ import annotations

import re

# Emphasis, code, links, formulas, strikethrough, entities and escapes anywhere; underscores only at the border of a
# word, where they begin or end emphasis; colons only where they begin an icon, an emoji or a color.
SPECIAL = re.compile(r"[\\`*\[\]$~]|&(?=#?\w+;)|(?<!\w)_|_(?!\w)|:(?=([a-zA-Z][\w+-]*|[+-]1|100)[:/\[])")
# The marks of headings, lists and quotations at the beginning of a line.
LINE_START = re.compile(r"^(\s*\d*)([#>+-]|(?<=\d)[.)])(?=\s|#|$)", re.MULTILINE)


def escaped(text: str) -> str:
    """Markdown that shows ``text`` unchanged, for names and messages in texts of a page.

    Names of emoji between colons are the exception: Streamlit replaces them after it has read the Markdown.
    """
    return LINE_START.sub(r"\1\\\2", SPECIAL.sub(lambda found: f"\\{found[0]}", text))
