"""Texts that Streamlit shows as they are, although the elements of a page read Markdown."""

from __future__ import annotations

import re

# Emphasis, code, links, formulas, strikethrough, entities and escapes anywhere; underscores only at the border of a
# word, where they begin or end emphasis; colons only before a letter, where they begin a color or another style.
SPECIAL = re.compile(r"[\\`*\[\]$~]|&(?=#?\w+;)|(?<!\w)_|_(?!\w)|:(?=[a-zA-Z])")
# The marks of headings, lists and quotations at the beginning of a line.
LINE_START = re.compile(r"^(\s*\d*)([#>+-]|(?<=\d)[.)])(?=\s|#|$)", re.MULTILINE)
# Streamlit replaces the names of emoji and icons after it has read the Markdown, so an escape does not prevent it. Two
# digits are minutes, as in 0:30:45.
ICON_START = re.compile(r":(?=(?!\d\d:)(material/)?[\w+-]+:)")
WORD_JOINER = "\u2060"  # invisible, and no line ends there


def escaped(text: str) -> str:
    """Markdown that shows ``text`` unchanged, for names and messages in texts of a page."""
    special = SPECIAL.sub(lambda found: f"\\{found[0]}", ICON_START.sub(f":{WORD_JOINER}", text))
    return LINE_START.sub(r"\1\\\2", special)
