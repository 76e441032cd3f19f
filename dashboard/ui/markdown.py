"""Texts that Streamlit shows as they are, although the elements of a page read Markdown."""

from __future__ import annotations

import re

# Emphasis, code, links, formulas, strikethrough and escapes anywhere; underscores only at the border of a word, where
# they begin or end emphasis; colons only where they begin an icon, an emoji or a color.
SPECIAL = re.compile(r"[\\`*\[\]$~]|(?<!\w)_|_(?!\w)|:(?=[a-zA-Z][\w+-]*[:/\[])")


def escaped(text: str) -> str:
    """Markdown that shows ``text`` unchanged, for names and messages in texts of a page."""
    return SPECIAL.sub(lambda found: f"\\{found[0]}", text)
